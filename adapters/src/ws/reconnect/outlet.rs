//! Sends over the socket that is open.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

use endwell_core::ws::Close;

use super::shared::Shared;
use crate::ws::{Message, NotSent, TrySendError};

/// Sends messages over the open socket of a [`Reconnecting`](super::Reconnecting), from any number of tasks. Made by
/// [`Reconnecting::outlet`](super::Reconnecting::outlet).
///
/// It keeps no message for a later socket: without an open one, each comes back at once. A message that was accepted and not
/// sent comes back with the loss: [`Loss::unsent`](super::Loss::unsent).
///
/// ```no_run
/// # async fn f(outlet: endwell::ws::ReconnectOutlet) {
/// while outlet.opened().await {
///     if let Err(not) = outlet.send("tick").await {
///         eprintln!("{not}: {:?}", not.message);
///     }
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct ReconnectOutlet(Arc<Shared>);

impl ReconnectOutlet {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// Sends a message over the open socket: waits until there is room for it, as [`Outlet::send`](crate::ws::Outlet::send).
    ///
    /// # Errors
    ///
    /// Returns the message if no socket is open, or it is closing or has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a future that is dropped before it is ready has sent nothing.
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), NotSent> {
        let message = message.into();
        match self.0.outlet() {
            Some(outlet) => outlet.send(message).await,
            None => Err(NotSent { message, ended: None }),
        }
    }

    /// Sends a message if a socket is open and has room for it now: [`Outlet::try_send`](crate::ws::Outlet::try_send).
    ///
    /// # Errors
    ///
    /// Returns the message if there is no room, no socket is open, or it is closing or has ended.
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), TrySendError> {
        let message = message.into();
        match self.0.outlet() {
            Some(outlet) => outlet.try_send(message),
            None => Err(TrySendError::NotSent(NotSent { message, ended: None })),
        }
    }

    /// Waits until a socket is open. False if no further one will be.
    ///
    /// Another task must [receive](super::Reconnecting::receive): that is what opens sockets.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn opened(&self) -> bool {
        let mut waiting = Waiting { shared: &self.0, key: None };
        poll_fn(|cx| waiting.shared.poll_open(cx, &mut waiting.key)).await
    }

    /// Closes the open socket after everything that was accepted, and opens no further one.
    /// [`Reconnecting::receive`](super::Reconnecting::receive) still returns what comes, and how it ended.
    pub fn close(&self, close: impl Into<Close>) {
        self.0.close(close.into());
    }
}

/// A task that waits for a socket.
struct Waiting<'a> {
    shared: &'a Shared,
    key: Option<usize>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.shared.leave(key);
        }
    }
}

impl fmt::Debug for ReconnectOutlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReconnectOutlet").finish_non_exhaustive()
    }
}
