//! The Postgres store, on a real server.

mod beside;
mod checks;
mod contract;
mod counted;
mod crash;
mod cut;
mod examples;
mod facts;
mod full;
mod inline;
mod input;
mod joint;
mod keys;
// As for the other faults: its programs are killed by a signal.
#[cfg(target_os = "linux")]
mod killed;
mod lost;
mod lost_tail;
mod opening;
mod owners;
mod pooled;
mod positions;
mod proxy;
mod races;
mod restored;
mod rights;
pub mod server;
mod settings;
// A process says there how much memory it has taken.
#[cfg(target_os = "linux")]
mod streamed;
mod timeouts;
mod tls;
mod waiting;
mod watched;
