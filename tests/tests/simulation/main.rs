//! The whole adapter in a world of one thread, one clock and one source of chance: what a seed does, it does again.
//!
//! `SEED=n cargo test -p endwell-tests --test simulation` replays one seed and tells what happens in it; `SEEDS=n` runs so
//! many. The tables are shown by `-- --nocapture`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on has failed"
)]

mod cancel;
mod cancel_client;
mod cancel_http;
mod client;
mod frames;
mod handler;
mod http;
mod judge;
mod ledger;
mod parties;
mod tally;
mod watchdog;
mod web_socket;
mod wire;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use tally::Tally;
use watchdog::{PATIENCE, Watchdog};

/// Runs the seeds that are always run and the usual ones, or the one that is asked for. A seed that fails is named, and
/// so is one that hangs.
fn every_seed(always: &[u64], run: impl Fn(u64, &mut Tally)) -> Tally {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seeds = match (number("SEED"), number("SEEDS")) {
        (Some(seed), _) => vec![seed],
        (None, seeds) => always.iter().copied().chain(0..seeds.unwrap_or(USUAL)).collect(),
    };
    let mut tally = Tally::default();
    let watchdog = Watchdog::new(PATIENCE);
    for seed in seeds {
        watchdog.seed(seed);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(seed, &mut tally))) {
            eprintln!("seed {seed} failed: SEED={seed} replays it");
            resume_unwind(panic);
        }
    }
    println!("{tally}");
    tally
}

/// Every fault and every end was met often, so none of them is out of the simulation's reach.
fn reaches(tally: &Tally, faults: &[&str], ends: &[&str]) {
    if tally.seeds() < USUAL {
        return;
    }
    for fault in faults {
        assert!(tally.faults(fault) >= 10, "{fault}");
    }
    for end in ends {
        assert!(tally.ends(end) >= 10, "{end}");
    }
}

/// Seeds, unless more or fewer are asked for.
const USUAL: u64 = 2000;

/// Seeds of the WebSocket's worlds that have failed once.
const REGRESSIONS: [u64; 1] = [2247];

const FAULTS: [&str; 10] = [
    "cut with end of stream",
    "cut with reset",
    "future dropped",
    "output held back",
    "poll without a wake-up",
    "split read",
    "split write",
    "stall, then a smaller window",
    "turn used up",
    "waker replaced",
];

#[test]
fn a_web_socket_keeps_its_laws_in_every_world() {
    let tally = every_seed(&REGRESSIONS, web_socket::run);
    reaches(
        &tally,
        &FAULTS,
        &["closed, first: Ours", "closed, first: Theirs", "limit: CloseTime", "transport"],
    );
    reaches(&tally, &["driver dropped", "message left unfinished", "receiving half dropped"], &[]);
}

#[test]
fn http_keeps_its_laws_in_every_world() {
    let tally = every_seed(&[], http::run);
    reaches(
        &tally,
        &FAULTS,
        &["Aborted", "Announced", "ByPeer", "Shutdown", "Unanswered", "limit: IdleTime"],
    );
    reaches(&tally, &["error of accept", "handler panics", "shutdown"], &["transport"]);
}
