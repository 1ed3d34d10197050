//! The columns of read models: the order in which rows are found by them, and what comes back.

use std::collections::HashSet;

use gesta::prelude::*;
use gesta::{App, Builder};

use crate::stores::on_every_store;

mod forms;
mod rebuilt;

#[event]
pub struct Put {
    pub n: u32,
}
#[id]
pub struct ThingId(u32);
pub struct Thing;
#[aggregate(id = ThingId)]
impl Thing {
    fn put(_: Put) -> Self {
        Thing
    }
}
#[command]
pub struct Make {
    pub n: u32,
}
#[command_handler]
impl Thing {
    fn make(cmd: Make) -> Put {
        Put { n: cmd.n }
    }
}

/// An app in which the things 0 to `count` have been made.
async fn made(builder: Builder, count: usize) -> App {
    let app = builder.aggregate::<Thing>().start().await.unwrap();
    for n in 0..u32::try_from(count).unwrap() {
        app.execute(&ThingId::new(n), Make { n }).await.unwrap();
    }
    app.settle().await.unwrap();
    app
}

#[value]
pub enum Level {
    Low,
    Medium,
    High,
    Urgent,
}
const LEVELS: [Level; 6] = [Level::Urgent, Level::Low, Level::High, Level::Medium, Level::High, Level::Low];

#[derive(Debug, PartialEq, ReadModel)]
pub struct Task {
    #[key]
    n: u32,
    #[index]
    level: Level,
}
#[projection(of = Thing)]
impl Task {
    #[key = e.n]
    fn put(e: &Put) -> Self {
        Task { n: e.n, level: LEVELS[e.n as usize] }
    }
}

/// R6: the order of an enum's column is that of its declaration, not that of the names.
#[tokio::test(flavor = "multi_thread")]
async fn enum_range_follows_its_declaration() {
    on_every_store(async |builder| {
        let app = made(builder.projection::<Task>(), LEVELS.len()).await;
        let rows = app.read::<Task>().filter(Task::LEVEL.at_least(&Level::Medium)).all().await.unwrap();
        let found: Vec<_> = rows.iter().map(|row| (row.level, row.n)).collect();
        assert_eq!(found, [(Level::Medium, 3), (Level::High, 2), (Level::High, 4), (Level::Urgent, 0)]);
    })
    .await;
}

/// A row for each level.
#[derive(Debug, PartialEq, ReadModel)]
pub struct PerLevel {
    #[key]
    level: Level,
    tasks: u32,
}
#[projection(of = Thing)]
impl PerLevel {
    #[key = LEVELS[e.n as usize]]
    fn put(row: Option<Self>, e: &Put) -> Option<Self> {
        Some(PerLevel { level: LEVELS[e.n as usize], tasks: row.map_or(0, |row| row.tasks) + 1 })
    }
}

/// R6: a key has that order too.
#[tokio::test(flavor = "multi_thread")]
async fn enum_key_follows_its_declaration() {
    on_every_store(async |builder| {
        let app = made(builder.projection::<PerLevel>(), LEVELS.len()).await;
        let found = |rows: Vec<PerLevel>| rows.iter().map(|row| (row.level, row.tasks)).collect::<Vec<_>>();
        let all = [(Level::Low, 2), (Level::Medium, 1), (Level::High, 2), (Level::Urgent, 1)];
        assert_eq!(found(app.read::<PerLevel>().all().await.unwrap()), all);
        let least = app.read::<PerLevel>().filter(PerLevel::LEVEL.at_most(&Level::Medium)).descending().all().await.unwrap();
        assert_eq!(found(least), [(Level::Medium, 1), (Level::Low, 2)]);
        let high = app.read::<PerLevel>().get(&Level::High).await.unwrap().unwrap();
        assert_eq!(high, PerLevel { level: Level::High, tasks: 2 });
    })
    .await;
}

#[value]
#[derive(Eq)]
pub struct Price {
    amount: rust_decimal::Decimal,
    tags: HashSet<String>,
}
fn price(amount: &str, tags: impl IntoIterator<Item = u32>) -> Price {
    Price { amount: amount.parse().unwrap(), tags: tags.into_iter().map(|n| n.to_string()).collect() }
}
#[derive(Debug, PartialEq, ReadModel)]
pub struct Offer {
    #[key]
    n: u32,
    #[index]
    price: Price,
}
#[projection(of = Thing)]
impl Offer {
    #[key = e.n]
    fn put(e: &Put) -> Self {
        Offer { n: e.n, price: [price("1.50", 0..9), price("1.5", (0..9).rev()), price("1.51", 0..9)][e.n as usize].clone() }
    }
}

/// Sets and decimals in a key, inline and not.
#[value]
#[derive(Eq, Hash)]
pub struct Basket {
    amount: Option<rust_decimal::Decimal>,
    at: std::collections::BTreeMap<u16, rust_decimal::Decimal>,
}
fn basket(amount: &str) -> Basket {
    let amount: rust_decimal::Decimal = amount.parse().unwrap();
    Basket { amount: Some(amount), at: [(10, amount), (9, amount)].into() }
}
#[derive(Debug, PartialEq, ReadModel)]
pub struct PerBasket {
    #[key]
    basket: Basket,
    things: u32,
}
#[projection(of = Thing)]
impl PerBasket {
    #[key = basket(AMOUNTS[e.n as usize])]
    fn put(row: Option<Self>, e: &Put) -> Option<Self> {
        Some(PerBasket { basket: basket(AMOUNTS[e.n as usize]), things: row.map_or(0, |row| row.things) + 1 })
    }
}
/// A row for each amount.
#[derive(Debug, PartialEq, ReadModel)]
pub struct PerAmount {
    #[key]
    amount: rust_decimal::Decimal,
    things: u32,
}
#[projection(of = Thing)]
impl PerAmount {
    #[key = AMOUNTS[e.n as usize].parse::<rust_decimal::Decimal>().unwrap()]
    fn put(row: Option<Self>, e: &Put) -> Option<Self> {
        Some(PerAmount { amount: AMOUNTS[e.n as usize].parse().unwrap(), things: row.map_or(0, |row| row.things) + 1 })
    }
}
const AMOUNTS: [&str; 7] = ["10", "1.5", "-0", "1.50", "0.00", "1.500", "-1.5"];

/// R7: equal keys are one row, however they are written.
#[tokio::test(flavor = "multi_thread")]
async fn equal_keys_are_one_row_however_they_are_written() {
    for inline in [false, true] {
        on_every_store(async |builder| {
            let builder = if inline {
                builder.inline_projection::<PerBasket>().inline_projection::<PerAmount>()
            } else {
                builder.projection::<PerBasket>().projection::<PerAmount>()
            };
            let app = made(builder, AMOUNTS.len()).await;
            let rows = app.read::<PerAmount>().all().await.unwrap();
            let found: Vec<_> = rows.iter().map(|row| (row.amount.to_string(), row.things)).collect();
            // The text is that of the last event.
            let all = [("-1.5", 1), ("0.00", 2), ("1.500", 3), ("10", 1)].map(|(text, n)| (text.to_owned(), n));
            assert_eq!(found, all);
            for (amount, things) in [("1.5000", 3), ("0", 2), ("10.0", 1)] {
                let row = app.read::<PerBasket>().get(&basket(amount)).await.unwrap().unwrap();
                assert_eq!(row.things, things, "{amount}");
                let row = app.read::<PerAmount>().get(&amount.parse().unwrap()).await.unwrap().unwrap();
                assert_eq!(row.things, things, "{amount}");
            }
            assert_eq!(app.read::<PerBasket>().all().await.unwrap().len(), 4);
        })
        .await;
    }
}

/// R7: equal values are found, however their numbers and sets are written.
#[tokio::test(flavor = "multi_thread")]
async fn equal_json_is_found_however_it_is_written() {
    on_every_store(async |builder| {
        let app = made(builder.projection::<Offer>(), 3).await;
        let asked = price("1.500", 0..9);
        let rows = app.read::<Offer>().filter(Offer::PRICE.is(&asked)).all().await.unwrap();
        assert_eq!(rows.iter().map(|row| row.n).collect::<Vec<_>>(), [0, 1]);
    })
    .await;
}
