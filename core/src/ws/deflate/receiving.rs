//! The state that a receiving half needs for decompression.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::agreement::Agreement;
use super::history::History;
use super::inflater::Inflater;
use super::pool::{Owner, Pool};
use super::settings::Deflate;
use super::window::WindowBits;
use crate::{Exceeded, Limit};

/// The state that a receiving half needs for decompression. If it is present, compressed messages may come.
#[derive(Debug)]
pub(in crate::ws) struct Receiving(Box<Inner>);

#[derive(Debug)]
struct Inner {
    deflate: Arc<Deflate>,
    /// The data that the next message may refer to, if the peer takes its context over.
    history: Option<History>,
    /// This connection, if an inflater that has decompressed its messages has the same window as the history. With a
    /// smaller history the inflater has more, and would accept what another inflater refuses.
    owner: Option<Owner>,
    /// The bytes on the wire that final blocks within messages have not used up.
    credit: u64,
}

/// The bytes on the wire that a final block within a message uses up.
///
/// The data after it is a stream of its own, for which a window of up to 32 KiB is loaded. A message from a client, for
/// which the window is loaded too, costs as many bytes: six of header, and two that are a block.
const FINAL_BLOCK: u64 = 8;

/// The final blocks within messages that are accepted at once although they bring fewer bytes.
const FINAL_BLOCKS: u64 = 16;

impl Receiving {
    pub(in crate::ws) fn new(agreement: &Agreement) -> Self {
        let deflate = Arc::clone(agreement.deflate());
        let context = agreement.received_context();
        let owner = (context == Some(WindowBits::MOST.bytes())).then(|| deflate.pool().owner());
        let credit = FINAL_BLOCKS * FINAL_BLOCK;
        Self(Box::new(Inner { deflate, history: context.map(History::new), owner, credit }))
    }

    /// An inflater for the next message.
    pub(super) fn inflater(&self) -> Inflater {
        self.pool().inflater(self.0.owner)
    }

    pub(super) fn pool(&self) -> &Pool {
        self.0.deflate.pool()
    }

    pub(super) fn owner(&self) -> Option<Owner> {
        self.0.owner
    }

    pub(super) fn history(&self) -> Option<&History> {
        self.0.history.as_ref()
    }

    pub(super) fn history_mut(&mut self) -> Option<&mut History> {
        self.0.history.as_mut()
    }

    /// Counts bytes of compressed messages that came on the wire.
    pub(super) fn earn(&mut self, bytes: u64) {
        self.0.credit = self.0.credit.saturating_add(bytes).min(FINAL_BLOCKS * FINAL_BLOCK);
    }

    /// Starts a stream after a final block within a message. RFC 7692 7.2.3.4 and 7.2.3.5.
    pub(super) fn restart(&mut self) -> Result<(), Exceeded> {
        let exceeded = || Exceeded { limit: Limit::FinalBlocks, bound: crate::Bound::Count(FINAL_BLOCKS) };
        self.0.credit = self.0.credit.checked_sub(FINAL_BLOCK).ok_or_else(exceeded)?;
        Ok(())
    }

    /// The memory held, in bytes.
    pub(in crate::ws) fn held_bytes(&self) -> usize {
        size_of::<Inner>() + self.history().map_or(0, History::held_bytes)
    }
}
