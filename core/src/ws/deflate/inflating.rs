//! Decompresses a message in flight. RFC 7692 7.2.2.

use alloc::boxed::Box;

use super::history::History;
use super::inflater::{HELD, Inflater, Window};
use super::receiving::Receiving;
use super::window::WindowBits;
use crate::convert;
use crate::ws::failure::Cause;
use crate::ws::limits::SocketLimits;
use crate::ws::receive::content::Content;
use crate::ws::receive::counts;
use crate::ws::receive::message::Taken;

/// What decompresses a message in flight, block by block as it arrives, so that the decompressed size meets the limits
/// before it is in memory.
#[derive(Debug)]
pub(in crate::ws) struct Inflating(Box<Inner>);

#[derive(Debug)]
struct Inner {
    receiving: Receiving,
    inflater: Inflater,
    /// Bytes of this message that it may refer to after a final block, if no context is taken over. While the message
    /// is being reassembled, its content serves instead.
    recent: Option<History>,
    /// The decompressed size so far, in bytes.
    inflated: u64,
}

impl Inflating {
    pub(in crate::ws) fn new(receiving: Receiving) -> Self {
        let recent = receiving.history().is_none().then(|| History::new(WindowBits::MOST.bytes()));
        let inflater = receiving.inflater();
        Self(Box::new(Inner { receiving, inflater, recent, inflated: 0 }))
    }

    /// True if all that was taken is decompressed.
    pub(in crate::ws) fn is_idle(&self) -> bool {
        self.0.inflater.is_idle()
    }

    /// The compressed bytes that can be taken once this is idle.
    pub(in crate::ws) const fn room() -> usize {
        Inflater::room()
    }

    /// Takes compressed bytes. Call it only when idle.
    pub(in crate::ws) fn take(&mut self, bytes: &[u8]) {
        self.0.inflater.take(bytes);
    }

    /// Counts bytes of a header.
    pub(in crate::ws) fn earn(&mut self, bytes: u64) {
        self.0.receiving.earn(bytes);
    }

    /// Keeps `content`, which the rest of the message may refer to, as it is handed out in pieces from now on.
    pub(in crate::ws) fn keep(&mut self, content: &Content) {
        if let Some(recent) = &mut self.0.recent {
            for part in content.parts() {
                recent.push(part);
            }
        }
    }

    /// Decompresses at most one block. Returns its length.
    pub(in crate::ws) fn step(
        &mut self,
        content: &mut Content,
        taken: Taken,
        limits: &SocketLimits,
    ) -> Result<usize, Cause> {
        let Inner { receiving, inflater, recent, inflated } = &mut *self.0;
        if inflater.restarts() {
            receiving.earn(inflater.take_inflated());
            receiving.restart()?;
        }
        let recent = recent.as_mut().filter(|_| taken != Taken::Whole);
        let window: Window<'_> = match (receiving.history(), &recent) {
            (Some(history), _) => history.parts(),
            (None, Some(recent)) => recent.parts(),
            (None, None) => content.parts(),
        };
        let block = inflater.step(window)?;
        let bound = taken.bound(limits);
        let ahead = convert::usize_from(bound.1.saturating_sub(*inflated));
        // The bytes within the limit are judged first, so that no split of the bytes changes the verdict.
        let (within, beyond) = block.split_at_checked(ahead).unwrap_or((block, &[]));
        *inflated = inflated.saturating_add(convert::u64_from(within.len()));
        if let Some(history) = receiving.history_mut().or(recent) {
            history.push(within);
        }
        match taken {
            Taken::Whole => content.push(within, ahead)?,
            // A piece is handed out before more is decompressed.
            Taken::Pieces => content.push(within, within.len())?,
            Taken::Skipped => {}
        }
        if beyond.is_empty() { Ok(within.len()) } else { Err(counts::too_long(bound)) }
    }

    /// Checks that the message, which has arrived completely, does not end within a block.
    pub(in crate::ws) fn end(&mut self) -> Result<(), Cause> {
        let Inner { receiving, inflater, .. } = &mut *self.0;
        receiving.earn(inflater.take_inflated());
        Ok(inflater.end(receiving.owner())?)
    }

    /// Returns the inflater to the pool.
    pub(in crate::ws) fn into_receiving(self) -> Receiving {
        let Inner { receiving, inflater, .. } = *self.0;
        receiving.pool().give_inflater(inflater);
        receiving
    }

    /// The memory held, in bytes.
    pub(in crate::ws) fn held_bytes(&self) -> usize {
        let recent = self.0.recent.as_ref().map_or(0, History::held_bytes);
        HELD.saturating_add(recent).saturating_add(self.0.receiving.held_bytes())
    }
}
