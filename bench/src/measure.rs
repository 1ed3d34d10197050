//! Rounds, medians, memory.

use std::path::PathBuf;

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
    /// Prints each variant's median and range, and the median of its ratios to the first one.
    pub fn print(&self, unit: &str) {
        let base = &self.rows[0].1;
        println!("| variant | median {unit} | least | most | to `{}` |\n|---|---:|---:|---:|---:|", self.rows[0].0);
        for (name, values) in &self.rows {
            let mut ratios: Vec<f64> = values.iter().zip(base).map(|(value, base)| value / base).collect();
            let mut sorted = values.clone();
            let middle = median(&mut sorted);
            println!(
                "| {name} | {middle:.0} | {:.0} | {:.0} | {:.2} |",
                sorted[0],
                sorted[sorted.len() - 1],
                median(&mut ratios)
            );
        }
        println!();
    }
}

/// The memory of this process that is resident now, in KiB; 0 where the system does not say.
pub fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
