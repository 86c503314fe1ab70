//! The numbers of a cluster, each with its reason.

use std::time::Duration;

/// The most bytes of a message. Default 256 KiB: a quarter of what NATS takes by default, so that a ring of 1 MiB keeps at
/// least the last four.
pub(super) const MESSAGE_BYTES: usize = 256 * 1024;

/// The most messages that are kept for those that missed them: 4,096, four seconds of a thousand a second.
pub(super) const KEPT: usize = 4096;

/// The most bytes of those: 1 MiB.
pub(super) const KEPT_BYTES: usize = 1024 * 1024;

/// How long those are kept: 60 s. A bus starts again well within that, and what is older is no news.
pub(super) const KEPT_FOR: Duration = Duration::from_secs(60);

/// What a kept message costs beside its payload and its subject.
pub(super) const KEPT_COST: usize = 128;

/// The most bytes of one origin that are held back behind a gap: 1 MiB, what its ring could send again.
pub(super) const HELD_BYTES: usize = KEPT_BYTES;

/// The time after which an origin is asked again for what is missing: 250 ms, some hundred round trips.
pub(super) const ASK_EVERY: Duration = Duration::from_millis(250);

/// How often it is asked before what is missing is lost: 4 times, so later messages are held for 1 s.
pub(super) const ASKS: u32 = 4;

/// An origin that was not heard for this long is not asked: 1.5 s, a lease and a half. It may be cut, and answers later.
pub(super) const QUIET: Duration = Duration::from_millis(1500);

/// Every node says this often that it lives: 1 s.
pub(super) const LEASE_EVERY: Duration = Duration::from_secs(1);

/// A node that was not heard for this long is dead: 3.5 s, so that three leases may be lost or late, and all know it within
/// 4 s.
pub(super) const DEAD_AFTER: Duration = Duration::from_millis(3500);

/// A node that did not hear its own lease for this long is deaf: 2 s. It must be less than [`DEAD_AFTER`] by more than a
/// lease, so that a deaf node knows it before it takes the others for dead.
pub(super) const DEAF_AFTER: Duration = Duration::from_secs(2);

/// A view is fresh at the earliest this long after the node began to hear: 1.5 s. By then each living node has said so.
pub(super) const SETTLED_AFTER: Duration = Duration::from_millis(1500);

/// The time between the barriers of a connection that does not hear yet: 250 ms.
pub(super) const BARRIER_EVERY: Duration = Duration::from_millis(250);

/// Changes of members are collected for this long: 20 ms, at most 50 messages a second for any number of them.
pub(super) const CHANGES_EVERY: Duration = Duration::from_millis(20);

/// The bytes at which they are sent at once, and the most of a piece of a snapshot, but for one member that has more:
/// 256 KiB, as a message.
pub(super) const CHUNK_BYTES: usize = MESSAGE_BYTES;

/// The most pieces of a snapshot: 4,096, a GiB.
pub(super) const CHUNKS: usize = 4096;

/// The most lists of changes that wait for a bus that takes no more, or for an earlier one: 256. With more, a snapshot
/// costs less.
pub(super) const CHANGES: usize = 256;

/// The time after which a snapshot is asked for again: 500 ms.
pub(super) const SNAPSHOT_EVERY: Duration = Duration::from_millis(500);

/// A message that was sent again is not sent again for another node within 100 ms: both hear it.
pub(super) const AGAIN_EVERY: Duration = Duration::from_millis(100);

/// The most nodes that are remembered, the living and the dead: 1,024. What is kept of a dead one is the number of its last
/// message, so that it may come back.
pub(super) const NODES: usize = 1024;
