//! From a URL to a store.

use std::panic::catch_unwind;
use std::time::Duration;

use super::Store;
use super::url::{scheme_shown, shown};
use crate::error::StartError;

/// The schemes there are, for messages.
const KNOWN: &str = "`memory:`, `sqlite:` or `postgres:`";

/// Opens the store a URL names, see [`App::connect`](crate::App::connect).
///
/// # Errors
/// [`StartError`] where the scheme is unknown, its feature is off, or the store can't be opened.
pub async fn connect(url: &str) -> Result<Store, StartError> {
    let Some((scheme, rest)) = url.split_once(':') else {
        let why = format!("a store is named by a scheme and what it needs: {KNOWN}, such as `sqlite:bank.db`");
        return Err(StartError::InvalidUrl { url: shown(url), why });
    };
    match scheme {
        "memory" => memory(url, rest),
        "sqlite" => sqlite(url),
        "postgres" | "postgresql" => postgres(url).await,
        _ => Err(StartError::UnknownScheme { scheme: scheme_shown(scheme).to_owned(), known: KNOWN }),
    }
}

#[cfg(feature = "memory")]
fn memory(url: &str, rest: &str) -> Result<Store, StartError> {
    if rest.is_empty() || rest == "//" {
        return Ok(super::memory::open());
    }
    Err(StartError::InvalidUrl { url: shown(url), why: "a store in memory has no name: write `memory:`".to_owned() })
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

/// Refuses to go on where no tokio runtime runs what is spawned, and wakes what waits.
pub(crate) fn check_runtime() -> Result<(), StartError> {
    if tokio::runtime::Handle::try_current().is_err() {
        return Err(StartError::NoRuntime);
    }
    // A runtime does not tell whether it has timers; the first one that is made without them panics.
    catch_unwind(|| drop(tokio::time::sleep(Duration::ZERO))).map_err(|_| StartError::NoTimers)
}

#[cfg(feature = "postgres")]
async fn postgres(url: &str) -> Result<Store, StartError> {
    check_runtime()?;
    super::postgres::open(&super::postgres::PostgresOptions::parse(url)?).await
}
#[cfg(not(feature = "postgres"))]
#[allow(clippy::unused_async, reason = "with the feature it waits")]
async fn postgres(_: &str) -> Result<Store, StartError> {
    Err(StartError::FeatureOff { scheme: "postgres", feature: "postgres" })
}

#[cfg(test)]
mod tests {
    /// What a build answers that lacks a feature; `cargo xtask test` runs this without any.
    #[cfg(not(all(feature = "memory", feature = "postgres", feature = "sqlite")))]
    #[tokio::test]
    async fn a_feature_that_is_off_is_named() {
        for (url, feature, on) in [
            ("memory:", "memory", cfg!(feature = "memory")),
            ("sqlite:x.db", "sqlite", cfg!(feature = "sqlite")),
            ("postgres://localhost/x", "postgres", cfg!(feature = "postgres")),
        ] {
            if !on {
                let off = super::connect(url).await.err().expect("nothing opens it").to_string();
                let expected = format!(
                    "`{feature}:` needs the feature `{feature}`: write `gesta = {{ version = \"..\", features = [\"{feature}\"] }}` in Cargo.toml"
                );
                assert_eq!(off, expected);
            }
        }
    }

    /// F20: a URL of another kind of store can hold a password, too.
    #[tokio::test]
    async fn url_of_no_store_is_shown_without_secrets() {
        for url in [
            "Postgres://ann:SECRET@h/d",
            "postgres:ann:SECRET@h/d",
            "postgres:/ann:SECRET@h/d",
            "postgres//ann:SECRET@h/d",
            " postgres://ann:SECRET@h/d",
            "mysql://ann:SECRET@h/d",
            "SECRET@h:5432/d",
            "ann@SECRET",
            "memory://ann:SECRET@h",
            "memory:?key=SECRET",
            "sqlite://ann:SECRET@h?frob=1",
            "sqlite:a.db?key=SECRET",
            "sqlite:a.db?mode=ro&SECRET",
            "sqlite:a.db?SECRET=1&SECRET=2",
            "postgres://h/d?options[SECRET]=1&options[SECRET]=2",
            "postgres://h/d?sslpassword=SECRET",
            "postgres://h/d?sslkey=SECRET&sslmode=maybe",
            "postgres://ann:1?SECRET@h",
        ] {
            let why = super::connect(url).await.err().unwrap_or_else(|| panic!("{url} is opened"));
            assert!(!format!("{why} {why:?}").contains("SECRET"), "{url}: {why}");
        }
    }

    #[tokio::test]
    async fn a_url_that_names_no_store_says_what_there_is() {
        let oracle = super::connect("oracle://x").await.err().expect("nothing opens it").to_string();
        assert_eq!(oracle, "`oracle:` is no store of gesta: use one of `memory:`, `sqlite:` or `postgres:`");
    }
}
