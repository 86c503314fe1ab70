//! Names the seed in which one poll does not end: no assertion is reached then.

use std::cell::RefCell;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::world::Hold;

/// Longer than any poll takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

thread_local! {
    static WATCHED: RefCell<Option<Arc<Watched>>> = const { RefCell::new(None) };
}

/// Ends the process if the thread that made it does not [`step`] for too long, and says in which seed.
pub(crate) struct Watchdog {
    watched: Arc<Watched>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Watched {
    seed: AtomicU64,
    steps: AtomicU64,
    over: AtomicBool,
    task: Mutex<String>,
}

/// Something ended that might not have. The next is a poll of `task`.
pub(crate) fn step(task: &str) {
    WATCHED.with_borrow(|watched| {
        let Some(watched) = watched else { return };
        watched.steps.fetch_add(1, Ordering::Relaxed);
        let mut last = watched.task.hold();
        if *last != task {
            task.clone_into(&mut last);
        }
    });
}

impl Watchdog {
    pub(crate) fn new(patience: Duration) -> Self {
        let watched = Arc::<Watched>::default();
        WATCHED.set(Some(Arc::clone(&watched)));
        let watching = Arc::clone(&watched);
        let thread = thread::spawn(move || watching.watch(patience));
        Self { watched, thread: Some(thread) }
    }

    pub(crate) fn seed(&self, seed: u64) {
        self.watched.seed.store(seed, Ordering::Relaxed);
        step("");
    }
}

impl Watched {
    fn watch(&self, patience: Duration) {
        let mut last = (0, Instant::now());
        while !self.over.load(Ordering::Relaxed) {
            thread::park_timeout(patience / 20);
            let steps = self.steps.load(Ordering::Relaxed);
            if steps != last.0 {
                last = (steps, Instant::now());
            } else if last.1.elapsed() > patience {
                let seed = self.seed.load(Ordering::Relaxed);
                let task = self.task.hold();
                // Not by the macro: what that prints is kept for the end of the test, and lost.
                let _ = writeln!(
                    std::io::stderr(),
                    "seed {seed} hangs in a poll of {:?}: SEED={seed} replays it",
                    *task
                );
                std::process::abort();
            }
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        WATCHED.set(None);
        self.watched.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            thread.join().unwrap();
        }
    }
}

#[test]
fn a_hang_names_its_seed() {
    let program = std::env::current_exe().unwrap();
    let arguments = ["--exact", "watchdog::hangs", "--ignored"];
    let output = std::process::Command::new(program).args(arguments).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains(r#"seed 77 hangs in a poll of "guilty""#), "{told}");
}

#[test]
#[ignore = "it hangs, and is run by the test of that"]
fn hangs() {
    let watchdog = Watchdog::new(Duration::from_millis(200));
    watchdog.seed(77);
    let world = crate::world::World::new(77, crate::world::Manners::default());
    world.spawn("innocent", async {});
    world.spawn("guilty", async {
        loop {
            thread::yield_now();
        }
    });
    world.run();
}
