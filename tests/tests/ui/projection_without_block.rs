use gesta::prelude::*;

#[derive(ReadModel)]
pub struct Row {
    #[key]
    id: u64,
}

pub struct NoRow;

fn register<M: gesta::Projection>() {}

fn main() {
    register::<Row>();
    register::<NoRow>();
}
