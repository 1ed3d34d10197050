//! The processes that hold a lock on a store's files, for messages; told on Linux only.

use super::identity::FileId;

/// The bytes of the `-shm` file that a reader of the log locks, see
/// <https://sqlite.org/walformat.html#wal_locks>.
pub(super) const READERS: (u64, u64) = (124, 127);
/// The byte of the `-shm` file that a writer locks.
pub(super) const WRITER: (u64, u64) = (120, 120);
/// The bytes of the database file that SQLite locks.
pub(super) const DATABASE: (u64, u64) = (0x4000_0000, 0x4000_01ff);

/// Other processes with a lock on these bytes of a file, for example `process 4711 (sqlite3)`.
#[cfg(target_os = "linux")]
pub(super) fn holders(file: FileId, bytes: (u64, u64), exclusive: bool) -> Vec<String> {
    let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    let mut pids: Vec<u32> = locks.lines().filter_map(|line| holder(line, file, bytes, exclusive)).collect();
    pids.sort_unstable();
    pids.dedup();
    // A process outside of this one's namespace has the id 0.
    pids.retain(|pid| *pid != std::process::id() && *pid != 0);
    let describe = |pid: u32| {
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        let name = name.trim();
        if name.is_empty() { format!("process {pid}") } else { format!("process {pid} ({name})") }
    };
    pids.into_iter().map(describe).collect()
}
#[cfg(not(target_os = "linux"))]
pub(super) fn holders(_: FileId, _: (u64, u64), _: bool) -> Vec<String> {
    Vec::new()
}

/// The process of a line such as `1: POSIX  ADVISORY  READ 4711 08:01:1835 124 124`.
#[cfg(target_os = "linux")]
fn holder(line: &str, file: FileId, (from, to): (u64, u64), exclusive: bool) -> Option<u32> {
    let mut words = line.split_whitespace().skip(1);
    if words.next()? == "->" {
        // It waits for the lock.
        return None;
    }
    let (_, kind, pid, place) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let (start, end) = (words.next()?.parse::<u64>().ok()?, words.next()?);
    let end = if end == "EOF" { u64::MAX } else { end.parse().ok()? };
    let mut place = place.split(':');
    let (major, minor) = (u64::from_str_radix(place.next()?, 16).ok()?, u64::from_str_radix(place.next()?, 16).ok()?);
    let inode = place.next()?.parse::<u64>().ok()?;
    let device = (major & 0xfff) << 8 | (major & !0xfff) << 32 | (minor & 0xff) | (minor & !0xff) << 12;
    let same = inode == file.inode && device == file.device && start <= to && end >= from;
    (same && (!exclusive || kind == "WRITE")).then(|| pid.parse().ok())?
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_system_names_the_holder_of_the_bytes() {
        let file = FileId { device: 0xfe00, inode: 4711 };
        let holder = |line, bytes, exclusive| holder(line, file, bytes, exclusive);
        let read = "3: POSIX  ADVISORY  READ  99 fe:00:4711 124 124";
        assert_eq!(holder(read, READERS, false), Some(99));
        assert_eq!(holder(read, READERS, true), None);
        assert_eq!(holder(read, WRITER, false), None);
        assert_eq!(holder("3: POSIX  ADVISORY  WRITE 99 fe:00:4711 0 EOF", WRITER, true), Some(99));
        for other in [
            "3: POSIX  ADVISORY  READ  99 fe:00:4712 124 124",
            "3: POSIX  ADVISORY  READ  99 fe:01:4711 124 124",
            "3: -> POSIX  ADVISORY  READ  99 fe:00:4711 124 124",
            "",
            "3: POSIX",
            "3: POSIX  ADVISORY  READ  99 what 124 124",
        ] {
            assert_eq!(holder(other, READERS, false), None, "{other}");
        }
    }
}
