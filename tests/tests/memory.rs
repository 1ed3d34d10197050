//! The bound of the state cache in bytes, measured as the memory that the process has.

#![cfg(target_os = "linux")]
#![allow(missing_docs, reason = "everything here is private, and named by what it promises")]

use std::path::Path;

use gesta::Limits;
use gesta::prelude::*;

#[event]
struct Written {
    text: String,
}
/// Keeps all that it is told.
struct Document {
    text: String,
}
#[aggregate(id = u64)]
impl Document {
    fn written(e: Written) -> Self {
        Document { text: e.text }
    }
}
#[command]
struct Write {
    text: String,
}
#[command_handler]
impl Document {
    fn write(this: Option<&Self>, cmd: Write) -> Option<Written> {
        this.is_none_or(|document| document.text.is_empty()).then_some(Written { text: cmd.text })
    }
}

#[event]
struct Labelled {
    names: Vec<String>,
}
#[event]
struct Relabelled {
    names: Vec<String>,
}
/// Keeps many small parts, which take more memory than what is stored of them.
struct Labels {
    all: Vec<String>,
}
#[aggregate(id = u64)]
impl Labels {
    fn labelled(e: Labelled) -> Self {
        Labels { all: e.names }
    }
    fn relabelled(&mut self, e: Relabelled) {
        self.all.extend(e.names);
    }
}
#[command]
struct Label {
    names: Vec<String>,
}
#[command_handler]
impl Labels {
    fn label(this: Option<&Self>, cmd: Label) -> LabelsEvent {
        match this {
            None => Labelled { names: cmd.names }.into(),
            Some(_) => Relabelled { names: cmd.names }.into(),
        }
    }
}

const MIB: usize = 1 << 20;

/// The memory of this process that is resident, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells the status of a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the status tells what is resident");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("it is a number of kB") * 1024
}

async fn open(file: &Path, cache_bytes: usize) -> App {
    let builder = App::connect(&format!("sqlite:{}?synchronous=normal", file.display())).await.expect("a new file");
    let builder = builder.limits(Limits { cache_bytes, ..Limits::default() });
    builder.aggregate::<Document>().aggregate::<Labels>().start().await.expect("a new store")
}

/// Executes commands on documents that keep a text of 300 kB each.
async fn write(app: &App, documents: u64) {
    for id in 0..documents {
        app.execute(&id, Write { text: "x".repeat(300_000) }).await.expect("a document");
    }
}

/// Executes commands on aggregates that keep 80,000 texts of one letter each, 4 MB in memory.
async fn label(app: &App, aggregates: u64) {
    for id in 0..aggregates {
        for _ in 0..4 {
            let names = ('a'..='z').cycle().take(20_000).map(String::from).collect();
            app.execute(&id, Label { names }).await.expect("labels");
        }
    }
}

/// F19: whatever states keep, all of them together take what the cache may take, times a factor for how they keep it.
#[tokio::test]
async fn cached_states_take_no_more_than_their_bound() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str| folder.path().join(name);
    // What commands take besides.
    let app = open(&file("warm.db"), 0).await;
    write(&app, 20).await;
    label(&app, 5).await;
    app.shutdown().await.expect("an end in order");
    drop(app);
    let before = resident();

    let (bound, mut measured) = (16 * MIB, Vec::new());
    let app = open(&file("documents.db"), bound).await;
    write(&app, 600).await;
    measured.push(("documents", resident().saturating_sub(before)));
    app.shutdown().await.expect("an end in order");
    drop(app);

    let app = open(&file("labels.db"), bound).await;
    label(&app, 75).await;
    measured.push(("labels", resident().saturating_sub(before)));
    app.shutdown().await.expect("an end in order");

    println!("{measured:?}");
    // SQLite keeps pages of up to 64 MiB. Without the bound, the states take 180 and 300 MiB besides.
    let max = 64 * MIB + 4 * bound;
    for (what, took) in measured {
        assert!(took < max, "the states of {what} and the store take {} MiB, more than {} MiB", took / MIB, max / MIB);
    }
}
