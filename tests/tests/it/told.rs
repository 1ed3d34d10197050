//! What gesta tells whoever watches it: the lines that a test's own thread has caused.

use std::cell::RefCell;
use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

thread_local! {
    /// What was told on this thread since somebody began to listen.
    static LINES: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// What the writers of SQLite files have told, which have a thread of their own.
static WRITERS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// One for the whole process: while subscribers come and go, an event that another thread meets for the first time may be
/// lost to all of them.
struct Told;

/// Ends with the test.
pub struct Listening;

impl Listening {
    pub fn begin() -> Self {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| tracing::subscriber::set_global_default(Told).expect("no other subscriber"));
        LINES.set(Some(Vec::new()));
        Listening
    }
    /// What was told since this was asked last.
    #[allow(clippy::unused_self, reason = "whoever asks is listening")]
    pub fn lines(&self) -> Vec<String> {
        LINES.replace(Some(Vec::new())).unwrap_or_default()
    }
}

/// What the writer of a file has told since the first test began to listen.
pub fn by_the_writer_of(file: &std::path::Path) -> Vec<String> {
    let (lines, file) = (WRITERS.lock().unwrap_or_else(PoisonError::into_inner), file.display().to_string());
    lines.iter().filter(|line| line.contains(&file)).cloned().collect()
}

impl Drop for Listening {
    fn drop(&mut self) {
        LINES.set(None);
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl Subscriber for Told {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let (target, level) = (metadata.target(), *metadata.level());
        (target.starts_with("gesta") && level <= tracing::Level::INFO)
            || (target.starts_with("sqlx") && level <= tracing::Level::WARN)
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        if std::thread::current().name() == Some("gesta-sqlite") {
            let mut line = Line(event.metadata().level().to_string());
            event.record(&mut line);
            WRITERS.lock().unwrap_or_else(PoisonError::into_inner).push(line.0);
        }
        LINES.with_borrow_mut(|lines| {
            if let Some(lines) = lines {
                let mut line = Line(event.metadata().level().to_string());
                event.record(&mut line);
                lines.push(line.0);
            }
        });
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
