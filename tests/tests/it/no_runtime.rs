//! Apps that are begun where nothing runs them.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use gesta::{App, StartError};

use crate::app::commands::lending;
use crate::stores::Folder;

/// Polls a future that needs nobody to wake it.
fn outside_tokio<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    for _ in 0..1_000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
    panic!("it waits for a runtime")
}

async fn start(url: &str) -> Result<App, StartError> {
    lending(App::connect(url).await?).start().await
}

/// R31: an app outside of tokio is refused with a word about what to do, on each store.
#[test]
fn start_is_refused_outside_of_a_runtime() {
    let folder = Folder::new();
    for url in ["memory:", &folder.url("test.db"), "postgres://nobody@127.0.0.1:1/none"] {
        let why = outside_tokio(start(url)).map(drop).unwrap_err();
        let expected =
            "no tokio runtime is running here: call it in an `async fn main` with `#[tokio::main]`, or by `Runtime::block_on`";
        assert_eq!(why.to_string(), expected);
    }
}

/// R31: so is one on a runtime without timers, which gesta waits by.
#[test]
fn start_is_refused_on_a_runtime_without_timers() {
    let folder = Folder::new();
    for url in ["memory:", &folder.url("test.db"), "postgres://nobody@127.0.0.1:1/none"] {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let why = runtime.block_on(start(url)).map(drop).unwrap_err();
        assert_eq!(why.to_string(), "the tokio runtime has no timers: build it with `enable_all`");
    }
}
