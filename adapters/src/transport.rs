//! What the driver needs of a byte stream: a runtime is one short file that provides this.

use std::io::{self, IoSlice};
use std::path::PathBuf;
use std::task::{Context, Poll};

use endwell_core::Instant;

use crate::client::Origin;

/// A reliable byte stream with a clock, polled.
///
/// The driver is written once, over this. Each method that is pending wakes the task of the last context it was
/// given; reading, writing and sleeping have a waker each.
pub trait Transport: Send + 'static {
    /// Reads into `buffer`, which is never empty. Zero bytes are the end of the stream. An error that is made of
    /// [`Truncated`] is its end too, but bytes may be missing before it; every later read says the same.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes from `slices`, in order, and says how many bytes were taken.
    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>>;

    /// Passes on what a layer below may hold back, such as an encrypted record.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Ends the write side: the peer reads the end of the stream behind the last byte.
    fn poll_end_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Lets the coming drop reset the connection, so that the peer cannot take it for a clean end. Where a stream
    /// has no reset, its drop is the best there is.
    fn reset(&mut self);

    /// The time, since an epoch of the transport's choice.
    fn now(&self) -> Instant;

    /// Waits until `until`. A later call with another moment replaces the earlier one.
    ///
    /// It is not called again for the same moment by the same task before that has come: a runtime that cuts turns
    /// short must not let it be forgotten.
    fn poll_sleep(&mut self, cx: &mut Context<'_>, until: Instant) -> Poll<()>;

    /// After a read was pending: was there nothing to read? False if the runtime cut the turn of the task short.
    fn found_nothing(&self) -> bool {
        true
    }

    /// After a read was pending: has something come all the same, bytes or the end, of which the runtime has not heard yet?
    /// Asked of a connection that was idle before it is used again; if so, it is not. A layer passes the question on. False
    /// if nobody can say.
    fn has_unseen(&self) -> bool {
        false
    }

    /// How many of the bytes that were written the peer has not acknowledged. `None` where the system does not tell.
    ///
    /// Asked when nothing was taken for a long time, before that is judged: a kernel that buffers may take nothing for
    /// minutes while its peer reads without a pause. A layer passes the question on. Only the difference between two
    /// answers counts, so a layer that adds to the bytes, as TLS does, need not convert them.
    fn unacknowledged(&self) -> Option<u64> {
        None
    }
}

/// The stream ended, and not all may have come: what a [`Transport`] reads at the end of a stream that has an end of its
/// own and lacks it, such as the close_notify of TLS.
///
/// A connection on which nothing was open has ended in order ([`Ended::ByPeer`](crate::Ended::ByPeer)); whatever else was
/// going on has failed, whether its end could have been this or not (RFC 9112 9.8).
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

/// The two ends of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Endpoints {
    /// The other side.
    pub peer: Address,
    /// This side.
    pub local: Address,
}

/// The address of one end of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Address {
    /// A TCP socket's.
    Tcp(std::net::SocketAddr),
    /// A Unix socket's; clients mostly have none.
    Unix(Option<PathBuf>),
    /// Not known: the transport was made of something else.
    #[default]
    Unknown,
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(Some(path)) => write!(f, "unix:{}", path.display()),
            Self::Unix(None) => f.write_str("unix"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// Something that connections are made with.
///
/// It is given a name, so that it can be a proxy that resolves it, or a layer that checks it against a certificate.
pub trait Connector: Send + Sync + 'static {
    /// What a connection is.
    type Transport: Transport;

    /// Connects to `origin`: by TLS if it [is secure](Origin::is_secure), and never without then.
    ///
    /// # Errors
    ///
    /// Whatever the system says of the last address that was tried, or what a layer above it did not like. A connector
    /// that knows no TLS refuses secure origins ([`Origin::plain`]).
    fn connect(
        &self,
        origin: &Origin,
    ) -> impl Future<Output = io::Result<(Self::Transport, Endpoints)>> + Send;

    /// Runs a task on the runtime of this connector.
    ///
    /// # Errors
    ///
    /// The runtime has no room for it, such as no thread. The task was dropped.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()>;

    /// Waits, on the same runtime.
    fn sleep(duration: std::time::Duration) -> impl Future<Output = ()> + Send;
}

/// Something that connections come from.
pub trait Listener: Send + 'static {
    /// What a connection is.
    type Transport: Transport;

    /// Waits for a connection. Dropping the future loses none.
    ///
    /// # Errors
    ///
    /// Whatever the system says. [`serve`](crate::serve()) goes on after each: at once if it is about one connection,
    /// which the kinds `ConnectionAborted`, `ConnectionReset`, `Interrupted`, `NetworkDown`, `NetworkUnreachable` and
    /// `HostUnreachable` are, and after a pause if it is of any other kind.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Transport, Endpoints)>> + Send;

    /// Runs a task on the runtime of this listener.
    ///
    /// # Errors
    ///
    /// The runtime has no room for it, such as no thread. The task was dropped.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()>;

    /// Waits, on the same runtime. Needs no listener: a server that stops has none any more.
    fn sleep(duration: std::time::Duration) -> impl Future<Output = ()> + Send;
}

/// What went wrong with a connection after it was accepted or made, and not with accepting.
#[cfg(any(feature = "tokio", feature = "futures-io"))]
pub(crate) fn of_one_connection(error: io::Error) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, error)
}
