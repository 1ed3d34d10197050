//! Starts an app and stores what features of other crates may change: prints what it reads back, or
//! why it does not start.

#![allow(missing_docs, reason = "nothing here is used elsewhere")]

use std::process::ExitCode;

use gesta::prelude::*;
use rust_decimal::Decimal;

#[value]
#[serde(tag = "type")]
pub enum Payment {
    Card { cents: i64, fee: f64 },
}
#[event]
pub struct Paid {
    pub payment: Payment,
    pub price: Decimal,
    /// Its keys have another order where `serde_json` keeps the one that they were given in.
    #[schema(opaque = "any JSON")]
    pub details: serde_json::Value,
}
pub struct Bill {
    paid: Vec<Paid>,
}
#[aggregate(id = u64)]
impl Bill {
    fn paid(e: Paid) -> Self {
        Bill { paid: vec![e] }
    }
}
#[command]
pub struct Pay {
    pub fee: f64,
    pub price: Decimal,
}
#[command_handler]
impl Bill {
    fn pay(cmd: Pay) -> Paid {
        let details = serde_json::json!({ "b": 1, "a": 0.1 });
        Paid { payment: Payment::Card { cents: 5, fee: cmd.fee }, price: cmd.price, details }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let started = App::connect("memory:").await.expect("a store in memory opens").aggregate::<Bill>().start().await;
    let app = match started {
        Ok(app) => app,
        Err(why) => {
            println!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let price = "12345678901234567890.1234567".parse().expect("a decimal");
    let done = app.execute(&1, Pay { fee: 0.1, price }).await.expect("it is stored");
    let loaded = app.load::<Bill>(&1).await.expect("it is read").into_state().expect("there is one");
    let BillEvent::Paid(paid) = &done.events[0].event;
    assert_eq!(loaded.paid, std::slice::from_ref(paid));
    println!("read back: {} {:?}", paid.price, paid.payment);
    ExitCode::SUCCESS
}
