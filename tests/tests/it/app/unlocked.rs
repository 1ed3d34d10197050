//! Aggregates without a schema lock, on stores that last.

use gesta::App;

use crate::postgres::server::Database;
use crate::stores::Folder;
use crate::told::Listening;

mod domain {
    use gesta::prelude::*;

    #[event]
    pub struct Written;
    pub struct Note;
    #[aggregate(id = u64, name = "Post It")]
    impl Note {
        fn written(_: Written) -> Self {
            Note
        }
    }
    #[command]
    pub struct Write;
    #[command_handler]
    impl Note {
        fn write(_: Write) -> Written {
            Written
        }
    }
}

/// Attack, "Missing": without a lock nothing tells of a change that makes stored events unreadable, so the start does.
#[tokio::test]
async fn aggregate_without_lock_is_a_warning_on_durable_stores() {
    let listening = Listening::begin();
    let (folder, database) = (Folder::new(), Database::new().await);
    let file = folder.url("notes.db");
    for (url, warned) in
        [("memory:".to_owned(), false), (file.clone(), true), (format!("{file}?mode=ro"), false), (database.url(""), true)]
    {
        let app = App::connect(&url).await.unwrap().aggregate::<domain::Note>().start().await.unwrap();
        app.shutdown().await.unwrap();
        let told = listening.lines();
        let found = told.iter().any(|line| {
            line.starts_with("WARN")
                && line.contains("aggregate=\"Post It\" type=\"")
                && line.contains("`#[aggregate(.., schema = \"post_it.events\")]`")
        });
        assert_eq!(found, warned, "{url}: {told:#?}");
    }
}
