//! Doc comments and names, as Markdown that is read outside of rustdoc.

/// A name as code.
pub(super) fn code(name: &str) -> String {
    if name.contains('`') { format!("`` {name} ``") } else { format!("`{name}`") }
}

/// A text as the cell of a table: on one line.
pub(super) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// A type's name without the modules it stands in.
pub(super) fn short(name: &str) -> String {
    let mut text = String::new();
    let mut rest = name;
    while let Some(c) = rest.chars().next() {
        let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
        let end = rest.find(|c| !part(c)).unwrap_or(rest.len()).max(c.len_utf8());
        let (word, after) = rest.split_at(end);
        text.push_str(word.rsplit("::").next().unwrap_or(word));
        rest = after;
    }
    text
}

/// The first sentence or line of a doc comment, as the cell of a table.
pub(super) fn summary(doc: &str) -> String {
    let paragraph = doc.split("\n\n").next().unwrap_or_default();
    let text = unlinked(&paragraph.replace('\n', " "));
    let end = text.find(". ").map_or(text.len(), |at| at + 1);
    cell(&text[..end])
}

/// A doc comment as the cell of a table: its paragraphs without code blocks.
pub(super) fn cell_of(doc: &str) -> String {
    let text = doc.split("```").step_by(2).collect::<Vec<_>>().join("\n\n");
    let paragraphs = text.split("\n\n").map(|paragraph| unlinked(paragraph.trim()).trim_start_matches('#').trim().to_owned());
    cell(&paragraphs.filter(|paragraph| !paragraph.is_empty()).collect::<Vec<_>>().join("<br>"))
}

/// A doc comment as part of a page: headings are no headings of the page, links to items of Rust are no links, and what
/// rustdoc hides in examples is hidden.
pub(super) fn prose(doc: &str) -> String {
    let (mut lines, mut fenced) = (Vec::new(), false);
    for line in doc.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            lines.push(if fenced && line.trim() == "```" { "```rust".to_owned() } else { line.to_owned() });
        } else if fenced {
            if line != "#" && !line.starts_with("# ") {
                lines.push(line.to_owned());
            }
        } else if line.starts_with('#') {
            lines.push(format!("**{}**", unlinked(line.trim_start_matches('#').trim())));
        } else {
            lines.push(unlinked(line));
        }
    }
    if fenced {
        lines.push("```".to_owned());
    }
    lines.join("\n")
}

/// Text whose links to items of Rust, which lead nowhere outside of rustdoc, are what they show.
fn unlinked(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['`', '[']) {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = if rest.starts_with('`') { code_span(rest) } else { link(rest, &mut plain) };
        if let Taken::AsIs(bytes) = taken {
            plain.push_str(&rest[..bytes]);
        }
        rest = &rest[taken.bytes()..];
    }
    plain + rest
}

/// How much of the text is done.
#[derive(Clone, Copy)]
enum Taken {
    AsIs(usize),
    Written(usize),
}

impl Taken {
    fn bytes(self) -> usize {
        match self {
            Taken::AsIs(bytes) | Taken::Written(bytes) => bytes,
        }
    }
}

fn code_span(text: &str) -> Taken {
    let ticks = text.len() - text.trim_start_matches('`').len();
    let (open, inner) = text.split_at(ticks);
    Taken::AsIs(inner.find(open).map_or(ticks, |end| end + 2 * ticks))
}

/// What begins with a bracket: a link to an item of Rust is written as what it shows.
fn link(text: &str, plain: &mut String) -> Taken {
    let Some(end) = text.find(']') else { return Taken::AsIs(1) };
    let (shown, after) = (&text[1..end], &text[end + 1..]);
    let target = |open: char, close: char| {
        let inner = after.strip_prefix(open)?;
        inner.find(close).map(|at| (&inner[..at], at + 2))
    };
    let leads_nowhere = |target: &str| target.contains("::") || !target.contains(['/', '.', '#', ':']);
    let bytes = match (target('(', ')'), target('[', ']')) {
        (Some((to, bytes)), _) if leads_nowhere(to) => end + 1 + bytes,
        (Some(_), _) => return Taken::AsIs(1),
        (_, Some((_, bytes))) => end + 1 + bytes,
        _ if shown.starts_with('`') && shown.ends_with('`') => end + 1,
        _ => return Taken::AsIs(1),
    };
    plain.push_str(shown);
    Taken::Written(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_items_of_rust_are_what_they_show() {
        for (doc, plain) in [
            ("the other half is [`ReceiveMoney`].", "the other half is `ReceiveMoney`."),
            ("comes up to [`THRESHOLD`](Self::THRESHOLD), and", "comes up to `THRESHOLD`, and"),
            ("see [this](crate::Context) and [that][Context]", "see this and that"),
            ("see [the guide](https://example.com/a.html) [1]", "see [the guide](https://example.com/a.html) [1]"),
            ("`[u8; 3]`, ``a[`b`]`` and [half", "`[u8; 3]`, ``a[`b`]`` and [half"),
            ("an odd ` tick [`A`]", "an odd ` tick [`A`]"),
        ] {
            assert_eq!(unlinked(doc), plain);
        }
    }

    #[test]
    fn a_doc_comment_is_no_heading_of_the_page_and_hides_what_rustdoc_hides() {
        let doc = "Pays.\n\n# Examples\n```\n# hidden();\npay();\n```";
        assert_eq!(prose(doc), "Pays.\n\n**Examples**\n```rust\npay();\n```");
        assert_eq!(cell_of(doc), "Pays.<br>Examples");
        assert_eq!(cell_of("a | b\nc\n\nd"), "a \\| b c<br>d");
        assert_eq!(summary("One. Two.\n\nThree."), "One.");
        assert_eq!(summary(""), "");
    }

    #[test]
    fn a_type_is_called_by_its_last_name() {
        assert_eq!(short("dyn my::bank::Lender"), "dyn Lender");
        assert_eq!(short("std::sync::Arc<my::A, core::option::Option<my::B>>"), "Arc<A, Option<B>>");
        assert_eq!(short("u64"), "u64");
    }
}
