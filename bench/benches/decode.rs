//! `cargo xtask bench decode`: what the aggregate's decoder adds to serde into the struct, for each age of an event.

#![allow(clippy::wildcard_imports, missing_docs, reason = "nobody else uses it")]

use std::hint::black_box;

use gesta::Aggregate;
use gesta_bench::history::{bare::*, *};
use gesta_bench::measure::{interleaved, rounds, wanted};
use serde_json::{Error, from_slice};

fn main() {
    if !wanted("decode") {
        return;
    }
    println!("## The current version of an event in its third, of six fields\n");
    against(from_slice::<Deposit>, "MoneyDeposited", 3, DEPOSIT);
    println!("## Its first version, with two steps\n");
    against(|json| from_slice(json).map(|old: DepositV1| Deposit::from(DepositV2::from(old))), "MoneyDeposited", 1, DEPOSIT_V1);
    println!("## Its second version, with one step\n");
    against(|json| from_slice(json).map(|old: DepositV2| Deposit::from(old)), "MoneyDeposited", 2, DEPOSIT_V2);
    println!("## A retired event that became another\n");
    against(|json| from_slice(json).map(|old: Credit| vec![Deposit::from(old)]), "CreditTaken", 1, CREDIT);
    println!("## The smallest event: one number\n");
    against(from_slice::<Interest>, "InterestPaid", 1, INTEREST);
}

/// Reads a stored event by hand, and by the aggregate that knows ten.
fn against<T>(by_hand: impl Fn(&'static [u8]) -> Result<T, Error>, name: &str, version: u32, json: &'static str) {
    let json = json.as_bytes();
    by_hand(json).map(drop).expect("an event");
    Ledger::decode(name, version, json).map(drop).expect("an event");
    // The result is looked at where it lies: to move it about is no part of reading it.
    let mut serde = || {
        black_box(&by_hand(black_box(json)));
    };
    let mut gesta = || {
        black_box(&Ledger::decode(black_box(name), black_box(version), black_box(json)));
    };
    interleaved(rounds(), &mut [("serde_json", &mut serde), ("gesta", &mut gesta)]).print("a second");
}
