//! `cargo run --release --bin bank [URL]`: a day at the bank, on an SQLite file unless a URL says otherwise, such as
//! `postgres://user:password@host/database`.

use std::io::{self, Write};
use std::process::ExitCode;

use gesta::App;
use gesta_examples::bank::story::{self, StoryError};

#[tokio::main]
async fn main() -> ExitCode {
    let url = std::env::args().nth(1).unwrap_or_else(|| "sqlite:bank.db".to_owned());
    match run(&url).await {
        // Whoever reads has seen enough, as `head` has.
        Err(StoryError::Output(why)) if why.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
        Ok(()) => ExitCode::SUCCESS,
    }
}

async fn run(url: &str) -> Result<(), StoryError> {
    let app = story::open(App::connect(url).await?).await?;
    let mut out = io::stdout().lock();
    story::tell(&app, &mut out).await?;
    let events = story::head(&app).await?;
    app.shutdown().await.map_err(gesta::Failure::from)?;
    match url.split_once(':') {
        Some(("sqlite", file)) => {
            let file = file.split('?').next().unwrap_or(file);
            let path = std::path::absolute(file).map_or_else(|_| file.to_owned(), |path| path.display().to_string());
            writeln!(out, "\nAll of it, {events} events, lies in {path}; the next run goes on from there.")?;
        }
        Some(("memory", _)) => writeln!(out, "\nAll of it, {events} events, was in memory and is gone now.")?,
        _ => writeln!(out, "\nAll of it, {events} events, lies in the database; the next run goes on from there.")?,
    }
    Ok(())
}
