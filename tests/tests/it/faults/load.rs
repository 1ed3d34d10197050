//! The program that is killed: 32 clients at the same time, on an app with async read models, and with inline ones unless the URL
//! asks for appends beside each other.
//!
//! It takes a URL, a seed, the number of its round and how many commands each client sends at most, and says what it does
//! in lines, see [`mod@line`].

#![allow(unreachable_pub, reason = "the domain is written as any other")]
// Handlers take what the grammar says.
#![allow(clippy::unused_self, clippy::needless_pass_by_value)]

mod dice;
mod domain;
mod line;
mod work;

use std::future::poll_fn;
use std::io::Write as _;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use gesta::App;

use self::dice::Dice;
use self::domain::Balance;
use self::line::{Line, Outcome};
use self::work::{Undone, Work};

const CLIENTS: usize = 32;
/// As many pools a round: few enough that clients meet there.
const POOLS: usize = 4;
/// After so many commands a client closes its account, so that streams stay short.
const COMMANDS_PER_ACCOUNT: usize = 30;

#[tokio::main(flavor = "multi_thread", worker_threads = 4)]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, seed, round, commands] = &arguments[..] else {
        eprintln!("write: faults-load URL SEED ROUND COMMANDS");
        return ExitCode::FAILURE;
    };
    let number = |text: &String| text.parse::<usize>().expect("a number");
    let (mut dice, round, commands) = (Dice::new(seed.parse().expect("a number")), number(round), number(commands));

    let builder = App::connect(url).await.expect("the store opens");
    let app = domain::register(builder, url).start().await.expect("the app starts");
    say(&Line::Started);
    let left = app.read::<Balance>().all().await.expect("a model can be read, be it behind or not");
    let left: Vec<String> = left.into_iter().map(|row| row.account.to_string()).collect();
    let round = Arc::new(Round {
        app,
        number: round,
        accounts: Mutex::new(left.clone()),
        next_op: AtomicI64::new(1),
        failed: AtomicBool::new(false),
    });
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let client = Client {
                round: round.clone(),
                number,
                dice: Dice::new(dice.next()),
                account: left.get(number).cloned(),
                balance: None,
                questions: 0,
                accounts: 0,
                used: 0,
            };
            tokio::spawn(client.run(commands))
        })
        .collect();
    for client in clients {
        client.await.expect("a client does not panic");
    }
    say(&Line::Closes);
    round.app.shutdown().await.expect("the app shuts down");
    say(&Line::Closed);
    if round.failed.load(Ordering::Relaxed) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// One write(2) for each line, so that a line is whole or not there.
fn say(line: &Line) {
    let text = format!("{line}\n");
    std::io::stdout().lock().write_all(text.as_bytes()).expect("somebody listens");
}

/// What the clients of a round share.
struct Round {
    app: App,
    number: usize,
    /// Accounts that are, or were, open.
    accounts: Mutex<Vec<String>>,
    next_op: AtomicI64,
    failed: AtomicBool,
}

struct Client {
    round: Arc<Round>,
    number: usize,
    dice: Dice,
    account: Option<String>,
    /// What has to go from the account before it can be closed.
    balance: Option<i64>,
    /// How many commands it still sends to find out what became of one that it dropped.
    questions: usize,
    /// How many it has opened.
    accounts: usize,
    /// How many commands it has sent for the present one.
    used: usize,
}

impl Client {
    async fn run(mut self, commands: usize) {
        for _ in 0..commands {
            let work = self.choose();
            let key = self.dice.percent(40);
            let answer = self.send(&work, key).await;
            self.learn(&work, answer);
        }
    }

    /// What to do next.
    fn choose(&mut self) -> Work {
        let Some(account) = self.account.clone() else {
            self.accounts += 1;
            return Work::Open { account: format!("r{}c{}n{}", self.round.number, self.number, self.accounts) };
        };
        if self.questions > 0 {
            // Refused, by what there is: whatever became of the command that was dropped, it must come to light once
            // something that was stored after it was acknowledged.
            self.questions -= 1;
            let other = Work::Deposit { account: self.other(), amount: 1 };
            return if self.questions == 1 { other } else { Work::Withdraw { account, amount: 1_000_000_000 } };
        }
        if let Some(amount) = self.balance.take() {
            return Work::Withdraw { account, amount };
        }
        self.used += 1;
        if self.used > COMMANDS_PER_ACCOUNT {
            return Work::Close { account };
        }
        let amount = 1 + i64::try_from(self.dice.below(100)).expect("it is below 100");
        let pool = format!("r{}p{}", self.round.number, self.dice.below(POOLS));
        let other = self.other();
        match self.dice.below(100) {
            0..28 => Work::Deposit { account, amount: amount * 3 },
            28..38 => Work::Deposit { account: other, amount },
            38..50 => Work::Withdraw { account, amount },
            50..54 => Work::Look { account },
            54..72 if other != account => Work::Transfer { from: account, to: other, amount },
            72..90 => Work::Pay { account, pool, amount },
            90..97 if other != account => Work::Share { pool, first: account, second: other, amount },
            97..99 => Work::Close { account: other },
            // There is one already.
            _ => Work::Open { account },
        }
    }

    fn other(&mut self) -> String {
        let accounts = self.round.accounts.lock().expect("nobody panics");
        // The latest ones, most of which are still there.
        let latest = &accounts[accounts.len().saturating_sub(CLIENTS)..];
        self.dice.pick(latest).cloned().unwrap_or_else(|| "nobody".to_owned())
    }

    /// Sends it, perhaps without waiting for the answer, perhaps twice.
    async fn send(&mut self, work: &Work, key: bool) -> Option<Result<Outcome, Undone>> {
        let op = self.round.next_op.fetch_add(1, Ordering::Relaxed);
        let op = op + i64::try_from(self.round.number).expect("a small number") * 1_000_000;
        let key = key.then(|| format!("key-{op}"));
        say(&Line::Sends { op, key: key.clone(), work: work.clone() });
        let patience = if self.dice.percent(10) { 1 + self.dice.below(3) } else { usize::MAX };
        let answer = within(patience, work.carry_out(&self.round.app, op, key.as_deref())).await;
        if let Some(answer) = &answer {
            self.tell(op, answer);
        } else {
            say(&Line::Drops { op });
            self.questions = if self.dice.percent(70) { 3 } else { 0 };
        }
        if key.is_some() && self.dice.percent(if answer.is_none() { 50 } else { 20 }) {
            say(&Line::Repeats { op });
            let again = work.carry_out(&self.round.app, op, key.as_deref()).await;
            self.tell(op, &again);
            return Some(again);
        }
        answer
    }

    fn tell(&self, op: i64, answer: &Result<Outcome, Undone>) {
        let line = Line::answer(op, answer);
        if matches!(line, Line::Broke { .. } | Line::Failed { .. }) {
            self.round.failed.store(true, Ordering::Relaxed);
        }
        say(&line);
    }

    /// Draws the conclusions for its account.
    fn learn(&mut self, work: &Work, answer: Option<Result<Outcome, Undone>>) {
        match (work, answer) {
            (Work::Open { account }, Some(Ok(_))) => {
                self.round.accounts.lock().expect("nobody panics").push(account.clone());
                (self.account, self.used) = (Some(account.clone()), 0);
            }
            (Work::Close { account }, answer) if Some(account) == self.account.as_ref() => match answer {
                Some(Err(Undone::Refused { balance, .. })) if balance.is_some() => self.balance = balance,
                // Done, or somebody else was faster, or nobody knows: the next one will do.
                _ => self.account = None,
            },
            // Somebody closed it.
            (Work::Deposit { account, .. } | Work::Withdraw { account, .. }, Some(Err(Undone::Refused { why, .. })))
                if Some(account) == self.account.as_ref() && why == "Ended" =>
            {
                self.account = None;
            }
            _ => {}
        }
    }
}

/// Waits until the future has been asked this often; then drops it.
async fn within<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
        Poll::Pending => {
            left -= 1;
            if left == 0 { Poll::Ready(None) } else { Poll::Pending }
        }
    })
    .await
}
