// R10: only the language's own types are known to be no events.
#![allow(non_camel_case_types)]
use gesta::prelude::*;

#[event]
pub struct opened {}

pub struct account;
#[aggregate(id = u64)]
impl account {
    fn opened(_: opened) -> Self {
        account
    }
    fn paid(&mut self, _: i64) {}
    fn named(&mut self, _: &str) {}
}

#[command]
pub struct open {}
#[command_handler]
impl account {
    fn open(_: open) -> opened {
        opened {}
    }
    fn pay(&self, _: u32) {}
}

fn main() {}
