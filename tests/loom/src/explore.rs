//! Runs a model, and counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use loom::model::Builder;
use loom::thread::JoinHandle;

/// How a model is run.
pub struct Explore {
    name: &'static str,
    preemptions: Option<usize>,
}

impl Explore {
    /// Every schedule.
    pub fn all(name: &'static str) -> Self {
        Self { name, preemptions: None }
    }

    /// Every schedule in which a thread that could go on gives way to another at most so often: there are too many of
    /// the others. `ENDWELL_LOOM_PREEMPTIONS` says another number, or `all`.
    pub fn preemptions(name: &'static str, most: usize) -> Self {
        let preemptions = match std::env::var("ENDWELL_LOOM_PREEMPTIONS").as_deref() {
            Err(_) => Some(most),
            Ok("all") => None,
            Ok(number) => Some(number.parse().expect("ENDWELL_LOOM_PREEMPTIONS is a number or `all`")),
        };
        Self { name, preemptions }
    }

    /// Runs `model` in each of these schedules, and says how many there were.
    pub fn check(self, model: impl Fn() + Send + Sync + 'static) {
        let mut builder = Builder::new();
        builder.preemption_bound = self.preemptions;
        builder.checkpoint_interval = 1000;
        builder.max_duration = std::env::var("ENDWELL_LOOM_SECONDS")
            .ok()
            .map(|seconds| Duration::from_secs(seconds.parse().expect("ENDWELL_LOOM_SECONDS is a number")));
        let executions = Arc::new(AtomicU64::new(0));
        let started = Instant::now();
        let counted = Arc::clone(&executions);
        builder.check(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            model();
        });
        let schedules = match self.preemptions {
            None => "every schedule".to_owned(),
            Some(most) => format!("schedules with up to {most} preemptions"),
        };
        let cut = match builder.max_duration {
            Some(most) if started.elapsed() >= most => ", cut short",
            Some(_) | None => "",
        };
        let executions = executions.load(Ordering::Relaxed);
        println!("loom: {}: {executions} executions, {schedules}{cut}, {:.1?}", self.name, started.elapsed());
    }
}

/// Starts a thread of a model.
pub fn spawn<T: 'static>(task: impl FnOnce() -> T + 'static) -> JoinHandle<T> {
    loom::thread::spawn(task)
}
