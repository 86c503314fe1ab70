//! Many producers in front of the one writer.

mod broadcast;
mod queue;
mod send;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use endwell_core::ws::Close;

use super::Message;
use crate::Ended;
pub use broadcast::{Broadcast, Delivery, WhenFull, broadcast};
use queue::Refused;
pub(crate) use queue::{Next, Position, Queue};
pub use send::{SendOutlet, SendTimeout, SendTimeoutError, TrySendError};

/// Sends messages over a WebSocket from any number of tasks: of [`Socket::outlet`](super::Socket::outlet).
///
/// Every clone puts whole messages into one queue, bounded in messages and bytes ([`OutletLimits`]); they leave in the
/// order in which they were accepted. Pings, pongs and the Close do not wait in it. Holding an outlet does not keep the
/// connection open, nor does it hold the socket's memory after the end.
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

/// The bounds of what the outlets of one WebSocket have accepted and the connection has not taken yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutletLimits {
    /// Messages. Default 1,024: a burst that a slow moment makes, at some 100 bytes each for the queue itself.
    pub messages: usize,
    /// Bytes of them all together. Default 1 MiB, as much as [`OutboxLimits`](endwell_core::OutboxLimits) takes behind
    /// it. A message that is larger is accepted when there is no other.
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

    /// Sends a message: waits until there is room for it. Room is given in the order in which it was asked for.
    ///
    /// It is on the wire after [`flush`](Self::flush), or before the Close.
    ///
    /// # Errors
    ///
    /// The connection is closing or has ended; the message comes back.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a future that is dropped before it is ready has sent nothing and its place in the line is given
    /// up; one that is kept gives the message back ([`SendOutlet::into_message`]).
    pub fn send(&self, message: impl Into<Message>) -> SendOutlet<'_> {
        SendOutlet::new(self, message.into())
    }

    /// Sends a message if there is room for it now, and nobody waits for that.
    ///
    /// # Errors
    ///
    /// There is none, or the connection is closing or has ended; the message comes back.
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), TrySendError> {
        self.queue.try_push(message.into()).map_err(TrySendError::from)
    }

    /// Sends a message: waits for room, and no longer than `timeout`. The connection's task keeps the time, so this works on
    /// every runtime alike.
    ///
    /// # Errors
    ///
    /// There was no room in time, or the connection is closing or has ended; the message comes back.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`send`](Self::send).
    pub fn send_timeout(&self, message: impl Into<Message>, timeout: Duration) -> SendTimeout<'_> {
        SendTimeout::new(self, message.into(), timeout)
    }

    /// Sends a message, or does what `when_full` says if there is no room. Does not wait: of
    /// [`WhenFull::Wait`] only [`broadcast`] makes a wait, here it is as [`WhenFull::DropNewest`].
    pub fn deliver(&self, message: impl Into<Message>, when_full: WhenFull) -> Delivery {
        self.deliver_now(message.into(), when_full).unwrap_or_else(|_| {
            self.queue.count_lagged();
            Delivery::Dropped
        })
    }

    /// How many messages were dropped so far for want of room, by whatever outlet of this connection.
    pub fn lagged(&self) -> u64 {
        self.queue.lagged()
    }

    /// Waits until everything that has been accepted so far, from whatever outlet, was handed to the transport.
    ///
    /// # Errors
    ///
    /// The connection ended before that. What it had not taken is in [`unsent`](Self::unsent).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn flush(&self) -> FlushOutlet<'_> {
        FlushOutlet { outlet: self, key: None }
    }

    /// Waits until the connection has ended, and says how.
    ///
    /// It does not receive. That the peer is gone shows when something is written, and while somebody receives or lets the
    /// connection's task do so ([`Socket::drive`](super::Socket::drive)).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn closed(&self) -> Closed<'_> {
        Closed { outlet: self, key: None }
    }

    /// Closes the connection behind all that was accepted, unless it is closing already. The other outlets accept nothing
    /// from now on; [`Socket::close`](super::Socket::close) then says how the connection ended.
    pub fn close(self, close: impl Into<Close>) {
        self.queue.close(close.into());
    }

    /// The messages that were accepted and will not be sent any more, because the connection closed or ended before their
    /// turn. Each is given out once, to whichever outlet asks first.
    pub fn unsent(&self) -> Vec<Message> {
        self.queue.unsent()
    }
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlet").finish_non_exhaustive()
    }
}

/// Waits for the transport: [`Outlet::flush`].
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

/// Waits for the end: [`Outlet::closed`].
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
