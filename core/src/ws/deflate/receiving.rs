//! What a receiving half needs to inflate.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::agreement::Agreement;
use super::history::History;
use super::inflater::Inflater;
use super::pool::{Owner, Pool};
use super::settings::Deflate;
use super::window::WindowBits;
use crate::{Exceeded, Limit};

/// What a receiving half needs to inflate: having it means that compressed messages may come.
#[derive(Debug)]
pub(in crate::ws) struct Receiving(Box<Inner>);

#[derive(Debug)]
struct Inner {
    deflate: Arc<Deflate>,
    /// What the next message may refer to, where the peer takes its context over.
    history: Option<History>,
    /// This connection, if an inflater that has inflated its messages has the same window as the history. One with a smaller
    /// history has more, and would take what another inflater refuses.
    owner: Option<Owner>,
    /// How many bytes on the wire are not used up by final blocks within messages.
    credit: u64,
}

/// How many bytes on the wire a final block within a message uses up.
///
/// The data behind it is a stream of its own, for which a window of up to 32 KiB is loaded. What a message from a client costs
/// whose window is loaded too has as many: six bytes of header, and two that are a block.
const FINAL_BLOCK: u64 = 8;

/// How many final blocks within messages are taken at once, though they bring fewer bytes.
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

    /// So many bytes of compressed messages came on the wire.
    pub(super) fn earn(&mut self, bytes: u64) {
        self.0.credit = self.0.credit.saturating_add(bytes).min(FINAL_BLOCKS * FINAL_BLOCK);
    }

    /// More data comes behind a final block, within a message. RFC 7692 7.2.3.4 and 7.2.3.5.
    pub(super) fn restart(&mut self) -> Result<(), Exceeded> {
        let exceeded = || Exceeded { limit: Limit::FinalBlocks, bound: crate::Bound::Count(FINAL_BLOCKS) };
        self.0.credit = self.0.credit.checked_sub(FINAL_BLOCK).ok_or_else(exceeded)?;
        Ok(())
    }

    /// Bytes of memory that it takes.
    pub(in crate::ws) fn held_bytes(&self) -> usize {
        size_of::<Inner>() + self.history().map_or(0, History::held_bytes)
    }
}
