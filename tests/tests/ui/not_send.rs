use std::cell::Cell;
use std::rc::Rc;

use gesta::prelude::*;

#[event]
pub struct Opened {}
#[command]
pub struct Open {}
#[command]
pub struct Ask {}

pub struct Account;
#[aggregate(id = u64)]
impl Account {
    fn opened(_: Opened) -> Self {
        Account
    }
}

pub struct Cat(Cell<u8>);

async fn wait() {}

#[command_handler]
impl Account {
    async fn open(_: Open) -> Opened {
        let shared = Rc::new(1);
        wait().await;
        drop(shared);
        Opened {}
    }
    fn ask(&self, _: Ask, cat: &Cat) {
        cat.0.set(1);
    }
}

fn main() {}
