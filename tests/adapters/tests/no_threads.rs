//! A system that has no more threads: nothing panics, and it goes on when there are some again.
//!
//! A program of its own: it takes the room for stacks away from the whole process.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a test that cannot go on has failed"
)]

#[path = "scenarios/support/mod.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "shared with the scenarios")]
mod support;

use std::sync::{Barrier, Mutex, mpsc};
use std::thread;

use endwell::blocking::handler;
use endwell::http::StatusCode;
use endwell::{EndedKind, Exchange};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use support::{Blocking, CurrentThread, start};

/// Less than the stack of a thread, and more than anything else here asks for.
const ROOM: u64 = 3 << 19;

/// Does something while the system has no thread to give.
fn without_threads(act: impl FnOnce()) {
    // A thread that has ended leaves its stack to the next one. These take them all.
    let (hold, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let begun = Barrier::new(17);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                begun.wait();
                released.lock().unwrap().recv()
            });
        }
        // A thread that begins needs more than its stack.
        begun.wait();
        // Both end also when `act` fails.
        let _hold = hold;
        let _limited = Limited::new();
        act();
    });
}

/// While this lives the process has no room for a stack.
struct Limited;

impl Limited {
    fn new() -> Self {
        limit(Some(ROOM));
        Self
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        limit(None);
    }
}

/// Lets the process grow no further than by `room`.
fn limit(room: Option<u64>) {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = status.split(' ').next().unwrap().parse().unwrap();
    let size = pages * u64::try_from(rustix::param::page_size()).unwrap();
    let maximum = getrlimit(Resource::As).maximum;
    setrlimit(Resource::As, Rlimit { current: room.map(|room| size + room).or(maximum), maximum }).unwrap();
}

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

/// The connection is closed, reported and counted; the next ones are served.
fn no_thread_for_a_connection() {
    let server = start::<Blocking, _, _>(async |exchange: Exchange| exchange.respond(StatusCode::OK, ""));
    // What serves all connections has begun when one is served.
    let mut first = server.connect();
    first.send(GET);
    assert_eq!(first.response().unwrap().status, 200);
    without_threads(|| {
        let mut client = server.connect();
        client.assert_closed();
        assert!(matches!(server.next_end().kind(), EndedKind::Transport(_)));
    });
    let mut client = server.connect();
    client.send(GET);
    assert_eq!(client.response().unwrap().status, 200);
    assert_eq!((server.counters.accept_errors(), server.counters.ended()), (1, 1));
}

/// The exchange is answered with 503, and the connection goes on.
fn no_thread_for_a_handler() {
    let server = start::<CurrentThread, _, _>(handler(|exchange| exchange.respond(StatusCode::OK, "")));
    let mut client = server.connect();
    without_threads(|| {
        client.send(GET);
        assert_eq!(client.response().unwrap().status, 503);
    });
    client.send(GET);
    assert_eq!(client.response().unwrap().status, 200);
    let counters = &server.counters;
    assert_eq!((counters.overloaded(), counters.unanswered(), counters.panicked()), (1, 0, 0));
}

/// How many threads the process has.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn no_threads() {
    let before = threads();
    no_thread_for_a_handler();
    // One that ended only now would leave its stack to what must find none.
    while threads() > before {
        thread::yield_now();
    }
    no_thread_for_a_connection();
}
