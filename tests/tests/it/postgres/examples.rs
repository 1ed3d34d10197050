//! The examples on Postgres, as programs: another URL, and several processes at once.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use super::server::Database;

fn program(name: &str, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(workspace()).args(["run", "--quiet", "--offline", "-p", "gesta-examples", "--bin", name, "--"]);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("cargo")
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_path_buf()
}

fn ended(child: Child) -> String {
    let Output { status, stdout, stderr } = child.wait_with_output().expect("it ends");
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{stdout}{stderr}");
    stdout.into_owned()
}

#[tokio::test]
async fn the_bank_moves_to_postgres_by_its_url() {
    let database = Database::new().await;
    let url = database.url("");
    let first = ended(program("bank", &[&url]));
    assert!(first.contains("All of it, 12 events, lies in the database"), "{first}");
    let next = ended(program("bank", &[&url]));
    assert!(next.contains("All of it, 17 events, lies in the database"), "{next}");
}

/// With `GESTA_DATA`, the real log; else a small sample of its kind.
#[tokio::test]
async fn two_processes_import_and_two_report_at_once_and_it_comes_to_what_one_comes_to() {
    let database = Database::new().await;
    let sample = workspace().join("examples/data/traffic_fines_sample.csv");
    let log = std::env::var_os("GESTA_DATA").map_or(sample, |folder| Path::new(&folder).join("traffic_fines.csv.gz"));
    println!("the log is {}", log.display());
    let folder = tempfile::tempdir().unwrap();
    let json = |name: &str| folder.path().join(name).display().to_string();
    let (log, url, alone) = (log.display().to_string(), database.url("?lease_s=1"), json("alone"));
    let one = program("traffic_fines", &["import", &log, "--store", "memory:", "--json", &alone]);
    ended(one);

    let parts = [json("1"), json("2")];
    let import =
        |part: &str, file: &str| program("traffic_fines", &["import", &log, "--store", &url, "--part", part, "--json", file]);
    let importing = [import("1/2", &parts[0]), import("2/2", &parts[1])];
    let report = |file: &str| program("traffic_fines", &["report", "--store", &url, "--json", file]);
    let reporting = [report(&json("early 1")), report(&json("early 2"))];
    for process in importing.into_iter().chain(reporting) {
        ended(process);
    }
    let reports = [json("report 1"), json("report 2")];
    for process in [report(&reports[0]), report(&reports[1])] {
        ended(process);
    }
    let read = |file: &str| -> serde_json::Map<String, serde_json::Value> {
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
    };
    let alone = read(&alone);
    let of_the_import = ["rows", "accepted", "rejected", "events_per_second"];
    for report in &reports {
        let report = read(report);
        for (name, value) in &report {
            assert_eq!(Some(value), alone.get(name), "{name}");
        }
        let missing: Vec<_> = alone.keys().filter(|name| !report.contains_key(*name)).collect();
        assert!(missing.iter().all(|name| of_the_import.iter().any(|of| name.starts_with(of))), "{missing:?}");
    }
    for name in &of_the_import[..3] {
        let sum: u64 = parts.iter().map(|part| read(part)[*name].as_u64().unwrap()).sum();
        assert_eq!(alone[*name], sum, "{name}");
    }
}
