//! Runs a handler to its end, wherever the test stands.

use std::panic::resume_unwind;
use std::thread;

/// The future's result. It runs on a thread and a runtime of its own, because a test may stand in a runtime, which can't be
/// blocked; a panic goes on here.
pub(super) fn wait<F: Future<Output: Send> + Send>(future: F) -> F::Output {
    thread::scope(|scope| {
        let mut builder = thread::Builder::new();
        if let Some(name) = thread::current().name() {
            // The test's own name is what a panic's message shows.
            builder = builder.name(name.to_owned());
        }
        let run = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("the system has a thread's resources to spare").block_on(future)
        };
        let thread = builder.spawn_scoped(scope, run).expect("the system has a thread to spare");
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_future_runs_to_its_end_inside_and_outside_of_a_runtime() {
        let text = String::from("borrowed");
        let later = || async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            text.as_str()
        };
        assert_eq!(wait(later()), "borrowed");
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async { assert_eq!(wait(later()), "borrowed") });
    }

    #[test]
    fn a_panic_goes_on() {
        let caught = std::panic::catch_unwind(|| wait(async { panic!("ouch") })).unwrap_err();
        assert_eq!(caught.downcast_ref::<&str>(), Some(&"ouch"));
    }
}
