//! What somebody in a hurry does to the events of the bank, and what the compiler says about it.
//!
//! Always true here: each case is the bank's own source with one change made to it, held against the bank's own lock; the
//! guide's messages are those of the cases, to the letter. `cargo xtask bless` writes the cases and the guide's messages anew.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// One change of the bank's source.
struct Case {
    /// The name of its file.
    name: &'static str,
    /// What stands there, and what comes in its place; wherever it stands.
    changes: &'static [(&'static str, &'static str)],
}

const CASES: &[Case] = &[
    Case {
        name: "removed_field",
        changes: &[
            ("    /// Where it was paid out.\n    pub channel: Channel,\n", ""),
            (
                "MoneyPaidOut { amount: cmd.amount, balance_after, channel: cmd.channel }",
                "MoneyPaidOut { amount: cmd.amount, balance_after }",
            ),
            ("balance_after: e.balance, channel: Channel::Branch }", "balance_after: e.balance }"),
        ],
    },
    Case { name: "retyped_field_three_types_deep", changes: &[("pub number: u64", "pub number: String")] },
    Case {
        name: "required_field",
        changes: &[
            (
                "    /// Where it was paid out.\n",
                "    /// Who paid it out.\n    pub teller: String,\n    /// Where it was paid out.\n",
            ),
            ("MoneyPaidOut { amount: cmd.amount,", "MoneyPaidOut { teller: \"-\".to_owned(), amount: cmd.amount,"),
            ("MoneyPaidOut { amount: e.amount,", "MoneyPaidOut { teller: \"-\".to_owned(), amount: e.amount,"),
        ],
    },
    Case {
        name: "renamed_field",
        changes: &[
            (
                "    /// Who.\n    pub name: String,\n}\n\n/// Money was paid in.",
                "    /// Who.\n    pub holder: String,\n}\n\n/// Money was paid in.",
            ),
            ("self.holders.push(e.name)", "self.holders.push(e.holder)"),
            ("HolderAdded { name: e.owner }", "HolderAdded { holder: e.owner }"),
            ("HolderAdded { name: somebody", "HolderAdded { holder: somebody"),
            ("HolderAdded { name })", "HolderAdded { holder: name })"),
        ],
    },
    Case { name: "removed_variant", changes: &[("    /// At a machine.\n    Terminal,\n", "")] },
    Case {
        name: "deleted_event",
        changes: &[
            ("AccountOpened, MoneyWithdrawn", "MoneyWithdrawn"),
            (
                "    /// An account had one holder, and the event that opened it said who.\n    #[upcast]\n    fn opened(e: AccountOpened) -> (AccountRegistered, HolderAdded) {\n        (AccountRegistered, HolderAdded { name: e.owner })\n    }\n",
                "",
            ),
        ],
    },
    Case { name: "renamed_event", changes: &[("MoneyPaidOut", "CashPaidOut")] },
    Case {
        name: "renamed_aggregate",
        changes: &[
            ("struct Account {", "struct BankAccount {"),
            ("impl Account {", "impl BankAccount {"),
            ("        Account {", "        BankAccount {"),
        ],
    },
    Case {
        name: "retyped_id",
        changes: &[
            ("pub struct AccountId(String);", "pub struct AccountId(u64);"),
            ("cmd.to.as_str() == context.id()", "cmd.to.to_string() == context.id()"),
        ],
    },
    Case {
        name: "skipped_version",
        changes: &[("#[event(version = 2)]\npub struct MoneySent", "#[event(version = 4)]\npub struct MoneySent")],
    },
    Case {
        name: "versions_in_the_wrong_order",
        changes: &[(
            "#[added(2, default = Channel::Branch)]",
            "#[added(3, default = Channel::Branch)]\n    #[renamed(2, from = \"place\")]",
        )],
    },
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is a folder of the workspace").to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// The bank's domain as one file.
fn bank() -> String {
    let bank = root().join("examples/src/bank");
    let (domain, retired) = (read(&bank.join("domain.rs")), read(&bank.join("retired.rs")));
    let domain = domain.replace("use super::retired::", "use retired::");
    let retired: String = retired
        .replace("super::domain::", "super::")
        .lines()
        .map(|line| match line {
            "" => "\n".to_owned(),
            line => format!("    {line}\n"),
        })
        .collect();
    format!("{domain}\nmod retired {{\n{retired}}}\n\nfn main() {{}}\n")
}

/// Compares a file with what it should hold; writes it where that is asked for.
fn expect(path: &Path, expected: &str) {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(path, expected).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(found == expected, "{} is not what it should be: `cargo xtask bless` writes it", path.display());
}

#[test]
fn every_careless_change_of_the_banks_events_is_a_compile_error() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui/bank");
    expect(&cases.join("account.events"), &read(&root().join("examples/src/bank/account.events")));
    let bank = bank();
    for Case { name, changes } in CASES {
        let changed = changes.iter().fold(bank.clone(), |text, (from, to)| {
            assert!(text.contains(from), "{name}: the bank has no longer\n{from}");
            text.replace(from, to)
        });
        expect(&cases.join(format!("{name}.rs")), &changed);
    }
    let on_disk = fs::read_dir(&cases).expect("the folder of the cases").filter_map(Result::ok);
    let sources = on_disk.filter(|file| file.path().extension().is_some_and(|extension| extension == "rs")).count();
    assert_eq!(sources, CASES.len(), "a case in {} belongs to no change", cases.display());
    trybuild::TestCases::new().compile_fail("tests/ui/bank/*.rs");
}

/// What a mark in the guide stands above: a message of the compiler, or a section of the bank's lock.
fn marked(kind: &str, name: &str) -> String {
    match kind {
        "message" => said(&read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/ui/bank/{name}.stderr")))),
        "section" => {
            let lock = read(&root().join("examples/src/bank/account.events"));
            let head = format!("event {name} ");
            let section = lock.split("\n\n").find(|section| section.starts_with(&head));
            section.unwrap_or_else(|| panic!("the bank has released no {name}")).trim_end().to_owned()
        }
        other => panic!("`{other}` is no mark"),
    }
}

/// They stand behind `<!-- the message of CASE -->`, and a section of the lock behind `<!-- the section of EVENT VERSION -->`.
#[test]
fn the_messages_and_the_lock_in_the_guide_are_the_real_ones() {
    let guide = root().join("runtime/src/guide/changing_an_event.md");
    let text = read(&guide);
    let mut parts = text.split("<!-- the ");
    let mut expected = parts.next().unwrap_or_default().to_owned();
    let (mut shown, mut rest_of_it) = (Vec::new(), expected.clone());
    for part in parts {
        let (mark, rest) = part.split_once(" -->\n").expect("the mark ends with `-->`");
        let (kind, name) = mark.split_once(" of ").expect("a mark is of something");
        let block = rest.strip_prefix("```text\n").expect("a block of text follows at once");
        let (_, after) = block.split_once("\n```\n").expect("the block ends");
        shown.push((kind, name));
        let real = marked(kind, name);
        let _ = write!(expected, "<!-- the {mark} -->\n```text\n{real}\n```\n{after}");
        rest_of_it.push_str(after);
    }
    // Each case once, in whatever order.
    let mut cases: Vec<_> = CASES.iter().map(|case| ("message", case.name)).chain([("section", "MoneyPaidOut v1")]).collect();
    cases.sort_unstable();
    shown.sort_unstable();
    assert_eq!(shown, cases);
    // Nothing that looks like either stands there without a mark.
    for block in rest_of_it.split("```text\n").skip(1) {
        assert!(!["error", "event ", "draft "].iter().any(|head| block.starts_with(head)), "without a mark:\n{block}");
    }
    expect(&guide, &expected);
}

/// What the compiler says, without the lines of source around it.
fn said(message: &str) -> String {
    let lines = message.lines().take_while(|line| !line.trim_start().starts_with("-->"));
    let text: Vec<_> = lines.map(str::trim_end).collect();
    text.join("\n")
}
