//! A domain whose read models can end their process.

use std::time::Duration;

use gesta::prelude::*;

#[event]
pub struct Dug {}
/// Folding it does this: `deep` recurses for ever, `slow` says so and never ends, anything else is harmless.
#[event]
pub struct Fell {
    pub how: String,
}

pub struct Well {
    falls: u64,
}
#[aggregate(id = u64)]
impl Well {
    fn dug(_: &Dug) -> Self {
        Well { falls: 0 }
    }
    fn fell(&mut self, _: &Fell) {
        self.falls += 1;
    }
}

#[command]
pub struct Dig;
#[command]
pub struct Fall {
    pub how: String,
}
#[command_handler]
impl Well {
    fn dig(_: Dig) -> Dug {
        Dug {}
    }
    fn fall(&self, cmd: Fall) -> Result<Fell, String> {
        if self.falls == u64::MAX { Err("it is full".to_owned()) } else { Ok(Fell { how: cmd.how }) }
    }
}

/// The code that folds an event, which a later build has mended.
fn fold(how: &str) {
    if std::env::var_os("MENDED").is_some() {
        return;
    }
    match how {
        "deep" => {
            deep(0);
        }
        "slow" => {
            println!("folding");
            std::thread::sleep(Duration::from_mins(10));
        }
        _ => {}
    }
}

#[inline(never)]
#[allow(unconditional_recursion, reason = "it is what is tested")]
fn deep(depth: u64) -> u64 {
    let frame = [depth; 64];
    std::hint::black_box(&frame)[7] + deep(depth + 1)
}

/// The falls into each well: a stream has one row, so that it can be parked.
#[derive(Debug, ReadModel)]
pub struct Falls {
    #[key]
    pub well: u64,
    pub falls: u64,
}
#[projection(of = Well)]
impl Falls {
    fn dug(e: &Recorded<Dug>) -> Self {
        Falls { well: e.aggregate_id(), falls: 0 }
    }
    fn fell(&mut self, e: &Fell) {
        fold(&e.how);
        self.falls += 1;
    }
}

/// The same without the code that can end the process.
#[derive(Debug, ReadModel)]
pub struct Calm {
    #[key]
    pub well: u64,
    pub falls: u64,
}
#[projection(of = Well)]
impl Calm {
    fn dug(e: &Recorded<Dug>) -> Self {
        Calm { well: e.aggregate_id(), falls: 0 }
    }
    fn fell(&mut self, _: &Fell) {
        self.falls += 1;
    }
}

/// All falls, in one row that is nobody's alone, so that nothing can be parked.
#[derive(Debug, ReadModel)]
pub struct AllFalls {
    #[key]
    pub id: u64,
    pub falls: u64,
}
#[projection(of = Well, ignore(Dug))]
impl AllFalls {
    #[key = 1]
    fn fell(row: Option<Self>, e: &Fell) -> Option<Self> {
        fold(&e.how);
        Some(AllFalls { id: 1, falls: row.map_or(0, |row| row.falls) + 1 })
    }
}
