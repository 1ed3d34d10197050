use gesta::prelude::*;

#[derive(ReadModel)]
pub struct Tuple(#[key] u64);
#[derive(ReadModel)]
pub enum Either {
    A { id: u64 },
}
#[derive(ReadModel)]
pub struct Generic<T> {
    #[key]
    id: T,
}
#[derive(ReadModel)]
pub struct Unit;

fn main() {}
