use std::collections::BTreeSet;

use gesta::App;
use gesta::prelude::*;

#[value]
pub struct Size {
    width: u32,
    height: u32,
}
#[value]
pub struct Wrapped<T>(T);
#[derive(ReadModel)]
pub struct Row {
    #[key]
    id: (u64, u64),
    #[index]
    size: Size,
    #[index]
    pair: (i64, i64),
    #[index]
    tags: Option<BTreeSet<String>>,
    #[index]
    wrapped: Wrapped<Vec<u8>>,
}

// What is stored as JSON has no order in a table.
async fn ranges(app: &App, size: &Size) {
    let _ = app.read::<Row>().filter(Row::SIZE.at_least(size)).all().await;
    let _ = app.read::<Row>().filter(Row::PAIR.at_most(&(1, 2))).all().await;
    let _ = app.read::<Row>().filter(Row::TAGS.between(&None, &None)).all().await;
    let _ = app.read::<Row>().filter(Row::WRAPPED.order()).all().await;
    let _ = app.read::<Row>().filter(Row::ID.at_least(&(1, 2))).all().await;
}

// Rows are found by it.
async fn equal(app: &App, size: &Size) {
    let _ = app.read::<Row>().filter(Row::SIZE.is(size)).descending().all().await;
    let _ = app.read::<Row>().filter(Row::ID.is(&(1, 2))).all().await;
}

fn main() {}
