//! A server whose disk is full: nothing of what is refused is stored, and once there is room again everything goes on by itself.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gesta::App;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor};
use xtask::postgres::Cluster;

use super::crash::{both_async, database, survives};
use super::server::connect;
use crate::app::commands::lending;
use crate::domain::*;

/// A disk of 64 MB, in memory, that belongs to whoever runs the server.
struct Disk(PathBuf);

impl Disk {
    /// None where nobody may mount one.
    fn mount(cluster: &Cluster) -> Option<Self> {
        let owner = fs::metadata(cluster.data()).expect("the server has a folder");
        let folder = cluster.data().with_file_name("disk");
        fs::create_dir(&folder).expect("it is not there yet");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64m", "tmpfs"]).arg(&folder).output();
        if !mounted.is_ok_and(|mounted| mounted.status.success()) {
            return None;
        }
        let disk = Disk(folder);
        fs::create_dir(disk.0.join("space")).expect("there is room");
        chown(disk.0.join("space"), Some(owner.uid()), Some(owner.gid())).expect("who may mount may do that");
        Some(disk)
    }
    /// Moves the server's log of what it is about to do here.
    fn take_log(&self, cluster: &Cluster) {
        cluster.crash().expect("it is running");
        let (from, to) = (cluster.data().join("pg_wal"), self.0.join("space/wal"));
        let moved = Command::new("cp").arg("-a").args([&from, &to]).status();
        assert!(moved.is_ok_and(|moved| moved.success()), "{}", from.display());
        fs::remove_dir_all(&from).expect("it is copied");
        std::os::unix::fs::symlink(to, from).expect("it is free");
        cluster.resume().expect("it finds its log");
    }
    fn fill(&self) {
        let mut file = fs::File::create(self.0.join("filler")).expect("it can be made");
        let chunk = vec![1; 64 << 10];
        while file.write_all(&chunk).is_ok() {}
    }
    fn free(&self) {
        fs::remove_file(self.0.join("filler")).expect("it is there");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_disk_is_full_nothing_is_stored_and_all_goes_on_once_there_is_room() {
    let cluster = Cluster::start(&[]).expect("a server of one's own");
    let Some(disk) = Disk::mount(&cluster) else {
        println!("not run: only who may mount a disk can fill one");
        return;
    };
    let mut admin = connect(&cluster.url("postgres")).await;
    let space = disk.0.join("space");
    admin.execute(AssertSqlSafe(format!("create tablespace small location '{}'", space.display()))).await.unwrap();
    for appends in ["shared", "exclusive"] {
        admin.execute(AssertSqlSafe(format!("create database {appends} tablespace small"))).await.unwrap();
        let url = format!("{}?appends={appends}", cluster.url(appends));
        let app = lending(App::connect(&url).await.unwrap()).projection::<Summary>().start().await.unwrap();
        let a = account("a");
        app.execute(&a, Open { owner: "Ann".into() }).await.unwrap();
        app.settle().await.unwrap();
        disk.fill();
        let mut opened = 0;
        // Until the room in its files is used up.
        let refused = loop {
            match app.execute(&account(&opened.to_string()), Open { owner: "x".repeat(5_000) }).await {
                Ok(_) => opened += 1,
                Err(why) => break why,
            }
            assert!(opened < 10_000, "the disk is not full");
        };
        assert!(refused.is_retryable() && !refused.is_unknown_outcome(), "{refused:?}");
        let told = refused.to_string();
        assert!(told.starts_with("appending: could not extend file"), "{told}");
        assert!(told.ends_with("No space left on device: the server's disk is full"), "{told}");
        assert!(app.load::<Account>(&account(&opened.to_string())).await.unwrap().into_state().is_none());
        disk.free();

        app.execute(&account(&opened.to_string()), Open { owner: "Eve".into() }).await.unwrap();
        app.execute(&a, Deposit { amount: 5 }).await.unwrap();
        app.settle().await.unwrap();
        let rows = app.read::<Summary>().all().await.unwrap();
        assert_eq!(rows.len(), opened + 2);
        assert_eq!(rows.iter().find(|row| row.account == a).unwrap().balance, 5);
        app.shutdown().await.unwrap();
    }
    drop(admin);
    cluster.crash().unwrap();
    drop(disk);
}

/// A server that can't write its log ends in the middle of whatever it does: commits of which nobody knows whether they are on the disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_whose_log_finds_no_room_loses_nothing_that_was_acknowledged() {
    let cluster = Arc::new(Cluster::start(&[("max_wal_size", "32MB"), ("wal_recycle", "off")]).expect("a server of one's own"));
    let Some(disk) = Disk::mount(&cluster) else {
        println!("not run: only who may mount a disk can fill one");
        return;
    };
    disk.take_log(&cluster);
    let disk = Arc::new(disk);
    let crash = {
        let (cluster, disk) = (Arc::clone(&cluster), Arc::clone(&disk));
        move || {
            let panics = || cluster.log().matches("PANIC:").count();
            let before = panics();
            disk.fill();
            let until = Instant::now() + Duration::from_mins(1);
            while panics() == before {
                assert!(Instant::now() < until, "the log finds room: {}", cluster.log());
                std::thread::sleep(Duration::from_millis(10));
            }
            disk.free();
            // It tries to begin anew by itself, and may have given up.
            while connect_now(&cluster.url("postgres")).is_err() {
                assert!(Instant::now() < until, "it does not come back: {}", cluster.log());
                if !cluster.is_running() {
                    cluster.resume().unwrap();
                }
            }
        }
    };
    for appends in ["shared", "exclusive"] {
        survives(&format!("{}?appends={appends}", database(&cluster, appends).await), both_async, crash.clone()).await;
    }
    cluster.crash().unwrap();
    drop(disk);
}

/// From outside of a runtime.
fn connect_now(url: &str) -> Result<(), sqlx::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { PgConnection::connect(url).await?.close().await })
}
