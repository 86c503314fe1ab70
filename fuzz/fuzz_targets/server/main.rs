//! A server's connection under any bytes, any splits, any times and any handler.
//!
//! The input is two lines of plan and then the stream, so that seeds are written by hand:
//!
//! ```text
//! .?bre         `.` small limits, `:` the least inbox, `?` silence at the end; then a handler per request
//! !9            how many bytes come at once, and how long each wait is
//! GET / HTTP/1.1 ...
//! ```
//!
//! Three runs must agree with each other or with themselves:
//!
//! - whole, no time passes;
//! - in pieces, through a lent buffer, no time passes: the same requests, bodies, verdicts and output bytes;
//! - in pieces, time passes: whatever is open has a deadline, and the machine ends.
//!
//! And in each of them, a second reader that shares nothing with the library says where each request begins and ends and
//! what its content is; it refuses what is refused for its framing; and it finds one whole response for each request in
//! what was written. A target is what stands in the stream, byte for byte, and nothing that could split a request line.
#![no_main]

mod answers;
mod drive;
mod plan;
mod target;

use drive::run;
use endwell_fuzz::Arrival;
use libfuzzer_sys::fuzz_target;
use plan::Plan;

fuzz_target!(|input: &[u8]| {
    let plan = Plan::of(input);
    let whole = run(&plan, Arrival::Whole);
    let pieces = run(&plan, Arrival::Pieces);
    assert_eq!(whole.log, pieces.log, "whole and in pieces: what was understood differs");
    assert_eq!(
        whole.written.escape_ascii().to_string(),
        pieces.written.escape_ascii().to_string(),
        "whole and in pieces: what was written differs"
    );
    run(&plan, Arrival::Timed);
});
