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
//! | `s` `a` | POST whose body falls short, or is aborted |
//! | `t` `w` | a tunnel, a WebSocket |
//!
//! Each head stands in the stream where the last message ended: no byte of one response is in another. The first
//! exchange is the same whole, by copy, and in pieces, through a lent buffer: the same events, verdict and output. Where
//! time passes, whatever is open has a deadline, and the machine ends.
#![no_main]

mod drive;
mod plan;

use drive::run;
use endwell_fuzz::Arrival;
use libfuzzer_sys::fuzz_target;
use plan::Plan;

fuzz_target!(|input: &[u8]| {
    let plan = Plan::of(input);
    let whole = run(&plan, Arrival::Whole);
    assert_eq!(whole, run(&plan, Arrival::Pieces), "whole and in pieces: what was understood differs");
    run(&plan, Arrival::Timed);
});
