//! The contract suite: every promise of the stores' traits as a case that runs on any store, also on one of your own.
//!
//! No case is skipped unseen: what needs something that a store does not offer stands in the report as `not offered`, and the
//! first case fails where [`Offers`] says something else than the store itself. Cases race tasks against each other, so the
//! suite wants a runtime with several threads.
//!
//! ```
//! use async_trait::async_trait;
//! use gesta::store::contract::{self, Offers, Subject};
//! use gesta::store::{Store, memory};
//!
//! struct Memory;
//!
//! #[async_trait]
//! impl Subject for Memory {
//!     fn offers(&self) -> Offers {
//!         Offers { durable: false, leases: false, ..Offers::ALL }
//!     }
//!     async fn fresh(&self, _place: &str) -> Store {
//!         memory::open()
//!     }
//!     async fn reopen(&self, _place: &str) -> Option<Store> {
//!         None
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() {
//!     contract::run(&Memory).await.assert();
//! }
//! ```

#![allow(clippy::wildcard_imports, reason = "the cases are written in the words of the kit")]

mod inline;
mod keys;
mod kit;
mod leases;
mod log;
mod models;
mod races;
mod snapshots;

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;

use self::kit::{Failure, Ground};
use super::Store;

/// A store that the suite is run on.
#[async_trait]
pub trait Subject: Send + Sync {
    /// What the store offers. A case fails where that is not true, in either direction.
    fn offers(&self) -> Offers;
    /// Opens an empty store that shares nothing with others. `place` consists of letters, digits and `_`; what an earlier run
    /// left there is to be removed.
    async fn fresh(&self, place: &str) -> Store;
    /// Opens what is kept at a place again, after it was closed; `None` where nothing is kept.
    async fn reopen(&self, place: &str) -> Option<Store>;
}

/// What a store offers beside its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a part of its own that a store has or has not")]
pub struct Offers {
    /// [`Keys`](super::Keys).
    pub keys: bool,
    /// [`SnapshotStore`](super::SnapshotStore).
    pub snapshots: bool,
    /// [`ReadModelStore`](super::ReadModelStore).
    pub read_models: bool,
    /// [`ReadModelStore::commit_parking`](super::ReadModelStore::commit_parking).
    pub parking: bool,
    /// [`Leases`](super::Leases); the suite waits until one has run out, so let that be soon.
    pub leases: bool,
    /// [`Capabilities::several_streams`](super::Capabilities::several_streams).
    pub several_streams: bool,
    /// [`Capabilities::sole_writer`](super::Capabilities::sole_writer).
    pub sole_writer: bool,
    /// What was stored is there after the store was closed and opened again.
    pub durable: bool,
}

impl Offers {
    /// Everything.
    pub const ALL: Offers = Offers {
        keys: true,
        snapshots: true,
        read_models: true,
        parking: true,
        leases: true,
        several_streams: true,
        sole_writer: true,
        durable: true,
    };
    /// The events alone, one stream an append.
    pub const NOTHING: Offers = Offers {
        keys: false,
        snapshots: false,
        read_models: false,
        parking: false,
        leases: false,
        several_streams: false,
        sole_writer: false,
        durable: false,
    };

    /// What of `needed` is missing.
    fn lacks(self, needed: Offers) -> Vec<&'static str> {
        let parts = [
            (needed.keys, self.keys, "keys"),
            (needed.snapshots, self.snapshots, "snapshots"),
            (needed.read_models, self.read_models, "read models"),
            (needed.parking, self.parking, "parking"),
            (needed.leases, self.leases, "leases"),
            (needed.several_streams, self.several_streams, "appends that span streams"),
            (needed.sole_writer, self.sole_writer, "a sole writer"),
            (needed.durable, self.durable, "durability"),
        ];
        parts.into_iter().filter(|(needed, offered, _)| *needed && !offered).map(|(_, _, name)| name).collect()
    }
}

/// One promise, and how it is tested.
pub struct Case {
    /// The promise.
    pub name: &'static str,
    /// What a store must offer for it.
    pub needs: Offers,
    run: for<'g> fn(&'g Ground<'g>) -> Running<'g>,
}

type Running<'g> = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send + 'g>>;

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The promise is kept.
    Kept,
    /// The store does not offer what it needs.
    NotOffered(Vec<&'static str>),
    /// The promise is broken.
    Broken(String),
}

/// What became of every case.
#[derive(Debug, Clone)]
#[must_use = "call `assert`, or look at what is broken"]
pub struct Report {
    /// The cases, in their order.
    pub cases: Vec<(&'static str, Outcome)>,
}

impl Report {
    /// The cases whose promise is broken.
    pub fn broken(&self) -> Vec<&'static str> {
        self.cases.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Broken(_))).map(|(name, _)| *name).collect()
    }

    /// Panics, with the whole report, where a promise is broken.
    ///
    /// # Panics
    /// Where a promise is broken.
    pub fn assert(&self) {
        assert!(self.broken().is_empty(), "{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, outcome) in &self.cases {
            match outcome {
                Outcome::Kept => writeln!(f, "kept         {name}")?,
                Outcome::NotOffered(lacks) => writeln!(f, "not offered  {name}: needs {}", lacks.join(", "))?,
                Outcome::Broken(why) => writeln!(f, "BROKEN       {name}: {why}")?,
            }
        }
        Ok(())
    }
}

/// Runs every case on a store, one after the other.
pub async fn run(subject: &dyn Subject) -> Report {
    let mut cases = Vec::with_capacity(CASES.len());
    for case in CASES {
        cases.push((case.name, case.run(subject).await));
    }
    Report { cases }
}

impl Case {
    /// The case of this name.
    pub fn named(name: &str) -> Option<&'static Case> {
        CASES.iter().find(|case| case.name == name)
    }

    /// Runs this case alone. A case that takes longer than a minute is broken: something it waits for never came.
    pub async fn run(&self, subject: &dyn Subject) -> Outcome {
        let offers = subject.offers();
        let lacks = offers.lacks(self.needs);
        if !lacks.is_empty() {
            return Outcome::NotOffered(lacks);
        }
        let ground = Ground::new(subject, offers, self.name);
        // A store that panics has broken the promise, too.
        let run = AssertUnwindSafe((self.run)(&ground)).catch_unwind();
        match tokio::time::timeout(CASE_TIME_MAX, run).await {
            Ok(Ok(Ok(()))) => Outcome::Kept,
            Ok(Ok(Err(Failure(why)))) => Outcome::Broken(why),
            Ok(Err(panic)) => Outcome::Broken(format!("panicked: {}", kit::panic_message(panic.as_ref()))),
            Err(_) => Outcome::Broken(format!("took longer than {} s", CASE_TIME_MAX.as_secs())),
        }
    }
}

const CASE_TIME_MAX: Duration = Duration::from_mins(1);

macro_rules! cases {
    ($($module:ident { $($name:ident $([$($need:ident),*])?,)* })*) => {
        /// Every case, in the order in which [`run`] runs them.
        pub const CASES: &[Case] = &[$($(Case {
            name: stringify!($name),
            needs: Offers { $($($need: true,)*)? ..Offers::NOTHING },
            run: |ground| Box::pin($module::$name(ground)),
        },)*)*];
    };
}

cases! {
    log {
        a_store_offers_what_it_says,
        a_new_store_is_empty,
        events_are_read_back_as_they_were_appended,
        what_is_not_said_of_an_event_has_its_default,
        payloads_are_kept_byte_for_byte,
        names_of_streams_are_told_apart_byte_by_byte,
        versions_are_without_holes,
        an_expected_version_that_is_too_low_is_a_conflict,
        an_expected_version_that_is_too_high_is_a_conflict,
        an_append_that_is_repeated_is_a_conflict,
        a_stream_without_events_is_checked_like_others,
        an_append_onto_another_event_conflicts [several_streams],
        an_append_spans_streams_or_leaves_no_trace [several_streams],
        a_misshapen_append_is_refused,
        positions_grow_and_are_told_as_they_are_read,
        positions_are_not_given_twice,
        recorded_at_never_goes_back_within_a_stream,
        a_read_of_a_stream_is_bounded,
        a_read_of_all_is_bounded,
        kinds_of_events_are_known_with_their_first_position,
        a_closed_store_answers_closed,
        what_was_stored_is_there_after_reopening [durable],
    }
    races {
        of_racing_appends_to_a_stream_one_wins,
        of_two_units_that_share_a_stream_one_leaves_no_row [several_streams],
        a_live_reader_never_skips,
        who_waits_is_woken,
        an_append_that_nobody_waits_for_is_finished,
        appends_that_race_with_close_are_done_or_refused,
    }
    keys {
        a_key_is_kept_with_what_it_led_to [keys],
        a_key_keeps_the_version_of_its_hash [keys],
        a_key_that_is_taken_is_told_before_versions_are_looked_at [keys],
        a_key_is_kept_without_events [keys],
        a_key_belongs_to_its_stream [keys],
        a_refused_append_keeps_no_key [keys],
        of_racing_uses_of_a_key_one_counts [keys],
        a_taken_key_refuses_the_whole_append [keys, several_streams],
        keys_are_there_after_reopening [keys, durable],
    }
    snapshots {
        a_snapshot_is_loaded_as_it_was_saved [snapshots],
        a_newer_snapshot_stays [snapshots],
        a_snapshot_without_its_event_is_not_kept [snapshots],
        snapshots_of_other_fingerprints_are_kept_apart [snapshots],
        snapshots_are_there_after_reopening [snapshots, durable],
    }
    models {
        a_new_model_is_empty [read_models],
        each_owner_has_an_epoch_of_its_own [read_models],
        a_model_keeps_its_place_when_others_are_prepared [read_models],
        another_fingerprint_starts_anew [read_models],
        rows_are_read_back_as_they_were_stored [read_models],
        rows_are_changed_and_removed [read_models],
        a_checkpoint_moves_without_rows [read_models],
        a_checkpoint_that_was_moved_is_not_moved_again [read_models],
        an_owner_that_was_replaced_can_not_commit [read_models],
        of_racing_commits_one_counts [read_models],
        rows_and_checkpoint_are_stored_together [read_models],
        a_query_finds_what_is_wanted_in_order [read_models],
        pages_hold_each_row_once [read_models],
        only_what_is_indexed_is_looked_in [read_models],
        models_are_there_after_reopening [read_models, durable],
        parked_streams_are_told_by_model_and_in_order [read_models, parking],
        rows_checkpoint_and_parking_are_stored_together [read_models, parking],
        another_fingerprint_forgets_what_was_parked [read_models, parking],
        parked_streams_are_there_after_reopening [read_models, parking, durable],
    }
    leases {
        a_model_has_one_owner [read_models, leases],
        of_racing_owners_one_has_the_model [read_models, leases],
        an_owner_that_was_silent_can_not_write_any_more [read_models, leases],
        a_model_of_another_definition_is_nobody_s [read_models, leases],
    }
    inline {
        an_inline_model_moves_with_each_append [read_models],
        a_fold_sees_where_its_events_will_stand [read_models],
        rows_folded_at_once_see_each_other [read_models],
        a_refusing_fold_refuses_its_own_append_only [read_models],
        a_refusing_fold_leaves_no_trace [read_models],
        a_refusing_fold_keeps_no_key [read_models, keys],
        rows_that_can_not_be_stored_refuse_their_own_append_only [read_models],
        an_inline_model_that_is_behind_is_not_folded_into [read_models],
        an_append_that_does_not_carry_a_model_leaves_it_behind [read_models],
        inline_rows_are_there_after_reopening [read_models, durable],
    }
}
