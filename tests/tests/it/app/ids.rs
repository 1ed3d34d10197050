//! The id that a read model takes from a recorded event: that of the block's aggregate, in that aggregate's type.

use gesta::Recorded;

use crate::stores::on_every_store;

/// One event in three aggregates, of which two are named by the same type.
mod shared {
    use gesta::EventOf;
    use gesta::prelude::*;

    #[id]
    pub struct ShopId(String);
    #[event]
    pub struct Opened {
        pub at: String,
    }
    #[event]
    pub struct Closed;

    macro_rules! aggregate {
        ($($name:ident $open:ident $id:ty),*) => { $(
            pub struct $name;
            #[aggregate(id = $id)]
            impl $name {
                fn opened(_: Opened) -> Self {
                    $name
                }
                fn closed(self, _: Closed) {}
            }
            #[command]
            pub struct $open;
            #[command_handler]
            impl $name {
                fn open(_: $open) -> Opened {
                    Opened { at: stringify!($name).into() }
                }
            }
        )* };
    }
    aggregate!(Till OpenTill u64, Safe OpenSafe u64, Shop OpenShop ShopId);

    #[derive(Debug, PartialEq, ReadModel)]
    #[read_model(of(Till, Safe, Shop))]
    pub struct Place {
        #[key]
        pub name: String,
        pub number: u64,
        pub shop: Option<ShopId>,
    }
    #[projection(of = Till, ignore(Closed))]
    impl Place {
        #[key = format!("till {}", e.aggregate_id())]
        fn till_opened(e: &Recorded<Opened>) -> Self {
            // No type is named here: the block's aggregate has one.
            let number = e.aggregate_id();
            Place { name: format!("till {number}"), number, shop: None }
        }
    }
    #[projection(of = Safe, ignore(Closed))]
    impl Place {
        #[key = format!("safe {}", e.aggregate_id())]
        fn safe_opened(e: &Recorded<Opened>) -> Self {
            Place { name: format!("safe {}", number(e)), number: e.aggregate_id(), shop: None }
        }
    }
    #[projection(of = Shop, ignore(Closed))]
    impl Place {
        #[key = format!("shop {}", e.aggregate_id())]
        fn shop_opened(e: &Recorded<Opened>) -> Self {
            let shop = e.aggregate_id();
            Place { name: format!("shop {shop}"), number: 0, shop: Some(shop) }
        }
    }

    /// Outside of a block the function says whose events it takes.
    fn number<E: EventOf<Safe>>(e: &Recorded<E>) -> u64 {
        e.aggregate_id::<Safe>()
    }
}

/// An event of several aggregates has in each block the id of that block's aggregate.
#[tokio::test(flavor = "multi_thread")]
async fn aggregate_id_is_of_the_block_s_aggregate() {
    use shared::*;
    on_every_store(async |builder| {
        let builder = builder.aggregate::<Till>().aggregate::<Safe>().aggregate::<Shop>();
        let app = builder.projection::<Place>().start().await.unwrap();
        let shop = ShopId::new("12").unwrap();
        app.execute(&7, OpenTill).await.unwrap();
        app.execute(&9, OpenSafe).await.unwrap();
        let done = app.execute(&shop, OpenShop).await.unwrap();
        let places = app.read::<Place>().after(&done).all().await.unwrap();
        let place = |name: &str, number, shop| Place { name: name.into(), number, shop };
        assert_eq!(places, [place("safe 9", 9, None), place("shop 12", 0, Some(shop.clone())), place("till 7", 7, None)]);
        // The enum of an aggregate's events is its own.
        let opened = app.history::<Shop>(&shop).unwrap().all().await.unwrap();
        assert_eq!(opened[0].aggregate_id(), shop);
        app.shutdown().await.unwrap();
    })
    .await;
}

/// Asked for another aggregate by name, it does not parse that one's id out of a foreign stream.
#[test]
fn aggregate_id_panics_in_a_stream_of_another_aggregate() {
    use gesta::{Metadata, Position, StreamName, Timestamp, Uuid, Version};
    let (metadata, stream) = (Metadata::new(Uuid::nil(), Timestamp::default()), StreamName::parse("Till-7").unwrap());
    let event = shared::Opened { at: String::new() };
    let recorded = Recorded::new(event, stream, Version::new(1), Position::new(1), metadata);
    assert_eq!(recorded.aggregate_id::<shared::Till>(), 7);
    let foreign = std::panic::catch_unwind(|| recorded.aggregate_id::<shared::Safe>());
    let said = *foreign.unwrap_err().downcast::<String>().unwrap();
    assert_eq!(said, "`Till-7` is a stream of `Till`, not of `Safe`");
}
