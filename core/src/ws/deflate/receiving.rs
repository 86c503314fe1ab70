//! What a receiving half needs to inflate.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::agreement::Agreement;
use super::history::History;
use super::pool::Pool;
use super::settings::Deflate;

/// What a receiving half needs to inflate: having it means that compressed messages may come.
#[derive(Debug)]
pub(in crate::ws) struct Receiving(Box<Inner>);

#[derive(Debug)]
struct Inner {
    deflate: Arc<Deflate>,
    /// What the next message may refer to, where the peer takes its context over.
    history: Option<History>,
}

impl Receiving {
    pub(in crate::ws) fn new(agreement: &Agreement) -> Self {
        let deflate = Arc::clone(agreement.deflate());
        let history = agreement.received_context().map(History::new);
        Self(Box::new(Inner { deflate, history }))
    }

    pub(super) fn pool(&self) -> &Pool {
        self.0.deflate.pool()
    }

    pub(super) fn history(&self) -> Option<&History> {
        self.0.history.as_ref()
    }

    pub(super) fn history_mut(&mut self) -> Option<&mut History> {
        self.0.history.as_mut()
    }

    /// Bytes of memory that it takes.
    pub(in crate::ws) fn held_bytes(&self) -> usize {
        size_of::<Inner>() + self.history().map_or(0, History::held_bytes)
    }
}
