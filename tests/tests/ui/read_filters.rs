use gesta::App;
use gesta::prelude::*;

#[derive(ReadModel)]
pub struct Row {
    #[key]
    id: u64,
    #[index]
    owner: String,
    #[index]
    city: String,
}

// The second would replace the first.
async fn two_filters(app: &App) {
    let read = app.read::<Row>().filter(Row::OWNER.is(&"Ann".to_owned())).limit(5);
    let _ = read.filter(Row::CITY.is(&"Rome".to_owned())).all().await;
}

// It reads by the key alone.
async fn a_filter_and_a_key(app: &App) {
    let _ = app.read::<Row>().filter(Row::OWNER.is(&"Ann".to_owned())).get(&7).await;
}

// One is fine, before or after all else.
async fn one_filter(app: &App) {
    let _ = app.read::<Row>().limit(5).descending().filter(Row::OWNER.order()).limit(3).all().await;
}

fn main() {}
