//! A hub without other nodes: nothing is told, and it costs nothing.

use std::sync::Arc;
use std::task::{Context, Poll};

use super::recipients::Audience;
use super::{ConnectionKey, Login, OnBus};
use crate::Bytes;
use crate::sync::Woken;
use crate::ws::{Message, WhenFull};

#[derive(Clone)]
pub(super) struct Nodes;

/// What holds up nothing.
pub(super) struct Gate;

#[expect(clippy::unused_self, reason = "a hub on many nodes has something to tell")]
impl Nodes {
    pub(super) fn none() -> Self {
        Self
    }

    pub(super) fn gate(&self) -> Gate {
        Gate
    }

    pub(super) fn joined(&self, _: ConnectionKey, _: &mut Woken) {}

    pub(super) fn logged_in(
        &self,
        _: ConnectionKey,
        _: impl FnOnce() -> Option<Arc<str>>,
        _: Login,
        _: &mut Woken,
    ) {
    }

    pub(super) fn subscribed(&self, _: ConnectionKey, _: &str, _: &mut Woken) {}

    pub(super) fn unsubscribed(&self, _: ConnectionKey, _: &str, _: &mut Woken) {}

    pub(super) fn meta_set(&self, _: ConnectionKey, _: &Bytes, _: &mut Woken) {}

    pub(super) fn left(&self, _: ConnectionKey, _: &mut Woken) {}

    pub(super) fn leave(&self) {}

    pub(super) fn poll_left(&self, _: &Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    pub(super) fn publish(&self, _: Audience<'_>, _: &Message, _: WhenFull, _: &mut Woken) -> Option<OnBus> {
        None
    }
}
