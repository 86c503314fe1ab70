//! A WebSocket of a client that is opened again when it is lost.

mod builder;
mod limits;
mod loss;
mod outlet;
mod run;
mod shared;

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use endwell_core::http::InterimHead;
use endwell_core::ws::Close;

use super::Message;
pub use builder::ReconnectBuilder;
pub use limits::ReconnectLimits;
pub use loss::{Loss, LossCause};
pub use outlet::ReconnectOutlet;
use shared::Shared;

/// A WebSocket that is opened again when it is lost. Made by [`SocketBuilder::reconnecting`](super::SocketBuilder::reconnecting).
///
/// ```no_run
/// # async fn f() {
/// use endwell::tokio::Tcp;
/// use endwell::ws::{self, ReconnectEvent, Socket};
///
/// let mut feed = ws::connect("ws://example.com/prices")
///     .reconnecting(Tcp)
///     .on_open(async |mut socket: Socket| {
///         socket.send("subscribe EUR").await?;
///         Ok(socket)
///     })
///     .start();
/// while let Some(event) = feed.receive().await {
///     match event {
///         ReconnectEvent::Open(_) => println!("connected"),
///         ReconnectEvent::Message(message) => println!("{message:?}"),
///         ReconnectEvent::Lost(loss) => eprintln!("{loss}"),
///     }
/// }
/// # }
/// ```
///
/// - It connects, waits and opens the socket again within [`receive`](Self::receive), on the runtime of its connector, and spawns
///   no task for that. Between two calls the open connection goes on as any does.
/// - Every loss is told, with what happened and with the messages that outlets had accepted and that were not sent. Nothing
///   is kept to be sent later: what a new socket needs, [`on_open`](ReconnectBuilder::on_open) sends before anything else.
/// - The wait between two attempts grows, is random, and heeds Retry-After: [`ReconnectLimits`].
/// - It ends when it is [closed](Self::close), or after a loss that [is final](Loss::is_final).
///
/// If it is dropped, the open socket is closed with 1011, as any [`Socket`](super::Socket) is.
#[must_use = "it connects when it is received from"]
pub struct Reconnecting {
    /// `None` once it is over.
    run: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    shared: Arc<Shared>,
}

/// What happens to a [`Reconnecting`] socket.
#[derive(Debug)]
pub enum ReconnectEvent {
    /// A socket is open, and its hook has succeeded. Holds the head of the 101.
    Open(InterimHead),
    /// A message was received. Pings, pongs and the Close of the server are returned too, already answered.
    Message(Message),
    /// The socket has ended, or could not be opened. Everything that was received before was returned.
    Lost(Loss),
}

impl Reconnecting {
    /// Waits for the next event: connects, receives, or waits for the next attempt. `None`: it is over, and the last loss
    /// told why.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what was begun goes on with the next call, and an event that was not returned is returned by it.
    pub async fn receive(&mut self) -> Option<ReconnectEvent> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    /// Makes a handle that sends messages over the socket that is open. Clone it for each task that sends.
    pub fn outlet(&self) -> ReconnectOutlet {
        ReconnectOutlet::new(Arc::clone(&self.shared))
    }

    /// Ends it: closes the open socket after everything that outlets have accepted, and waits until it has ended. Returns its
    /// loss, which tells how it ended and what was not sent; `None` if no socket was open. Events that were not returned yet
    /// are discarded.
    ///
    /// # Cancel safety
    ///
    /// The Close is queued when this is first polled. If the future is dropped, the rest is as if the socket was dropped.
    pub async fn close(mut self, close: impl Into<Close>) -> Option<Loss> {
        self.shared.close(close.into());
        let mut last = None;
        while let Some(event) = self.receive().await {
            if let ReconnectEvent::Lost(loss) = event {
                last = Some(loss);
            }
        }
        last
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<ReconnectEvent>> {
        if let Some(run) = &mut self.run {
            if run.as_mut().poll(cx).is_ready() {
                self.run = None;
            }
        }
        match self.shared.take_event() {
            None if self.run.is_some() => Poll::Pending,
            event => Poll::Ready(event),
        }
    }
}

/// The events, until it is over.
#[cfg(feature = "futures")]
impl futures_core::Stream for Reconnecting {
    type Item = ReconnectEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ReconnectEvent>> {
        self.get_mut().poll_event(cx)
    }
}

impl fmt::Debug for Reconnecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconnecting").finish_non_exhaustive()
    }
}
