//! Faults: the program is killed, or the power is cut, in the middle of a load of 32 clients, and then everything that was
//! acknowledged is there once, and each read model equals a replay.
//!
//! The load (`load.rs`) is a program of its own. What it says goes to a pipe, so it outlives the load. After each fault the
//! store is opened again here, and held against what was said (`oracle.rs`) and against a replay by other code and by a new
//! app (`models.rs`). A round begins with the store of the round before it.
//!
//! A power cut is a kill, after which the files are put together from what the disk was told (`power_cut.c`, `disk.rs`):
//! what was flushed, and of the rest what chance leaves. So one run can be cut at each of its calls.
//!
//! Chance is seeded, and the seed is printed: `GESTA_SEED=.. cargo test` repeats the choices made here. What the scheduler
//! does is not repeated; so after a failure the folder of the round stays, with the files and the journal.

pub(crate) mod dice;
mod disk;
mod domain;
mod line;
mod models;
mod oracle;
mod power;
pub(crate) mod reopen;
pub(crate) mod run;
mod work;

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use self::dice::Dice;
use self::line::Line;
use self::oracle::{Event, Told};
use self::reopen::{Found, reopen};
use self::run::{Load, Moment, url};

/// How often it is killed, and how often the power is cut: few times in every test run, many where it may take minutes.
fn faults() -> usize {
    if heavy() { 50 } else { 6 }
}

pub(crate) fn heavy() -> bool {
    std::env::var_os("GESTA_HEAVY").is_some_and(|heavy| heavy != "0")
}

/// The most lines the load says before it is killed, about two for each command.
fn lines_max() -> usize {
    if heavy() { 6_000 } else { 3_000 }
}

pub(crate) fn seed(test: &str) -> Dice {
    let given = std::env::var("GESTA_SEED").ok().and_then(|seed| seed.parse().ok());
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos().into());
    let seed = given.unwrap_or_else(now);
    println!("{test}: GESTA_SEED={seed}");
    Dice::new(seed)
}

/// A folder of a test; it goes with it, unless the test fails.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("gesta-faults-{}-{test}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("the temporary folder can be written to");
        Folder(path.canonicalize().expect("it was made"))
    }
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("what is left stands in {}", self.0.display());
        } else {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// What is known of a store, from round to round.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) told: Told,
    events: Vec<Event>,
}

impl Known {
    /// Listens; answers how many commands were acknowledged.
    pub(crate) fn hear(&mut self, said: &[Line]) -> usize {
        for line in said {
            self.told.hear(line);
        }
        said.iter().filter(|line| matches!(line, Line::Did { .. })).count()
    }

    /// Restarts and checks; nothing may be lost.
    pub(crate) async fn check(&mut self, url: &str, dice: &mut Dice, round: &str) -> Found {
        let found = reopen(url, &mut self.told, &self.events, dice).await;
        let mut found = found.unwrap_or_else(|why| panic!("{round}: {why}"));
        found.assert_faultless(round);
        assert!(found.lost_tail.is_empty(), "{round}: acknowledged and lost: {:?}", found.lost_tail);
        self.events = std::mem::take(&mut found.events);
        found
    }
}

impl Found {
    fn assert_faultless(&self, round: &str) {
        let first = &self.faults[..self.faults.len().min(20)];
        assert!(first.is_empty(), "{round}: {} faults, the first:\n{}", self.faults.len(), first.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_a_kill_and_read_models_equal_a_replay() {
    let mut dice = seed("kills");
    let folder = Folder::new("kill");
    let file = folder.path().join("bank.db");
    let mut known = Known::default();
    let (mut kills, mut acknowledged, mut resent, mut in_vain) = (0, 0, 0, 0);
    for round in 1..=faults() {
        // Now and then it is killed again before anybody has looked.
        for _ in 0..=usize::from(dice.percent(25)) {
            kills += 1;
            let moment = Moment::any(&mut dice, lines_max());
            let said = Load { url: url(&file), seed: dice.next(), number: kills, shim: None, breaks: None }.run(moment);
            acknowledged += known.hear(&said);
        }
        let found = known.check(&url(&file), &mut dice, &format!("kill {round}")).await;
        resent += found.resent;
        in_vain += found.resent_in_vain;
    }
    let events = known.events.len();
    println!("kills: {kills} in {} rounds, {acknowledged} commands acknowledged, {events} events in the store", faults());
    println!("kills: {resent} commands with a key had got no answer, {in_vain} of them had been carried out");
}

/// The power is cut, or the disk fails.
mod cuts {
    use super::disk::{Files, Luck, Record, read_files, write_files};
    use super::power::{FILE, Run};
    use super::run::{Breaks, compile_shim};
    use super::*;

    /// After so many cuts a new store is begun.
    const CUTS_PER_STORE: usize = 10;
    /// How many cuts of one run where only one kind of loss is looked at.
    const CUTS: usize = 5;

    /// Makes a folder that holds these files and nothing else, and answers the store's.
    fn laid_out(folder: &Folder, files: &Files) -> PathBuf {
        let off = folder.path().join("off");
        let _ = std::fs::remove_dir_all(&off);
        write_files(&off, files).expect("the folder can be written to");
        off.join(FILE)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_acknowledged_outlives_a_power_cut_and_read_models_equal_a_replay() {
        let mut dice = seed("cuts");
        let folder = Folder::new("cut");
        let library = compile_shim(folder.path());
        let mut known = Known::default();
        let mut files = Files::new();
        let (mut cuts, mut acknowledged, mut calls, mut flushes) = (0, 0, 0, 0);
        for round in 0..faults() {
            if round % CUTS_PER_STORE == 0 {
                (known, files) = (Known::default(), Files::new());
            }
            // Now and then the power goes again before anybody has looked.
            for _ in 0..=usize::from(dice.percent(25)) {
                cuts += 1;
                let moment = Moment::any(&mut dice, lines_max());
                let run = Run::of(&folder.path().join("on"), &library, files, (dice.next(), cuts, ""), moment);
                let cut = run.any_place(&mut dice);
                let luck = Luck::of(&mut dice);
                println!("cut {cuts}: after {}; of the rest is left: {luck:?}", run.describe(cut));
                acknowledged += known.hear(&run.said(cut));
                calls += cut;
                flushes += run.records[..cut].iter().filter(|record| matches!(record, Record::Flushed { .. })).count();
                files = run.left(cut, luck, &mut dice, false);
            }
            known.check(&url(&laid_out(&folder, &files)), &mut dice, &format!("cut {cuts}")).await;
            files = read_files(&folder.path().join("off")).expect("the folder can be read");
        }
        println!("cuts: {cuts} in {} rounds, {acknowledged} commands acknowledged, {calls} calls, {flushes} flushes", faults());
    }

    /// A store is made, opened again and closed in order, and cut at each of the calls this takes.
    #[tokio::test(flavor = "multi_thread")]
    async fn each_call_of_opening_and_closing_can_be_the_last() {
        let mut dice = seed("each call");
        let folder = Folder::new("each");
        let library = compile_shim(folder.path());
        let on = folder.path().join("on");
        let made = Run::of(&on, &library, Files::new(), (dice.next(), 1, ""), Moment::never(1));
        let files = read_files(&on).expect("the folder can be read");
        let opened = Run::of(&on, &library, files.clone(), (dice.next(), 2, ""), Moment::never(1));
        let step = if heavy() { 1 } else { 12 };
        let mut cuts = 0;
        for (name, run) in [("made", &made), ("opened", &opened)] {
            for cut in (dice.below(step)..=run.records.len()).step_by(step) {
                let luck = Luck::of(&mut dice);
                let round = format!("{name}: after {}; of the rest is left: {luck:?}", run.describe(cut));
                let file = laid_out(&folder, &run.left(cut, luck, &mut dice, false));
                let mut known = Known::default();
                if name == "opened" {
                    known.hear(&made.said(made.records.len()));
                }
                known.hear(&run.said(cut));
                known.check(&url(&file), &mut dice, &round).await;
                cuts += 1;
            }
        }
        println!("each call: {cuts} cuts");
    }

    /// Calls fail while the load runs, a few or all from then on, and then the power goes too: what was acknowledged is there,
    /// and what the store said it had not stored is not.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_acknowledged_outlives_a_disk_that_fails() {
        let mut dice = seed("breaks");
        let folder = Folder::new("breaks");
        let library = compile_shim(folder.path());
        let (mut acknowledged, mut broke, mut unknown) = (0, 0, 0);
        for round in 1..=faults() {
            let lines = 100 + dice.below(lines_max());
            let calls = *dice.pick(&[1, 1, 2, 5, usize::MAX]).expect("there are some");
            // There are about three calls for each line, so it has time to fail, and often to go on.
            let breaks = Breaks { from: dice.below(2 * lines), calls, full: dice.percent(30) };
            let moment = Moment::after_lines(lines);
            let load = (dice.next(), round, "");
            let run = Run::breaking(&folder.path().join("on"), &library, Files::new(), load, moment, Some(breaks));
            let (cut, luck) = (run.records.len(), Luck::of(&mut dice));
            let said = run.said(cut);
            broke += said.iter().filter(|line| matches!(line, Line::Broke { unknown: false, .. })).count();
            unknown += said.iter().filter(|line| matches!(line, Line::Broke { unknown: true, .. })).count();
            println!("break {round}: {breaks:?}, cut after {}; of the rest is left: {luck:?}", run.describe(cut));
            let file = laid_out(&folder, &run.left(cut, luck, &mut dice, false));
            let mut known = Known::default();
            known.told.may_break = true;
            acknowledged += known.hear(&said);
            known.check(&url(&file), &mut dice, &format!("break {round}")).await;
        }
        println!("breaks: {acknowledged} commands acknowledged, {broke} broke, of {unknown} the outcome was unknown");
    }

    /// What `synchronous=normal` gives up, and nothing else: the last commands, whole ones, from the end.
    #[tokio::test(flavor = "multi_thread")]
    async fn synchronous_normal_may_lose_the_last_commands_and_nothing_else() {
        let mut dice = seed("normal");
        let folder = Folder::new("normal");
        let library = compile_shim(folder.path());
        let load = (dice.next(), 1, "?synchronous=normal");
        let run = Run::of(&folder.path().join("on"), &library, Files::new(), load, Moment::after_lines(2_000));
        for number in 0..CUTS {
            let dearest = number == 0;
            let cut = if dearest { run.dearest_place() } else { run.any_place(&mut dice) };
            let luck = if dearest { Luck::Nothing } else { Luck::of(&mut dice) };
            let file = laid_out(&folder, &run.left(cut, luck, &mut dice, false));
            let mut known = Known::default();
            known.told.may_lose_the_tail = true;
            let acknowledged = known.hear(&run.said(cut));
            let found = reopen(&url(&file), &mut known.told, &[], &mut dice).await;
            let found = found.unwrap_or_else(|why| panic!("cut {number}: {why}"));
            found.assert_faultless(&format!("cut {number}"));
            println!("normal: {} of {acknowledged} commands lost from the end", found.lost_tail.len());
            assert!(!dearest || !found.lost_tail.is_empty(), "nothing was lost: who flushes, or does this test see nothing?");
        }
    }

    /// All of this can fail: where flushes do nothing, acknowledged commands are lost, and it says so.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_disk_that_lies_about_its_flushes_is_found_out() {
        let mut dice = seed("lies");
        let folder = Folder::new("lies");
        let library = compile_shim(folder.path());
        let load = (dice.next(), 1, "");
        let run = Run::of(&folder.path().join("on"), &library, Files::new(), load, Moment::after_lines(1_000));
        let cut = run.records.len();
        for number in 0..CUTS {
            let luck = if number == 0 { Luck::Nothing } else { Luck::Some(10 + dice.below(60)) };
            let file = laid_out(&folder, &run.left(cut, luck, &mut dice, true));
            let mut known = Known::default();
            known.hear(&run.said(cut));
            let found = reopen(&url(&file), &mut known.told, &[], &mut dice).await;
            let found_out = found.map_or(true, |found| !found.faults.is_empty() || !found.lost_tail.is_empty());
            assert!(found_out, "{luck:?} was left of what was never flushed, and nobody noticed");
        }
    }
}
