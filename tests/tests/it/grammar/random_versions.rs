//! Random histories of random versions: what they decode to is what a hand-written reader, which knows nothing of steps, makes
//! of them.

use gesta::prelude::*;
use gesta::{Aggregate, DecodeError, Event};
use proptest::prelude::*;

use super::domain::{Cents, Channel};

#[event]
pub struct Begun;

/// Four versions by its fields: a name that was given up and taken again, a type that changed twice, a field that came and
/// went.
#[event(version = 4)]
#[removed(2, kind: String)]
#[removed(4, #[added(2, default = 1)] #[serde(rename = "urgent?")] urgency: u8)]
pub struct Sent {
    #[renamed(3, from = "euros")]
    #[converted(2, from = u8)]
    #[converted(4, from = u32, with = cents_of)]
    pub amount: Cents,
    #[added(4, default = Kind::of_old())]
    #[serde(rename = "kind")]
    pub sort: Kind,
    pub to: Option<String>,
}

#[value]
#[derive(Default)]
pub struct Kind {
    pub channel: Option<Channel>,
}
impl Kind {
    fn of_old() -> Self {
        Kind { channel: Some(Channel::Branch) }
    }
}
fn cents_of(euros: u32) -> Cents {
    Cents(i64::from(euros) * 100)
}

/// Two versions of a struct of its own, then two of fields; old texts may be no number.
#[event(name = "weighed", version = 2)]
pub struct WeighedByText {
    #[renamed(2, from = "text")]
    pub weight: String,
}
#[event(name = "weighed", version = 4)]
#[converted(3, try_from = WeighedByText)]
pub struct Weighed {
    #[converted(4, try_from = i64)]
    pub grams: u8,
}
impl TryFrom<WeighedByText> for WeighedV3 {
    type Error = std::num::ParseIntError;
    fn try_from(old: WeighedByText) -> Result<Self, Self::Error> {
        old.weight.parse().map(|grams| WeighedV3 { grams })
    }
}

/// Retired in its second version.
#[event(version = 2)]
pub struct Swapped {
    #[added(2, default = 0)]
    pub grams: u8,
    pub amounts: Vec<u8>,
}

#[derive(Debug, PartialEq, Default)]
pub struct Parcel {
    sent: Vec<Sent>,
    grams: u32,
}

#[aggregate(id = u64)]
impl Parcel {
    fn begun(_: Begun) -> Self {
        Parcel::default()
    }
    fn sent(&mut self, e: Sent) {
        self.sent.push(e);
    }
    fn weighed(&mut self, e: &Weighed) {
        self.grams += u32::from(e.grams);
    }
    #[upcast]
    fn swapped(e: Swapped) -> (Option<Weighed>, Vec<Sent>) {
        let weighed = (e.grams > 0).then_some(Weighed { grams: e.grams });
        (weighed, e.amounts.into_iter().map(|n| Sent { amount: Cents(n.into()), sort: Kind::default(), to: None }).collect())
    }
}

/// One stored event, of any version.
#[derive(Debug, Clone)]
enum Stored {
    Sent { version: u32, number: u8, to: Option<String>, online: bool },
    Weighed { version: u32, number: i16, broken: bool },
    Swapped { version: u32, grams: u8, amounts: Vec<u8> },
}

/// Its name, version and payload.
fn stored(event: &Stored) -> (&'static str, u32, String) {
    match event {
        Stored::Sent { version, number, to, online } => {
            let to = to.as_ref().map_or("null".to_owned(), |to| format!("\"{to}\""));
            let channel = if *online { "Online" } else { "Branch" };
            let payload = match version {
                1 => format!(r#"{{"euros":{number},"kind":"{channel}","to":{to}}}"#),
                2 => format!(r#"{{"euros":{number},"urgent?":9,"to":{to}}}"#),
                3 => format!(r#"{{"to":{to},"amount":{number},"urgent?":9}}"#),
                _ => format!(r#"{{"to":{to},"amount":{number},"kind":{{"channel":"{channel}"}}}}"#),
            };
            ("Sent", *version, payload)
        }
        Stored::Weighed { version, number, broken } => {
            let text = if *broken { "heavy".to_owned() } else { number.to_string() };
            let payload = match version {
                1 => format!(r#"{{"text":"{text}"}}"#),
                2 => format!(r#"{{"weight":"{text}"}}"#),
                _ => format!(r#"{{"grams":{number}}}"#),
            };
            ("weighed", *version, payload)
        }
        Stored::Swapped { version: 1, amounts, .. } => ("Swapped", 1, format!(r#"{{"amounts":{amounts:?}}}"#)),
        Stored::Swapped { version, grams, amounts } => {
            ("Swapped", *version, format!(r#"{{"amounts":{amounts:?},"grams":{grams}}}"#))
        }
    }
}

/// What it means, by hand; else the version that can't become the next one, 0 where the payload can't even be read.
fn meant(event: &Stored) -> Result<Vec<ParcelEvent>, u32> {
    Ok(match event.clone() {
        Stored::Sent { version, number, to, online } => {
            let cents = if version < 4 { i64::from(number) * 100 } else { i64::from(number) };
            let channel = if version < 4 || !online { Channel::Branch } else { Channel::Online };
            vec![Sent { amount: Cents(cents), sort: Kind { channel: Some(channel) }, to }.into()]
        }
        Stored::Weighed { version: 1 | 2, broken: true, .. } => return Err(2),
        Stored::Weighed { version, number, .. } => match number {
            0..=255 => vec![Weighed { grams: number.to_le_bytes()[0] }.into()],
            _ => return Err(if version < 4 { 3 } else { 0 }),
        },
        Stored::Swapped { version, grams, amounts } => {
            let grams = if version == 1 { 0 } else { grams };
            let mut events: Vec<ParcelEvent> = Vec::new();
            if grams > 0 {
                events.push(Weighed { grams }.into());
            }
            for n in amounts {
                events.push(Sent { amount: Cents(n.into()), sort: Kind { channel: None }, to: None }.into());
            }
            events
        }
    })
}

fn any_stored() -> impl Strategy<Value = Stored> {
    let sent = (1..=4_u32, any::<u8>(), proptest::option::of("[a-zA-Zäß ]{0,6}"), any::<bool>())
        .prop_map(|(version, number, to, online)| Stored::Sent { version, number, to, online });
    let weighed = (1..=4_u32, prop_oneof![4 => 0..=255_i16, 1 => any::<i16>()], proptest::bool::weighted(0.1))
        .prop_map(|(version, number, broken)| Stored::Weighed { version, number, broken });
    let swapped = (1..=2_u32, 0..3_u8, proptest::collection::vec(any::<u8>(), 0..4))
        .prop_map(|(version, grams, amounts)| Stored::Swapped { version, grams, amounts });
    prop_oneof![sent, weighed, swapped]
}

/// Reads as the runtime does.
fn read(event: &Stored) -> Result<Vec<ParcelEvent>, DecodeError> {
    let (name, version, payload) = stored(event);
    Parcel::decode(name, version, payload.as_bytes()).map(|decoded| decoded.into_iter().collect())
}

/// Reads version by version, each written as the next one: what the samples of a lock do.
fn read_step_by_step(event: &Stored) -> Result<Vec<ParcelEvent>, DecodeError> {
    let (name, version, payload) = stored(event);
    let known = Parcel::EVENTS.iter().chain(Parcel::RETIRED).find(|known| known.name == name).expect("a known event");
    let mut payload = payload.into_bytes();
    for version in &known.versions[version as usize - 1..] {
        payload = (version.advance)(&payload)?;
    }
    Parcel::decode(name, known.version, &payload).map(|decoded| decoded.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_version_decodes_to_what_a_hand_written_reader_gives(events in proptest::collection::vec(any_stored(), 1..20)) {
        let mut by_hand = Parcel::default();
        let mut stage = super::given::<Parcel>([Begun.into()]);
        for event in &events {
            match meant(event) {
                Ok(meant) => {
                    prop_assert_eq!(read(event), Ok(meant.clone()), "{:?}", event);
                    prop_assert_eq!(read_step_by_step(event), Ok(meant.clone()), "{:?}", event);
                    for event in meant {
                        match &event {
                            ParcelEvent::Sent(sent) => by_hand.sent.push(sent.clone()),
                            ParcelEvent::Weighed(weighed) => by_hand.grams += u32::from(weighed.grams),
                            ParcelEvent::Begun(_) => {}
                        }
                        stage = Parcel::apply(stage, event).expect("it is there");
                    }
                }
                Err(0) => prop_assert!(matches!(read(event), Err(DecodeError::Payload { .. })), "{:?}", event),
                Err(version) => {
                    for error in [read(event), read_step_by_step(event)] {
                        prop_assert!(
                            matches!(error, Err(DecodeError::Step { name: Weighed::NAME, from, .. }) if from == version),
                            "{:?}: {:?}", event, error
                        );
                    }
                }
            }
        }
        prop_assert_eq!(stage, Stage::Alive(by_hand));
    }
}
