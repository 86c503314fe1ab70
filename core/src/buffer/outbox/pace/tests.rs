//! The laws of the pace of output.

use alloc::vec;
use core::time::Duration;

use super::super::limits::PACE;
use super::*;
use crate::Bound;

fn at(seconds: u64) -> Instant {
    Instant::from_epoch(Duration::from_secs(seconds))
}

fn untold() -> Option<u64> {
    None
}

/// Polls at every deadline until a limit is met. Returns the second, and the bound.
fn ends(outbox: &mut Outbox, unacknowledged: impl Fn(u64) -> Option<u64>) -> (u64, Bound) {
    loop {
        let now = outbox.deadline().unwrap().at;
        let second = now.since_epoch().as_secs();
        if let Err(Exceeded { limit, bound }) = outbox.poll(now, || unacknowledged(second)) {
            assert_eq!(limit, Limit::WriteProgress);
            return (second, bound);
        }
    }
}

const SILENCE: Bound = Bound::Silence(Duration::from_secs(60));

fn total() -> Bound {
    Bound::Total(PACE.total.unwrap())
}

#[test]
fn a_peer_that_takes_nothing_meets_the_limit() {
    let mut outbox = Outbox::default();
    assert!(outbox.poll(at(0), untold).is_ok() && outbox.deadline().is_none());
    outbox.put(&[0; 3000]);
    assert!(outbox.poll(at(1), untold).is_ok());
    outbox.advance(1024);
    assert!(outbox.poll(at(51), untold).is_ok());
    assert_eq!(outbox.deadline().unwrap().at, at(63), "60 s and 2 s for 1,024 bytes");
    assert!(outbox.poll(at(62), untold).is_ok());
    assert_eq!(ends(&mut outbox, |_| None), (63, total()));
    outbox.advance(usize::MAX);
    assert!(outbox.poll(at(64), untold).is_ok() && outbox.deadline().is_none());
    outbox.put(b"next");
    assert!(outbox.poll(at(70), untold).is_ok());
    assert_eq!(ends(&mut outbox, |_| None), (130, SILENCE));
}

#[test]
fn a_peer_that_reads_what_the_transport_holds_is_not_silent() {
    let mut outbox = Outbox::default();
    outbox.put(&vec![0; 1 << 20]);
    outbox.advance(1 << 19);
    outbox.poll(at(0), untold).unwrap();
    // The transport takes nothing for 500 s. The peer reads 1,000 bytes a second of what the transport holds, then
    // stops.
    let left = |second: u64| Some((1 << 19) - second.min(500) * 1000);
    let (second, bound) = ends(&mut outbox, left);
    assert!((560..=620).contains(&second) && bound == SILENCE, "{second}: {bound:?}");
}

#[test]
fn a_peer_that_reads_a_byte_a_second_of_what_the_transport_holds_meets_the_limit() {
    let mut outbox = Outbox::default();
    outbox.put(&vec![0; 1 << 20]);
    outbox.advance(1 << 19);
    outbox.poll(at(0), untold).unwrap();
    assert_eq!(ends(&mut outbox, |second| Some((1 << 19) - second)), (67, total()));
}

#[test]
fn what_the_transport_takes_does_not_count_for_a_peer_that_acknowledges_nothing() {
    let mut outbox = Outbox::default();
    outbox.put(&[0; 3000]);
    outbox.poll(at(0), || unreachable!("nothing is due")).unwrap();
    for second in 1..67 {
        outbox.advance(10);
        outbox.poll(at(second), || Some(second * 10)).unwrap();
    }
    assert_eq!(ends(&mut outbox, |_| Some(660)), (68, SILENCE));
}

#[test]
fn a_peer_that_has_taken_much_may_be_silent_while_it_reads_that() {
    let mut outbox = Outbox::default();
    outbox.put(&vec![0; 3 << 20]);
    outbox.advance(2 << 20);
    outbox.poll(at(0), untold).unwrap();
    // It reads 30,000 bytes a second, and its buffer opens only when that is used up.
    outbox.poll(at(8), || Some(0)).unwrap();
    for second in 9..78 {
        outbox.poll(at(second), || Some(0)).unwrap();
    }
    outbox.advance(1 << 19);
    outbox.poll(at(79), || Some(0)).unwrap();
    // The question at the end of the 120 s for the 2 MiB finds the rest, which has a time of its own.
    assert_eq!(ends(&mut outbox, |_| Some(0)), (120 + 120, SILENCE));
}

/// What curl 7.88 does at any rate: a burst of 101 times the rate, then a pause until that is the average.
#[test]
fn a_burst_and_a_pause_of_a_hundred_seconds_are_a_steady_rate() {
    for rate in [1 << 10, 10 << 10, 30 << 10, 1 << 20] {
        let mut outbox = Outbox::new(crate::OutboxLimits { bytes: usize::MAX, ..Default::default() }.into());
        outbox.put(&vec![0; 300 * rate]);
        for burst in 0..2 {
            outbox.advance(101 * rate);
            for second in 0..101 {
                outbox.poll(at(burst * 101 + second), || Some(0)).unwrap();
            }
        }
    }
}

#[test]
fn what_only_this_machine_holds_buys_no_silence() {
    let mut outbox = Outbox::default();
    outbox.put(&vec![0; 3 << 20]);
    outbox.advance(2 << 20);
    outbox.poll(at(0), untold).unwrap();
    assert_eq!(ends(&mut outbox, |_| Some(2 << 20)), (67, SILENCE));
}

#[test]
fn what_a_peer_took_counts_from_when_it_took_it() {
    let mut outbox = Outbox::default();
    outbox.put(&vec![0; 3 << 20]);
    outbox.advance(2 << 20);
    outbox.poll(at(0), untold).unwrap();
    outbox.poll(at(8), || Some(0)).unwrap();
    outbox.advance(1 << 20);
    outbox.put(b"next");
    outbox.poll(at(1000), || Some(0)).unwrap();
    outbox.poll(at(1010), || Some(0)).unwrap();
    // It took the last MiB after the look at 1000 s.
    assert_eq!(ends(&mut outbox, |_| Some(0)), (1000 + 120, SILENCE));
}

#[test]
fn a_peer_that_takes_all_it_can_and_stops_meets_twice_the_silence() {
    let mut outbox = Outbox::default();
    outbox.put(&vec![0; 64 << 20]);
    outbox.advance(63 << 20);
    outbox.poll(at(0), untold).unwrap();
    assert_eq!(ends(&mut outbox, |_| None), (120, SILENCE));
    let mut outbox = Outbox::default();
    outbox.put(&vec![0; 64 << 20]);
    outbox.advance(63 << 20);
    outbox.poll(at(0), untold).unwrap();
    assert_eq!(ends(&mut outbox, |_| Some(0)), (120, SILENCE));
}

#[test]
fn the_acknowledged_never_shrink_and_layers_below_may_add_bytes() {
    let mut outbox = Outbox::default();
    outbox.put(&[0; 3000]);
    outbox.advance(1000);
    outbox.poll(at(0), untold).unwrap();
    let left = |second| {
        Some(if second < 10 {
            u64::MAX
        } else if second < 70 {
            1
        } else {
            900
        })
    };
    assert_eq!(ends(&mut outbox, left), (68, total()), "999 bytes in 60 s");
}

#[test]
fn the_peer_is_asked_for_only_where_it_matters() {
    let mut outbox = Outbox::default();
    outbox.put(&vec![0; 1 << 20]);
    for second in 0..7 {
        outbox.poll(at(second), || unreachable!("nothing is due")).unwrap();
        outbox.advance(1000);
    }
    outbox.poll(at(8), || Some(0)).unwrap();
    for second in 9..68 {
        outbox.poll(at(second), || unreachable!("nothing is due")).unwrap();
        outbox.advance(1000);
    }
    let mut is_asked = false;
    outbox
        .poll(at(68), || {
            is_asked = true;
            Some(0)
        })
        .unwrap();
    assert!(is_asked);
}

#[test]
fn the_pace_can_change_within_a_stall() {
    let mut outbox = Outbox::default();
    outbox.put(b"an event");
    outbox.poll(at(0), untold).unwrap();
    outbox.set_pace(Some(Pace::UNLIMITED));
    assert_eq!(outbox.deadline(), None);
    outbox.poll(at(10_000), untold).unwrap();
    outbox.set_pace(Some(Pace::silence(Duration::from_secs(5))));
    outbox.set_pace(None);
    assert_eq!(*outbox.pace(), PACE);
    outbox.set_pace(Some(Pace::silence(Duration::from_secs(5))));
    assert_eq!(ends(&mut outbox, |_| None), (5, Bound::Silence(Duration::from_secs(5))));
}

#[test]
fn what_is_on_its_way_is_waited_for_while_the_peer_takes_it() {
    let mut outbox = Outbox::default();
    outbox.put(&vec![0; 100_000]);
    assert!(outbox.is_on_its_way(at(0), || unreachable!("not written yet")));
    outbox.advance(100_000);
    // 1,000 bytes a second, which nothing but the question shows.
    for second in (0..100).step_by(5) {
        assert!(outbox.is_on_its_way(at(second), || Some(100_000 - second * 1000)));
    }
    assert!(!outbox.is_on_its_way(at(100), || Some(0)));
    // It stops.
    outbox.put(&[0; 1000]);
    outbox.advance(1000);
    for second in (200..260).step_by(5) {
        assert!(outbox.is_on_its_way(at(second), || Some(10)));
    }
    assert!(!outbox.is_on_its_way(at(260), || Some(10)));
    // A byte now and then.
    let mut outbox = Outbox::default();
    outbox.put(&[0; 1000]);
    outbox.advance(1000);
    let takes = |second| move || Some(1000 - second / 30);
    let end = (0..1000).step_by(30).find(|second| !outbox.is_on_its_way(at(*second), takes(*second)));
    assert_eq!(end, Some(60));
    // The system cannot tell.
    assert!(!outbox.is_on_its_way(at(0), untold));
}

#[test]
fn what_is_on_its_way_is_judged_only_when_that_is_asked() {
    let mut outbox = Outbox::default();
    outbox.put(&[0; 1000]);
    outbox.advance(1000);
    assert!(outbox.is_on_its_way(at(0), || Some(1000)));
    assert_eq!(outbox.deadline(), None);
    assert!(outbox.is_on_its_way(at(59), || Some(1000)));
    // What is queued behind it has a time of its own.
    outbox.put(&[0; 1000]);
    assert_eq!(outbox.deadline(), None);
    outbox.poll(at(100), || Some(1000)).unwrap();
    assert_eq!(ends(&mut outbox, |_| None), (160, SILENCE));
}

#[test]
fn what_is_on_its_way_has_the_pace_that_was_set() {
    let mut outbox = Outbox::default();
    outbox.set_pace(Some(Pace::silence(Duration::from_secs(5))));
    outbox.put(&[0; 1000]);
    outbox.advance(1000);
    assert!(outbox.is_on_its_way(at(0), || Some(1000)));
    assert!(outbox.is_on_its_way(at(4), || Some(1000)));
    assert!(!outbox.is_on_its_way(at(5), || Some(1000)));
}
