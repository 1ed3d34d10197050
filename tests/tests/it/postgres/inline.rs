//! One inline read model in several processes at once: each event is in its row when its command is answered, and once.

use gesta::App;
use tokio::task::JoinSet;

use super::server::Database;
use crate::app::commands::lending;
use crate::domain::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_row_that_every_process_writes_to_loses_nothing() {
    const TASKS: u32 = 8;
    const ROUNDS: u32 = 6;
    for appends in ["shared", "exclusive"] {
        let database = Database::new().await;
        let pooler = database.pooler();
        let options = format!("?appends={appends}");
        let mut apps = Vec::new();
        for url in [database.url(&options), database.url(&options), database.url_through(&pooler, &options)] {
            apps.push(lending(App::connect(&url).await.unwrap()).inline_projection::<Amounts>().start().await.unwrap());
        }
        // Without the model, in the way of those with it.
        apps.push(lending(App::connect(&database.url(&options)).await.unwrap()).start().await.unwrap());
        let mut tasks = JoinSet::new();
        for (place, app) in apps.iter().enumerate() {
            for task in 0..TASKS {
                let (app, id) = (app.clone(), account(&format!("{place}-{}", task % 3)));
                tasks.spawn(async move {
                    for round in 0..ROUNDS {
                        let done = app.execute(&id, Welcome { gift: 1 }).await.unwrap();
                        if place < 3 && round % 2 == 0 {
                            let row = app.read::<Amounts>().after(&done).get(&1).await.unwrap();
                            assert!(row.is_some_and(|row| row.times > 0));
                        }
                    }
                });
            }
        }
        tasks.join_all().await;
        for app in &apps[..3] {
            assert_eq!(app.read::<Amounts>().get(&1).await.unwrap().unwrap().times, 4 * TASKS * ROUNDS, "{appends}");
        }
        for app in apps {
            app.shutdown().await.unwrap();
        }
    }
}
