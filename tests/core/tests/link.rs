//! A client and a server at the two ends of a bad link: every connection ends well.

use core::time::Duration;
use endwell_core_tests::link::{self, Outcome};
use endwell_core_tests::record::{End, Record};
use std::collections::BTreeMap;

const WORLDS: u64 = 4000;

/// Whole responses, or a cut that shows.
fn check(seed: u64, outcome: &Outcome) {
    let Outcome { end, records, heard, read_all, took } = outcome;
    // Six requests: each at most idle for 75 s, 10 s in its head, and 3 KiB of body and 20 KiB of answer at the
    // Six requests: each at most idle for 75 s, 10 s in its head, 30 s and 7 s for 3 KiB of body, and 60 s and 41 s for 20 KiB
    // of answer.
    assert!(*took < Duration::from_secs(6 * 223), "seed {seed} took {took:?}");
    let cut = records.contains(&Record::Aborted);
    for (index, response) in heard.responses.iter().enumerate() {
        let last = index + 1 == heard.responses.len();
        let whole = response.whole || (response.until_close && *end == Some(End::Lingered));
        let may_be_cut = last && (!read_all || cut || response.until_close);
        assert!(whole || may_be_cut, "seed {seed}: {response:?} {records:?}");
    }
    let answers = records.iter().filter(|r| matches!(r, Record::Answered(_) | Record::Refused(..))).count();
    let expected = answers + usize::from(cut);
    if *read_all {
        assert_eq!(heard.responses.len(), expected, "seed {seed}: {records:?}");
        let unannounced = cut || records.contains(&Record::DrainFailed);
        if matches!(end, Some(End::Lingered | End::LingeredOut)) {
            assert!(heard.announced_close() || unannounced, "seed {seed}: {records:?}");
        }
    } else {
        assert!(heard.responses.len() <= expected, "seed {seed}: {records:?}");
    }
}

#[test]
fn every_world_ends_in_time_in_a_named_way_with_whole_responses_or_a_cut_that_shows() {
    let mut ends: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..WORLDS {
        let outcome = link::run(seed);
        check(seed, &outcome);
        *ends.entry(format!("{:?}", outcome.end)).or_default() += 1;
    }
    // Every end there is was met often, so none of them is out of the simulation's reach.
    let expected = [
        "None",
        "Some(ByPeer)",
        "Some(Lingered)",
        "Some(LingeredOut)",
        "Some(Reset)",
        "Some(Silent(IdleTime))",
    ];
    for end in expected.into_iter().chain(["Some(Stalled)"]) {
        assert!(ends.get(end).copied().unwrap_or_default() >= 10, "{end}: {ends:?}");
    }
}
