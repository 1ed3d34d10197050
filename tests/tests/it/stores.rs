//! The stores a test runs on.

use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use gesta::{App, Builder};

use crate::postgres::server::Database;

/// A folder of its own for a test, removed with it.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("gesta-test-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("the temporary folder can be written to");
        Folder(path)
    }
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
    pub fn url(&self, name: &str) -> String {
        format!("sqlite:{}", self.file(name).display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs a test on every store, with nothing different but the URL.
pub async fn on_every_store<F: Future<Output = ()>>(test: impl Fn(Builder) -> F) {
    let (folder, database) = (Folder::new(), Database::new().await);
    let postgres = [database.url("?schema=shared"), database.url("?schema=alone&appends=exclusive")];
    for url in ["memory:".to_owned(), folder.url("test.db")].into_iter().chain(postgres) {
        println!("on {url}");
        test(App::connect(&url).await.expect("the store opens")).await;
    }
}
