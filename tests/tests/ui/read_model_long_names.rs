use gesta::prelude::*;

// Postgres has these columns in each table.
#[derive(ReadModel)]
pub struct System {
    #[key]
    ctid: u64,
    xmin: u64,
    xmax: u64,
    cmin: u64,
    cmax: u64,
    tableoid: u64,
    // Not this one, since version 12.
    oid: u64,
}

// Postgres cuts these off.
#[derive(ReadModel)]
pub struct Long {
    #[key]
    id: u64,
    a234567890123456789012345678901234567890123456789012345678901234: u64,
    ä34567890123456789012345678901234567890123456789012345678901234: u64,
    // 63 bytes are fine.
    a23456789012345678901234567890123456789012345678901234567890123: u64,
    #[index]
    b23456789012345678901234567890123456789012345678901234567890123: u64,
}

fn main() {}
