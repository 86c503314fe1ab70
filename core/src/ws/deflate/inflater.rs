//! Inflating a message in steps. RFC 7692 7.2.2.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use zlib_rs::{Inflate, InflateFlush, Status};

use super::history::History;
use crate::{Violation, convert};

/// Inflates one message: takes compressed bytes and gives out what they say a block at a time, so that whoever holds the
/// result can stop.
pub(super) struct Inflater {
    stream: Inflate,
    input: Vec<u8>,
    /// How much of the input is inflated.
    done: usize,
    block: Vec<u8>,
    next: Next,
}

/// What the next step does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// It needs input.
    Input,
    /// The last one has filled its block: more may come without further input.
    Output,
    /// The last one has met the end of a final block: what is behind it is another stream.
    Restart,
    /// Nothing: the data is broken behind what was given out.
    Fail,
}

/// Bytes that one step gives out at the most.
pub(super) const BLOCK: usize = 16 << 10;

/// Compressed bytes that are taken at a time.
const INPUT: usize = 4096;

/// What an inflater takes, as the allocator counts it: zlib-rs's state with a window of 32 KiB, and the buffers above.
pub(super) const HELD: usize = (48 << 10) + BLOCK + INPUT;

/// What the sender has cut off (RFC 7692 7.2.2), and behind it two empty blocks, of which the second is the final one. In two
/// parts, of which the first says nothing.
const TAIL: [&[u8]; 2] = [&[0, 0, 0xff, 0xff, 0], &[0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff]];

impl Inflater {
    pub(super) fn new() -> Self {
        // With the largest window it takes what was compressed with any.
        let stream = Inflate::new(false, 15);
        Self { stream, input: Vec::with_capacity(INPUT), done: 0, block: vec![0; BLOCK], next: Next::Input }
    }

    /// A message begins, which may refer to `history`.
    pub(super) fn begin(&mut self, history: Option<&History>) {
        self.input.clear();
        self.done = 0;
        self.restart(history);
    }

    /// True if all that was taken is inflated and was given out.
    pub(super) fn is_idle(&self) -> bool {
        self.done == self.input.len() && !matches!(self.next, Next::Output | Next::Fail)
    }

    /// How many compressed bytes can be taken, once it is idle.
    pub(super) const fn room() -> usize {
        INPUT
    }

    /// Takes compressed bytes. It must be idle.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.input.clear();
        self.input.extend_from_slice(bytes);
        self.done = 0;
    }

    /// Inflates up to a block of what was taken. `history` has all that was given out before, if the next messages may
    /// refer to it.
    pub(super) fn step(&mut self, history: Option<&History>) -> Result<&[u8], Violation> {
        match self.next {
            Next::Input | Next::Output => {}
            Next::Restart => self.restart(history),
            Next::Fail => return Err(not_deflate()),
        }
        let input = self.input.get(self.done..).unwrap_or_default();
        let before = (self.stream.total_in(), self.stream.total_out());
        let status = self.stream.decompress(input, &mut self.block, InflateFlush::NoFlush);
        let taken = convert::usize_from(self.stream.total_in() - before.0);
        let given = convert::usize_from(self.stream.total_out() - before.1);
        self.next = match status {
            Ok(Status::StreamEnd) => Next::Restart,
            Ok(Status::Ok | Status::BufError) if given == self.block.len() => Next::Output,
            Ok(Status::Ok | Status::BufError) if taken == input.len() => Next::Input,
            // What came before it is looked at first, so that no split of the bytes changes the verdict.
            Ok(Status::Ok | Status::BufError) | Err(_) => Next::Fail,
        };
        self.done += taken;
        Ok(self.block.get(..given).unwrap_or_default())
    }

    /// The message has come whole, and all of it was given out: checks that it does not end within a block. RFC 7692 7.2.2.
    ///
    /// Beyond the RFC, a message is taken from which nothing was cut off: its last block is final, or its last frame is
    /// empty, as some peers end a message in pieces.
    pub(super) fn end(&mut self) -> Result<(), Violation> {
        if self.next == Next::Restart {
            return Ok(());
        }
        let [first, second] = TAIL;
        self.take(first);
        // What says something here went on within a block.
        if !self.step(None)?.is_empty() || self.next != Next::Input {
            return Err(not_deflate());
        }
        self.take(second);
        let found = self.step(None)?.len();
        let is_whole = match self.next {
            Next::Restart => found == 0 && self.is_idle(),
            // If nothing was cut off, the first part begins a block of stored bytes, which are the second.
            Next::Input => self.block.get(..found) == Some(second),
            Next::Output | Next::Fail => false,
        };
        if is_whole { Ok(()) } else { Err(not_deflate()) }
    }

    fn restart(&mut self, history: Option<&History>) {
        self.stream.reset(false);
        self.next = Next::Input;
        for part in history.map(History::parts).into_iter().flatten() {
            if !part.is_empty() {
                // Data without a header takes a dictionary at any time.
                let _ = self.stream.set_dictionary(part);
            }
        }
    }
}

/// What came is not shown: how much of it is at hand depends on how it was split.
#[cold]
fn not_deflate() -> Violation {
    Violation::new("compressed data that is whole and well-formed", &[], "RFC 7692 7.2.2")
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater").finish_non_exhaustive()
    }
}
