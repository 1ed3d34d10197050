//! The catalogue: documentation of a domain, written from its types.
//!
//! It holds what is registered with an app: aggregates with their commands and events, each event's fields, versions, samples
//! and who consumes it, and the read models. The prose is the doc comments. It is a folder of Markdown with Mermaid diagrams,
//! as code hosts show them, and of JSON Schema documents for other programs: one for each version of each event.
//!
//! A test keeps it current:
//!
//! ```
//! # mod bank {
//! #     pub fn register(app: gesta::Builder) -> gesta::Builder { app }
//! # }
//! # async fn hidden() {
//! # /*
//! #[tokio::test]
//! # */
//! async fn the_catalogue_is_current() {
//!     let app = bank::register(gesta::App::connect("memory:").await.unwrap());
//!     app.catalogue().check("docs/catalogue").unwrap();
//! }
//! # }
//! ```
//!
//! Where there are golden samples, [`Catalogue::with_samples_of`] shows them in place of made up ones.
//!
//! `GESTA_CATALOGUE=write cargo test catalogue` writes the folder; without the variable the test compares, and names each file
//! that is not what the types say. Relative paths begin at the package's folder, where tests run.
//!
//! Always true here: the same types give the same bytes, on every machine, so the folder can be committed and reviewed; and
//! only files that this module has written are ever removed.

mod chart;
mod fields;
mod files;
mod page;
mod prose;

use std::collections::BTreeMap;
use std::path::Path;

pub use files::CatalogueError;

use crate::read::{Column, Projection, SourceSink};
use crate::schema::json::Json;
use crate::schema::{NoSample, samples};
use crate::{Aggregate, CommandInfo, Commands, Decoded, EventInfo};

/// What is registered, as documentation. Made by [`Builder::catalogue`](crate::Builder::catalogue).
///
/// # Examples
/// ```
/// use gesta::App;
/// # use gesta::prelude::*;
/// # #[event]
/// # pub struct Opened { pub owner: String }
/// # pub struct Account;
/// # #[aggregate(id = u64)]
/// # impl Account { fn opened(_: Opened) -> Self { Account } }
/// # #[command]
/// # pub struct Open { pub owner: String }
/// # #[command_handler]
/// # impl Account { fn open(cmd: Open) -> Opened { Opened { owner: cmd.owner } } }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let catalogue = App::connect("memory:").await?.aggregate::<Account>().catalogue();
/// let files: Vec<_> = catalogue.files().into_keys().collect();
/// assert_eq!(files, ["README.md", "aggregates/Account.md", "schemas/Account.Opened.v1.json"]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Catalogue {
    aggregates: Vec<AggregateEntry>,
    read_models: Vec<ReadModelEntry>,
}

/// An aggregate.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AggregateEntry {
    /// The name its streams are stored under.
    pub name: &'static str,
    /// Its doc comment.
    pub doc: &'static str,
    /// What its id's type is called.
    pub id: &'static str,
    /// Its commands.
    pub commands: &'static [CommandInfo],
    /// What can happen to it.
    pub events: Vec<EventEntry>,
    /// What may be stored and is read as other events.
    pub retired: Vec<EventEntry>,
}

/// An event.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EventEntry {
    /// Its name, its versions and its doc comment.
    pub info: EventInfo,
    /// Samples of its newest version, as JSON; or why none can be made up.
    pub samples: Result<Vec<String>, NoSample>,
    /// What each sample of a retired event has become: names of events, with their JSON.
    pub becomes: Vec<Vec<(&'static str, String)>>,
}

/// A read model.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReadModelEntry {
    /// The name of its table.
    pub table: &'static str,
    /// Its doc comment.
    pub doc: &'static str,
    /// Its columns.
    pub columns: &'static [Column],
    /// Whether it is stored in the same transaction as the events.
    pub inline: bool,
    /// The aggregates that feed it.
    pub sources: Vec<SourceEntry>,
}

/// What a read model makes of an aggregate's events.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SourceEntry {
    /// The aggregate's name.
    pub aggregate: &'static str,
    /// The events that it handles, by name.
    pub handles: Vec<&'static str>,
    /// The events that it ignores, by name.
    pub ignores: Vec<&'static str>,
}

impl Catalogue {
    pub(crate) fn new(aggregates: Vec<AggregateEntry>, read_models: Vec<ReadModelEntry>) -> Self {
        Catalogue { aggregates, read_models }
    }

    /// The aggregates, in the order they were registered.
    pub fn aggregates(&self) -> &[AggregateEntry] {
        &self.aggregates
    }

    /// The read models, in the order they were registered.
    pub fn read_models(&self) -> &[ReadModelEntry] {
        &self.read_models
    }

    /// Shows the golden samples of the aggregate `A`, from the file beside its schema lock, in place of made up ones. An event that
    /// the file says nothing of keeps those.
    ///
    /// # Errors
    /// [`CatalogueError`] where the file can't be read, or is none of golden samples.
    ///
    /// # Examples
    /// ```
    /// # use gesta::prelude::*;
    /// # #[event]
    /// # pub struct Opened { pub owner: String }
    /// # pub struct Account;
    /// # #[aggregate(id = u64)]
    /// # impl Account { fn opened(_: Opened) -> Self { Account } }
    /// # #[command]
    /// # pub struct Open;
    /// # #[command_handler]
    /// # impl Account { fn open(_: Open) -> Opened { Opened { owner: String::new() } } }
    /// fn is_current(app: gesta::Builder) -> Result<(), gesta::catalogue::CatalogueError> {
    ///     app.catalogue().with_samples_of::<Account>("src/account.samples")?.check("docs/catalogue")
    /// }
    /// ```
    pub fn with_samples_of<A: Aggregate>(mut self, file: impl AsRef<Path>) -> Result<Self, CatalogueError> {
        let lines = files::golden(file.as_ref())?;
        for entry in self.aggregates.iter_mut().filter(|entry| entry.name == A::NAME) {
            for event in entry.events.iter_mut().chain(&mut entry.retired) {
                let mine = lines.iter().filter(|(name, version, _)| *name == event.info.name && *version == event.info.version);
                let samples: Vec<_> = mine.map(|(.., payload)| payload.clone()).collect();
                if !samples.is_empty() {
                    *event = event_with::<A>(event.info, Ok(samples));
                }
            }
        }
        Ok(self)
    }

    /// The files of the folder: what is in each, by its path in the folder.
    pub fn files(&self) -> BTreeMap<String, String> {
        page::files(self)
    }
}

/// What is known of the aggregate `A`.
pub(crate) fn aggregate<A: Commands>() -> AggregateEntry {
    let entries = |events: &[EventInfo]| events.iter().map(|info| event::<A>(*info)).collect();
    AggregateEntry {
        name: A::NAME,
        doc: A::DOC,
        id: std::any::type_name::<A::Id>(),
        commands: A::COMMANDS,
        events: entries(A::EVENTS),
        retired: entries(A::RETIRED),
    }
}

fn event<A: Aggregate>(info: EventInfo) -> EventEntry {
    let newest = info.versions.iter().find(|version| version.version == info.version);
    event_with::<A>(info, newest.map_or(Ok(Vec::new()), |version| samples(&version.node)))
}

fn event_with<A: Aggregate>(info: EventInfo, samples: Result<Vec<String>, NoSample>) -> EventEntry {
    let becomes = samples.iter().flatten().filter_map(|sample| became::<A>(&info, sample)).collect();
    EventEntry { info, samples, becomes }
}

/// What a sample of a retired event has become.
fn became<A: Aggregate>(info: &EventInfo, sample: &str) -> Option<Vec<(&'static str, String)>> {
    // An `#[upcast]` function is the user's code and has never seen this sample.
    let decode = || A::decode(info.name, info.version, sample.as_bytes());
    let Ok(Ok(Decoded::Became(events))) = std::panic::catch_unwind(decode) else { return None };
    let written = events.iter().map(|event| {
        let mut payload = Vec::new();
        A::encode(event, &mut payload).ok()?;
        Some((A::info(event).name, Json::parse(&payload).ok()?.to_string()))
    });
    written.collect()
}

/// What is known of the read model `M`, with these aggregates.
pub(crate) fn read_model<M: Projection>(inline: bool, aggregates: &[AggregateEntry]) -> ReadModelEntry {
    let source = |source: &crate::read::Source<M>| {
        let events = aggregates.iter().filter(|aggregate| aggregate.name == source.aggregate);
        let names = events.flat_map(|aggregate| aggregate.events.iter().map(|event| event.info.name));
        let (handles, ignores) = names.partition(|name| (source.handles)(name) == Some(true));
        SourceEntry { aggregate: source.aggregate, handles, ignores }
    };
    let sources = SourceSink::<M>::collect().iter().map(source).collect();
    ReadModelEntry { table: M::TABLE, doc: M::DOC, columns: M::COLUMNS, inline, sources }
}
