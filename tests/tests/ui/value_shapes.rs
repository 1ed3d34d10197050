use gesta::prelude::*;

#[value]
pub enum Never {}
#[value]
pub union Bits {
    a: u32,
}
#[value]
pub struct Line<'a> {
    text: &'a str,
}
#[value]
pub struct Grid<const N: usize> {
    cells: [u8; N],
}
#[value]
pub enum Tree {
    Leaf,
    Node(Vec<Tree>),
}
#[value]
pub struct Chain<T> {
    value: T,
    next: Option<Box<Chain<T>>>,
}
#[value]
pub trait Priced {}

fn main() {}
