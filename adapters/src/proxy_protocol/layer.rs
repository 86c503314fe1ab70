//! The layer: connections are accepted once their headers are known.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::header::Incoming;
use super::stream::ProxyStream;
use crate::info::{Address, Info};
use crate::runtime::Runtime as _;
use crate::transport::Listener;

/// The PROXY protocol as a layer over another listener: connections from trusted proxies begin with a header, which names the
/// client.
///
/// From then on [`Info::peer`] is the client's address and [`Info::local`] the address that the client connected to: for
/// handlers, for [`ServerConfig::admit`](crate::ServerConfig::admit), for the bound of connections of one address, and for reports.
/// [`ProxyHeader`](super::ProxyHeader) is a fact with the rest. A header without addresses (`LOCAL`, `UNKNOWN`) leaves both as
/// they are.
///
/// A connection from any other address has no header, and is accepted as it is. A header that it sends is no request, and is
/// refused with 400: no client can choose its own address.
///
/// A trusted connection is accepted once its header is whole. If that is invalid, has more than 4,096 bytes or is late, the
/// connection is closed, and counts among the [`accept_errors`](crate::Counters::accept_errors). Others are accepted
/// meanwhile.
///
/// ```no_run
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// use std::net::IpAddr;
///
/// use endwell::proxy_protocol::ProxyProtocol;
/// use endwell::{Exchange, ServerConfig, http::StatusCode, serve};
///
/// let listener = tokio::net::TcpListener::bind("10.0.0.2:8080").await?;
/// let listener = ProxyProtocol::new(listener, |address| address == IpAddr::from([10, 0, 0, 1]));
/// serve(listener, ServerConfig::default(), async |exchange: Exchange| {
///     let text = format!("hello {}", exchange.peer_address());
///     exchange.respond(StatusCode::OK, text)
/// })
/// .await;
/// # Ok(())
/// # }
/// ```
pub struct ProxyProtocol<L: Listener> {
    inner: L,
    trusted: Box<dyn Fn(IpAddr) -> bool + Send + Sync>,
    time: Duration,
    at_once: usize,
    waiting: Mutex<Vec<Incoming<L::Transport>>>,
}

impl<L: Listener> ProxyProtocol<L> {
    /// Makes a layer over `inner`. `trusted` is true for the address of a proxy that sends headers. A header is asked of every
    /// connection of such an address.
    pub fn new(inner: L, trusted: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        let (trusted, waiting) = (Box::new(trusted), Mutex::default());
        Self { inner, trusted, time: TIME, at_once: AT_ONCE, waiting }
    }

    /// Sets the time in which a header must be whole, from the accepting on. Default 5 s: a proxy sends it at once.
    pub fn header_time(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }

    /// Sets how many connections may wait for their headers; at least one. Default 1,024, which hold at most 5 KiB each. At
    /// the bound no other connection is accepted.
    pub fn headers(mut self, at_once: usize) -> Self {
        self.at_once = at_once.max(1);
        self
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Incoming<L::Transport>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for any of the headers.
    fn poll_headers(&self, cx: &mut Context<'_>) -> Poll<io::Result<(ProxyStream<L::Transport>, Info)>> {
        let mut waiting = self.waiting();
        let mut ended = None;
        for (at, incoming) in waiting.iter_mut().enumerate() {
            if let Poll::Ready(result) = incoming.poll(cx) {
                ended = Some((at, result));
                break;
            }
        }
        let Some((at, result)) = ended else { return Poll::Pending };
        waiting.swap_remove(at);
        Poll::Ready(result)
    }

    /// A connection that has just been made.
    fn begin(&self, (transport, info): (L::Transport, Info)) -> Option<(ProxyStream<L::Transport>, Info)> {
        if !info.peer.ip().is_some_and(|address| (self.trusted)(address)) {
            return Some((ProxyStream::new(Vec::new(), transport), info));
        }
        let sleep = self.inner.runtime().sleep(self.time);
        self.waiting().push(Incoming::new(transport, info, self.time, sleep));
        None
    }
}

impl<L: Listener + Sync> Listener for ProxyProtocol<L> {
    type Transport = ProxyStream<L::Transport>;
    type Runtime = L::Runtime;

    async fn accept(&self) -> io::Result<(Self::Transport, Info)> {
        let mut next = pin!(self.inner.accept());
        poll_fn(|cx| {
            loop {
                if let Poll::Ready(result) = self.poll_headers(cx) {
                    return Poll::Ready(result);
                }
                if self.waiting().len() >= self.at_once {
                    return Poll::Pending;
                }
                let accepted = ready!(next.as_mut().poll(cx))?;
                if let Some(direct) = self.begin(accepted) {
                    return Poll::Ready(Ok(direct));
                }
                next.set(self.inner.accept());
            }
        })
        .await
    }

    fn runtime(&self) -> L::Runtime {
        self.inner.runtime()
    }

    fn local_address(&self) -> Address {
        self.inner.local_address()
    }
}

impl<L: Listener + fmt::Debug> fmt::Debug for ProxyProtocol<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ProxyProtocol");
        debug.field("inner", &self.inner).field("waiting", &self.waiting().len()).finish_non_exhaustive()
    }
}

const TIME: Duration = Duration::from_secs(5);
const AT_ONCE: usize = 1024;
