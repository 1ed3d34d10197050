//! Rounds, medians, memory.

use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A folder that goes when it is dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("gesta-bench-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("the temporary folder can be written to");
        Folder(path)
    }
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}
impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Rounds of several variants; ratios are taken within a round.
#[derive(Default)]
pub struct Table {
    rows: Vec<(String, Vec<f64>)>,
}

impl Table {
    pub fn add(&mut self, name: &str, value: f64) {
        match self.rows.iter_mut().find(|(row, _)| row == name) {
            Some((_, values)) => values.push(value),
            None => self.rows.push((name.to_owned(), vec![value])),
        }
    }
    /// The median of the ratios of one variant to another, which are taken within a round; `None` where one was not measured.
    pub fn ratio(&self, name: &str, to: &str) -> Option<f64> {
        let values = |name| self.rows.iter().find(|(row, _)| row == name).map(|(_, values)| values);
        let mut ratios: Vec<f64> = values(name)?.iter().zip(values(to)?).map(|(value, base)| value / base).collect();
        Some(median(&mut ratios))
    }
    /// Prints each variant's median and range, and the median of its ratios to the first one.
    pub fn print(&self, unit: &str) {
        let first = &self.rows[0].0;
        println!("| variant | median {unit} | least | most | to `{first}` |\n|---|---:|---:|---:|---:|");
        for (name, values) in &self.rows {
            let mut sorted = values.clone();
            let middle = median(&mut sorted);
            println!(
                "| {name} | {middle:.0} | {:.0} | {:.0} | {:.2} |",
                sorted[0],
                sorted[sorted.len() - 1],
                self.ratio(name, first).unwrap_or_default()
            );
        }
        println!();
    }
}

/// Whether a section is asked for: all are unless some are named.
pub fn wanted(section: &str) -> bool {
    let mut asked = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).peekable();
    asked.peek().is_none() || asked.any(|asked| asked == section)
}

/// How often each variant is measured: `GESTA_BENCH_ROUNDS`.
pub fn rounds() -> usize {
    std::env::var("GESTA_BENCH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(7)
}

/// How often each variant's work is done a second. The variants take turns every few milliseconds, and each turn counts for
/// itself, so that what else the machine does meets both sides of a ratio alike.
pub fn interleaved(rounds: usize, variants: &mut [(&str, &mut dyn FnMut())]) -> Table {
    const TURN: Duration = Duration::from_millis(2);
    const TURNS: usize = 101;
    let mut table = Table::default();
    for _ in 0..rounds * TURNS {
        for (name, work) in &mut *variants {
            let (started, mut count) = (Instant::now(), 0u32);
            while started.elapsed() < TURN {
                (0..500).for_each(|_| work());
                count += 500;
            }
            table.add(name, f64::from(count) / started.elapsed().as_secs_f64());
        }
    }
    table
}

/// The memory of this process that is resident now, in KiB; 0 where the system does not say.
pub fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
