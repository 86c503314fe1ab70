//! Connectors whose sockets are counted, and pools over them.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use endwell::client::{Origin, Pool, PoolLimits};
use endwell::{ClientConfig, Connector, Info, Transport};

use crate::dialling::Dialling;
use crate::support::LONG;

/// A connector that counts the sockets that are open, or are about to be.
pub(crate) struct Counted<C> {
    connector: C,
    count: Arc<Count>,
}

/// How many there are, and how many there were at the most.
#[derive(Default)]
pub(crate) struct Count {
    open: AtomicUsize,
    most: AtomicUsize,
    is_unlucky: AtomicBool,
}

/// One that counts.
struct One(Arc<Count>);

/// A socket that is counted.
pub(crate) struct Socket<T> {
    // The socket closes before it is counted out.
    transport: T,
    one: One,
    has_left: AtomicBool,
}

impl Count {
    /// From here on, the server leaves whenever a connection has just been looked at.
    pub(crate) fn be_unlucky(&self) {
        self.is_unlucky.store(true, Ordering::SeqCst);
    }

    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

impl One {
    fn new(count: &Arc<Count>) -> Self {
        let open = count.open.fetch_add(1, Ordering::SeqCst) + 1;
        count.most.fetch_max(open, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for One {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl<C: Connector> Connector for Counted<C> {
    type Transport = Socket<C::Transport>;
    type Runtime = C::Runtime;

    async fn connect(&self, origin: &Origin) -> io::Result<(Self::Transport, Info)> {
        let one = One::new(&self.count);
        let (transport, info) = self.connector.connect(origin).await?;
        Ok((Socket { transport, one, has_left: AtomicBool::new(false) }, info))
    }

    fn runtime(&self) -> C::Runtime {
        self.connector.runtime()
    }
}

impl<T: Transport> Transport for Socket<T> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.has_left.load(Ordering::SeqCst) {
            return Poll::Ready(Ok(0));
        }
        self.transport.poll_read(cx, buffer)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.transport.poll_write(cx, slices)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport.poll_flush(cx)
    }

    fn poll_end_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport.poll_end_write(cx)
    }

    fn reset(&mut self) {
        self.transport.reset();
    }

    fn found_nothing(&self) -> bool {
        self.transport.found_nothing()
    }

    fn has_unseen(&self) -> bool {
        self.has_left.store(self.one.0.is_unlucky.load(Ordering::SeqCst), Ordering::SeqCst);
        self.transport.has_unseen()
    }
}

/// A pool, and the count of its sockets.
pub(crate) fn pool_with<R: Dialling>(limits: PoolLimits) -> (Pool<Counted<R::Connector>>, Arc<Count>) {
    let count = Arc::<Count>::default();
    let connector = Counted { connector: R::CONNECTOR, count: Arc::clone(&count) };
    (Pool::new(connector, ClientConfig::default(), limits), count)
}

/// A pool with the usual bounds.
pub(crate) fn pool<R: Dialling>() -> Pool<Counted<R::Connector>> {
    pool_with::<R>(PoolLimits::default()).0
}

/// A pool with room for so many connections to one origin, and in all.
pub(crate) fn bounded<R: Dialling>(per_origin: usize, connections: usize) -> Pool<Counted<R::Connector>> {
    let mut limits = PoolLimits::default();
    (limits.per_origin, limits.connections) = (per_origin, connections);
    pool_with::<R>(limits).0
}

/// Waits for what nobody is told of. Bounded.
pub(crate) async fn until<R: Dialling>(mut is_so: impl FnMut() -> bool) {
    let late = Instant::now() + LONG;
    while !is_so() {
        assert!(Instant::now() < late, "it is never so");
        R::sleep(Duration::from_millis(1)).await;
    }
}

/// Waits until so many connections are there, of which so many are idle.
pub(crate) async fn settled<R: Dialling>(pool: &Pool<impl Connector>, connections: usize, idle: usize) {
    let is_so = || {
        let occupancy = pool.occupancy();
        (occupancy.connections, occupancy.idle) == (connections, idle)
    };
    until::<R>(is_so).await;
}
