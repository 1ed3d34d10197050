use gesta::prelude::*;

#[derive(ReadModel)]
#[read_model(table = "Account Rows")]
pub struct Spaced {
    #[key]
    id: u64,
}
#[derive(ReadModel)]
#[read_model(table = "sqlite_rows")]
pub struct Reserved {
    #[key]
    id: u64,
}
#[derive(ReadModel)]
pub struct GestaRow {
    #[key]
    id: u64,
}
#[derive(ReadModel)]
#[allow(non_snake_case)]
pub struct Columns {
    #[key]
    id: u64,
    gesta_version: u64,
    owner: String,
    Owner: String,
}

fn main() {}
