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
mod cancel_http;
mod client;
mod frames;
mod handler;
mod http;
mod judge;
mod ledger;
mod parties;
mod tally;
mod web_socket;
mod wire;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use tally::Tally;

/// Runs seeds, or the one that is asked for. A seed that fails is named.
fn every_seed(usual: u64, run: impl Fn(u64, &mut Tally)) -> Tally {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seeds = match (number("SEED"), number("SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, seeds) => 0..seeds.unwrap_or(usual),
    };
    let mut tally = Tally::default();
    for seed in seeds {
        if std::env::var_os("SURVEY").is_some() { eprintln!("at {seed}"); }
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(seed, &mut tally))) {
            if std::env::var_os("SURVEY").is_some() {
                let text = panic.downcast_ref::<String>().cloned().or(panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default();
                eprintln!("SURVEY seed {seed}: {}", text.lines().take(4).collect::<Vec<_>>().join(" / "));
                continue;
            }
            eprintln!("seed {seed} failed: SEED={seed} replays it");
            resume_unwind(panic);
        }
    }
    println!("{tally}");
    tally
}

#[test]
fn a_web_socket_keeps_its_laws_in_every_world() {
    every_seed(2000, web_socket::run);
}

#[test]
fn http_keeps_its_laws_in_every_world() {
    every_seed(2000, http::run);
}
