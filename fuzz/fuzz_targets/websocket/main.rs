//! A WebSocket of either role under any bytes, any splits, any times and any application.
//!
//! The input is two lines of plan and then the stream, so that seeds are written by hand:
//!
//! ```text
//! c.?/eep       `c` a client, else a server; `.` small limits; `?` silence at the end, `h` after our Close the
//!               application receives on, `a` it leaves messages unread, `p` messages in pieces, `~` a driver that ignores the high-water mark,
//!               `d` messages may be compressed, `D` each by itself; then `/` and a letter per message
//! !9            how many bytes come at once, and how long each wait is
//! \x81\x85...   frames
//! ```
//!
//! - whole, and in pieces, asked twice for each event, no time passes: the same events and the same output;
//! - in pieces, time passes, and the transport may be slow: it ends, and by a limit only after its time. If messages are
//!   left unread, the driver answers what lies behind them.
//!
//! What is written is read by an independent reader in every run.
#![no_main]

mod drive;
mod frames;
mod plan;
mod socket;

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
