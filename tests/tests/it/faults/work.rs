//! What a client of the load does: one command, or one unit of work.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use gesta::{App, Command, ExecuteError, Failure, Handle, Refusal, Unit, UnitError};

use super::domain::{Account, AccountError, AccountId, Close, Deposit, Drain, Fill, Look, Open, PoolId, Withdraw};
use super::line::Outcome;

/// One thing a client does; accounts and pools by their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    Open {
        account: String,
    },
    Deposit {
        account: String,
        amount: i64,
    },
    Withdraw {
        account: String,
        amount: i64,
    },
    /// Stores no event, only its key where it has one.
    Look {
        account: String,
    },
    Close {
        account: String,
    },
    /// A unit of two accounts.
    Transfer {
        from: String,
        to: String,
        amount: i64,
    },
    /// A unit of a pool and an account.
    Pay {
        account: String,
        pool: String,
        amount: i64,
    },
    /// A unit of a pool and two accounts, which get as much each.
    Share {
        pool: String,
        first: String,
        second: String,
        amount: i64,
    },
}

/// Why something was not carried out.
#[derive(Debug)]
pub enum Undone {
    /// By the domain.
    Refused {
        why: String,
        /// What there is on the account, where that is the reason.
        #[allow(dead_code, reason = "only the load looks at it")]
        balance: Option<i64>,
    },
    Failed(Failure),
}

impl Work {
    /// Does it.
    pub async fn carry_out(&self, app: &App, op: i64, key: Option<&str>) -> Result<Outcome, Undone> {
        match self {
            Work::Open { account } => execute(app, account, Open { op, owner: owner(account) }, key).await,
            Work::Deposit { account, amount } => execute(app, account, Deposit { op, amount: *amount }, key).await,
            Work::Withdraw { account, amount } => execute(app, account, Withdraw { op, amount: *amount }, key).await,
            Work::Look { account } => execute(app, account, Look, key).await,
            Work::Close { account } => execute(app, account, Close { op }, key).await,
            Work::Transfer { from, to, amount } => {
                let (from, to, amount) = (account_id(from), account_id(to), *amount);
                let unit = async |u: Unit| {
                    u.execute(&from, Withdraw { op, amount }).await?;
                    u.execute(&to, Deposit { op, amount }).await?;
                    Ok(())
                };
                execute_unit(app, unit, key).await
            }
            Work::Pay { account, pool, amount } => {
                let (account, pool, amount) = (account_id(account), pool_id(pool), *amount);
                let unit = async |u: Unit| {
                    u.execute(&pool, Fill { op, amount }).await?;
                    u.execute(&account, Withdraw { op, amount }).await?;
                    Ok(())
                };
                execute_unit(app, unit, key).await
            }
            Work::Share { pool, first, second, amount } => {
                let (pool, first, second, amount) = (pool_id(pool), account_id(first), account_id(second), *amount);
                let unit = async |u: Unit| {
                    u.execute(&pool, Drain { op, amount: 2 * amount }).await?;
                    u.execute(&first, Deposit { op, amount }).await?;
                    u.execute(&second, Deposit { op, amount }).await?;
                    Ok(())
                };
                execute_unit(app, unit, key).await
            }
        }
    }
}

/// Whose account it is.
pub fn owner(account: &str) -> String {
    format!("owner of {account}")
}

async fn execute<C>(app: &App, account: &str, command: C, key: Option<&str>) -> Result<Outcome, Undone>
where
    C: Command<Aggregate = Account>,
    Account: Handle<C>,
    Undone: From<ExecuteError<<Account as Handle<C>>::Error>>,
{
    let id = account_id(account);
    let execute = app.execute(&id, command);
    let execute = if let Some(key) = key { execute.idempotency_key(key) } else { execute };
    let done = execute.await?;
    let versions = vec![(format!("Account-{account}"), done.version.get())];
    Ok(Outcome { position: done.position.get(), repeated: done.repeated, versions })
}

async fn execute_unit<F, W>(app: &App, work: F, key: Option<&str>) -> Result<Outcome, Undone>
where
    F: FnMut(Unit) -> W + Send,
    W: Future<Output = Result<(), Said>> + Send,
{
    let unit = app.unit(work);
    let unit = if let Some(key) = key { unit.idempotency_key(key) } else { unit };
    match unit.await {
        Ok(done) => {
            let versions = done.versions.iter().map(|(stream, version)| (stream.to_string(), version.get())).collect();
            Ok(Outcome { position: done.position.get(), repeated: done.repeated, versions })
        }
        Err(UnitError::Rejected(Said(why))) => Err(Undone::Refused { why, balance: None }),
        Err(UnitError::Failed(why)) => Err(Undone::Failed(why)),
    }
}

/// What the domain said within a unit.
struct Said(String);

impl<E: fmt::Debug> From<Refusal<E>> for Said {
    fn from(refusal: Refusal<E>) -> Self {
        Said(format!("{refusal:?}"))
    }
}

impl From<ExecuteError<AccountError>> for Undone {
    fn from(why: ExecuteError<AccountError>) -> Self {
        let text = format!("{why:?}");
        match why {
            ExecuteError::Failed(why) => Undone::Failed(why),
            ExecuteError::Rejected(AccountError::Insufficient { balance } | AccountError::NotEmpty { balance }) => {
                Undone::Refused { why: text, balance: Some(balance) }
            }
            _ => Undone::Refused { why: text, balance: None },
        }
    }
}
impl From<ExecuteError<Infallible>> for Undone {
    fn from(why: ExecuteError<Infallible>) -> Self {
        match why {
            ExecuteError::Failed(why) => Undone::Failed(why),
            why => Undone::Refused { why: format!("{why:?}"), balance: None },
        }
    }
}

fn account_id(id: &str) -> AccountId {
    AccountId::new(id).expect("the load makes valid ids")
}
fn pool_id(id: &str) -> PoolId {
    PoolId::new(id).expect("the load makes valid ids")
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Work::Open { account } => write!(f, "open {account}"),
            Work::Deposit { account, amount } => write!(f, "deposit {account} {amount}"),
            Work::Withdraw { account, amount } => write!(f, "withdraw {account} {amount}"),
            Work::Look { account } => write!(f, "look {account}"),
            Work::Close { account } => write!(f, "close {account}"),
            Work::Transfer { from, to, amount } => write!(f, "transfer {from} {to} {amount}"),
            Work::Pay { account, pool, amount } => write!(f, "pay {account} {pool} {amount}"),
            Work::Share { pool, first, second, amount } => write!(f, "share {pool} {first} {second} {amount}"),
        }
    }
}

impl FromStr for Work {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let words: Vec<&str> = text.split(' ').collect();
        let amount = || words.last().and_then(|word| word.parse().ok()).ok_or(());
        let own = |text: &str| text.to_owned();
        Ok(match words[..] {
            ["open", account] => Work::Open { account: own(account) },
            ["deposit", account, _] => Work::Deposit { account: own(account), amount: amount()? },
            ["withdraw", account, _] => Work::Withdraw { account: own(account), amount: amount()? },
            ["look", account] => Work::Look { account: own(account) },
            ["close", account] => Work::Close { account: own(account) },
            ["transfer", from, to, _] => Work::Transfer { from: own(from), to: own(to), amount: amount()? },
            ["pay", account, pool, _] => Work::Pay { account: own(account), pool: own(pool), amount: amount()? },
            ["share", pool, first, second, _] => {
                Work::Share { pool: own(pool), first: own(first), second: own(second), amount: amount()? }
            }
            _ => return Err(()),
        })
    }
}
