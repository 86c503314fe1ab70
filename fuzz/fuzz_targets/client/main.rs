//! A client's connection under any bytes, any splits, any times and any requests.
//!
//! The input is two lines of plan and then the stream, so that seeds are written by hand:
//!
//! ```text
//! .?gph         `.` small limits, `?` silence at the end; then a letter per request
//! !9            how many bytes come at once, and how long each wait is
//! HTTP/1.1 200 OK ...
//! ```
//!
//! | letter | request |
//! |---|---|
//! | `g` `h` `l` | GET, HEAD, a GET that announces the close |
//! | `p` `k` `c` | POST: at hand, with a length in pieces, in chunks |
//! | `e` `f` | POST that expects 100, with a length or in chunks |
//! | `s` `a` | POST whose body falls short, and is aborted once the head of its response has come |
//! | `t` `w` `u` | a tunnel, a WebSocket, another protocol |
//!
//! The first exchange is the same whole and in pieces, through a lent buffer: the same events, verdict and output. Where
//! time passes, whatever is open has a deadline, and the machine ends. All of this holds for either way to read responses,
//! and whatever a strict reader takes, an ordinary one reads alike.
//!
//! A second reader that shares nothing with the library says where each response begins and ends, what its content is,
//! and whether a request can follow: no byte of one response is in another. It refuses what is refused for its framing,
//! and it finds the requests in what was written.
#![no_main]

mod drive;
mod plan;
mod sending;

use drive::{Heard, run};
use endwell_core::http::Reading;
use endwell_fuzz::Arrival;
use libfuzzer_sys::fuzz_target;
use plan::Plan;

fuzz_target!(|input: &[u8]| {
    let [strict, ordinary] = [Reading::Strict, Reading::Ordinary].map(|reading| heard(input, reading));
    match &strict.failed {
        None => assert_eq!(strict, ordinary, "what a strict reader takes is read otherwise"),
        Some(content) => {
            let (_, before) = strict.log.split_last().expect("a failure is logged");
            assert!(ordinary.log.starts_with(before), "{strict:?}, {ordinary:?}");
            assert!(ordinary.content.starts_with(content), "{strict:?}, {ordinary:?}");
            assert!(ordinary.written.starts_with(&strict.written), "{strict:?}, {ordinary:?}");
        }
    }
});

/// What is understood of the first exchange, however its bytes arrive.
fn heard(input: &[u8], reading: Reading) -> Heard {
    let plan = Plan::of(input, reading);
    let whole = run(&plan, Arrival::Whole);
    assert_eq!(whole, run(&plan, Arrival::Pieces), "whole and in pieces: what was understood differs");
    run(&plan, Arrival::Timed);
    whole
}
