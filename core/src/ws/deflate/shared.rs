//! A message that many connections share, compressed.

use alloc::sync::Arc;

use bytes::Bytes;
use std::sync::OnceLock;

use super::window::WindowBits;

/// A message that many connections share, compressed once: by the first connection that sends it compressed, without
/// reference to earlier messages of any connection.
#[derive(Clone, Debug, Default)]
pub(in crate::ws) struct SharedForm(Arc<OnceLock<Option<(WindowBits, Bytes)>>>);

impl SharedForm {
    /// Returns the compressed form, made with `make` the first time, and the window that it needs. `None` if it would
    /// not be smaller.
    pub(super) fn compressed(
        &self,
        make: impl FnOnce() -> Option<(WindowBits, Bytes)>,
    ) -> Option<(WindowBits, &Bytes)> {
        self.0.get_or_init(make).as_ref().map(|(window, bytes)| (*window, bytes))
    }
}
