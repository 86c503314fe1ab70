//! The interface of a byte stream for the driver, and of what makes such streams.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use crate::client::Origin;
use crate::info::{Address, Info};
use crate::runtime::Runtime;

/// A reliable byte stream, polled.
///
/// The driver is written once, over this trait. A method that is pending wakes the task of the last context that it was
/// given. Reading and writing each have their own waker. Tasks and time are the matter of a [`Runtime`].
pub trait Transport: Send + 'static {
    /// Reads into `buffer`, which is never empty. Zero bytes are the end of the stream. An error made from
    /// [`Truncated`] is also the end of the stream, but bytes may be missing before it; every later read returns it
    /// again.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes from `slices`, in order, and returns how many bytes were taken.
    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>>;

    /// Flushes what a lower layer may hold back, such as an encrypted record.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Ends the write side: the peer reads the end of the stream after the last byte.
    fn poll_end_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Prepares the drop that follows to reset the connection, so that the peer cannot take it for a clean end. A
    /// stream without a reset is only dropped.
    fn reset(&mut self);

    /// True if a pending read found nothing to read. False if the runtime cut the turn of the task short.
    fn found_nothing(&self) -> bool {
        true
    }

    /// True if, after a pending read, bytes or the end have come that the runtime has not reported yet. The driver asks
    /// before it reuses an idle connection, and does not reuse it if so. A layer passes the question on. False if the
    /// system cannot tell.
    fn has_unseen(&self) -> bool {
        false
    }

    /// The number of written bytes that the peer has not acknowledged. `None` if the system cannot tell.
    ///
    /// The driver asks before it judges a transport that took nothing for a long time: a kernel with buffers may take
    /// nothing for minutes while its peer keeps reading. A layer passes the question on. Only the difference between
    /// two answers counts, so a layer that adds bytes, as TLS does, need not convert them.
    fn unacknowledged(&self) -> Option<u64> {
        None
    }

    /// The error by which the connection has failed, if no read or write has returned it. `None` if the system cannot
    /// tell.
    ///
    /// The driver asks while it does not read, because the peer has ended its side or because nothing more fits: a reset
    /// then comes to no read. A layer passes the question on.
    fn take_error(&self) -> Option<io::Error> {
        None
    }
}

/// The stream ended, and bytes may be missing. A [`Transport`] returns it at the end of a stream that lacks its own
/// end, such as the close_notify of TLS.
///
/// A connection without an open exchange has then ended in order ([`EndedKind::ByPeer`](crate::EndedKind::ByPeer)). An open
/// exchange has failed, even if the end of its message could have been this (RFC 9112 9.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncated;

impl Truncated {
    pub(crate) fn is(error: &io::Error) -> bool {
        matches!(error.get_ref(), Some(inner) if inner.is::<Self>())
    }
}

impl std::fmt::Display for Truncated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(
            "expected close_notify before the end of the stream, got none: what came may not be all (RFC 8446 6.1)",
        )
    }
}

impl std::error::Error for Truncated {}

impl From<Truncated> for io::Error {
    fn from(truncated: Truncated) -> Self {
        Self::new(io::ErrorKind::UnexpectedEof, truncated)
    }
}

/// Makes connections to origins, for clients.
///
/// It receives a name, not an address, so that it can be a proxy that resolves the name, or a layer that checks it
/// against a certificate.
pub trait Connector: Send + Sync + 'static {
    /// The type of a connection.
    type Transport: Transport;

    /// The runtime of its connections.
    type Runtime: Runtime;

    /// Connects to `origin`: over TLS if the origin [is secure](Origin::is_secure), and never without TLS then.
    ///
    /// # Errors
    ///
    /// The system's error for the last address that was tried, or an error of a layer above. A connector without TLS
    /// refuses secure origins ([`Origin::plain`]).
    fn connect(&self, origin: &Origin) -> impl Future<Output = io::Result<(Self::Transport, Info)>> + Send;

    /// The runtime of its connections.
    fn runtime(&self) -> Self::Runtime;
}

/// Accepts connections, for servers.
pub trait Listener: Send + 'static {
    /// The type of a connection.
    type Transport: Transport;

    /// The runtime of its connections.
    type Runtime: Runtime;

    /// Waits for a connection. Dropping the future loses no connection.
    ///
    /// # Errors
    ///
    /// The system's error. [`serve`](crate::serve()) continues after each error. It continues at once if the error
    /// concerns one connection (the kinds `ConnectionAborted`, `ConnectionReset`, `Interrupted`, `NetworkDown`,
    /// `NetworkUnreachable` and `HostUnreachable`), and after a pause otherwise.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Transport, Info)>> + Send;

    /// The runtime of its connections.
    fn runtime(&self) -> Self::Runtime;

    /// The address that it accepts on. A layer passes the question on.
    fn local_address(&self) -> Address {
        Address::Unknown
    }
}

/// Marks an error as one of a connection that was accepted or made, not of accepting.
#[cfg(any(
    feature = "tokio",
    feature = "async-std",
    feature = "smol",
    feature = "blocking",
    feature = "proxy-protocol"
))]
pub(crate) fn of_one_connection(error: io::Error) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, error)
}
