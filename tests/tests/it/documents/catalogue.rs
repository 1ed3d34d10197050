//! The catalogue of a small domain that has all kinds of things in it.

use std::fs;
use std::path::Path;

use expect_test::expect_file;
use gesta::catalogue::Catalogue;
use gesta::prelude::*;

#[id]
pub struct PurseId(String);

/// How money moves.
#[value]
pub enum Channel {
    /// At the counter.
    Branch,
    /// By card, or by what stands for one | such as a phone.
    Card {
        /// The last four digits.
        digits: String,
        /// Whether a PIN was asked for.
        pin: Option<bool>,
    },
}

/// A purse was bought.
#[event]
pub struct PurseBought {
    /// Whose it is.
    pub owner: String,
    /// When it was bought; see [`Timestamp`].
    pub at: Timestamp,
}

/// Money was put into a purse.
///
/// By whoever [owns](PurseBought::owner) it.
#[event(version = 3)]
#[removed(3, teller: Option<String>)]
pub struct MoneyPut {
    /// How much, in cents.
    #[renamed(2, from = "amt")]
    pub amount: i64,
    /// How it came.
    #[added(2, default = Channel::Branch)]
    pub channel: Channel,
    pub tags: Vec<(String, u8)>,
}

/// Money was taken out of a purse.
#[event(name = "money-taken")]
pub struct MoneyTaken {
    /// How much, in cents.
    pub amount: i64,
}

/// The purse is gone.
#[event]
pub struct PurseLost;

/// Money was moved within the purse.
#[event]
pub struct MoneyMoved {
    /// How much, in cents.
    pub amount: i64,
}

/// A note was put in, which nobody reads.
#[event]
pub struct NotePut {
    pub text: String,
}

/// What money is carried in.
#[state(snapshot_every = 10)]
pub struct Purse {
    amount: i64,
}

#[aggregate(id = PurseId)]
impl Purse {
    fn bought(_: &PurseBought) -> Self {
        Purse { amount: 0 }
    }
    fn put(&mut self, e: &MoneyPut) {
        self.amount += e.amount;
    }
    fn taken(&mut self, e: &MoneyTaken) {
        self.amount -= e.amount;
    }
    fn lost(self, _: &PurseLost) {}
    #[upcast]
    fn moved(e: MoneyMoved) -> (MoneyTaken, MoneyPut) {
        let put = MoneyPut { amount: e.amount, channel: Channel::Branch, tags: Vec::new() };
        (MoneyTaken { amount: e.amount }, put)
    }
    #[upcast]
    fn noted(_: NotePut) {}
}

/// Who knows whether a purse may be bought.
pub trait Shop: Send + Sync {
    /// Whether there is one left.
    fn has_one(&self) -> bool;
}

/// Buys a purse.
///
/// # Examples
/// ```
/// # hidden();
/// buy("Ann");
/// ```
#[command]
pub struct BuyPurse {
    /// Whose it is to be.
    pub owner: String,
}

/// Puts money in; the other way is [`TakeMoney`].
#[command]
pub struct PutMoney {
    /// How much, in cents.
    pub amount: i64,
    pub channel: Channel,
}

#[command]
pub struct LosePurse;

#[command_handler]
impl Purse {
    fn buy(cmd: BuyPurse, context: &Context, shop: &dyn Shop) -> Option<PurseBought> {
        shop.has_one().then(|| PurseBought { owner: cmd.owner, at: context.now() })
    }
    fn put_money(&self, cmd: PutMoney) -> MoneyPut {
        MoneyPut { amount: cmd.amount, channel: cmd.channel, tags: Vec::new() }
    }
    fn lose(&self, _: LosePurse) -> PurseLost {
        PurseLost
    }
}

/// What is in each purse. It is never behind.
#[derive(ReadModel)]
pub struct Content {
    /// The purse.
    #[key]
    purse: PurseId,
    /// How much is in it, in cents.
    #[index]
    amount: i64,
    last: Option<Channel>,
}

#[projection(of = Purse)]
impl Content {
    fn bought(e: &Recorded<PurseBought>) -> Self {
        Content { purse: e.aggregate_id(), amount: 0, last: None }
    }
    fn put(&mut self, e: &MoneyPut) {
        self.amount += e.amount;
        self.last = Some(e.channel.clone());
    }
    fn taken(&mut self, e: &MoneyTaken) {
        self.amount -= e.amount;
    }
    fn lost(self, _: &PurseLost) {}
}

/// How many purses somebody has bought.
#[derive(ReadModel)]
#[read_model(table = "buyers")]
pub struct Buyer {
    #[key]
    name: String,
    purses: u32,
}

#[projection(of = Purse, ignore(MoneyPut, MoneyTaken, PurseLost))]
impl Buyer {
    #[key = e.owner.clone()]
    fn bought(row: Option<Self>, e: &PurseBought) -> Option<Self> {
        let purses = row.map_or(0, |row| row.purses) + 1;
        Some(Buyer { name: e.owner.clone(), purses })
    }
}

async fn catalogue() -> Catalogue {
    let app = App::connect("memory:").await.unwrap().aggregate::<Purse>();
    app.inline_projection::<Content>().projection::<Buyer>().catalogue()
}

#[tokio::test]
async fn the_pages_say_what_the_types_say() {
    let files = catalogue().await.files();
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "README.md",
            "aggregates/Purse.md",
            "read-models/buyers.md",
            "read-models/content.md",
            "schemas/Purse.MoneyMoved.v1.json",
            "schemas/Purse.MoneyPut.v1.json",
            "schemas/Purse.MoneyPut.v2.json",
            "schemas/Purse.MoneyPut.v3.json",
            "schemas/Purse.NotePut.v1.json",
            "schemas/Purse.PurseBought.v1.json",
            "schemas/Purse.PurseLost.v1.json",
            "schemas/Purse.money-taken.v1.json",
        ]
    );
    expect_file!["catalogue/README.md"].assert_eq(&files["README.md"]);
    expect_file!["catalogue/aggregates/Purse.md"].assert_eq(&files["aggregates/Purse.md"]);
    expect_file!["catalogue/read-models/buyers.md"].assert_eq(&files["read-models/buyers.md"]);
    expect_file!["catalogue/read-models/content.md"].assert_eq(&files["read-models/content.md"]);
    expect_file!["catalogue/schemas/Purse.MoneyPut.v3.json"].assert_eq(&files["schemas/Purse.MoneyPut.v3.json"]);
}

#[tokio::test]
async fn golden_samples_take_the_place_of_made_up_ones() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("purse.samples");
    let line = |event: &str, payload: &str| format!("{{\"event\":\"{event}\",\"version\":1,\"payload\":{payload}}}\n");
    fs::write(&file, line("MoneyMoved", "{\"amount\":250}") + &line("MoneyPut", "{\"amt\":1}")).unwrap();
    let catalogue = catalogue().await.with_samples_of::<Purse>(&file).unwrap();
    let [moved, noted] = &catalogue.aggregates()[0].retired[..] else { panic!("two are retired") };
    assert_eq!(moved.samples.as_deref(), Ok(&[r#"{"amount":250}"#.to_owned()][..]));
    let put = r#"{"amount":250,"channel":"Branch","tags":[]}"#.to_owned();
    assert_eq!(moved.becomes, [[("money-taken", r#"{"amount":250}"#.to_owned()), ("MoneyPut", put)]]);
    assert_eq!(noted.samples.as_deref(), Ok(&[r#"{"text":"text"}"#.to_owned()][..]));
    // A line of an older version is no sample of today's.
    assert_eq!(catalogue.aggregates()[0].events[1].samples.as_ref().map(Vec::len), Ok(3));

    fs::write(&file, "Mine.").unwrap();
    let why = catalogue.with_samples_of::<Purse>(&file).unwrap_err().to_string();
    assert!(why.contains("purse.samples is none of golden samples: line 1: this is no JSON"), "{why}");
}

#[tokio::test]
async fn a_folder_that_is_not_what_the_types_say_names_its_files() {
    let (catalogue, folder) = (catalogue().await, tempfile::tempdir().unwrap());
    let at = |name: &str| folder.path().join(name);
    let check = || catalogue.check(folder.path()).map_err(|why| why.to_string().replace(&at("").display().to_string(), "../"));
    assert!(check().unwrap_err().contains("README.md is missing"));
    catalogue.write_to(folder.path()).unwrap();
    check().unwrap();

    // Line ends are git's business, and the files of others theirs.
    let readme = fs::read_to_string(at("README.md")).unwrap();
    fs::write(at("README.md"), readme.replace('\n', "\r\n")).unwrap();
    fs::write(at("NOTES.md"), "Mine.\n").unwrap();
    check().unwrap();

    fs::write(at("README.md"), readme.replace("## Read models", "## Views")).unwrap();
    fs::remove_file(at("read-models/buyers.md")).unwrap();
    fs::copy(at("aggregates/Purse.md"), at("aggregates/Wallet.md")).unwrap();
    let why = catalogue.check(folder.path()).unwrap_err();
    let line = readme.lines().position(|line| line == "## Read models").unwrap() + 1;
    assert_eq!(
        why.to_string(),
        format!(
            "the catalogue in {} is not what the types say:\n  - README.md differs from line {line} on\n  - read-models/buyers.md is missing\n  - aggregates/Wallet.md is about something that is gone\nread what changed, then write it anew: GESTA_CATALOGUE=write cargo test catalogue",
            folder.path().display()
        )
    );
    catalogue.write_to(folder.path()).unwrap();
    check().unwrap();
    assert!(at("NOTES.md").exists() && !Path::new(&at("aggregates/Wallet.md")).exists());
}
