//! What must be true after a restart.

use std::ops::ControlFlow;
use std::path::Path;

use gesta::{App, Position};

use super::dice::Dice;
use super::domain::{Account, AccountId, Pool, PoolId, register};
use super::line::Line;
use super::models::{difference, read, rebuilt, replayed};
use super::oracle::{BROKEN, Event, Told, balances, check};

/// How many acknowledged commands are sent once more after a restart.
const REPEATS: usize = 20;

/// How many aggregates are loaded after a restart.
const STATES: usize = 50;

/// What was found after a restart.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) events: Vec<Event>,
    /// What is wrong.
    pub(crate) faults: Vec<String>,
    /// Acknowledged commands that are not there, from the end on.
    pub(crate) lost_tail: Vec<i64>,
    /// Commands with a key that were sent once more, since their answer was lost, and of those the ones that had been
    /// carried out.
    pub(crate) resent: usize,
    pub(crate) resent_in_vain: usize,
}

/// Opens the store and holds it against what was said; `before` is what was there at the last restart.
///
/// An error is a store that can't be used at all.
pub(crate) async fn reopen(url: &str, told: &mut Told, before: &[Event], dice: &mut Dice) -> Result<Found, String> {
    let app = start(url).await?;
    let mut found = Found::default();
    if let Some(file) = url.strip_prefix("sqlite:") {
        found.faults.extend(sqlite_says(Path::new(file))?);
    }

    // Right after the restart, before anything is added.
    found.events = events(&app).await?;
    let verdict = check(told, before, &found.events);
    found.faults.extend(verdict.faults);
    found.lost_tail = verdict.lost_tail;
    same_rows(&app, &mut found).await?;
    same_states(&app, &mut found, dice).await?;

    // Who got no answer asks again, and gets the first one or a new one; who got one gets it again.
    if found.lost_tail.is_empty() {
        resend(&app, told, &mut found, dice).await;
        let restarted = std::mem::replace(&mut found.events, events(&app).await?);
        let verdict = check(told, &restarted, &found.events);
        found.faults.extend(verdict.faults);
        found.lost_tail = verdict.lost_tail;
        same_rows(&app, &mut found).await?;
        found.faults.extend(difference("and in a new app", &replayed(&found.events), &rebuilt(&found.events).await));
    }
    app.shutdown().await.map_err(|why| format!("the app does not shut down: {why}"))?;
    Ok(found)
}

/// Asks once more whatever got no answer, as soon as the store opens: what was asked before may still be about to be carried out.
pub(crate) async fn ask_again(url: &str, told: &mut Told, dice: &mut Dice) -> Result<Found, String> {
    let (app, mut found) = (start(url).await?, Found::default());
    resend(&app, told, &mut found, dice).await;
    app.shutdown().await.map_err(|why| format!("the app does not shut down: {why}"))?;
    Ok(found)
}

async fn start(url: &str) -> Result<App, String> {
    let builder = App::connect(url).await.map_err(|why| format!("the store does not open: {why}"))?;
    register(builder, url).start().await.map_err(|why| format!("the app does not start: {why}"))
}

/// The read models hold what the events make of them.
async fn same_rows(app: &App, found: &mut Found) -> Result<(), String> {
    let rows = read(app).await.map_err(|why| format!("a read model can't be read: {why}"))?;
    found.faults.extend(difference("and by hand", &rows, &replayed(&found.events)));
    Ok(())
}

/// Aggregates, loaded from their snapshots and what came after, are what the events make of them.
async fn same_states(app: &App, found: &mut Found, dice: &mut Dice) -> Result<(), String> {
    let balances: Vec<_> = balances(&found.events).into_iter().collect();
    for _ in 0..STATES.min(balances.len()) {
        let Some((stream, (version, balance))) = dice.pick(&balances) else { break };
        let (aggregate, id) = stream.split_once('-').unwrap_or((stream, ""));
        let loaded = if aggregate == "Pool" {
            let loaded = app.load::<Pool>(&PoolId::new(id).expect("a stream's id is one")).await;
            loaded.map(|loaded| (loaded.version.get(), loaded.into_state().map(|pool| pool.total)))
        } else {
            let loaded = app.load::<Account>(&AccountId::new(id).expect("a stream's id is one")).await;
            loaded.map(|loaded| (loaded.version.get(), loaded.into_state().map(|account| account.balance)))
        };
        let loaded = loaded.map_err(|why| format!("`{stream}` can't be loaded: {why}"))?;
        if loaded != (*version, *balance) {
            found.faults.push(format!("`{stream}` is loaded as {loaded:?}, by hand it is {:?}", (version, balance)));
        }
    }
    Ok(())
}

async fn events(app: &App) -> Result<Vec<Event>, String> {
    let mut events = Vec::new();
    let mut visit = |event: gesta::store::StoredEvent<'_>| {
        events.push(Event::of(&event));
        ControlFlow::Continue(())
    };
    let read = app.store().log.read_all(Position::ZERO, usize::MAX, &mut visit).await;
    read.map_err(|why| format!("the events can't be read: {why}"))?;
    Ok(events)
}

async fn resend(app: &App, told: &mut Told, found: &mut Found, dice: &mut Dice) {
    let mut again = Vec::new();
    let mut acknowledged = Vec::new();
    for (op, command) in told.commands().filter(|(_, command)| command.key.is_some()) {
        match &command.done {
            Some(_) => acknowledged.push(op),
            None if command.refused.as_ref().is_none_or(|why| why == BROKEN) => again.push(op),
            None => {}
        }
    }
    // Each twice: the second time, it was carried out in any case, or it is refused in any case.
    again.extend(again.clone());
    found.resent = again.len() / 2;
    again.extend((0..REPEATS).filter_map(|_| dice.pick(&acknowledged).copied()));
    for op in again {
        let Some(command) = told.command(op) else { continue };
        let (work, key) = (command.work.clone(), command.key.clone());
        let first = command.done.is_none();
        told.hear(&Line::Repeats { op });
        let answer = work.carry_out(app, op, key.as_deref()).await;
        found.resent_in_vain += usize::from(first && matches!(&answer, Ok(outcome) if outcome.repeated));
        let line = Line::answer(op, &answer);
        told.hear(&line);
    }
}

/// SQLite's own view of the file.
fn sqlite_says(file: &Path) -> Result<Option<String>, String> {
    let asked = || {
        let connection = rusqlite::Connection::open_with_flags(file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))
    };
    let answer = asked().map_err(|why| format!("SQLite can't check the file: {why}"))?;
    Ok((answer != "ok").then(|| format!("SQLite finds the file damaged: {answer}")))
}
