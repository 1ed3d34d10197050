use std::path::PathBuf;

use gesta::prelude::*;

#[value]
#[derive(Eq, Hash)]
pub struct Folder(#[schema(opaque = "a path")] PathBuf);

// Two that are equal may be written in two ways.
#[derive(ReadModel)]
pub struct ByFolder {
    #[key]
    folder: Folder,
}
#[derive(ReadModel)]
pub struct Files {
    #[key]
    id: u64,
    #[index]
    folder: Option<Folder>,
    // To keep it is fine.
    last: Folder,
}

fn main() {}
