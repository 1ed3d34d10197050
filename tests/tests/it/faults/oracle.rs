//! Whether what is stored is what was said: each acknowledged command once and where it was said to be, everything else
//! whole or not at all. It knows the domain and the lines of the load, and nothing of how either is carried out.

use std::collections::{BTreeMap, HashMap};

use gesta::Uuid;
use gesta::store::StoredEvent;

use super::line::{Line, Outcome};
use super::work::Work;

/// A stored event, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) position: u64,
    pub(crate) stream: String,
    pub(crate) version: u64,
    pub(crate) name: String,
    /// The command it came from.
    pub(crate) op: i64,
    /// 0 where it has none.
    pub(crate) amount: i64,
    pub(crate) id: Uuid,
    pub(crate) payload: Vec<u8>,
}

impl Event {
    pub(crate) fn of(stored: &StoredEvent<'_>) -> Self {
        let payload = String::from_utf8_lossy(stored.payload);
        Event {
            position: stored.position.get(),
            stream: stored.stream.to_owned(),
            version: stored.version.get(),
            name: stored.name.to_owned(),
            op: field(&payload, "op").unwrap_or(-1),
            amount: field(&payload, "amount").unwrap_or(0),
            id: stored.id,
            payload: stored.payload.to_vec(),
        }
    }
}

/// A whole number in flat JSON, found without the code that wrote it.
fn field(json: &str, name: &str) -> Option<i64> {
    let (_, behind) = json.split_once(&format!("\"{name}\":"))?;
    behind.split([',', '}']).next()?.trim().parse().ok()
}

/// All that was said, and in which order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    commands: BTreeMap<i64, Command>,
    /// The last position that was acknowledged.
    acknowledged: u64,
    /// What must never have been said.
    faults: Vec<String>,
    /// The store may have lost what it answered last, so a refusal may speak of that.
    pub(crate) may_lose_the_tail: bool,
    /// The disk may have failed.
    pub(crate) may_break: bool,
    /// Appends run beside each other, so one may come to light after another one with a higher position was acknowledged.
    pub(crate) beside: bool,
    /// The last version of each stream that was acknowledged.
    versions: HashMap<String, u64>,
}

/// A command, and what was said of it.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) work: Work,
    pub(crate) key: Option<String>,
    /// The last position that was acknowledged before it was sent.
    after: u64,
    pub(crate) done: Option<Outcome>,
    /// Why it was refused, where that was the last answer.
    pub(crate) refused: Option<String>,
    /// Nobody knows what became of it when it was sent before.
    open: bool,
    /// The last position that was acknowledged before it was sent the last time.
    asked_after: u64,
    /// The same of each of its streams, by their versions.
    asked_of: Vec<(String, u64)>,
}

impl Told {
    pub(crate) fn hear(&mut self, line: &Line) {
        match line {
            Line::Sends { op, key, work } => {
                let (after, asked_after) = (self.acknowledged, self.acknowledged);
                let (work, key) = (work.clone(), key.clone());
                let asked_of = self.versions_of(&work);
                let command = Command { work, key, after, done: None, refused: None, open: false, asked_after, asked_of };
                if self.commands.insert(*op, command).is_some() {
                    self.faults.push(format!("the load uses the number {op} twice"));
                }
            }
            Line::Did { op, outcome } => {
                self.acknowledged = self.acknowledged.max(outcome.position);
                for (stream, version) in &outcome.versions {
                    let last = self.versions.entry(stream.clone()).or_default();
                    *last = (*last).max(*version);
                }
                let Some(command) = self.commands.get_mut(op) else { return };
                match &command.done {
                    None => command.done = Some(outcome.clone()),
                    Some(first) => self.faults.extend(repeated(*op, first, outcome)),
                }
                command.refused = None;
            }
            Line::Refused { op, why } => {
                let Some(command) = self.commands.get_mut(op) else { return };
                if command.done.is_some() {
                    self.faults.push(format!("command {op} was carried out, and its repeat refused: {why}"));
                }
                command.refused = Some(why.clone());
            }
            Line::Broke { op, unknown, why } => {
                if !self.may_break {
                    self.faults.push(format!("command {op} broke: {why}"));
                }
                if let Some(command) = self.commands.get_mut(op).filter(|command| command.done.is_none()) {
                    command.open |= *unknown;
                    command.refused = (!command.open).then(|| BROKEN.to_owned());
                }
            }
            Line::Failed { op, why } => self.faults.push(format!("command {op} failed: {why}")),
            Line::Repeats { op } => {
                // What was dropped may be carried out until this is answered.
                let asked_of = self.commands.get(op).map(|command| self.versions_of(&command.work)).unwrap_or_default();
                if let Some(command) = self.commands.get_mut(op) {
                    (command.refused, command.asked_after, command.asked_of) = (None, self.acknowledged, asked_of);
                }
            }
            Line::Drops { op } => {
                if let Some(command) = self.commands.get_mut(op) {
                    command.open = true;
                }
            }
            Line::Started | Line::Closes | Line::Closed => {}
        }
    }

    fn versions_of(&self, work: &Work) -> Vec<(String, u64)> {
        let version = |stream: &String| self.versions.get(stream).copied().unwrap_or(0);
        work.streams().into_iter().map(|stream| (stream.clone(), version(&stream))).collect()
    }

    pub(crate) fn commands(&self) -> impl Iterator<Item = (i64, &Command)> {
        self.commands.iter().map(|(op, command)| (*op, command))
    }

    pub(crate) fn command(&self, op: i64) -> Option<&Command> {
        self.commands.get(&op)
    }
}

/// Stands for a refusal, where the store failed and said that nothing was stored.
pub(crate) const BROKEN: &str = "the store failed";

/// What is wrong with the answer to a repeat.
fn repeated(op: i64, first: &Outcome, again: &Outcome) -> Option<String> {
    let differ = !again.versions.is_empty() && !first.versions.is_empty() && again.versions != first.versions;
    let wrong = !again.repeated || again.position != first.position || differ;
    wrong.then(|| format!("command {op} was answered by {first:?}, its repeat by {again:?}"))
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// What is wrong in any case.
    pub(crate) faults: Vec<String>,
    /// Acknowledged commands that are not there, all of which had positions above the last event's.
    pub(crate) lost_tail: Vec<i64>,
}

/// Holds the events against what was said, and against the events there were before.
pub(crate) fn check(told: &Told, before: &[Event], events: &[Event]) -> Verdict {
    let mut verdict = Verdict { faults: told.faults.clone(), lost_tail: Vec::new() };
    history(before, events, &mut verdict.faults);
    let states = states(events, &mut verdict.faults);
    conserved(told, events, &states, &mut verdict.faults);
    let head = events.last().map_or(0, |event| event.position);
    let mut by_op: HashMap<i64, Vec<&Event>> = HashMap::new();
    for event in events {
        by_op.entry(event.op).or_default().push(event);
    }
    for (op, command) in told.commands() {
        let found = by_op.remove(&op).unwrap_or_default();
        command.check(op, &found, head, &mut verdict);
    }
    if !told.may_lose_the_tail {
        refusals(told, events, &mut verdict.faults);
    }
    verdict.faults.extend(by_op.keys().map(|op| format!("there are events of command {op}, which nobody sent")));
    verdict
}

/// Positions grow, versions have no holes, and what was there is there still.
fn history(before: &[Event], events: &[Event], faults: &mut Vec<String>) {
    if let Some((was, now)) = before.iter().zip(events).find(|(was, now)| was != now) {
        faults.push(format!("history has changed: {was:?} is now {now:?}"));
    } else if events.len() < before.len() {
        faults.push(format!("history was cut off: {} events are {}", before.len(), events.len()));
    }
    for pair in events.windows(2) {
        if pair[0].position >= pair[1].position {
            faults.push(format!("position {} comes after {}", pair[1].position, pair[0].position));
        }
    }
    let mut versions: HashMap<&str, u64> = HashMap::new();
    for event in events {
        let version = versions.entry(&event.stream).or_default();
        *version += 1;
        if event.version != *version {
            faults.push(format!("`{}` goes on with version {} instead of {version}", event.stream, event.version));
            *version = event.version;
        }
    }
}

/// What each stream's events come to: its version, and what it holds, unless it has ended.
pub(crate) fn balances(events: &[Event]) -> BTreeMap<&str, (u64, Option<i64>)> {
    states(events, &mut Vec::new())
}

/// The same; besides what the domain rules out, where a command must have been decided on a state that was not the latest.
fn states<'e>(events: &'e [Event], faults: &mut Vec<String>) -> BTreeMap<&'e str, (u64, Option<i64>)> {
    let mut states: BTreeMap<&str, (u64, Option<i64>)> = BTreeMap::new();
    for event in events {
        let known = states.get(event.stream.as_str()).map(|(_, balance)| *balance);
        let next = match (event.name.as_str(), known) {
            ("Opened" | "Founded", None) => Some(0),
            ("Deposited" | "Filled", Some(Some(balance))) => Some(balance + event.amount),
            ("Withdrawn" | "Drained", Some(Some(balance))) if balance >= event.amount => Some(balance - event.amount),
            ("Closed", Some(Some(0))) => None,
            (_, state) => {
                faults.push(format!("{event:?} can't follow on {state:?}"));
                continue;
            }
        };
        states.insert(&event.stream, (event.version, next));
    }
    states
}

/// A refusal was decided on a state there has been: the one of all that was acknowledged before it was asked for, or a later
/// one. So it never speaks of the past, and never of what is not there after the fault.
fn refusals(told: &Told, events: &[Event], faults: &mut Vec<String>) {
    let mut streams: HashMap<&str, Vec<(u64, Option<i64>)>> = HashMap::new();
    for event in events {
        let states = streams.entry(&event.stream).or_default();
        let before = states.last().and_then(|(_, balance)| *balance).unwrap_or(0);
        let balance = match event.name.as_str() {
            "Deposited" | "Filled" => Some(before + event.amount),
            "Withdrawn" | "Drained" => Some(before - event.amount),
            "Closed" => None,
            _ => Some(0),
        };
        states.push((event.position, balance));
    }
    for (op, command) in told.commands() {
        let Some(why) = command.refused.as_ref().filter(|why| *why != BROKEN) else { continue };
        let states = |stream: &str| {
            let all = streams.get(stream).map_or(&[][..], Vec::as_slice);
            let by_version = || command.asked_of.iter().find(|(asked, _)| asked == stream).map_or(0, |(_, version)| *version);
            let known = if told.beside {
                all.len().min(usize::try_from(by_version()).expect("a stream is short"))
            } else {
                all.partition_point(|(position, _)| *position <= command.asked_after)
            };
            // Before the first event there is nothing.
            let absent = (known == 0).then_some(State::Absent);
            let later = all[known.saturating_sub(1)..].iter().map(|(_, balance)| balance.map_or(State::Ended, State::Holds));
            absent.into_iter().chain(later).collect::<Vec<_>>()
        };
        let justified = command.work.streams().iter().any(|stream| {
            states(stream).into_iter().any(|state| match (why.as_str(), state) {
                ("NotFound", State::Absent) | ("Ended", State::Ended) | ("AlreadyExists", State::Holds(_)) => true,
                ("Rejected(Dry)", State::Holds(total)) => stream.starts_with("Pool") && total < command.work.drains(),
                (_, State::Holds(balance)) => stream.starts_with("Account") && why.contains(&format!("{{ balance: {balance} }}")),
                _ => false,
            })
        });
        if !justified {
            faults.push(format!("command {op} ({command:?}) was refused by a state there was not any more"));
        }
    }
}

/// What a stream came to.
enum State {
    Absent,
    Holds(i64),
    Ended,
}

/// Money comes and goes by single commands only; whatever units do, it stays within.
fn conserved(told: &Told, events: &[Event], states: &BTreeMap<&str, (u64, Option<i64>)>, faults: &mut Vec<String>) {
    let held: i64 = states.values().filter_map(|(_, balance)| *balance).sum();
    let single = |event: &&Event| {
        let work = told.commands.get(&event.op).map(|command| &command.work);
        matches!(work, Some(Work::Deposit { .. } | Work::Withdraw { .. }))
    };
    let sign = |event: &Event| if event.name == "Withdrawn" { -event.amount } else { event.amount };
    let came: i64 = events.iter().filter(single).map(sign).sum();
    if held != came {
        faults.push(format!("{came} came in, and {held} is there"));
    }
}

impl Command {
    fn check(&self, op: i64, found: &[&Event], head: u64, verdict: &mut Verdict) {
        let expected = self.work.events();
        let faults = &mut verdict.faults;
        if found.is_empty() {
            match &self.done {
                Some(done) if !expected.is_empty() && done.position > head => verdict.lost_tail.push(op),
                Some(_) if !expected.is_empty() => {
                    faults.push(format!("command {op} was acknowledged and is not there: {self:?}"));
                }
                _ => {}
            }
            return;
        }
        let mut stored: Vec<(&str, &str, i64)> =
            found.iter().map(|event| (event.stream.as_str(), event.name.as_str(), event.amount)).collect();
        if matches!(self.work, Work::Pay { .. }) && stored.first().is_some_and(|(_, name, _)| *name == "Founded") {
            stored.remove(0);
        }
        stored.sort_unstable();
        if !expected.iter().map(|(stream, name, amount)| (stream.as_str(), *name, *amount)).eq(stored.iter().copied()) {
            faults.push(format!("command {op} ({self:?}) was to store {expected:?}, and there is {stored:?}"));
        }
        if let Some(why) = &self.refused {
            faults.push(format!("command {op} was refused ({why}), and there is {stored:?}"));
        }
        if let Some(early) = found.iter().find(|event| event.position <= self.after) {
            let (position, after) = (early.position, self.after);
            faults.push(format!("command {op} stands at {position}, but was sent after {after} was acknowledged"));
        }
        if let Some(done) = &self.done {
            let last = found.iter().map(|event| event.position).max();
            if last != Some(done.position) {
                faults.push(format!("command {op} was acknowledged at position {}, and is at {last:?}", done.position));
            }
            for (stream, version) in &done.versions {
                let last = found.iter().filter(|event| event.stream == *stream).map(|event| event.version).max();
                if last != Some(*version) {
                    faults.push(format!("command {op} was acknowledged as version {version} of `{stream}`, and is {last:?}"));
                }
            }
        }
    }
}

impl Work {
    /// The streams it asks.
    fn streams(&self) -> Vec<String> {
        let (accounts, pool): (&[&String], _) = match self {
            Work::Open { account }
            | Work::Deposit { account, .. }
            | Work::Withdraw { account, .. }
            | Work::Look { account }
            | Work::Close { account } => (&[account], None),
            Work::Transfer { from, to, .. } => (&[from, to], None),
            Work::Pay { account, pool, .. } => (&[account], Some(pool)),
            Work::Share { pool, first, second, .. } => (&[first, second], Some(pool)),
        };
        let accounts = accounts.iter().map(|account| format!("Account-{account}"));
        accounts.chain(pool.map(|pool| format!("Pool-{pool}"))).collect()
    }

    /// How much it takes out of a pool.
    fn drains(&self) -> i64 {
        if let Work::Share { amount, .. } = self { 2 * amount } else { 0 }
    }

    /// What it stores if it is carried out: stream, event and amount, sorted; besides `Founded`.
    fn events(&self) -> Vec<(String, &'static str, i64)> {
        let of_account = |id: &str, name, amount| (format!("Account-{id}"), name, amount);
        let of_pool = |id: &str, name, amount| (format!("Pool-{id}"), name, amount);
        let mut events = match self {
            Work::Open { account } => vec![of_account(account, "Opened", 0)],
            Work::Deposit { account, amount } => vec![of_account(account, "Deposited", *amount)],
            Work::Withdraw { account, amount } => vec![of_account(account, "Withdrawn", *amount)],
            Work::Look { .. } => vec![],
            Work::Close { account } => vec![of_account(account, "Closed", 0)],
            Work::Transfer { from, to, amount } => {
                vec![of_account(from, "Withdrawn", *amount), of_account(to, "Deposited", *amount)]
            }
            Work::Pay { account, pool, amount } => {
                vec![of_pool(pool, "Filled", *amount), of_account(account, "Withdrawn", *amount)]
            }
            Work::Share { pool, first, second, amount } => vec![
                of_pool(pool, "Drained", 2 * amount),
                of_account(first, "Deposited", *amount),
                of_account(second, "Deposited", *amount),
            ],
        };
        events.sort_unstable();
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lines: &str) -> Told {
        let mut told = Told::default();
        lines.lines().map(str::trim).filter(|line| !line.is_empty()).for_each(|line| told.hear(&line.parse().unwrap()));
        told
    }

    /// Events as `position stream version name op amount`.
    fn events(lines: &str) -> Vec<Event> {
        let event = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            let number = |n: usize| words[n].parse::<u64>().unwrap();
            let (op, amount) = (words[4].parse().unwrap(), words[5].parse().unwrap());
            Event {
                position: number(0),
                stream: words[1].to_owned(),
                version: number(2),
                name: words[3].to_owned(),
                op,
                amount,
                id: Uuid::nil(),
                payload: Vec::new(),
            }
        };
        lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(event).collect()
    }

    const TOLD: &str = "
        sends 1 - open a
        did 1 1 false Account-a 1
        sends 2 k2 deposit a 5
        did 2 2 false Account-a 2
        repeats 2
        did 2 2 true Account-a 2
        sends 3 - pay a p 2
        did 3 5 false Pool-p 2 Account-a 3
        sends 4 - withdraw a 9
        refused 4 Rejected(Insufficient { balance: 3 })
        sends 5 - deposit a 7
        sends 6 - transfer a b 1";
    const EVENTS: &str = "
        1 Account-a 1 Opened 1 0
        2 Account-a 2 Deposited 2 5
        3 Pool-p 1 Founded 3 0
        4 Pool-p 2 Filled 3 2
        5 Account-a 3 Withdrawn 3 2";

    fn faults(lines: &str, stored: &str) -> Vec<String> {
        let verdict = check(&told(lines), &[], &events(stored));
        let lost = verdict.lost_tail.iter().map(|op| format!("command {op} was lost from the end"));
        verdict.faults.into_iter().chain(lost).collect()
    }

    #[test]
    fn what_was_acknowledged_is_there_and_the_rest_whole_or_not_at_all() {
        assert_eq!(faults(TOLD, EVENTS), [""; 0]);
        assert_eq!(faults(TOLD, &format!("{EVENTS}\n6 Account-a 4 Deposited 5 7")), [""; 0], "sent and not answered");
    }

    #[test]
    fn each_kind_of_fault_is_seen() {
        let without = |line: usize| {
            EVENTS.lines().enumerate().filter(|(n, _)| *n != line).map(|(_, line)| line).collect::<Vec<_>>().join("\n")
        };
        let with = |line: &str| format!("{EVENTS}\n{line}");
        for (stored, says) in [
            (without(5), "was to store"),
            (without(4), "was to store"),
            (without(2), "was acknowledged and is not there"),
            (without(2), "goes on with version 3 instead of 2"),
            (EVENTS.lines().take(3).collect::<Vec<_>>().join("\n"), "command 3 was lost from the end"),
            (with("6 Account-a 4 Deposited 2 5"), "was to store"),
            (with("6 Account-a 4 Withdrawn 4 9"), "was refused"),
            (with("6 Account-a 4 Withdrawn 4 9"), "can't follow on Some(Some(3))"),
            (with("6 Account-a 4 Withdrawn 6 1"), "was to store"),
            (with("6 Account-a 5 Deposited 5 7"), "goes on with version 5 instead of 4"),
            (with("5 Account-a 4 Deposited 5 7"), "position 5 comes after 5"),
            (with("6 Account-a 4 Deposited 9 7"), "command 9, which nobody sent"),
            (EVENTS.replace("3 Withdrawn 3 2", "3 Withdrawn 3 1"), "was to store"),
            (EVENTS.replace("5 Account-a 3", "6 Account-a 3"), "acknowledged at position 5, and is at Some(6)"),
        ] {
            let faults = faults(TOLD, &stored);
            assert!(faults.iter().any(|fault| fault.contains(says)), "{says}: {faults:?}\n{stored}");
        }
    }

    #[test]
    fn a_history_that_changed_is_seen() {
        let (told, before) = (told(TOLD), events(EVENTS));
        let changed = events(&EVENTS.replace("1 Opened 1 0", "1 Opened 1 1"));
        assert!(check(&told, &before, &changed).faults[0].contains("history has changed"));
        assert!(check(&told, &before, &before[..4]).faults[0].contains("history was cut off"));
    }

    #[test]
    fn an_order_that_contradicts_the_answers_is_seen() {
        let lines = "
            sends 1 - open a
            did 1 5 false Account-a 1
            sends 2 - open b";
        let stored = "
            4 Account-b 1 Opened 2 0
            5 Account-a 1 Opened 1 0";
        assert_eq!(faults(lines, stored), ["command 2 stands at 4, but was sent after 5 was acknowledged"]);
    }

    #[test]
    fn a_refusal_by_a_state_of_the_past_is_seen() {
        for (why, justified) in [
            ("Rejected(Insufficient { balance: 3 })", true),
            ("Rejected(Insufficient { balance: 5 })", false),
            ("NotFound", false),
            ("Ended", false),
            ("AlreadyExists", true),
        ] {
            let faults = faults(&TOLD.replace("Rejected(Insufficient { balance: 3 })", why), EVENTS);
            assert_eq!(faults.is_empty(), justified, "{why}: {faults:?}");
        }
        // What was not acknowledged when it was asked for may have been seen or not.
        let late = TOLD.replace("did 3 5 false Pool-p 2 Account-a 3", "");
        for balance in [5, 3] {
            let why = format!("balance: {balance}");
            assert_eq!(faults(&late.replace("balance: 3", &why), EVENTS), [""; 0]);
        }
    }

    #[test]
    fn a_wrong_answer_to_a_repeat_is_seen() {
        for answer in ["did 2 3 true Account-a 2", "did 2 2 false Account-a 2", "did 2 2 true Account-a 3", "refused 2 Ended"] {
            let faults = faults(&TOLD.replace("did 2 2 true Account-a 2", answer), EVENTS);
            assert!(
                faults.iter().any(|fault| fault.starts_with("command 2 was") && fault.contains("repeat")),
                "{answer}: {faults:?}"
            );
        }
    }
}
