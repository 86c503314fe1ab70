//! Many producers for the one writer.

mod broadcast;
mod deliver;
#[cfg(feature = "hub")]
mod hub;
mod queue;
mod send;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use endwell_core::ws::Close;

use super::{Message, SendHalf, Socket};
use crate::Ended;
pub use broadcast::{Broadcast, broadcast};
pub use deliver::{Deliver, Delivery, WhenFull};
#[cfg(feature = "hub")]
pub(crate) use hub::LateDelivery;
use queue::Refused;
pub(crate) use queue::{Next, Position, Queue};
pub use send::{SendOutlet, SendTimeout, SendTimeoutError, TrySendError};

/// Sends messages over a WebSocket from any number of tasks. Made by [`Socket::outlet`](super::Socket::outlet).
///
/// Every clone puts whole messages into one queue, bounded in messages and bytes ([`OutletLimits`]). They are sent in
/// the order in which they were accepted. Pings, pongs and the Close do not wait in it. An outlet does not keep the
/// connection open, nor the socket's memory alive after the end.
///
/// ```no_run
/// # async fn f(mut socket: endwell::ws::Socket) -> Result<(), endwell::Ended> {
/// let prices = socket.outlet();
/// tokio::spawn(async move {
///     for price in 0..1000 {
///         prices.send(format!("{price}")).await?;
///     }
///     prices.flush().await
/// });
/// while let Some(message) = socket.receive().await { /* .. */ }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Outlet {
    queue: Arc<Queue>,
}

/// The limits of messages that the outlets of one WebSocket have accepted and the connection has not taken yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutletLimits {
    /// Messages. Default 1,024: a burst during a slow moment, at some 100 bytes each for the queue itself.
    pub messages: usize,
    /// Bytes of all messages together. Default 1 MiB, as much as [`OutboxLimits`](endwell_core::OutboxLimits) takes
    /// after it. A larger message is accepted when the queue is empty.
    pub bytes: usize,
}

impl Default for OutletLimits {
    fn default() -> Self {
        Self { messages: 1024, bytes: 1 << 20 }
    }
}

impl Outlet {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self { queue }
    }

    /// Sends a message: waits until there is room for it. Waiting tasks get room in the order in which they asked.
    ///
    /// The message is on the wire after [`flush`](Self::flush), or before the Close.
    ///
    /// # Errors
    ///
    /// Returns the message if the connection is closing or has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a future that is dropped before it is ready has sent nothing and gives up its turn. One that is
    /// kept returns the message ([`SendOutlet::into_message`]).
    pub fn send(&self, message: impl Into<Message>) -> SendOutlet<'_> {
        SendOutlet::new(self, message.into())
    }

    /// Sends a message if there is room for it now and no task waits for room.
    ///
    /// # Errors
    ///
    /// Returns the message if there is no room, or the connection is closing or has ended.
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), TrySendError> {
        self.queue.try_push(message.into()).map_err(TrySendError::from)
    }

    /// Sends a message: waits for room, but not longer than `timeout`. The connection's task keeps the time, so this
    /// works on every runtime.
    ///
    /// # Errors
    ///
    /// Returns the message if there was no room in time, or the connection is closing or has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, like [`send`](Self::send).
    pub fn send_timeout(&self, message: impl Into<Message>, timeout: Duration) -> SendTimeout<'_> {
        SendTimeout::new(self, message.into(), timeout)
    }

    /// Sends a message, or applies `when_full` if there is no room. What needs no waiting happens when this is *called*.
    ///
    /// ```no_run
    /// # async fn f(outlet: endwell::ws::Outlet) {
    /// use std::time::Duration;
    ///
    /// use endwell::ws::{Delivery, WhenFull};
    ///
    /// let delivery = outlet.deliver("price", WhenFull::Wait(Duration::from_secs(1))).await;
    /// if let Delivery::Dropped = delivery {
    ///     println!("no room for a second");
    /// }
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops waiting: the message was accepted before, or is not sent.
    pub fn deliver(&self, message: impl Into<Message>, when_full: WhenFull) -> Deliver<'_> {
        Deliver::new(self, message.into(), when_full)
    }

    /// The number of messages dropped so far for lack of room, by all outlets of this connection.
    pub fn lagged(&self) -> u64 {
        self.queue.lagged()
    }

    /// Waits until the transport has taken everything that any outlet has accepted so far.
    ///
    /// # Errors
    ///
    /// If the connection ended before that. [`unsent`](Self::unsent) returns what it had not taken.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn flush(&self) -> FlushOutlet<'_> {
        FlushOutlet { outlet: self, key: None }
    }

    /// Waits until the connection has ended, and returns how.
    ///
    /// This does not receive.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn closed(&self) -> Closed<'_> {
        Closed { outlet: self, key: None }
    }

    /// Closes the connection after everything that was accepted, unless it is closing already. The other outlets accept
    /// nothing from now on. [`Socket::close`](super::Socket::close) then returns how the connection ended.
    pub fn close(self, close: impl Into<Close>) {
        self.queue.close(close.into());
    }

    /// Returns the messages that were accepted and will no longer be sent, because the connection closed or ended
    /// before their turn. Each is returned once, to the outlet that asks first.
    pub fn unsent(&self) -> Vec<Message> {
        self.queue.unsent()
    }
}

impl From<&Socket> for Outlet {
    fn from(socket: &Socket) -> Self {
        socket.outlet()
    }
}

impl From<&SendHalf> for Outlet {
    fn from(half: &SendHalf) -> Self {
        half.outlet()
    }
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlet").finish_non_exhaustive()
    }
}

/// Waits until the transport has what the outlets accepted: [`Outlet::flush`].
#[must_use = "futures do nothing unless polled"]
pub struct FlushOutlet<'a> {
    outlet: &'a Outlet,
    key: Option<usize>,
}

impl Future for FlushOutlet<'_> {
    type Output = Result<(), Ended>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { outlet, key } = self.get_mut();
        outlet.queue.poll_flush(cx, key)
    }
}

impl Drop for FlushOutlet<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.outlet.queue.leave_flush(key);
        }
    }
}

/// Waits until the WebSocket has ended: [`Outlet::closed`].
#[must_use = "futures do nothing unless polled"]
pub struct Closed<'a> {
    outlet: &'a Outlet,
    key: Option<usize>,
}

impl Future for Closed<'_> {
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        let Self { outlet, key } = self.get_mut();
        outlet.queue.poll_closed(cx, key)
    }
}

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.outlet.queue.unwatch(key);
        }
    }
}

impl fmt::Debug for FlushOutlet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlushOutlet").finish_non_exhaustive()
    }
}

impl fmt::Debug for Closed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closed").finish_non_exhaustive()
    }
}
