// R22: types that hold each other, and one that holds itself through an alias. The first value of a ring in the file reports it; one
// description is enough.
use gesta::prelude::*;

#[value]
pub struct Folder {
    pub files: Vec<File>,
}
#[value]
pub struct File {
    pub within: Option<Box<Folder>>,
}

type Kids = Vec<Tree>;
#[value]
pub struct Tree {
    pub kids: Kids,
}

#[value]
pub struct Comment {
    pub answers: Vec<Answer>,
}
#[value]
pub struct Answer {
    #[schema(opaque = "a comment, or nothing")]
    pub to: Option<Box<Comment>>,
}

fn main() {}
