//! Pings are spread over a fifth of their interval, by every bit of the jitter.
#![allow(clippy::unwrap_used, clippy::std_instead_of_core, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use bytes::Bytes;
use endwell_core::ws::Socket;
use endwell_core::ws::{Jitter, Role, SocketLimits};
use endwell_core::{Instant, Limit, OutboxLimits};
use endwell_core_tests::io::waits;
use proptest::prelude::{ProptestConfig, any, proptest};
use proptest::test_runner::RngSeed;

/// When the first ping of a connection is due, after it was silent from its beginning.
fn first_ping(interval: Duration, jitter: u32) -> Duration {
    let mut limits = SocketLimits::default();
    limits.ping_interval = Some(interval);
    let (limits, output) = (limits.into(), OutboxLimits::default());
    let mut socket = Socket::from_parts(Role::Server, Bytes::new(), limits, output, Jitter(jitter), None);
    let deadline = waits(socket.io(), 0).unwrap();
    assert_eq!(deadline.reason, Limit::PingInterval);
    deadline.at.saturating_since(Instant::from_epoch(Duration::ZERO))
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

    /// The distance between two pings is in proportion to that of their jitters: so they are spread as evenly as these.
    #[test]
    fn every_bit_of_a_jitter_counts(
        (seconds, nanos) in (1..1_000_000u64, 0..1_000_000_000u32),
        (one, other) in (any::<u32>(), any::<u32>()),
        low in 1..65_536u32,
    ) {
        let interval = Duration::new(seconds, nanos);
        for other in [other, one ^ low] {
            let (less, more) = (one.min(other), one.max(other));
            let (first, second) = (first_ping(interval, less), first_ping(interval, more));
            let tenth = interval / 10;
            assert!(first + tenth >= interval && second < interval + tenth + Duration::from_nanos(2));
            let spread = (interval / 5).as_nanos();
            let due = (spread * u128::from(more - less)) >> 32;
            assert!(second.abs_diff(first).as_nanos().abs_diff(due) <= 1, "{first:?} and {second:?}");
            assert!(due < 2 || first < second);
        }
    }
}
