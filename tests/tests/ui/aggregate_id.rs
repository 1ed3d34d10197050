use gesta::prelude::*;

#[event]
pub struct Opened {}
pub struct Key(String);

pub struct Missing;
#[aggregate]
impl Missing {
    fn opened(_: Opened) -> Self {
        Missing
    }
}

pub struct Wrong;
#[aggregate(id = Key)]
impl Wrong {
    fn opened(_: Opened) -> Self {
        Wrong
    }
}

// What uses them has no errors of its own.
#[command]
pub struct Open {}
#[command_handler]
impl Missing {
    fn open(_: Open) -> Opened {
        Opened {}
    }
}
#[derive(ReadModel)]
pub struct Row {
    #[key]
    id: u64,
}
#[projection(of = Missing, ignore(Opened))]
impl Row {}

fn main() {}
