//! The transport's side of a state, driven by hand: what arrives, what is taken, and when.

use core::convert::Infallible;
use core::time::Duration;
use endwell_core::{Arrived, Deadline, Instant, Io, Look, Wrote};

/// So many milliseconds after the beginning.
pub fn at(millis: u64) -> Instant {
    Instant::from_epoch(Duration::from_millis(millis))
}

/// Bytes arrive at the beginning. Says how many there was room for.
pub fn feed(io: Io<'_>, bytes: &[u8]) -> usize {
    feed_at(io, 0, bytes)
}

/// Bytes arrive. Says how many there was room for.
pub fn feed_at(mut io: Io<'_>, millis: u64, bytes: &[u8]) -> usize {
    let mut taken = 0;
    while taken < bytes.len() {
        let Ok(arrived) = io.read(at(millis), |room| {
            let len = room.len().min(bytes.len() - taken);
            room[..len].copy_from_slice(&bytes[taken..taken + len]);
            taken += len;
            Ok::<_, Infallible>(Look::Bytes(len))
        });
        if arrived != Arrived::Something {
            break;
        }
    }
    taken
}

/// The peer ends its stream.
pub fn end(io: Io<'_>) {
    end_at(io, 0);
}

/// The peer ends its stream.
pub fn end_at(mut io: Io<'_>, millis: u64) {
    let Ok(arrived) = io.read(at(millis), |_| Ok::<_, Infallible>(Look::End));
    assert_eq!(arrived, Arrived::Something);
}

/// The stream breaks off.
pub fn cut(mut io: Io<'_>) {
    let Ok(arrived) = io.read(at(0), |_| Ok::<_, Infallible>(Look::Cut));
    assert_eq!(arrived, Arrived::Cut);
}

/// A read finds nothing.
pub fn look(mut io: Io<'_>, millis: u64) -> Arrived {
    let Ok(arrived) = io.read(at(millis), |_| Ok::<_, Infallible>(Look::Nothing));
    arrived
}

/// A read finds nothing, and there is nothing to tell: until when to wait.
pub fn waits(io: Io<'_>, millis: u64) -> Option<Deadline> {
    match look(io, millis) {
        Arrived::Nothing(deadline) => deadline,
        other => panic!("at {millis}: {other:?}"),
    }
}

/// A read finds nothing, while the application does something else than to wait for the peer.
pub fn ahead(mut io: Io<'_>, millis: u64) -> Arrived {
    let Ok(arrived) = io.read_ahead(at(millis), |_| Ok::<_, Infallible>(Look::Nothing));
    arrived
}

/// The application does something else than to wait for the peer.
pub fn pause(io: Io<'_>, millis: u64) {
    let arrived = ahead(io, millis);
    assert!(arrived != Arrived::Cut, "{arrived:?}");
}

/// All that is queued is taken.
pub fn written(io: Io<'_>) -> Vec<u8> {
    written_at(io, 0)
}

/// All that is queued is taken.
pub fn written_at(io: Io<'_>, millis: u64) -> Vec<u8> {
    let mut all = Vec::new();
    takes(io, millis, usize::MAX, |chunk| all.extend_from_slice(chunk));
    all
}

/// Up to `max` bytes of what is queued are taken, and nobody looks at them. Says how many.
pub fn take(io: Io<'_>, max: usize) -> usize {
    let mut taken = 0;
    takes(io, 0, max, |chunk| taken += chunk.len());
    taken
}

fn takes(mut io: Io<'_>, millis: u64, max: usize, mut look: impl FnMut(&[u8])) {
    let mut left = max;
    loop {
        let Ok(wrote) = io.write(at(millis), |chunks| {
            let before = left;
            for chunk in chunks {
                let chunk = &chunk[..chunk.len().min(left)];
                look(chunk);
                left -= chunk.len();
            }
            Ok::<_, Infallible>(Some(before - left))
        });
        if wrote != Wrote::Something {
            break;
        }
    }
}
