//! The flow of a domain as a Mermaid flowchart: commands, aggregates, events, read models.
//!
//! Always true here: the nodes' ids are ours and the labels are quoted, so no name of a user's is ever a word of Mermaid's.

use std::fmt::Write as _;

use super::{AggregateEntry, ReadModelEntry};

/// Colours that can be told apart, with text that can be read on them in light and dark themes.
const CLASSES: [(&str, &str); 5] = [
    ("command", "fill:#cfe2ff,stroke:#3d6fb6,color:#111"),
    ("aggregate", "fill:#fff3bf,stroke:#b58b00,color:#111"),
    ("event", "fill:#ffd8a8,stroke:#c76b00,color:#111"),
    ("retired", "fill:#e9ecef,stroke:#868e96,color:#111,stroke-dasharray:4"),
    ("model", "fill:#c3f0ca,stroke:#2b8a3e,color:#111"),
];

/// The chart of these aggregates with the read models that they feed.
pub(super) fn chart<'a>(aggregates: impl IntoIterator<Item = &'a AggregateEntry>, models: &[ReadModelEntry]) -> String {
    let mut chart = Chart { text: "```mermaid\nflowchart LR\n".to_owned(), edges: Vec::new() };
    let mut shown = Vec::new();
    for (a, aggregate) in aggregates.into_iter().enumerate() {
        chart.aggregate(a, aggregate);
        shown.push(aggregate);
    }
    for (m, model) in models.iter().enumerate() {
        chart.model(m, model, &shown);
    }
    chart.finish()
}

struct Chart {
    text: String,
    edges: Vec<String>,
}

impl Chart {
    fn line(&mut self, line: &str) {
        self.text.push_str("    ");
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn aggregate(&mut self, a: usize, aggregate: &AggregateEntry) {
        for (c, command) in aggregate.commands.iter().enumerate() {
            self.line(&format!("c{a}x{c}[\"{}\"]:::command", label(command.name)));
            self.edges.push(format!("c{a}x{c} --> a{a}"));
        }
        self.line(&format!("a{a}([\"{}\"]):::aggregate", label(aggregate.name)));
        for (e, event) in aggregate.events.iter().enumerate() {
            self.line(&format!("e{a}x{e}[\"{}\"]:::event", label(event.info.name)));
            self.edges.push(format!("a{a} --> e{a}x{e}"));
        }
        for (r, retired) in aggregate.retired.iter().enumerate() {
            self.line(&format!("r{a}x{r}[\"{}\"]:::retired", label(retired.info.name)));
            for (e, event) in aggregate.events.iter().enumerate() {
                if retired.becomes.iter().flatten().any(|(name, _)| *name == event.info.name) {
                    self.edges.push(format!("r{a}x{r} -.-> e{a}x{e}"));
                }
            }
        }
    }

    fn model(&mut self, m: usize, model: &ReadModelEntry, aggregates: &[&AggregateEntry]) {
        let mut edges = Vec::new();
        for source in &model.sources {
            let Some(a) = aggregates.iter().position(|aggregate| aggregate.name == source.aggregate) else { continue };
            for (e, event) in aggregates[a].events.iter().enumerate() {
                if source.handles.contains(&event.info.name) {
                    edges.push(format!("e{a}x{e} --> m{m}"));
                }
            }
        }
        if !edges.is_empty() {
            self.line(&format!("m{m}[(\"{}\")]:::model", label(model.table)));
            self.edges.append(&mut edges);
        }
    }

    fn finish(mut self) -> String {
        for edge in std::mem::take(&mut self.edges) {
            self.line(&edge);
        }
        for (name, style) in CLASSES {
            self.line(&format!("classDef {name} {style}"));
        }
        self.text + "```\n"
    }
}

/// A name between quotes: what could end them, or mean something there, is written as its number.
fn label(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | ':' | '/') {
            text.push(c);
        } else {
            // Writing to a string can't fail.
            let _ = write!(text, "#{};", u32::from(c));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_label_holds_nothing_that_ends_it() {
        assert_eq!(super::label("a \"b\"; end#<x>"), "a #34;b#34;#59; end#35;#60;x#62;");
    }
}
