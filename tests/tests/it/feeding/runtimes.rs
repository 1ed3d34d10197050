//! An app can be used on another runtime than the one it was started on, also after that one has ended.

use gesta::{App, Position, ReadError};
use tokio::time::timeout;

use super::*;
use crate::postgres::server::Database;
use crate::stores::Folder;

/// Starts an app on a runtime that ends with this, and answers the app.
fn started(url: &str, stays: bool) -> App {
    let runtime = if stays {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
    } else {
        small_runtime()
    };
    runtime.block_on(async {
        let app = App::connect(url).await.unwrap().aggregate::<Tree>().projection::<Rings>().start().await.unwrap();
        app.execute(&1, Plant).await.unwrap();
        app.settle().await.unwrap();
        app
    })
}

fn says_so<T: std::fmt::Debug>(answer: Result<T, ReadError>) {
    let said = answer.expect_err("the model stands still").to_string();
    assert!(said.contains("the runtime on which the app was started has ended"), "{said}");
}

/// What an app does whose runtime has ended.
async fn goes_on(app: &App) {
    let mut events = app.subscribe(Position::ZERO);
    let followed = tokio::spawn(async move {
        for _ in 0..9 {
            events.next().await.unwrap().unwrap();
        }
    });
    // At once, without an unknown outcome.
    let done = app.execute(&1, Grow { micros: 0 }).await.unwrap();
    assert_eq!(app.load::<Tree>(&1).await.unwrap().version.get(), 2);
    let commands = (2..9).map(|tree| gesta::Envelope::<Tree>::new(tree, Plant));
    let mut planted = app.execute_many::<Tree, String>(commands);
    while let Some((_, planted)) = planted.next().await {
        planted.unwrap();
    }
    drop(planted);
    says_so(app.read::<Rings>().get(&1).await);
    says_so(app.read::<Rings>().all().await.map(|rows| rows.len()));
    says_so(app.read::<Rings>().after(&done).get(&1).await);
    says_so(app.settle().await);
    says_so(app.retry_parked::<Rings>().await);
    followed.await.unwrap();
    app.shutdown().await.unwrap();
}

/// R5: an app that was made on a runtime that has ended: commands work, reads say why they don't, nothing hangs.
#[test]
fn an_app_outlives_the_runtime_it_was_started_on() {
    let folder = Folder::new();
    for stays in [false, true] {
        let database = small_runtime().block_on(Database::new());
        let file = format!("{stays}.db");
        let urls = ["memory:".to_owned(), folder.url(&file), database.url(""), database.url("?schema=b&appends=exclusive")];
        for url in urls {
            println!("on {url}");
            let app = started(&url, stays);
            small_runtime().block_on(async {
                timeout(LONG, goes_on(&app)).await.expect("nothing hangs");
            });
            small_runtime().block_on(Box::pin(async { drop(app) }));
        }
    }
}

/// R5: an inline model is fed by each command, on whichever runtime that runs.
#[test]
fn an_inline_model_goes_on_when_its_runtime_has_ended() {
    let folder = Folder::new();
    let database = small_runtime().block_on(Database::new());
    for url in ["memory:".to_owned(), folder.url("test.db"), database.url("")] {
        println!("on {url}");
        let app = small_runtime().block_on(async {
            App::connect(&url).await.unwrap().aggregate::<Tree>().inline_projection::<Rings>().start().await.unwrap()
        });
        for (rings, tree) in [(0, 1), (1, 1), (2, 1)] {
            small_runtime().block_on(async {
                let worked = async {
                    if rings == 0 {
                        app.execute(&tree, Plant).await.unwrap();
                    } else {
                        app.execute(&tree, Grow { micros: 0 }).await.unwrap();
                    }
                    assert_eq!(app.read::<Rings>().get(&tree).await.unwrap().map(|row| row.rings), Some(rings));
                    app.settle().await.unwrap();
                };
                timeout(LONG, worked).await.expect("nothing hangs");
            });
        }
        small_runtime().block_on(async { timeout(LONG, app.shutdown()).await.expect("nothing hangs").unwrap() });
    }
}

/// R5: many runtimes use one app, as each `#[tokio::test]` does with a static one, one after another and side by side.
#[test]
fn an_app_serves_runtimes_that_come_and_go() {
    const RUNTIMES: u64 = 6;
    let folder = Folder::new();
    let database = small_runtime().block_on(Database::new());
    for url in [folder.url("test.db"), database.url("")] {
        println!("on {url}");
        let app = started(&url, false);
        for round in 0..5 {
            let threads: Vec<_> = (0..RUNTIMES)
                .map(|runtime| {
                    let app = app.clone();
                    std::thread::spawn(move || {
                        small_runtime().block_on(async {
                            let tree = 10 + round * RUNTIMES + runtime;
                            let work = async {
                                app.execute(&tree, Plant).await.unwrap();
                                app.execute(&tree, Grow { micros: 0 }).await.unwrap();
                                assert_eq!(app.load::<Tree>(&tree).await.unwrap().version.get(), 2);
                                let mut events = app.subscribe(Position::ZERO);
                                // All that this thread has stored is there.
                                while events.next().await.unwrap().unwrap().stream.id() != tree.to_string() {}
                            };
                            timeout(LONG, work).await.expect("nothing hangs");
                        });
                    })
                })
                .collect();
            for thread in threads {
                thread.join().unwrap();
            }
        }
        small_runtime().block_on(async { timeout(LONG, app.shutdown()).await.expect("nothing hangs").unwrap() });
    }
}

/// R5: a runtime that is there and not driven keeps none from appending.
#[test]
fn a_runtime_that_stands_still_keeps_no_other_from_appending() {
    let folder = Folder::new();
    let database = small_runtime().block_on(Database::new());
    for url in [folder.url("test.db"), database.url("")] {
        println!("on {url}");
        // They live on, but run nothing.
        let idle: Vec<_> = (0..3).map(|_| small_runtime()).collect();
        let app = idle[0].block_on(async { App::connect(&url).await.unwrap().aggregate::<Tree>().start().await.unwrap() });
        for (tree, runtime) in (0..).zip(&idle) {
            runtime.block_on(async { app.execute(&tree, Plant).await.unwrap() });
        }
        small_runtime().block_on(async {
            timeout(LONG, app.execute(&9, Plant)).await.expect("nothing hangs").unwrap();
            timeout(LONG, app.shutdown()).await.expect("nothing hangs").unwrap();
        });
    }
}

/// R5: many commands whose runtime ends are answered, each once.
#[test]
fn many_commands_outlive_the_runtime_they_run_on() {
    const COMMANDS: u64 = 500;
    let folder = Folder::new();
    let database = small_runtime().block_on(Database::new());
    for url in ["memory:".to_owned(), folder.url("test.db"), database.url("")] {
        println!("on {url}");
        let app =
            small_runtime().block_on(async { App::connect(&url).await.unwrap().aggregate::<Tree>().start().await.unwrap() });
        let mut many = app.execute_many::<Tree, String>((0..COMMANDS).map(|tree| gesta::Envelope::<Tree>::new(tree, Plant)));
        let mut answered = std::collections::BTreeSet::new();
        let (number, first) = small_runtime().block_on(many.next()).unwrap();
        first.unwrap();
        answered.insert(number);
        let mut unknown = 0;
        small_runtime().block_on(async {
            let rest = async {
                while let Some((number, answer)) = many.next().await {
                    assert!(answered.insert(number), "{number} was answered before");
                    match answer {
                        Ok(_) => {}
                        Err(why) if why.is_unknown_outcome() => unknown += 1,
                        Err(why) => panic!("{why}"),
                    }
                }
            };
            timeout(LONG, rest).await.expect("nothing hangs");
        });
        assert_eq!(u64::try_from(answered.len()), Ok(COMMANDS));
        println!("{unknown} unknown");
        drop(many);
        small_runtime().block_on(async { timeout(LONG, app.shutdown()).await.expect("nothing hangs").unwrap() });
    }
}
