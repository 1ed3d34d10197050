//! Many commands at the same time.

use std::time::Duration;

use gesta::{Envelope, ExecuteError};

use super::commands::{lending, limits};
use crate::domain::*;
use crate::stores::on_every_store;

#[tokio::test(flavor = "multi_thread")]
async fn in_order_for_each_aggregate_and_each_answered_once() {
    on_every_store(async |builder| {
        let app = lending(builder).limits(limits(|l| l.commands_in_flight = 16)).start().await.unwrap();
        let names: Vec<AccountId> = (0..10).map(|n| account(&format!("{n}"))).collect();
        let mut envelopes = Vec::new();
        for id in &names {
            envelopes.push(Envelope::<Account>::new(id.clone(), Open { owner: "x".into() }));
        }
        for amount in 1..=50 {
            for id in &names {
                envelopes.push(Envelope::new(id.clone(), Deposit { amount }));
            }
        }
        // Refused, and the ones behind it are not kept from running.
        envelopes.push(Envelope::new(names[0].clone(), Withdraw { amount: 1_000_000 }));
        envelopes.push(Envelope::new(names[0].clone(), Withdraw { amount: 50 * 51 / 2 }));
        envelopes.push(Envelope::new(names[0].clone(), Close));
        let count = envelopes.len();
        let mut answers = app.execute_many::<Account, AccountError>(envelopes);
        let mut seen = vec![None; count];
        while let Some((number, answer)) = answers.next().await {
            assert!(seen[number].is_none());
            seen[number] = Some(answer);
        }
        assert!(seen.iter().all(Option::is_some));
        assert!(matches!(seen[count - 3], Some(Err(ExecuteError::Rejected(AccountError::Insufficient { .. })))));
        assert!(matches!(seen[count - 1], Some(Ok(_))), "{:?}", seen[count - 1]);
        for id in &names[1..] {
            let amounts = app.history::<Account>(id).unwrap().all().await.unwrap();
            let amounts: Vec<_> = amounts
                .iter()
                .filter_map(|e| if let AccountEvent::Deposited(d) = &e.event { Some(d.amount) } else { None })
                .collect();
            assert!(amounts.iter().copied().eq(1..=50), "{id}: {amounts:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn envelopes_carry_what_is_said_beside() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        for repeated in [false, true] {
            let envelope = Envelope::<Account>::new(account("a"), Open { owner: "x".into() });
            let envelope = envelope.actor("importer").occurred_at("2001-02-03".parse().unwrap()).idempotency_key("row 1");
            let mut answers = app.execute_many::<Account, AccountError>([envelope]);
            let (_, done) = answers.next().await.unwrap();
            let done = done.unwrap();
            assert_eq!(done.repeated, repeated);
            assert_eq!(done.events[0].metadata.actor.as_deref(), Some("importer"));
            assert_eq!(done.events[0].metadata.occurred_at.to_string(), "2001-02-03T00:00:00Z");
            assert!(answers.next().await.is_none());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_may_be_followed_up_before_the_next_is_asked_for() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        let (a, b) = (account("a"), account("b"));
        app.execute(&a, Open { owner: "x".into() }).await.unwrap();
        // The first has asked a service when the second is done.
        let envelopes = [Envelope::<Account>::new(a.clone(), Borrow { amount: 5 }), Envelope::new(b, Open { owner: "x".into() })];
        let mut answers = app.execute_many::<Account, AccountError>(envelopes);
        answers.next().await.unwrap().1.unwrap();
        let followed_up =
            tokio::time::timeout(Duration::from_secs(20), app.execute(&a, Deposit { amount: 1 }).into_future()).await;
        followed_up.expect("it waits for nothing that waits for it").unwrap();
        answers.next().await.unwrap().1.unwrap();
        assert!(answers.next().await.is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_belong_to_what_surrounds_them() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        let cause = app.execute(&account("a"), Open { owner: "x".into() }).actor("Ann").await.unwrap().events.remove(0);
        let done = gesta::caused_by(&cause, async {
            let envelopes = [Envelope::<Account>::new(account("b"), Open { owner: "x".into() })];
            app.execute_many::<Account, AccountError>(envelopes).next().await.unwrap().1.unwrap()
        });
        let metadata = done.await.events.remove(0).metadata;
        assert_eq!((metadata.causation_id, metadata.actor.as_deref()), (Some(cause.metadata.event_id), Some("Ann")));
    })
    .await;
}
