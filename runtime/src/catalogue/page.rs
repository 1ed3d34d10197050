//! The pages, and the files they are in.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::chart::chart;
use super::fields::rows;
use super::files::MARK;
use super::prose::{cell, cell_of, code, prose, short, summary};
use super::{AggregateEntry, Catalogue, EventEntry, ReadModelEntry};
use crate::read::index::{OWN_PREFIX, field_name};
use crate::read::{Column, ColumnKind, ColumnRole};
use crate::schema::Node;
use crate::schema::json_schema::document;
use crate::{CommandInfo, EventVersion};

/// Everything, by its path in the folder.
pub(super) fn files(catalogue: &Catalogue) -> BTreeMap<String, String> {
    let mut files = BTreeMap::from([("README.md".to_owned(), overview(catalogue))]);
    for aggregate in &catalogue.aggregates {
        files.insert(format!("aggregates/{}.md", file(aggregate.name)), aggregate_page(aggregate, catalogue));
        for event in aggregate.events.iter().chain(&aggregate.retired) {
            for version in event.info.versions {
                files.insert(schema_file(aggregate, event, version), schema(event, version));
            }
        }
    }
    for model in &catalogue.read_models {
        files.insert(format!("read-models/{}.md", file(model.table)), model_page(model));
    }
    files
}

/// A name as part of a file's name, which may hold less than a stored name.
fn file(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') {
            text.push(c);
        } else {
            // Writing to a string can't fail.
            let _ = write!(text, "~{:x}", u32::from(c));
        }
    }
    text
}

fn schema_file(aggregate: &AggregateEntry, event: &EventEntry, version: &EventVersion) -> String {
    format!("schemas/{}.{}.v{}.json", file(aggregate.name), file(event.info.name), version.version)
}

fn schema(event: &EventEntry, version: &EventVersion) -> String {
    let title = format!("{}, version {}", event.info.name, version.version);
    document(&title, event.info.doc, &version.node, &[("$comment", MARK)]).pretty() + "\n"
}

/// A page that grows by paragraphs, with an empty line between them.
struct Page(String);

impl Page {
    fn new(title: &str) -> Self {
        Page(format!("<!-- {MARK} -->\n\n# {title}\n"))
    }
    fn paragraph(&mut self, text: &str) {
        if !text.is_empty() {
            self.0.push('\n');
            self.0.push_str(text.trim_end());
            self.0.push('\n');
        }
    }
    fn table(&mut self, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | ").replace("|  |", "| |"));
        let head: Vec<_> = head.iter().map(|&cell| cell.to_owned()).collect();
        let rows: String = rows.into_iter().map(|row| line(&row)).collect();
        let ruler = "|---".repeat(head.len());
        if !rows.is_empty() {
            self.paragraph(&format!("{}{ruler}|\n{rows}", line(&head)));
        }
    }
}

fn overview(catalogue: &Catalogue) -> String {
    let mut page = Page::new("Catalogue");
    page.paragraph("What the types of this domain say: commands are decided on by aggregates, which is where events come from; read models are made of events.");
    page.paragraph(&chart(&catalogue.aggregates, &catalogue.read_models));
    page.paragraph("## Aggregates");
    page.table(
        &["aggregate", "what it is", "commands", "events"],
        catalogue.aggregates.iter().map(|aggregate| {
            let names = |names: Vec<&str>| names.into_iter().map(|name| cell(&code(name))).collect::<Vec<_>>().join(", ");
            vec![
                format!("[{}](aggregates/{}.md)", cell(&code(aggregate.name)), file(aggregate.name)),
                summary(aggregate.doc),
                names(aggregate.commands.iter().map(|command| command.name).collect()),
                names(aggregate.events.iter().map(|event| event.info.name).collect()),
            ]
        }),
    );
    if !catalogue.read_models.is_empty() {
        page.paragraph("## Read models");
    }
    page.table(
        &["read model", "what it holds", "made of events of"],
        catalogue.read_models.iter().map(|model| {
            let sources = model.sources.iter().map(|source| cell(&code(source.aggregate)));
            vec![
                format!("[{}](read-models/{}.md)", cell(&code(model.table)), file(model.table)),
                summary(model.doc),
                sources.collect::<Vec<_>>().join(", "),
            ]
        }),
    );
    page.0
}

fn aggregate_page(aggregate: &AggregateEntry, catalogue: &Catalogue) -> String {
    let mut page = Page::new(&code(aggregate.name));
    page.paragraph(&prose(aggregate.doc));
    let (prefix, id) = (code(&format!("{}-", aggregate.name)), code(&short(aggregate.id)));
    page.paragraph(&format!("Each has a stream of its own: {prefix} and its id, {}.", with_article(&id)));
    page.paragraph(&chart([aggregate], &catalogue.read_models));
    if !aggregate.commands.is_empty() {
        page.paragraph("## Commands");
    }
    for command in aggregate.commands {
        command_section(&mut page, command);
    }
    page.paragraph("## Events");
    for event in &aggregate.events {
        page.paragraph(&format!("### {}", code(event.info.name)));
        page.paragraph(&prose(event.info.doc));
        page.paragraph(&consumers(aggregate, event, catalogue));
        fields(&mut page, newest(event));
        samples(&mut page, event);
        versions(&mut page, aggregate, event);
    }
    if !aggregate.retired.is_empty() {
        page.paragraph("## Retired events");
        page.paragraph("No longer recorded. Where one is stored, it is read as other events.");
    }
    for event in &aggregate.retired {
        page.paragraph(&format!("### {}", code(event.info.name)));
        page.paragraph(&prose(event.info.doc));
        page.paragraph(&becomes(event));
        fields(&mut page, newest(event));
        became(&mut page, event);
        versions(&mut page, aggregate, event);
    }
    page.0
}

fn with_article(name: &str) -> String {
    let vowel = name.trim_start_matches('`').starts_with(['A', 'E', 'I', 'O', 'a', 'e', 'i', 'o']);
    format!("{} {name}", if vowel { "an" } else { "a" })
}

fn command_section(page: &mut Page, command: &CommandInfo) {
    page.paragraph(&format!("### {}", code(command.name)));
    page.paragraph(&prose(command.doc));
    let services: Vec<_> = command.services().map(|service| code(&short(service.name()))).collect();
    if !services.is_empty() {
        page.paragraph(&format!("Its handler asks {}.", services.join(", ")));
    }
    fields(page, Some(&command.node));
}

fn newest(event: &EventEntry) -> Option<&Node> {
    event.info.versions.iter().find(|version| version.version == event.info.version).map(|version| &version.node)
}

fn fields(page: &mut Page, node: Option<&Node>) {
    let rows = node.map(rows).unwrap_or_default();
    if rows.is_empty() {
        page.paragraph("It has no fields.");
    }
    page.table(
        &["field", "type", "what it is"],
        rows.into_iter().map(|row| vec![cell(&code(&row.path)), cell(&row.words), cell_of(row.doc)]),
    );
}

/// Who does something with an event, and who has decided not to.
fn consumers(aggregate: &AggregateEntry, event: &EventEntry, catalogue: &Catalogue) -> String {
    let of = |handled: bool| {
        let models = catalogue.read_models.iter().filter(move |model| {
            let mut sources = model.sources.iter().filter(|source| source.aggregate == aggregate.name);
            sources.any(|source| if handled { &source.handles } else { &source.ignores }.contains(&event.info.name))
        });
        models.map(model_link).collect::<Vec<_>>().join(", ")
    };
    match (of(true), of(false)) {
        (handled, ignored) if handled.is_empty() && ignored.is_empty() => "No read model knows it.".to_owned(),
        (handled, ignored) if handled.is_empty() => format!("Ignored by {ignored}."),
        (handled, ignored) if ignored.is_empty() => format!("Consumed by {handled}."),
        (handled, ignored) => format!("Consumed by {handled}; ignored by {ignored}."),
    }
}

fn model_link(model: &ReadModelEntry) -> String {
    format!("[{}](../read-models/{}.md)", code(model.table), file(model.table))
}

fn samples(page: &mut Page, event: &EventEntry) {
    match &event.samples {
        Ok(samples) => page.paragraph(&block("json", samples)),
        Err(why) => page.paragraph(&format!("There are no samples: {why}.")),
    }
}

fn block(language: &str, lines: &[String]) -> String {
    if lines.is_empty() { String::new() } else { format!("```{language}\n{}\n```", lines.join("\n")) }
}

/// What a retired event's samples have become, by name.
fn becomes(event: &EventEntry) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in event.becomes.iter().flatten() {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let names: Vec<_> = names.into_iter().map(code).collect();
    match (&event.samples, &names[..]) {
        (Err(_), _) => "What it becomes, its `#[upcast]` function says.".to_owned(),
        (_, []) => "It becomes nothing.".to_owned(),
        (_, names) => format!("It becomes {}.", names.join(" and ")),
    }
}

fn became(page: &mut Page, event: &EventEntry) {
    let Ok(samples) = &event.samples else { return self::samples(page, event) };
    let pairs = samples.iter().zip(&event.becomes).map(|(sample, became)| {
        let became: Vec<_> = became.iter().map(|(name, json)| format!("\n  {name} {json}")).collect();
        format!("{sample} becomes{}", if became.is_empty() { " nothing".to_owned() } else { became.concat() })
    });
    let text: Vec<_> = pairs.collect();
    page.paragraph(&block("text", &text));
}

fn versions(page: &mut Page, aggregate: &AggregateEntry, event: &EventEntry) {
    page.table(
        &["version", "what changed", "as JSON Schema"],
        event.info.versions.iter().map(|version| {
            let changes = if version.changes.is_empty() && version.version == 1 {
                "the first one".to_owned()
            } else {
                cell(&version.changes.join("; "))
            };
            let path = schema_file(aggregate, event, version);
            let name = path.trim_start_matches("schemas/");
            vec![version.version.to_string(), changes, format!("[{name}](../{path})")]
        }),
    );
}

fn model_page(model: &ReadModelEntry) -> String {
    let mut page = Page::new(&code(model.table));
    page.paragraph(&prose(model.doc));
    page.paragraph(if model.inline {
        "A table that is stored in the same transaction as the events."
    } else {
        "A table that follows the events."
    });
    let fields = model.columns.iter().filter(|column| !column.name.starts_with(OWN_PREFIX));
    page.table(&["column", "holds", "what it is"], fields.map(|field| column(field, role(model.columns, field.name))));
    page.paragraph("## Made of");
    for source in &model.sources {
        let link = |name: &&str| format!("[{}](../aggregates/{}.md#{})", code(name), file(source.aggregate), anchor(name));
        let links = |names: &[&str]| names.iter().map(link).collect::<Vec<_>>().join(", ");
        page.paragraph(&format!("### [{}](../aggregates/{}.md)", code(source.aggregate), file(source.aggregate)));
        if !source.handles.is_empty() {
            page.paragraph(&format!("Handled: {}.", links(&source.handles)));
        }
        if !source.ignores.is_empty() {
            page.paragraph(&format!("Ignored: {}.", links(&source.ignores)));
        }
    }
    page.0
}

/// A heading as code hosts name it in links.
fn anchor(name: &str) -> String {
    let kept = name.to_lowercase().replace(' ', "-");
    kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
}

/// The role of a field: that of the column beside it by which its rows are found, if there is one.
fn role(columns: &'static [Column], field: &str) -> ColumnRole {
    let of = columns.iter().enumerate().filter(|(place, _)| field_name(columns, *place) == field);
    of.map(|(_, column)| column.role).find(|role| *role != ColumnRole::Plain).unwrap_or(ColumnRole::Plain)
}

fn column(column: &Column, role: ColumnRole) -> Vec<String> {
    let kind = match column.kind {
        ColumnKind::Integer => "whole number",
        ColumnKind::Real => "number",
        ColumnKind::Text => "text",
        ColumnKind::Json => "JSON",
    };
    let nothing = if column.nullable { ", or nothing" } else { "" };
    let role = match role {
        ColumnRole::Key => "; the key",
        ColumnRole::Indexed => "; rows are found by it",
        ColumnRole::Plain => "",
    };
    vec![cell(&code(column.name)), format!("{kind}{nothing}{role}"), cell_of(column.doc)]
}
