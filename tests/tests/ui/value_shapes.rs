use gesta::prelude::*;

#[value]
pub enum Never {}
#[value]
pub union Bits {
    a: u32,
}
#[value]
pub struct Range<T> {
    from: T,
    to: T,
}
#[value]
pub enum Tree {
    Leaf,
    Node(Vec<Tree>),
}
#[value]
pub trait Priced {}

fn main() {}
