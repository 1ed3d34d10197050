//! Between the catalogue and its folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use super::Catalogue;
use crate::schema::samples::payloads;

/// What every file begins with; a file without it is somebody else's.
pub(super) const MARK: &str = "gesta catalogue: written from the types, what is changed by hand is lost";

/// Where files of the catalogue are: in the folder, and in these of its folders.
const FOLDERS: [&str; 4] = ["", "aggregates/", "read-models/", "schemas/"];

/// Why a catalogue's folder is not what it should be. What `{:?}` shows is the message too, since most often a test shows it.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// The folder is not what the types say.
    #[error(
        "the catalogue in {} is not what the types say:\n{}\nread what changed, then write it anew: GESTA_CATALOGUE=write cargo test catalogue",
        folder.display(),
        differences.iter().map(|difference| format!("  - {difference}")).collect::<Vec<_>>().join("\n")
    )]
    Outdated {
        /// The folder.
        folder: PathBuf,
        /// Each file, and what is wrong with it.
        differences: Vec<String>,
    },
    /// A file is none of golden samples.
    #[error("{} is none of golden samples: {}", file.display(), problems.join("; "))]
    Samples {
        /// The file.
        file: PathBuf,
        /// Each line, and what is wrong with it.
        problems: Vec<String>,
    },
    /// A file can't be read or written.
    #[error("{}: {why}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// Why not.
        #[source]
        why: io::Error,
    },
}

impl fmt::Debug for CatalogueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn failed(file: &Path) -> impl FnOnce(io::Error) -> CatalogueError {
    move |why| CatalogueError::Io { file: file.to_owned(), why }
}

/// The golden samples of a file: name and version of an event, and its payload.
pub(super) fn golden(file: &Path) -> Result<Vec<(String, u32, String)>, CatalogueError> {
    let text = fs::read(file).map_err(failed(file))?;
    payloads(&text).map_err(|problems| CatalogueError::Samples { file: file.to_owned(), problems })
}

impl Catalogue {
    /// Writes the folder, and removes files of an earlier catalogue that are none of this one.
    ///
    /// Files that are as they should be are not touched, and neither are files that no catalogue has written.
    ///
    /// # Errors
    /// [`CatalogueError::Io`]; some of the files may have been written.
    pub fn write_to(&self, folder: impl AsRef<Path>) -> Result<(), CatalogueError> {
        let folder = folder.as_ref();
        let (files, found) = (self.files(), found(folder)?);
        for (name, text) in &files {
            let path = folder.join(name);
            if found.get(name).is_some_and(|found| same(found, text)) {
                continue;
            }
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(failed(parent))?;
            }
            fs::write(&path, text).map_err(failed(&path))?;
        }
        for name in found.iter().filter(|(name, text)| !files.contains_key(*name) && is_ours(text)).map(|(name, _)| name) {
            let path = folder.join(name);
            fs::remove_file(&path).map_err(failed(&path))?;
        }
        Ok(())
    }

    /// Whether the folder is what the types say. Where the environment holds `GESTA_CATALOGUE=write`, it is written first.
    ///
    /// Line ends don't count.
    ///
    /// # Errors
    /// [`CatalogueError::Outdated`] names each file that differs, and from which line on.
    pub fn check(&self, folder: impl AsRef<Path>) -> Result<(), CatalogueError> {
        let folder = folder.as_ref();
        if std::env::var("GESTA_CATALOGUE").is_ok_and(|mode| mode == "write") {
            return self.write_to(folder);
        }
        let (files, found) = (self.files(), found(folder)?);
        let wrong = files.iter().filter_map(|(name, text)| match found.get(name) {
            None => Some(format!("{name} is missing")),
            Some(found) if same(found, text) => None,
            Some(found) => Some(format!("{name} differs from line {} on", first_difference(found, text))),
        });
        let strangers = found.iter().filter(|(name, text)| !files.contains_key(*name) && is_ours(text));
        let differences: Vec<_> =
            wrong.chain(strangers.map(|(name, _)| format!("{name} is about something that is gone"))).collect();
        if differences.is_empty() { Ok(()) } else { Err(CatalogueError::Outdated { folder: folder.to_owned(), differences }) }
    }
}

fn is_ours(text: &str) -> bool {
    text.lines().take(5).any(|line| line.contains(MARK))
}

fn same(found: &str, text: &str) -> bool {
    found.lines().eq(text.lines())
}

fn first_difference(found: &str, text: &str) -> usize {
    found.lines().zip(text.lines()).take_while(|(found, line)| found == line).count() + 1
}

/// The Markdown and JSON files that are there, by their path in the folder.
fn found(folder: &Path) -> Result<BTreeMap<String, String>, CatalogueError> {
    let mut files = BTreeMap::new();
    for inner in FOLDERS {
        let path = folder.join(inner);
        let entries = match fs::read_dir(&path) {
            Err(why) if why.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(failed(&path))?,
        };
        for entry in entries {
            let path = entry.map_err(failed(&path))?.path();
            let is_kind = path.extension().is_some_and(|kind| kind == "md" || kind == "json");
            let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|_| is_kind) else { continue };
            // What is no text is no file of ours.
            let Ok(text) = String::from_utf8(fs::read(&path).map_err(failed(&path))?) else { continue };
            files.insert(format!("{inner}{name}"), text);
        }
    }
    Ok(files)
}
