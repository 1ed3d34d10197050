//! Read models are fed, or say why they are not: nothing stands still, and nothing is old without a word.

#[cfg(target_os = "linux")]
#[allow(dead_code, reason = "a process of its own uses the rest")]
mod falling;
// Its programs are killed by a signal.
#[cfg(target_os = "linux")]
mod falls;
mod leases;
mod runtimes;
mod settled;
mod stopped;

use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use gesta::prelude::*;

/// No test takes as long. It only keeps a broken one from waiting for ever.
pub const LONG: Duration = Duration::from_mins(1);

#[event]
pub struct Planted {}
/// Folding it takes this long.
#[event]
pub struct Grown {
    pub micros: u64,
}

pub struct Tree {
    events: u64,
}
#[aggregate(id = u64)]
impl Tree {
    fn planted(_: &Planted) -> Self {
        Tree { events: 1 }
    }
    fn grown(&mut self, _: &Grown) {
        self.events += 1;
    }
}

#[command]
pub struct Plant;
#[command]
pub struct Grow {
    pub micros: u64,
}
#[command_handler]
impl Tree {
    fn plant(_: Plant) -> Planted {
        Planted {}
    }
    fn grow(&self, cmd: Grow) -> Result<Grown, String> {
        if self.events == u64::MAX { Err("it is full grown".to_owned()) } else { Ok(Grown { micros: cmd.micros }) }
    }
}

/// How often each tree has grown.
#[derive(Debug, ReadModel)]
pub struct Rings {
    #[key]
    pub tree: u64,
    #[index]
    pub rings: u64,
}
#[projection(of = Tree)]
impl Rings {
    fn planted(e: &Recorded<Planted>) -> Self {
        Rings { tree: e.aggregate_id(), rings: 0 }
    }
    fn grown(&mut self, e: &Grown) {
        if e.micros == HANGS {
            hang();
        } else {
            std::thread::sleep(Duration::from_micros(e.micros));
        }
        self.rings += 1;
    }
}

/// Folding it does not end for the first that begins, until the test says so.
pub const HANGS: u64 = u64::MAX;
static HUNG: Mutex<(bool, bool)> = Mutex::new((false, false));
static RELEASED: Condvar = Condvar::new();

fn hang() {
    let mut hung = HUNG.lock().unwrap();
    if !std::mem::replace(&mut hung.0, true) {
        drop(RELEASED.wait_while(hung, |(_, released)| !*released).unwrap());
    }
}

pub fn release() {
    HUNG.lock().unwrap().1 = true;
    RELEASED.notify_all();
}

/// Comes back once something is so.
pub async fn until(what: &str, mut is: impl AsyncFnMut() -> bool) {
    let until = Instant::now() + LONG;
    while !is().await {
        assert!(Instant::now() < until, "it does not come to be so: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A runtime with one thread.
pub fn small_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}
