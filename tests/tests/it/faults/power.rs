//! A load under power that can be cut, at any of its calls and in many ways, after it has run.

use std::path::Path;

use super::dice::Dice;
use super::disk::{Disk, Files, Luck, Record, read_files, read_journal, turns, write_files};
use super::line::Line;
use super::run::{Breaks, Load, Moment, Shim, url};

/// The store's file, in whichever folder.
pub(crate) const FILE: &str = "bank.db";

/// A load that was run: the files it began with, and what it told the disk.
pub(crate) struct Run {
    before: Files,
    pub(crate) records: Vec<Record>,
}

impl Run {
    /// Runs a load in this folder, which is emptied first.
    pub(crate) fn of(folder: &Path, library: &Path, before: Files, load: (u64, usize, &str), moment: Moment) -> Self {
        Self::breaking(folder, library, before, load, moment, None)
    }

    /// The same on a disk that fails.
    pub(crate) fn breaking(
        folder: &Path,
        library: &Path,
        before: Files,
        load: (u64, usize, &str),
        moment: Moment,
        breaks: Option<Breaks>,
    ) -> Self {
        let (seed, number, options) = load;
        let _ = std::fs::remove_dir_all(folder);
        write_files(folder, &before).expect("the folder can be written to");
        let journal = folder.join("journal");
        let shim = Shim { library, folder, journal: &journal };
        Load { url: url(&folder.join(FILE)) + options, seed, number, shim: Some(shim), breaks }.run(moment);
        // It may have been killed before there was a journal.
        let records = if journal.exists() { read_journal(&journal).expect("the journal can be read") } else { Vec::new() };
        let run = Run { before, records };
        run.saw_everything(&read_files(folder).expect("the folder can be read"));
        run
    }

    /// The journal, replayed whole, makes the files there are, except for the last call, which the kill may have cut short.
    fn saw_everything(&self, files: &Files) {
        let changes = |record: &Record| {
            use Record::{Failed, Flushed, Flushing, Said};
            !matches!(record, Said(_) | Flushing { .. } | Flushed { .. } | Failed { .. })
        };
        let last = self.records.iter().rposition(changes).unwrap_or(0);
        let seen = |records| Disk::after(self.before.clone(), records, false, &mut Dice::new(0)).seen();
        let (all, but_last) = (seen(&self.records), seen(&self.records[..last]));
        for name in all.keys().chain(files.keys()) {
            let [now, all, but_last] = [files, &all, &but_last].map(|files| files.get(name).map(Vec::as_slice));
            let same = match (now, all) {
                _ if now == all || now == but_last => true,
                (Some(now), Some(all)) => {
                    let before = but_last.unwrap_or(&[]);
                    now.iter().enumerate().all(|(at, byte)| [all.get(at), before.get(at)].contains(&Some(byte)))
                }
                // Created, and killed before that was written down.
                (Some(now), None) => now.is_empty(),
                (None, _) => false,
            };
            assert!(same, "the journal does not tell all that became of `{name}`: does the store use a call it does not know?");
        }
    }

    /// A place to cut: at the end, anywhere, or where something turns.
    pub(crate) fn any_place(&self, dice: &mut Dice) -> usize {
        // Opening has a test of its own.
        let opening = self.records.iter().position(|record| matches!(record, Record::Said(_))).unwrap_or(0);
        let turns: Vec<Vec<usize>> = turns(&self.records[opening..]).into_values().collect();
        match dice.below(10) {
            0..3 => self.records.len(),
            3..6 => dice.below(self.records.len() + 1),
            // Each kind of call as often as the others, however rare it is; right before it or right after it.
            _ => {
                let at = dice.pick(&turns).and_then(|places| dice.pick(places).copied());
                at.map_or(self.records.len(), |at| opening + at + dice.below(2))
            }
        }
    }

    /// The place before which the most was acknowledged since a file was last flushed.
    pub(crate) fn dearest_place(&self) -> usize {
        let (mut dearest, mut cost) = ((0, 0), 0);
        for (number, record) in self.records.iter().enumerate() {
            match record {
                Record::Said(text) if text.starts_with(b"did ") => cost += 1,
                Record::Flushed { .. } => cost = 0,
                _ => {}
            }
            dearest = dearest.max((cost, number + 1));
        }
        dearest.1
    }

    /// What was said before a cut.
    pub(crate) fn said(&self, cut: usize) -> Vec<Line> {
        let said = |record: &Record| match record {
            Record::Said(text) => Some(String::from_utf8_lossy(text).into_owned()),
            _ => None,
        };
        let text: String = self.records[..cut].iter().filter_map(said).collect();
        text.lines().map(|line| line.parse().unwrap_or_else(|()| panic!("the load said `{line}`"))).collect()
    }

    /// What the disk holds after a cut; a disk that lies has flushed nothing.
    pub(crate) fn left(&self, cut: usize, luck: Luck, dice: &mut Dice, lies: bool) -> Files {
        Disk::after(self.before.clone(), &self.records[..cut], lies, dice).cut(luck, dice)
    }

    /// What was going on when the power was cut.
    pub(crate) fn describe(&self, cut: usize) -> String {
        let last = turns(&self.records[..cut]).into_iter().filter_map(|(kind, at)| Some((at.last().copied()?, kind))).max();
        let doing = last.map_or_else(String::new, |(_, (what, name))| format!(", the last a {what} of `{name}`"));
        format!("{cut} of {} calls{doing}", self.records.len())
    }
}
