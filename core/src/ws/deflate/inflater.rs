//! Decompresses a message in steps. RFC 7692 7.2.2.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use zlib_rs::{Inflate, InflateFlush, Status};

use super::pool::Owner;
use super::work;
use crate::{Violation, convert};

/// Decompresses one message: takes compressed bytes and returns the decompressed bytes block by block, so that the
/// caller can stop.
pub(super) struct Inflater {
    stream: Inflate,
    input: Vec<u8>,
    /// The length of the input that is decompressed.
    done: usize,
    block: Vec<u8>,
    next: Next,
    /// Compressed bytes that were decompressed since the last query.
    inflated: u64,
}

/// What the next step does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Continues after the last message of this connection, whose window is still in the stream.
    GoOn(Owner),
    /// Begins a stream with the data that the message may refer to.
    Begin,
    /// Begins a stream within a message: the last step met the end of a final block.
    Restart,
    /// Needs input.
    Input,
    /// May have more output without further input: the last step filled its block.
    Output,
    /// Fails: the data after the last output is malformed.
    Fail,
}

/// The data that a stream may refer to, in order and in two parts.
pub(super) type Window<'a> = [&'a [u8]; 2];

/// The largest output of one step in bytes.
pub(super) const BLOCK: usize = 16 << 10;

/// The compressed bytes that are taken at a time.
const INPUT: usize = 4096;

/// The memory of an inflater, as the allocator counts it: zlib-rs's state with a window of 32 KiB, and the buffers
/// above.
pub(super) const HELD: usize = (48 << 10) + BLOCK + INPUT;

/// The bytes that the sender cut off (RFC 7692 7.2.2), and one more, which is not read if a block ends before it.
const TAIL: &[u8] = &[0, 0, 0xff, 0xff, 0];

/// An empty block that is not final.
const EMPTY: &[u8] = &[0, 0, 0, 0xff, 0xff];

impl Inflater {
    pub(super) fn new() -> Self {
        // The largest window accepts data that was compressed with any window.
        let stream = Inflate::new(false, 15);
        // One byte more, for the byte that a new stream waits with.
        let input = Vec::with_capacity(INPUT + 1);
        Self { stream, input, done: 0, block: vec![0; BLOCK], next: Next::Begin, inflated: 0 }
    }

    /// True if the stream still has the window of this connection.
    pub(super) fn belongs_to(&self, owner: Owner) -> bool {
        self.next == Next::GoOn(owner)
    }

    /// Begins a message of a connection whose window the stream may still have.
    pub(super) fn begin(&mut self, owner: Option<Owner>) {
        self.input.clear();
        self.done = 0;
        self.inflated = 0;
        if owner.is_none_or(|owner| !self.belongs_to(owner)) {
            self.next = Next::Begin;
        }
    }

    /// True if all input is decompressed and was returned.
    ///
    /// The first byte of a new stream waits for the second: no block is that short, and a message that ends with one
    /// byte ends with the header of an empty block.
    pub(super) fn is_idle(&self) -> bool {
        match self.next {
            Next::GoOn(_) | Next::Begin | Next::Restart => self.rest().len() < 2,
            Next::Input => self.rest().is_empty(),
            Next::Output | Next::Fail => false,
        }
    }

    /// True if the next step begins another stream within the message, and so loads the window.
    pub(super) fn restarts(&self) -> bool {
        self.next == Next::Restart
    }

    /// The compressed bytes that can be taken once this is idle.
    pub(super) const fn room() -> usize {
        INPUT
    }

    /// Takes compressed bytes. Call it only when idle.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.input.drain(..self.done);
        self.input.extend_from_slice(bytes);
        self.done = 0;
    }

    /// Returns the compressed bytes that were decompressed since the last call.
    pub(super) fn take_inflated(&mut self) -> u64 {
        core::mem::take(&mut self.inflated)
    }

    /// Decompresses up to a block of the input. `window` is the data that a new stream may refer to.
    pub(super) fn step(&mut self, window: Window<'_>) -> Result<&[u8], Violation> {
        match self.next {
            Next::GoOn(_) | Next::Input | Next::Output => {}
            Next::Begin | Next::Restart => self.load(window),
            Next::Fail => return Err(not_deflate()),
        }
        let input = self.input.get(self.done..).unwrap_or_default();
        let left = input.len();
        let Run { status, taken, given } =
            run(&mut self.stream, input, &mut self.block, InflateFlush::NoFlush);
        self.next = match status {
            Some(Status::StreamEnd) => Next::Restart,
            Some(Status::Ok | Status::BufError) if given == self.block.len() => Next::Output,
            Some(Status::Ok | Status::BufError) if taken == left => Next::Input,
            // The output before it is judged first, so that no split of the bytes changes the verdict.
            Some(Status::Ok | Status::BufError) | None => Next::Fail,
        };
        self.done += taken;
        self.inflated += convert::u64_from(taken);
        work::inflated(given);
        Ok(self.block.get(..given).unwrap_or_default())
    }

    /// Ends a message that has arrived and was returned completely. Checks that it does not end within a block. RFC
    /// 7692 7.2.2. Its remaining window belongs to `owner`.
    ///
    /// Beyond the RFC, this accepts a message from which no tail was cut off: its last block is final, or its last
    /// frame is empty, as some peers end a message in pieces.
    pub(super) fn end(&mut self, owner: Option<Owner>) -> Result<(), Violation> {
        match self.next {
            Next::GoOn(_) | Next::Begin | Next::Restart => match self.rest() {
                [] => return Ok(()),
                // The header of an empty block, final or not. 7.2.3.4 and 7.2.3.6.
                [header] if header & 0b110 == 0 => return Ok(()),
                _ => return Err(not_deflate()),
            },
            Next::Input => {}
            Next::Output | Next::Fail => return Err(not_deflate()),
        }
        // The stream stops where a block ends.
        let tail = run(&mut self.stream, TAIL, &mut self.block, InflateFlush::Block);
        let (ends, goes_on) = match (tail.status, tail.taken, tail.given) {
            (Some(Status::Ok), 4, 0) => {
                // Bits that remain of the last byte, all ones, would begin a final block.
                let next = run(&mut self.stream, EMPTY, &mut self.block, InflateFlush::NoFlush);
                match (next.status, next.taken, next.given) {
                    (Some(Status::Ok), 5, 0) => (true, true),
                    // The block whose end was cut off is a final one.
                    (Some(Status::StreamEnd), 0, 0) => (true, false),
                    _ => (false, false),
                }
            }
            // If no tail was cut off, this begins a block of stored bytes.
            (Some(Status::Ok), 5, 0) => {
                let stored = run(&mut self.stream, EMPTY, &mut self.block, InflateFlush::NoFlush);
                (self.block.get(..stored.given) == Some(EMPTY), false)
            }
            _ => (false, false),
        };
        self.next = match owner {
            Some(owner) if goes_on => Next::GoOn(owner),
            Some(_) | None => Next::Begin,
        };
        if ends { Ok(()) } else { Err(not_deflate()) }
    }

    fn rest(&self) -> &[u8] {
        self.input.get(self.done..).unwrap_or_default()
    }

    /// Begins a stream.
    fn load(&mut self, window: Window<'_>) {
        self.stream.reset(false);
        for part in window {
            if !part.is_empty() {
                // A stream without a header accepts a dictionary at any time.
                let _ = self.stream.set_dictionary(part);
            }
        }
        work::loaded(window);
    }
}

/// The result of one run of the stream.
struct Run {
    /// `None`: the data is malformed.
    status: Option<Status>,
    taken: usize,
    given: usize,
}

fn run(stream: &mut Inflate, input: &[u8], output: &mut [u8], flush: InflateFlush) -> Run {
    let before = (stream.total_in(), stream.total_out());
    let status = stream.decompress(input, output, flush).ok();
    let taken = convert::usize_from(stream.total_in() - before.0);
    let given = convert::usize_from(stream.total_out() - before.1);
    Run { status, taken, given }
}

/// The data is not shown: how much of it is available depends on how it was split.
#[cold]
fn not_deflate() -> Violation {
    Violation::new("compressed data that is whole and well-formed", &[], "RFC 7692 7.2.2")
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater").finish_non_exhaustive()
    }
}
