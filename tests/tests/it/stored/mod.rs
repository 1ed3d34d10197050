//! Stored values can be read: values that nest too deeply, forms that lose something, code that
//! panics, texts that not every store can hold.

#![allow(clippy::trivially_copy_pass_by_ref, reason = "what serde calls takes its value by reference")]

mod depth;
mod lossy;
mod panics;
mod replayed;
mod texts;

use std::time::Duration;

use gesta::prelude::*;

/// A form that loses something: whole hundreds.
pub mod hundreds {
    use gesta::serde::{Deserialize as _, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(number: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(number / 100)
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        Ok(i64::deserialize(deserializer)? * 100)
    }
}

/// A form whose code panics: when `WRITE` is written, and when `READ` is read. `UNREADABLE` is
/// written as what is not read.
pub mod fragile {
    use gesta::serde::{Deserialize as _, Deserializer, Serializer};

    pub const WRITE: i64 = 666;
    pub const READ: i64 = 13;
    pub const UNREADABLE: i64 = 404;

    pub fn serialize<S: Serializer>(number: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        assert!(*number != WRITE, "boom while writing");
        if *number == UNREADABLE { serializer.serialize_str("text") } else { serializer.serialize_i64(*number) }
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        let number = i64::deserialize(deserializer)?;
        assert!(number != READ, "boom while reading");
        Ok(number)
    }
}

/// A value that nests as deep as it likes.
#[value]
pub enum Tree {
    Leaf(i64),
    Node(#[schema(opaque = "a tree")] Box<Tree>),
}

impl Tree {
    /// As many nodes around a leaf.
    pub fn of(nodes: usize) -> Self {
        (0..nodes).fold(Tree::Leaf(1), |tree, _| Tree::Node(Box::new(tree)))
    }
}

// One after another: what drops a box inside a box inside a box needs the stack for each.
impl Drop for Tree {
    fn drop(&mut self) {
        let take = |tree: &mut Tree| match tree {
            Tree::Leaf(_) => None,
            Tree::Node(inner) => Some(std::mem::replace(&mut **inner, Tree::Leaf(0))),
        };
        let mut next = take(self);
        while let Some(mut tree) = next {
            next = take(&mut tree);
        }
    }
}

#[event]
pub struct Planted {
    #[schema(opaque = "a tree")]
    pub tree: Tree,
}
/// The tree gets one more node around it, so the state nests deeper than any event.
#[event]
pub struct Grown {}
#[event]
pub struct Rounded {
    #[serde(with = "hundreds")]
    #[schema(opaque = "whole hundreds")]
    pub number: i64,
}
#[event]
pub struct Struck {
    #[serde(with = "fragile")]
    #[schema(opaque = "a number")]
    pub number: i64,
}
#[event]
pub struct Noted {
    pub note: String,
    pub notes: std::collections::BTreeMap<String, Vec<String>>,
}

#[state(snapshot_every = 1)]
#[derive(Default)]
pub struct Garden {
    #[schema(opaque = "a tree")]
    pub tree: Option<Tree>,
    pub rounded: i64,
    #[serde(with = "hundreds")]
    #[schema(opaque = "whole hundreds")]
    pub sum: i64,
    #[serde(with = "fragile")]
    #[schema(opaque = "a number")]
    pub struck: i64,
    pub note: String,
}

#[aggregate(id = u64)]
impl Garden {
    fn planted(e: Planted) -> Self {
        Garden { tree: Some(e.tree), ..Garden::default() }
    }
    fn grown(&mut self, _: Grown) {
        self.tree = self.tree.take().map(|tree| Tree::Node(Box::new(tree)));
    }
    fn rounded(&mut self, e: Rounded) {
        self.rounded = e.number;
        self.sum += e.number;
    }
    fn struck(&mut self, e: Struck) {
        // Only what the snapshot holds panics.
        self.struck = e.number + 1;
    }
    fn noted(&mut self, e: Noted) {
        self.note = e.note;
    }
}

#[command]
pub struct Plant {
    #[schema(opaque = "a tree")]
    pub tree: Tree,
}
#[command]
pub struct Grow {
    pub times: u32,
}
#[command]
pub struct Round {
    pub number: i64,
}
/// The number is the command's own, and is not what is stored.
#[command]
pub struct Strike {
    #[serde(with = "fragile")]
    #[schema(opaque = "a number")]
    pub given: i64,
    pub number: i64,
}
#[command]
pub struct Note {
    pub note: String,
    pub key: String,
}
/// Refuses with what it sees.
#[command]
pub struct Look {}
/// Refuses with all that it sees.
#[command]
pub struct Show {}

#[command_handler]
impl Garden {
    fn plant(cmd: Plant) -> Planted {
        Planted { tree: cmd.tree.clone() }
    }
    fn grow(&self, cmd: Grow) -> Vec<Grown> {
        (0..cmd.times).map(|_| Grown {}).collect()
    }
    fn round(&self, cmd: Round) -> Rounded {
        Rounded { number: cmd.number }
    }
    fn strike(&self, cmd: Strike) -> Struck {
        Struck { number: cmd.number }
    }
    fn note(&self, cmd: Note) -> Noted {
        Noted { note: cmd.note.clone(), notes: [(cmd.key, vec![String::new(), cmd.note])].into() }
    }
    fn show(&self, _: Show) -> Result<Grown, String> {
        Err(format!("{self:?}"))
    }
    fn look(&self, _: Look) -> Result<Grown, String> {
        Err(format!("rounded={} sum={} struck={}", self.rounded, self.sum, self.struck))
    }
}

/// A garden that is planted, and whose trees are shallow.
pub async fn planted(app: &App, id: u64) {
    app.execute(&id, Plant { tree: Tree::of(1) }).await.expect("a shallow tree is planted");
}

/// The longest that a test waits.
pub const LONG: Duration = Duration::from_mins(1);
