//! An allocator that counts, and a process for each runtime: the counters are one for a process.

use std::alloc::{GlobalAlloc, Layout, System};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Counts the bytes that are allocated.
struct Counting;

pub(crate) static HELD: AtomicUsize = AtomicUsize::new(0);
pub(crate) static PEAK: AtomicUsize = AtomicUsize::new(0);

fn grow(bytes: usize) {
    let held = HELD.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(held, Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator unchanged; the counters do not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Waits until nothing moves any more.
pub(crate) fn settle() {
    let begin = Instant::now();
    let mut last = (0, Instant::now());
    while last.1.elapsed() < Duration::from_millis(200) {
        assert!(begin.elapsed() < crate::support::LONG, "it grows and grows");
        let peak = PEAK.load(Ordering::Relaxed);
        if peak != last.0 {
            last = (peak, Instant::now());
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// The runtime that a process is for.
const RUNTIME: &str = "ENDWELL_HELD_ON";

/// Runs the measurements of the test `name` in a process for each runtime. They mostly wait, so they run at once.
pub(crate) fn on_each_runtime(test: &str, runtimes: [(&str, fn()); 5]) {
    if let Ok(name) = std::env::var(RUNTIME) {
        return runtimes.iter().find(|(known, _)| *known == name).expect("one of the runtimes").1();
    }
    let program = std::env::current_exe().unwrap();
    let processes = runtimes.map(|(name, _)| {
        let mut process = Command::new(&program);
        process.args(["--exact", test, "--nocapture", "--include-ignored"]).env(RUNTIME, name);
        (name, process.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    });
    for (name, process) in processes {
        let output = process.wait_with_output().unwrap();
        print!("on {name}\n{}", String::from_utf8_lossy(&output.stdout));
        assert!(output.status.success(), "on {name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
