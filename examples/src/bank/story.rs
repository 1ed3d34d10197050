//! A day at the bank: some commands, accepted and refused, and what can be seen afterwards.

use std::fmt::Display;
use std::io::{self, Write};

use gesta::{App, Builder, Done, ExecuteError, Failure, LoadError, Position, ReadError, StartError, Version};

use super::{
    Account, AccountError, AccountId, AccountSummary, AddHolder, Channel, CloseAccount, Deposit, HighValueAccount, OpenAccount,
    Remittance, StatementLine, Withdraw, euros, transfer,
};

/// What can end the story early.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoryError {
    /// The app could not start.
    Start(StartError),
    /// A command could not be carried out, for a reason that is not the bank's.
    Command(Failure),
    /// A read model could not be read.
    Read(ReadError),
    /// An account could not be loaded.
    Load(LoadError),
    /// The output could not be written.
    Output(io::Error),
}

/// The bank, to be started on a store.
pub fn register(store: Builder) -> Builder {
    store
        .aggregate::<Account>()
        .inline_projection::<AccountSummary>()
        .projection::<StatementLine>()
        .projection::<HighValueAccount>()
}

/// The bank on a store.
///
/// # Errors
/// Where the store can't be opened or the app not started.
pub async fn open(store: Builder) -> Result<App, StartError> {
    register(store).start().await
}

/// Tells the story of one day; the next one goes on where this one ends.
///
/// # Errors
/// [`StoryError`]; a refusal by the bank is part of the story.
pub async fn tell(app: &App, out: &mut impl Write) -> Result<(), StoryError> {
    let [ann, bob, cleo] = ["ACC-ANN", "ACC-BOB", "ACC-CLEO"].map(|name| AccountId::new(name).expect("a valid number"));
    // Each day Ann's account is booked on three times.
    let day = 1 + app.read::<AccountSummary>().get(&ann).await?.map_or(0, |row| row.bookings) / 3;
    writeln!(out, "Day {day} at the bank\n\nCommands")?;
    let mut teller = Teller { app, out };
    for (id, owner) in [(&ann, "Ann"), (&bob, "Bob"), (&cleo, "Cleo")] {
        let opened = app.execute(id, OpenAccount { owner: owner.to_owned() }).actor("Tom").await;
        teller.tells(&format!("open {id} for {owner}"), opened)?;
    }
    let added = app.execute(&ann, AddHolder { name: "Amy".to_owned() }).actor("Tom").await;
    teller.tells(&format!("add Amy as a holder of {ann}"), added)?;
    let deposited = app.execute(&ann, Deposit { amount: 1_500_000, channel: Channel::Branch }).actor("Tom").await;
    teller.tells(&format!("deposit 15000.00 to {ann}"), deposited)?;
    let deposited = app.execute(&bob, Deposit { amount: 8_000, channel: Channel::Terminal }).actor("Tina").await;
    teller.tells(&format!("deposit 80.00 to {bob}"), deposited)?;
    let withdrawn = app.execute(&cleo, Withdraw { amount: 100_000, channel: Channel::Branch }).actor("Tina").await;
    teller.tells(&format!("withdraw 1000.00 from {cleo}"), withdrawn)?;
    teller.transfers(&ann, &bob, 300_000, "Ann").await?;
    teller.transfers(&bob, &cleo, 99_999_999, "Bob").await?;
    teller.transfers(&bob, &AccountId::new("ACC-NOBODY").expect("a valid number"), 100, "Bob").await?;
    let withdrawn = app.execute(&ann, Withdraw { amount: 4_550, channel: Channel::Terminal }).actor("Tina").await;
    teller.tells(&format!("withdraw 45.50 from {ann}"), withdrawn)?;
    let closed = app.execute(&bob, CloseAccount).actor("Tom").await;
    teller.tells(&format!("close {bob}"), closed)?;

    app.settle().await?;
    accounts(app, out).await?;
    statement(app, &ann, out).await?;
    past(app, &ann, out).await
}

struct Teller<'a, W> {
    app: &'a App,
    out: &'a mut W,
}

impl<W: Write> Teller<'_, W> {
    /// What came of a command.
    fn tells(&mut self, what: &str, answer: Result<Done<Account>, ExecuteError<AccountError>>) -> Result<(), StoryError> {
        match answer {
            Ok(done) => self.accepted(what, format_args!("version {}", done.version)),
            Err(ExecuteError::Failed(failure)) => Err(failure.into()),
            Err(refused) => self.refused(what, refused),
        }
    }

    /// Two accounts, one unit: both are changed, or neither is.
    async fn transfers(&mut self, from: &AccountId, to: &AccountId, amount: i64, who: &str) -> Result<(), StoryError> {
        let what = format!("transfer {} from {from} to {to}", euros(amount));
        let remittance = Some(Remittance { text: "rent".to_owned(), reference: None });
        match transfer(self.app, from, to, amount, remittance, who).await {
            Ok(done) => self.accepted(&what, format_args!("stored together, at position {}", done.position)),
            Err(gesta::UnitError::Failed(failure)) => Err(failure.into()),
            Err(gesta::UnitError::Rejected(refused)) => self.refused(&what, refused),
        }
    }

    fn accepted(&mut self, what: &str, how: impl Display) -> Result<(), StoryError> {
        Ok(writeln!(self.out, "  done     {what:<48} {how}")?)
    }
    fn refused(&mut self, what: &str, why: impl Display) -> Result<(), StoryError> {
        Ok(writeln!(self.out, "  refused  {what:<48} {why}")?)
    }
}

async fn accounts(app: &App, out: &mut impl Write) -> Result<(), StoryError> {
    writeln!(out, "\nAccounts")?;
    let mut rows = app.read::<AccountSummary>().rows().await?;
    while let Some(row) = rows.next().await {
        let AccountSummary { account, holders, balance, bookings, .. } = row?;
        let (account, holders) = (account.to_string(), holders.join(", "));
        writeln!(out, "  {account:<10} {holders:<10} {:>12}  {bookings} bookings", euros(balance))?;
    }
    writeln!(out, "\nAccounts of {} and more", euros(HighValueAccount::THRESHOLD))?;
    for row in app.read::<HighValueAccount>().filter(HighValueAccount::BALANCE.order()).descending().all().await? {
        let account = row.account.to_string();
        writeln!(out, "  {account:<10} {:>19}  since {}", euros(row.balance), row.since)?;
    }
    Ok(())
}

/// The last bookings of an account.
async fn statement(app: &App, id: &AccountId, out: &mut impl Write) -> Result<(), StoryError> {
    writeln!(out, "\nStatement of {id}, the last bookings")?;
    let mut lines = app.read::<StatementLine>().filter(StatementLine::ACCOUNT.is(id)).descending().limit(4).all().await?;
    lines.reverse();
    for line in lines {
        let with = line.counterparty.map(|other| format!("{other}")).unwrap_or_default();
        let booking = format!("{:?}", line.booking);
        writeln!(out, "  {booking:<10} {with:<10} {:>12} {:>14}", euros(line.amount), euros(line.balance))?;
    }
    Ok(())
}

/// An account as it was three events ago, and who did what since.
async fn past(app: &App, id: &AccountId, out: &mut impl Write) -> Result<(), StoryError> {
    let now = app.load::<Account>(id).await?;
    let then = app.load_at::<Account>(id, Version::new(now.version.get().saturating_sub(3))).await?;
    let balance =
        |loaded: &gesta::Loaded<Account>| loaded.state().map_or_else(|| "nothing yet".to_owned(), |a| euros(a.balance()));
    writeln!(out, "\n{id} three events ago held {}, today {}. Since then:", balance(&then), balance(&now))?;
    let mut history = app.history::<Account>(id)?;
    while let Some(event) = history.next().await {
        let event = event?;
        if event.version > then.version {
            let who = event.metadata.actor.as_deref().unwrap_or("-");
            writeln!(out, "  {}  {who:<5} {:?}", event.metadata.recorded_at, event.event)?;
        }
    }
    Ok(())
}

/// How many events there are.
///
/// # Errors
/// Where the store failed.
pub async fn head(app: &App) -> Result<Position, StoryError> {
    Ok(app.store().log.head().await.map_err(Failure::from)?)
}

macro_rules! from {
    ($($source:ty => $variant:ident),*) => { $(impl From<$source> for StoryError {
        fn from(error: $source) -> Self {
            StoryError::$variant(error)
        }
    })* };
}
from!(StartError => Start, Failure => Command, ReadError => Read, LoadError => Load, io::Error => Output);

impl Display for StoryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StoryError::Start(e) => e.fmt(f),
            StoryError::Command(e) => e.fmt(f),
            StoryError::Read(e) => e.fmt(f),
            StoryError::Load(e) => e.fmt(f),
            StoryError::Output(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for StoryError {}
