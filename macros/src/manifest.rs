//! The user's `Cargo.toml`: whether generated code can name the runtime as `::gesta`.
//!
//! Always true here: in doubt it can. A manifest that can't be read, or that speaks of `gesta` in any other way than by renaming
//! it, is no reason for an error.

/// No dependency is called `gesta`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    /// The name of the dependency that is `gesta`, if there is one.
    pub(crate) renamed: Option<String>,
}

/// Returns what is wrong with the manifest of the package that is being compiled.
pub(crate) fn missing() -> Option<Missing> {
    // Outside of a compiler, as in tests of the macros, there is no package.
    if !proc_macro::is_available() {
        return None;
    }
    let path = std::path::PathBuf::from(std::env::var_os("CARGO_MANIFEST_PATH")?);
    // A script has its manifest inside.
    if path.file_name()? != "Cargo.toml" {
        return None;
    }
    missing_in(&std::fs::read_to_string(path).ok()?)
}

fn missing_in(manifest: &str) -> Option<Missing> {
    let (mut renamed, mut header) = (None, "");
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            header = line;
        }
        let Some(before) = renames(line) else {
            if words(line).any(|word| word == "gesta") {
                return None;
            }
            continue;
        };
        // `evs = { package = "gesta" }`, or `package = "gesta"` below `[dependencies.evs]`.
        let name = if before.is_empty() { words(header).last() } else { words(before).next() };
        renamed = renamed.or(name.map(|name| name.replace('-', "_")));
    }
    Some(Missing { renamed })
}

/// What stands before `package = "gesta"` in a line that says nothing else of it.
fn renames(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("package")?;
    let after = after.trim_start().strip_prefix('=')?.trim_start();
    let after = ["\"gesta\"", "'gesta'"].iter().find_map(|name| after.strip_prefix(name))?;
    let is_all = words(before).chain(words(after)).all(|word| word != "gesta");
    is_all.then_some(before)
}

fn words(line: &str) -> impl DoubleEndedIterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '_').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R21: a crate that re-exports gesta is found by `crate = ..` alone.
    #[test]
    fn manifest_without_gesta_or_with_another_name_is_seen() {
        let missing = |renamed: Option<&str>| Some(Missing { renamed: renamed.map(str::to_owned) });
        for (manifest, expected) in [
            ("[dependencies]\nfacade = \"1\"\n", missing(None)),
            ("[dependencies]\ngesta-tools = \"1\"\n", missing(None)),
            ("[dependencies]\nevs = { version = \"1\", package = \"gesta\" }\n", missing(Some("evs"))),
            ("[dependencies.my-events]\npackage = 'gesta'\n", missing(Some("my_events"))),
            ("[dependencies]\ngesta = \"1\"\n", None),
            ("[dependencies]\ngesta.workspace = true\n", None),
            ("[dependencies.gesta]\nversion = \"1\"\n", None),
            ("[target.'cfg(unix)'.dependencies]\n\"gesta\" = \"1\"\n", None),
            ("dependencies = { gesta = \"1\" }\n", None),
            ("[package]\nname = \"gesta\"\n", None),
            ("[dependencies]\ngesta = { package = \"gesta\", version = \"1\" }\n", None),
        ] {
            assert_eq!(missing_in(manifest), expected, "{manifest}");
        }
    }
}
