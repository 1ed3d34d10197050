//! A process of its own that feeds read models, and can die of one of them.
//!
//! It takes a URL and which models it has, says `started`, and then a line for each that it is given: `dig WELL`, `fall WELL HOW`,
//! `settle`, `read WELL`, `calm WELL`, `parked`, `retry`. It ends in order once it is given nothing more.

#![allow(unreachable_pub, missing_docs, reason = "the domain is written as any other")]
#![allow(dead_code, reason = "it is not all of the domain")]

mod falling;

use std::time::Duration;

use gesta::{App, ReadError};

use self::falling::{AllFalls, Calm, Dig, Fall, Falls, Well};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, model] = &arguments[..] else { panic!("write: feeding-process URL MODEL") };
    let builder = App::connect(url).await.expect("the store opens").aggregate::<Well>();
    let builder = match &**model {
        "falls" => builder.projection::<Falls>().projection::<Calm>(),
        "all" => builder.projection::<AllFalls>(),
        "inline" => builder.inline_projection::<Falls>(),
        _ => builder,
    };
    let app = match builder.start().await {
        Ok(app) => app,
        Err(why) => return println!("{why}"),
    };
    println!("started");
    for line in std::io::stdin().lines() {
        let line = line.expect("it is told in UTF-8");
        println!("{}", answer(&app, &line.split(' ').collect::<Vec<_>>()).await);
    }
    app.shutdown().await.expect("the app shuts down");
}

async fn answer(app: &App, words: &[&str]) -> String {
    let well = |word: &str| word.parse::<u64>().expect("a number");
    match words {
        ["dig", id] => {
            let done = app.execute(&well(id), Dig).await;
            done.map_or_else(|why| why.to_string(), |done| done.position.to_string())
        }
        ["fall", id, how] => {
            let done = app.execute(&well(id), Fall { how: (*how).to_owned() }).await;
            done.map_or_else(|why| why.to_string(), |done| done.position.to_string())
        }
        ["settle"] => said(app.settle_within(Duration::from_secs(40)).await.map(|()| "settled".to_owned())),
        ["read", id] => said(app.read::<Falls>().get(&well(id)).await.map(|row| format!("{:?}", row.map(|row| row.falls)))),
        ["parked"] => said(app.parked::<Falls>().await.map(|parked| parked.len().to_string())),
        ["calm", id] => {
            let parked = app.parked::<Calm>().await.map(|parked| parked.len());
            let row = app.read::<Calm>().get(&well(id)).await.map(|row| row.map(|row| row.falls));
            format!("{parked:?} {row:?}")
        }
        ["retry"] => said(app.retry_parked::<Falls>().await.map(|parked| parked.len().to_string())),
        _ => panic!("it is told {words:?}"),
    }
}

fn said(answer: Result<String, ReadError>) -> String {
    answer.unwrap_or_else(|why| why.to_string())
}
