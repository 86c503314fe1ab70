//! The whole adapter in a world of one thread, one clock and one source of chance: what a seed does, it does again.
//!
//! `SEED=n cargo test -p endwell-tests --test simulation` replays one seed and tells what happens in it; `SEEDS=n` runs so
//! many, and `FROM=n` begins with that one. The tables are shown by `-- --nocapture`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on has failed"
)]

#[path = "../help/aborted.rs"]
mod aborted;
mod cancel;
mod cancel_client;
mod cancel_http;
mod client;
mod frames;
mod handler;
mod http;
mod judge;
mod leaving;
mod ledger;
mod pace;
mod parties;
mod regressions;
mod slow;
mod tally;
mod watchdog;
mod web_socket;
mod wire;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use tally::Tally;
use watchdog::{PATIENCE, Watchdog};

/// Runs the seeds that are always run and the usual ones, or those that are asked for. A seed that fails is named, and so
/// is one that hangs.
fn every_seed(always: &[u64], run: impl Fn(u64, &mut Tally)) -> Tally {
    seeds(always, USUAL, run)
}

/// The same, where so many seeds are the usual ones.
fn seeds(always: &[u64], usual: u64, run: impl Fn(u64, &mut Tally)) -> Tally {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seeds = match (number("SEED"), number("SEEDS")) {
        (Some(seed), _) => vec![seed],
        (None, seeds) => {
            let from = number("FROM").unwrap_or(0);
            always.iter().copied().chain(from..from + seeds.unwrap_or(usual)).collect()
        }
    };
    let mut tally = Tally::default();
    let watchdog = Watchdog::new(PATIENCE);
    let mut failed = Vec::new();
    for seed in seeds {
        watchdog.seed(seed);
        if catch_unwind(AssertUnwindSafe(|| run(seed, &mut tally))).is_err() {
            eprintln!("seed {seed} failed: SEED={seed} replays it");
            failed.push(seed);
            if failed.len() == MOST_FAILED {
                break;
            }
        }
    }
    println!("{tally}");
    assert!(failed.is_empty(), "these seeds failed: {failed:?}");
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

/// After so many that failed no further seed is run.
const MOST_FAILED: usize = 10;

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
    let tally = every_seed(&regressions::WEB_SOCKET, web_socket::run);
    reaches(
        &tally,
        &FAULTS,
        &["closed, first: Ours", "closed, first: Theirs", "limit: CloseTime", "transport"],
    );
    reaches(
        &tally,
        &["driven by its user", "driver dropped", "message left unfinished", "receiving half dropped"],
        &[],
    );
}

#[test]
fn http_keeps_its_laws_in_every_world() {
    let tally = every_seed(&regressions::HTTP, http::run);
    reaches(
        &tally,
        &FAULTS,
        &["Aborted", "Announced", "ByPeer", "Shutdown", "Unanswered", "limit: IdleTime"],
    );
    reaches(&tally, &["error of accept", "handler panics", "shutdown"], &["transport"]);
}

#[test]
fn a_peer_that_is_slow_and_never_pauses_gets_everything() {
    seeds(&[], 100, slow::run);
}

#[test]
fn no_slot_is_taken_for_long_by_a_peer_that_is_not_there() {
    let tally = every_seed(&regressions::LEAVING, leaving::run);
    reaches(&tally, &wire::Leaving::ALL.map(wire::Leaving::name), &leaving::paths());
}
