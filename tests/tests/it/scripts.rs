//! Names in scripts without upper case, and names that begin with a lower-case letter: all of a domain is named so, and stored
//! under these names.

#![allow(non_camel_case_types, reason = "these names are what is tested")]

use gesta::Position;
use gesta::prelude::*;

use crate::stores::{Folder, on_every_store};

#[id]
pub struct 口座番号(String);

#[value]
pub enum 経路 {
    窓口,
    電話 { 番号: String },
}

#[event]
pub struct 開設 {
    pub 名義: String,
}
#[event(version = 2)]
pub struct 入金 {
    #[renamed(2, from = "金")]
    pub 額: i64,
    #[added(2, default = 経路::窓口)]
    pub 経路: 経路,
}
#[event]
pub struct סגירה;
#[event]
pub struct إعادة_فتح {
    pub سبب: String,
}
#[event]
pub struct გადახდა {
    pub თანხა: i64,
}
#[event]
pub struct r#final {
    pub note: String,
}

pub struct 口座 {
    残高: i64,
}

#[aggregate(id = 口座番号, schema = "scripts.events")]
impl 口座 {
    fn 開設(_: 開設) -> Self {
        口座 { 残高: 0 }
    }
    fn 入金(&mut self, e: 入金) {
        self.残高 += e.額;
    }
    fn إعادة_فتح(&mut self, e: &إعادة_فتح) {
        assert!(!e.سبب.is_empty());
    }
    fn გადახდა(&mut self, e: გადახდა) {
        self.残高 -= e.თანხა;
    }
    fn r#final(&mut self, _: r#final) {}
    fn סגירה(self, _: סגירה) {}
}

#[command]
pub struct 開設する {
    pub 名義: String,
}
#[command]
pub struct पैसा_डालो {
    pub राशि: i64,
}
#[command]
pub struct finish;

#[command_handler]
impl 口座 {
    fn 開設する(cmd: 開設する) -> 開設 {
        開設 { 名義: cmd.名義 }
    }
    fn पैसा_डालो(&self, cmd: पैसा_डालो) -> Result<(入金, გადახდა), String> {
        if cmd.राशि <= self.残高 + 100 {
            let 電話 = 経路::電話 { 番号: "一一〇".into() };
            Ok((入金 { 額: cmd.राशि, 経路: 電話 }, გადახდა { თანხა: 1 }))
        } else {
            Err("多すぎる".into())
        }
    }
    fn finish(&self, _: finish) -> (إعادة_فتح, r#final) {
        (إعادة_فتح { سبب: "سبب".into() }, r#final { note: "終".into() })
    }
}

#[derive(Debug, Clone, PartialEq, ReadModel)]
#[read_model(table = "scripts")]
pub struct 残高表 {
    #[key]
    口座: 口座番号,
    #[index]
    名義: String,
    #[index]
    残高: i64,
    последняя: Option<String>,
    თანხა: i64,
    r#type: 経路,
}

#[projection(of = 口座, ignore(إعادة_فتح))]
impl 残高表 {
    fn 開設(e: &Recorded<開設>) -> Self {
        let 名義 = e.名義.clone();
        残高表 {
            口座: e.aggregate_id(), 名義, 残高: 0, последняя: None, თანხა: 0, r#type: 経路::窓口
        }
    }
    fn 入金(&mut self, e: &入金) {
        self.残高 += e.額;
        self.r#type = e.経路.clone();
    }
    fn გადახდა(&mut self, e: &გადახდა) {
        self.თანხა += e.თანხა;
    }
    fn r#final(&mut self, e: &r#final) {
        self.последняя = Some(e.note.clone());
    }
    fn סגירה(self, _: &סגירה) {}
}

/// R10: a name needs no upper-case letter to be an event's, a command's or a column's, on every store.
#[tokio::test(flavor = "multi_thread")]
async fn domain_without_upper_case_works_on_every_store() {
    on_every_store(async |builder| {
        let app = builder.aggregate::<口座>().projection::<残高表>().start().await.unwrap();
        let 番号 = 口座番号::new("甲-一").unwrap();
        app.execute(&番号, 開設する { 名義: "花子".into() }).await.unwrap();
        app.execute(&番号, पैसा_डालो { राशि: 5 }).await.unwrap();
        let 拒否 = app.execute(&番号, पैसा_डालो { राशि: 500 }).await.unwrap_err();
        assert!(拒否.to_string().contains("多すぎる"), "{拒否}");
        let 済 = app.execute(&番号, finish).await.unwrap();

        let 行 = app.read::<残高表>().after(&済).get(&番号).await.unwrap().unwrap();
        assert_eq!((&*行.名義, 行.残高, 行.თანხა), ("花子", 5, 1));
        assert_eq!(行.последняя.as_deref(), Some("終"));
        assert_eq!(行.r#type, 経路::電話 { 番号: "一一〇".into() });
        let 同名 = app.read::<残高表>().filter(残高表::名義.is(&"花子".to_owned())).all().await.unwrap();
        assert_eq!(同名, [行]);

        let 状態 = app.load::<口座>(&番号).await.unwrap();
        assert_eq!(状態.state().map(|状態| 状態.残高), Some(4));
        let 全部 = app.history::<口座>(&番号).unwrap().all().await.unwrap();
        let 名: Vec<_> = 全部.iter().map(|e| <口座 as gesta::Aggregate>::info(&e.event).name).collect();
        assert_eq!(名, ["開設", "入金", "გადახდა", "إعادة_فتح", "final"]);
        let mut 購読 = app.subscribe(Position::ZERO);
        let 最初 = 購読.next_stored().await.unwrap().unwrap();
        assert_eq!((最初.stream.as_str(), &*最初.event.name), ("口座-甲-一", "開設"));
        app.shutdown().await.unwrap();
    })
    .await;
}

/// R10: a stored event of an old version is read by a later start, from a file.
#[tokio::test(flavor = "multi_thread")]
async fn events_without_upper_case_are_read_after_a_restart() {
    let folder = Folder::new();
    let url = folder.url("帳簿.db");
    let 番号 = 口座番号::new("乙").unwrap();
    for 残高 in [10, 19] {
        let app = App::connect(&url).await.unwrap().aggregate::<口座>().start().await.unwrap();
        if 残高 == 10 {
            app.execute(&番号, 開設する { 名義: "太郎".into() }).await.unwrap();
            app.execute(&番号, पैसा_डालो { राशि: 11 }).await.unwrap();
        } else {
            app.execute(&番号, पैसा_डालो { राशि: 10 }).await.unwrap();
        }
        assert_eq!(app.load::<口座>(&番号).await.unwrap().state().map(|状態| 状態.残高), Some(残高));
        app.shutdown().await.unwrap();
    }
    let 旧: 入金 = 入金V1 { 金: 3 }.into();
    assert_eq!(旧, 入金 { 額: 3, 経路: 経路::窓口 });
}
