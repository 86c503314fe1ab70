//! Does one thing of the core many times, in process, for `./count` to count its instructions.
//!
//! Only what runs within [`counted`] counts, and of that only the code of this program: not the allocator and not the
//! copies, which are the C library's.

mod http;
mod ws;

use std::convert::Infallible;

use bytes::BytesMut;
use endwell_core::{Arrived, Instant, Io, Look, Wrote};

/// A name, and what does its work a number of times. Returns how often it did.
type Case = (&'static str, fn(usize) -> usize);

/// How often a case does its work.
const TIMES: usize = 512;

/// Bytes that one read takes.
const READ: usize = 64 << 10;

fn main() {
    let cases = || http::CASES.iter().chain(ws::CASES);
    let Some(name) = std::env::args().nth(1) else {
        for (name, _) in cases() {
            println!("{name}");
        }
        return;
    };
    let (_, case) = cases().find(|(case, _)| *case == name).expect("a case from the list");
    // The first time sets up what is made once in a process.
    case(1);
    let done = counted(|| case(TIMES));
    println!("{done} times");
}

/// The script counts from here to the return.
#[inline(never)]
fn counted<R>(work: impl FnOnce() -> R) -> R {
    work()
}

/// What a driver does for one read: lends its buffer, and the kernel copies into it.
fn read(mut io: Io<'_>, segment: &[u8], scratch: &mut Option<BytesMut>) {
    io.lend(scratch.take().unwrap_or_else(|| BytesMut::zeroed(2 * READ))).expect("nothing is held");
    let arrived = io.read(Instant::default(), |room| {
        room[..segment.len()].copy_from_slice(segment);
        Ok::<_, Infallible>(Look::Bytes(segment.len()))
    });
    assert_eq!(arrived, Ok(Arrived::Something));
}

/// Writes all that is queued, to a transport that takes it.
fn write(mut io: Io<'_>) {
    let queued = io.queued();
    let wrote = io.write(Instant::default(), |chunks| {
        std::hint::black_box(chunks.next());
        Ok::<_, Infallible>(Some(queued))
    });
    assert_eq!(wrote, Ok(Wrote::Something));
}
