//! From a URL to a store.

use super::Store;
use crate::error::StartError;

/// The schemes there are, for messages.
const KNOWN: &str = "`memory:` or `sqlite:`";

/// Opens the store a URL names, see [`App::connect`](crate::App::connect).
///
/// # Errors
/// [`StartError`] where the scheme is unknown, its feature is off, or the store can't be opened.
#[allow(clippy::unused_async, reason = "stores behind a network are opened here too")]
pub async fn connect(url: &str) -> Result<Store, StartError> {
    let Some((scheme, rest)) = url.split_once(':') else {
        let why = format!("a store is named by a scheme and what it needs: {KNOWN}, such as `sqlite:bank.db`");
        return Err(StartError::InvalidUrl { url: url.to_owned(), why });
    };
    match scheme {
        "memory" => memory(url, rest),
        "sqlite" => sqlite(url),
        _ => Err(StartError::UnknownScheme { scheme: scheme.to_owned(), known: KNOWN }),
    }
}

#[cfg(feature = "memory")]
fn memory(url: &str, rest: &str) -> Result<Store, StartError> {
    if rest.is_empty() || rest == "//" {
        return Ok(super::memory::open());
    }
    Err(StartError::InvalidUrl { url: url.to_owned(), why: "a store in memory has no name: write `memory:`".to_owned() })
}
#[cfg(not(feature = "memory"))]
fn memory(_: &str, _: &str) -> Result<Store, StartError> {
    Err(StartError::FeatureOff { scheme: "memory", feature: "memory" })
}

#[cfg(feature = "sqlite")]
fn sqlite(url: &str) -> Result<Store, StartError> {
    super::sqlite::open(&super::sqlite::SqliteOptions::parse(url)?)
}
#[cfg(not(feature = "sqlite"))]
fn sqlite(_: &str) -> Result<Store, StartError> {
    Err(StartError::FeatureOff { scheme: "sqlite", feature: "sqlite" })
}
