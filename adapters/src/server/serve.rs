//! Serves every connection that a listener accepts.

use std::future::{IntoFuture, Pending};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::answered::IntoAnswered;
use super::counters::Counters;
use super::room::{self, Tender};
use crate::connection::{Member, Shared};
use crate::runtime::Runtime;
use crate::transport::{Endpoints, Listener, Transport};
use crate::{Ended, Exchange, Run, Server, ServerConfig};

/// Serves every connection that `listener` accepts: await the result.
///
/// `handler` is called for each request; it returns [`Answered`](crate::Answered), [`Ended`](crate::Ended) or one of
/// the two as a `Result`. Every connection has its own task. [`ServerConfig`] bounds the number of connections, and the
/// memory that they hold together, and documents how connections make room for others. Errors of `accept` are counted, and accepting
/// continues. If the process has no more file descriptors or threads, it continues after a pause that grows from 5 ms
/// to 1 s.
///
/// It never ends, unless [`until`](Serve::until) sets an end.
///
/// ```no_run
/// # async fn f() -> std::io::Result<()> {
/// use endwell::{ServerConfig, Exchange, serve, http::StatusCode};
///
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// serve(listener, ServerConfig::default(), async |exchange: Exchange| exchange.respond(StatusCode::OK, "hello"))
///     .until(async { tokio::signal::ctrl_c().await.unwrap_or(()) })
///     .await;
/// # Ok(())
/// # }
/// ```
pub fn serve<L, H, F>(listener: L, config: ServerConfig, handler: H) -> Serve<L, H>
where
    L: Listener,
    H: Fn(Exchange) -> F + Send + Sync + 'static,
    F: Future<Output: IntoAnswered> + Send + 'static,
{
    Serve { listener, config, handler, counters: Arc::default(), stop: std::future::pending() }
}

/// A server to await. Made by [`serve`].
#[must_use = "await it"]
#[derive(Debug)]
pub struct Serve<L, H, S = Pending<()>> {
    listener: L,
    config: ServerConfig,
    handler: H,
    counters: Arc<Counters>,
    stop: S,
}

impl<L, H, S> Serve<L, H, S> {
    /// Stops when `stop` is ready. The server accepts no more connections, idle ones close, and the response to every
    /// open exchange announces the close. Connections that are still open after [`ServerConfig::shutdown_time`] are cut off.
    pub fn until<N: Future<Output = ()> + Send + 'static>(self, stop: N) -> Serve<L, H, N> {
        let Self { listener, config, handler, counters, stop: _ } = self;
        Serve { listener, config, handler, counters, stop }
    }

    /// The counters of this server.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }
}

impl<L, H, F, S> IntoFuture for Serve<L, H, S>
where
    L: Listener + Sync,
    H: Fn(Exchange) -> F + Send + Sync + 'static,
    F: Future<Output: IntoAnswered> + Send + 'static,
    S: Future<Output = ()> + Send + 'static,
{
    type Output = ();
    type IntoFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(run(self))
    }
}

async fn run<L, H, F, S>(serve: Serve<L, H, S>)
where
    L: Listener,
    H: Fn(Exchange) -> F + Send + Sync + 'static,
    F: Future<Output: IntoAnswered> + Send + 'static,
    S: Future<Output = ()> + Send + 'static,
{
    let Serve { listener, config, handler, counters, stop } = serve;
    let shared = Shared::of_listener(counters, &config);
    let runtime = listener.runtime();
    let mut tender = Tender::new(Arc::clone(&shared), runtime.clone());
    let spawner = Spawner { shared, runtime, config, handler: handler.into() };
    let mut stop = pin!(stop);
    let mut pause = FIRST_PAUSE;
    loop {
        let accepted = until(&mut stop, tender.beside(spawner.accept(&listener))).await;
        let Some(accepted) = accepted else { break };
        match accepted.and_then(|(transport, endpoints)| spawner.spawn(transport, endpoints)) {
            Ok(()) => pause = FIRST_PAUSE,
            Err(error) => {
                spawner.shared.counters.accept_errors.add();
                if is_about_one_connection(&error) {
                    continue;
                }
                if until(&mut stop, tender.beside(spawner.runtime.sleep(pause))).await.is_none() {
                    break;
                }
                pause = (pause * 2).min(LAST_PAUSE);
            }
        }
    }
    // Dropped at once, so that the system refuses new connections from now on.
    drop(listener);
    tender.beside(spawner.shut_down()).await;
}

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// True if the connection failed while it waited to be accepted, or right after: the next one may succeed. On Linux,
/// `accept` returns network errors of the new connection.
fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::HostUnreachable
    )
}

/// Runs `future`. `None` if `stop` was ready first.
async fn until<R>(
    stop: &mut Pin<&mut impl Future<Output = ()>>,
    future: impl Future<Output = R>,
) -> Option<R> {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| {
        if stop.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        future.as_mut().poll(cx).map(Some)
    })
    .await
}

pin_project! {
    /// The task of one connection. Written by hand, so that the connection is not stored twice: as an argument and as
    /// an awaited value.
    struct Task<H, F> {
        #[pin]
        run: Run<H, F>,
        member: Option<Member>,
    }
}

impl<H, F> Future for Task<H, F>
where
    H: Fn(Exchange) -> F,
    F: Future<Output: IntoAnswered>,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let ended = ready!(this.run.as_mut().poll(cx));
        let link = this.run.link();
        link.shared.tell_end(&link.endpoints, &ended);
        drop(this.member.take());
        Poll::Ready(())
    }
}

/// Spawns a task for each connection.
struct Spawner<H, R> {
    shared: Arc<Shared>,
    runtime: R,
    config: ServerConfig,
    handler: Arc<H>,
}

impl<H, F, R> Spawner<H, R>
where
    R: Runtime,
    H: Fn(Exchange) -> F + Send + Sync + 'static,
    F: Future<Output: IntoAnswered> + Send + 'static,
{
    /// Accepts a connection, and waits until there is room for it. A full server knows so that one waits.
    async fn accept<L: Listener>(&self, listener: &L) -> io::Result<(L::Transport, Endpoints)> {
        loop {
            let (transport, endpoints) = listener.accept().await?;
            if let Some(admit) = &self.config.admit {
                if !admit(&endpoints, self.shared.open_from(&endpoints)) {
                    self.shared.counters.not_admitted.add();
                    continue;
                }
            }
            room::wait(&self.shared, &self.runtime).await;
            return Ok((transport, endpoints));
        }
    }

    fn spawn(&self, transport: impl Transport, endpoints: Endpoints) -> io::Result<()> {
        let server = Server::member_of(Arc::clone(&self.shared), transport, &self.runtime, endpoints);
        self.shared.counters.accepted.add();
        // The connection joins before its task runs, and leaves after it has ended: it cannot leave before it has
        // joined.
        let handler = Arc::clone(&self.handler);
        let run = server.run(move |exchange| handler(exchange));
        let link = Arc::clone(run.link());
        let member = self.shared.join(&link);
        let task = Task { run, member: Some(member) };
        self.runtime.spawn(task).map_err(|error| {
            let kind = error.kind();
            link.shared.tell_end(&link.endpoints, &Ended::transport(error));
            kind.into()
        })
    }

    async fn shut_down(self) {
        self.shared.drain();
        let mut timeout = pin!(self.runtime.sleep(self.config.shutdown_time));
        let mut empty = pin!(self.empty());
        let in_time = std::future::poll_fn(|cx| {
            if empty.as_mut().poll(cx).is_ready() {
                return Poll::Ready(true);
            }
            timeout.as_mut().poll(cx).map(|()| false)
        });
        if !in_time.await {
            self.shared.cut();
            self.empty().await;
        }
    }

    async fn empty(&self) {
        std::future::poll_fn(|cx| {
            if self.shared.watch(cx.waker()) == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}
