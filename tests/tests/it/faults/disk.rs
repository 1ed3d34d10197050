//! What a disk holds after a loss of power, worked out from what a program told it (`power_cut.c` writes that down).
//!
//! The model is POSIX, read as strictly as it is written:
//!
//! * What was changed in a file before a flush of that file began is there once the flush has come back. Everything later
//!   is there or not, each change for itself, in parts of 512 bytes, whatever became of the changes before it. A part is
//!   never a mixture. A file that grew may have grown without what was written there; it then holds zeros.
//! * That a name was created or removed is certain once a flush of the *folder* has come back, even where the file itself
//!   was flushed. Until then a file may be missing, and a removed one may be back, with what it held.
//!
//! * A flush that fails leaves each change so far on the disk or not, and no later flush makes up for it: the system counts
//!   them as done, although programs go on seeing them.
//!
//! Real file systems promise more, in particular that a flushed file keeps its name; a store that is right here is right
//! there.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::dice::Dice;

/// What a disk writes whole or not at all, in bytes.
const SECTOR: usize = 512;
/// The endings of the files that are watched: those of `power_cut.c`.
const WATCHED: [&str; 3] = [".db", ".db-wal", ".db-journal"];

/// The watched files of a folder, by name.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

pub(crate) fn read_files(folder: &Path) -> std::io::Result<Files> {
    let mut files = Files::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if WATCHED.iter().any(|ending| name.ends_with(ending)) {
            files.insert(name, std::fs::read(entry.path())?);
        }
    }
    Ok(files)
}

pub(crate) fn write_files(folder: &Path, files: &Files) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    files.iter().try_for_each(|(name, bytes)| std::fs::write(folder.join(name), bytes))
}

/// One call of the program, see `power_cut.c`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Record {
    /// A file, or the folder where the name is empty.
    Opened {
        handle: u64,
        name: String,
        created: bool,
    },
    Written {
        handle: u64,
        at: usize,
        data: Vec<u8>,
    },
    Truncated {
        handle: u64,
        size: usize,
    },
    Flushing {
        handle: u64,
    },
    /// A flush has come back that began with the record of this number.
    Flushed {
        handle: u64,
        began: usize,
    },
    /// A flush has failed that began with the record of this number.
    Failed {
        handle: u64,
        began: usize,
    },
    Unlinked {
        name: String,
    },
    /// What the program said to the world.
    Said(Vec<u8>),
}

/// The places where a cut is more telling than elsewhere: by kind of call and of file, the numbers of the records.
pub(crate) fn turns(records: &[Record]) -> BTreeMap<(&'static str, String), Vec<usize>> {
    let mut names: HashMap<u64, &str> = HashMap::new();
    let mut turns: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (number, record) in records.iter().enumerate() {
        if let Record::Opened { handle, name, .. } = record {
            names.insert(*handle, name);
        }
        let name = |handle: &u64| names.get(handle).copied().unwrap_or_default();
        let turn = match record {
            Record::Opened { created: true, name, .. } => ("create", name.as_str()),
            Record::Written { handle, .. } => ("write", name(handle)),
            Record::Truncated { handle, .. } => ("truncate", name(handle)),
            Record::Flushed { handle, .. } => ("flush", name(handle)),
            Record::Failed { handle, .. } => ("failed flush", name(handle)),
            Record::Unlinked { name } => ("unlink", name.as_str()),
            _ => continue,
        };
        turns.entry((turn.0, turn.1.to_owned())).or_default().push(number);
    }
    turns
}

/// Reads a journal; a last record that is not whole is left out, since the call it speaks of was not made.
pub(crate) fn read_journal(path: &Path) -> std::io::Result<Vec<Record>> {
    const HEADER: usize = 32;
    let bytes = std::fs::read(path)?;
    let mut rest = bytes.as_slice();
    let mut records = Vec::new();
    while let Some((header, behind)) = rest.split_at_checked(HEADER) {
        let field = |n: usize| u64::from_ne_bytes(header[n * 8..][..8].try_into().expect("eight bytes"));
        let size = |n: usize| usize::try_from(field(n)).expect("files here are small");
        let Some((data, behind)) = behind.split_at_checked(size(3)) else { break };
        let text = || String::from_utf8_lossy(data).into_owned();
        let handle = field(1);
        records.push(match field(0) {
            1 => Record::Opened { handle, name: text(), created: field(2) != 0 },
            2 => Record::Written { handle, at: size(2), data: data.to_vec() },
            3 => Record::Truncated { handle, size: size(2) },
            4 => Record::Flushing { handle },
            5 => Record::Flushed { handle, began: size(2) },
            6 => Record::Unlinked { name: text() },
            7 => Record::Failed { handle, began: size(2) },
            8 => Record::Said(data.to_vec()),
            other => return Err(std::io::Error::other(format!("a record of the unknown kind {other}"))),
        });
        rest = behind;
    }
    Ok(records)
}

/// How much of what was not flushed a loss of power leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Luck {
    Nothing,
    /// Each change this often of a hundred, else in part or not at all.
    Some(usize),
    Everything,
}

impl Luck {
    pub(crate) fn of(dice: &mut Dice) -> Self {
        match dice.below(10) {
            0..3 => Luck::Nothing,
            3 => Luck::Everything,
            _ => Luck::Some(5 + dice.below(91)),
        }
    }
}

/// A disk, and what it was told and need not have done yet.
pub(crate) struct Disk<'j> {
    files: Vec<File<'j>>,
    /// Which file a name leads to; `flushed` is what is certain.
    names: BTreeMap<String, usize>,
    flushed: BTreeMap<String, usize>,
    renaming: Vec<(usize, &'j str, Option<usize>)>,
}

/// A file with whatever name, or none.
struct File<'j> {
    seen: Vec<u8>,
    flushed: Vec<u8>,
    changes: Vec<(usize, Change<'j>)>,
}

#[derive(Clone, Copy)]
enum Change<'j> {
    Write(usize, &'j [u8]),
    Truncate(usize),
}

/// What a handle was opened on.
#[derive(Clone, Copy)]
enum Target {
    Folder,
    File(usize),
}

impl<'j> Disk<'j> {
    /// The disk that held these files, after these calls. With `lies`, it says of every flush that it is done, and does
    /// nothing.
    pub(crate) fn after(before: Files, records: &'j [Record], lies: bool, dice: &mut Dice) -> Self {
        let mut disk = Disk { files: Vec::new(), names: BTreeMap::new(), flushed: BTreeMap::new(), renaming: Vec::new() };
        for (name, bytes) in before {
            disk.names.insert(name, disk.files.len());
            disk.files.push(File { seen: bytes.clone(), flushed: bytes, changes: Vec::new() });
        }
        disk.flushed.clone_from(&disk.names);
        let mut targets = HashMap::new();
        for (number, record) in records.iter().enumerate() {
            disk.take(number, record, &mut targets, lies, dice);
        }
        disk
    }

    fn take(&mut self, number: usize, record: &'j Record, targets: &mut HashMap<u64, Target>, lies: bool, dice: &mut Dice) {
        let file = |handle: &u64| match targets.get(handle) {
            Some(Target::File(file)) => *file,
            _ => panic!("record {number} is about a file that was not opened: {record:?}"),
        };
        match record {
            Record::Opened { handle, name, .. } if name.is_empty() => {
                targets.insert(*handle, Target::Folder);
            }
            Record::Opened { handle, name, created } => {
                if *created {
                    self.names.insert(name.clone(), self.files.len());
                    self.renaming.push((number, name, Some(self.files.len())));
                    self.files.push(File { seen: Vec::new(), flushed: Vec::new(), changes: Vec::new() });
                }
                let file = *self.names.get(name).unwrap_or_else(|| panic!("`{name}` was opened and not there"));
                targets.insert(*handle, Target::File(file));
            }
            Record::Written { handle, at, data } => self.files[file(handle)].change(number, Change::Write(*at, data)),
            Record::Truncated { handle, size } => self.files[file(handle)].change(number, Change::Truncate(*size)),
            Record::Unlinked { name } => {
                self.names.remove(name);
                self.renaming.push((number, name, None));
            }
            Record::Flushed { handle, began } if !lies => match targets[handle] {
                Target::File(file) => self.files[file].flush(*began),
                Target::Folder => {
                    let certain = self.renaming.partition_point(|(number, ..)| number < began);
                    self.renaming.drain(..certain).for_each(|(_, name, file)| rename(&mut self.flushed, name, file));
                }
            },
            Record::Failed { handle, began } => {
                // A folder's names are merely not certain then, as before.
                if let Target::File(file) = targets[handle] {
                    self.files[file].fail_to_flush(*began, dice);
                }
            }
            Record::Flushed { .. } | Record::Flushing { .. } | Record::Said(_) => {}
        }
    }

    /// The files as every program sees them as long as the power is on.
    pub(crate) fn seen(&self) -> Files {
        self.names.iter().map(|(name, file)| (name.clone(), self.files[*file].seen.clone())).collect()
    }

    /// The files after the power was cut.
    pub(crate) fn cut(&self, luck: Luck, dice: &mut Dice) -> Files {
        let mut names = self.flushed.clone();
        let mut stuck: Vec<&str> = Vec::new();
        for (_, name, file) in &self.renaming {
            // Of one name, a later change does not come without an earlier one.
            if stuck.contains(name) || !luck.keeps(dice) {
                stuck.push(name);
            } else {
                rename(&mut names, name, *file);
            }
        }
        names.into_iter().map(|(name, file)| (name, self.files[file].cut(luck, dice))).collect()
    }
}

impl Luck {
    fn keeps(self, dice: &mut Dice) -> bool {
        match self {
            Luck::Nothing => false,
            Luck::Some(percent) => dice.percent(percent),
            Luck::Everything => true,
        }
    }
}

fn rename(names: &mut BTreeMap<String, usize>, name: &str, file: Option<usize>) {
    match file {
        Some(file) => names.insert(name.to_owned(), file),
        None => names.remove(name),
    };
}

impl<'j> File<'j> {
    fn change(&mut self, number: usize, change: Change<'j>) {
        change.make(&mut self.seen);
        self.changes.push((number, change));
    }

    fn flush(&mut self, began: usize) {
        let certain = self.changes.partition_point(|(number, _)| *number < began);
        let File { flushed, changes, .. } = self;
        changes.drain(..certain).for_each(|(_, change)| change.make(flushed));
    }

    fn fail_to_flush(&mut self, began: usize, dice: &mut Dice) {
        let tried = self.changes.partition_point(|(number, _)| *number < began);
        let luck = Luck::of(dice);
        for (_, change) in self.changes.drain(..tried) {
            change.make_by(luck, &mut self.flushed, dice);
        }
    }

    fn cut(&self, luck: Luck, dice: &mut Dice) -> Vec<u8> {
        let mut bytes = self.flushed.clone();
        self.changes.iter().for_each(|(_, change)| change.make_by(luck, &mut bytes, dice));
        bytes
    }
}

impl Change<'_> {
    fn make(self, bytes: &mut Vec<u8>) {
        match self {
            Change::Write(at, data) => {
                grow(bytes, at + data.len());
                bytes[at..][..data.len()].copy_from_slice(data);
            }
            Change::Truncate(size) => bytes.resize(size, 0),
        }
    }

    fn make_by(self, luck: Luck, bytes: &mut Vec<u8>, dice: &mut Dice) {
        if luck.keeps(dice) {
            self.make(bytes);
        } else if luck != Luck::Nothing {
            self.make_in_part(bytes, dice);
        }
    }

    /// Nothing of it, its first sectors, or any of them; grown or not.
    fn make_in_part(self, bytes: &mut Vec<u8>, dice: &mut Dice) {
        let Change::Write(at, data) = self else { return };
        let first = at / SECTOR;
        let sectors = (at + data.len()).div_ceil(SECTOR) - first;
        let (way, upto) = (dice.below(3), dice.below(sectors + 1));
        for sector in first..first + sectors {
            let kept = match way {
                0 => false,
                1 => sector < first + upto,
                _ => dice.percent(50),
            };
            let (from, to) = ((sector * SECTOR).max(at), ((sector + 1) * SECTOR).min(at + data.len()));
            if kept {
                Change::Write(from, &data[from - at..to - at]).make(bytes);
            }
        }
        if dice.percent(50) {
            grow(bytes, at + data.len());
        }
    }
}

fn grow(bytes: &mut Vec<u8>, size: usize) {
    if bytes.len() < size {
        bytes.resize(size, 0);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn opened(handle: u64, name: &str, created: bool) -> Record {
        Record::Opened { handle, name: name.to_owned(), created }
    }
    fn written(handle: u64, at: usize, data: &[u8]) -> Record {
        Record::Written { handle, at, data: data.to_vec() }
    }
    fn flush(handle: u64, records: &[Record]) -> [Record; 2] {
        [Record::Flushing { handle }, Record::Flushed { handle, began: records.len() }]
    }

    /// Every outcome of many cuts.
    fn outcomes(before: &Files, records: &[Record]) -> BTreeSet<Files> {
        let mut dice = Dice::new(1);
        (0..20_000)
            .map(|_| {
                let disk = Disk::after(before.clone(), records, false, &mut dice);
                let luck = Luck::of(&mut dice);
                disk.cut(luck, &mut dice)
            })
            .collect()
    }

    fn file(name: &str, bytes: &[u8]) -> Files {
        Files::from([(name.to_owned(), bytes.to_vec())])
    }

    #[test]
    fn what_was_flushed_is_there_and_what_was_not_may_be() {
        let mut records = vec![opened(1, "a.db", false), written(1, 0, b"old")];
        records.extend(flush(1, &records));
        records.push(written(1, 0, b"new"));
        let before = file("a.db", b"");
        assert_eq!(outcomes(&before, &records), BTreeSet::from([file("a.db", b"old"), file("a.db", b"new")]));
        assert_eq!(Disk::after(before, &records, false, &mut Dice::new(0)).seen(), file("a.db", b"new"));
    }

    #[test]
    fn a_change_during_a_flush_may_miss_it() {
        let records = [
            opened(1, "a.db", false),
            Record::Flushing { handle: 1 },
            written(1, 0, b"late"),
            Record::Flushed { handle: 1, began: 1 },
        ];
        let outcomes = outcomes(&file("a.db", b"....."), &records);
        assert_eq!(outcomes, BTreeSet::from([file("a.db", b"....."), file("a.db", b"late.")]));
    }

    #[test]
    fn a_flush_that_has_not_come_back_promises_nothing() {
        let records = [opened(1, "a.db", false), written(1, 0, b"x"), Record::Flushing { handle: 1 }];
        assert!(outcomes(&file("a.db", b"."), &records).contains(&file("a.db", b".")));
    }

    #[test]
    fn no_later_flush_makes_up_for_one_that_failed() {
        let mut records = vec![opened(1, "a.db", false), written(1, 0, b"lost"), Record::Flushing { handle: 1 }];
        records.push(Record::Failed { handle: 1, began: 2 });
        records.extend(flush(1, &records));
        let before = file("a.db", b"....");
        assert_eq!(outcomes(&before, &records), BTreeSet::from([file("a.db", b"lost"), before.clone()]));
        assert_eq!(Disk::after(before, &records, false, &mut Dice::new(0)).seen(), file("a.db", b"lost"));
        // What is written once more is there.
        records.push(written(1, 0, b"kept"));
        records.extend(flush(1, &records));
        assert_eq!(outcomes(&file("a.db", b"...."), &records), BTreeSet::from([file("a.db", b"kept")]));
    }

    #[test]
    fn writes_tear_at_sectors_and_later_ones_may_come_without_earlier_ones() {
        let records = [opened(1, "a.db", false), written(1, 256, &[1; 1024]), written(1, 1280, &[2; 256])];
        let outcomes: Vec<Vec<u8>> = outcomes(&file("a.db", &[]), &records).into_iter().flat_map(Files::into_values).collect();
        let has = |wanted: &[(u8, usize)]| {
            let wanted: Vec<u8> = wanted.iter().flat_map(|(byte, times)| vec![*byte; *times]).collect();
            outcomes.contains(&wanted)
        };
        assert!(has(&[]));
        assert!(has(&[(0, 256), (1, 256)]));
        assert!(has(&[(0, 512), (1, 512)]));
        assert!(has(&[(0, 256), (1, 256), (0, 512), (1, 256)]));
        assert!(has(&[(0, 1280), (2, 256)]));
        assert!(has(&[(0, 1536)]), "it may have grown without its data");
        for outcome in &outcomes {
            let sectors = [
                &outcome[outcome.len().min(256)..outcome.len().min(512)],
                &outcome[outcome.len().min(512)..outcome.len().min(1024)],
            ];
            assert!(
                sectors.iter().all(|sector| sector.windows(2).all(|pair| pair[0] == pair[1])),
                "a sector is whole or not there"
            );
        }
    }

    #[test]
    fn a_name_is_certain_once_the_folder_was_flushed() {
        let mut records = vec![opened(1, "a.db-wal", true), written(1, 0, b"x")];
        records.extend(flush(1, &records));
        let expected = BTreeSet::from([Files::new(), file("a.db-wal", b"x")]);
        assert_eq!(outcomes(&Files::new(), &records), expected);
        records.push(opened(2, "", false));
        records.extend(flush(2, &records));
        assert_eq!(outcomes(&Files::new(), &records), BTreeSet::from([file("a.db-wal", b"x")]));
    }

    #[test]
    fn a_removed_file_may_be_back_as_it_was() {
        let old = file("a.db-journal", b"old");
        let mut records = vec![Record::Unlinked { name: "a.db-journal".to_owned() }];
        assert_eq!(outcomes(&old, &records), BTreeSet::from([Files::new(), old.clone()]));
        records.extend([opened(1, "a.db-journal", true), written(1, 0, b"new")]);
        records.extend(flush(1, &records));
        // Gone and not yet there again, too.
        assert_eq!(outcomes(&old, &records), BTreeSet::from([Files::new(), old.clone(), file("a.db-journal", b"new")]));
    }

    #[test]
    fn a_lying_disk_keeps_nothing_for_certain() {
        let mut records = vec![opened(1, "a.db", false), written(1, 0, b"x")];
        records.extend(flush(1, &records));
        let before = file("a.db", b"");
        let mut dice = Dice::new(0);
        assert_eq!(Disk::after(before.clone(), &records, true, &mut dice).cut(Luck::Nothing, &mut dice), before);
    }

    #[test]
    fn a_journal_that_was_cut_off_is_read_up_to_there() {
        let folder = crate::faults::Folder::new("journal");
        let path = folder.path().join("journal");
        let mut bytes = Vec::new();
        for field in [8_u64, 0, 0, 3] {
            bytes.extend(field.to_ne_bytes());
        }
        bytes.extend(b"yes");
        let whole = bytes.clone();
        bytes.extend(&whole[..34]);
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(read_journal(&path).unwrap(), [Record::Said(b"yes".to_vec())]);
    }
}
