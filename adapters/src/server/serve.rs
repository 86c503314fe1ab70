//! Serves every connection that a listener accepts: the one-liner.

use std::fmt;
use std::future::{pending, poll_fn};
use std::mem;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use super::accept::accept;
use super::answered::IntoAnswered;
use super::counters::Counters;
use super::shutdown::Report;
use crate::transport::Listener;
use crate::{Exchange, Server, ServerConfig};

/// Serves every connection that `listener` accepts: await the result, or spawn it. A [`Server`] with one listener.
///
/// `handler` is called for each request; it returns what [`IntoAnswered`](crate::IntoAnswered) lists, mostly
/// [`Answered`](crate::Answered) or a `Result` of it with any error. Every connection has its own task. [`ServerConfig`] bounds the number of connections, and the
/// memory that they hold together, and documents how connections make room for others. Errors of `accept` are counted,
/// and accepting continues. If the process has no more file descriptors or threads, it continues after a pause that
/// grows from 5 ms to 1 s.
///
/// It never ends, unless [`until`](Serve::until) sets an end.
///
/// ```no_run
/// # async fn f() -> std::io::Result<()> {
/// use endwell::{ServerConfig, Exchange, serve, http::StatusCode};
///
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// let report = serve(listener, ServerConfig::default(), async |exchange: Exchange| exchange.respond(StatusCode::OK, "hello"))
///     .until(async { tokio::signal::ctrl_c().await.unwrap_or(()) })
///     .await;
/// println!("{report}");
/// # Ok(())
/// # }
/// ```
pub fn serve<L, H, F>(listener: L, config: ServerConfig, handler: H) -> Serve
where
    L: Listener + Sync,
    H: Fn(Exchange) -> F + Send + Sync + 'static,
    F: Future<Output: IntoAnswered> + Send + 'static,
{
    let server = Server::new(config, handler);
    let counters = server.counters();
    let begin = Box::new(|stop| -> Serving { Box::pin(run(server, listener, stop)) });
    Serve { counters, stop: Box::pin(pending()), begin: Some(begin), serving: None }
}

/// A server with one listener, to await. Made by [`serve`].
///
/// # Cancel safety
///
/// Dropping it shuts the server down, as dropping a [`Server`] does: the listener closes at once, connections that are
/// idle close, the response to every open exchange announces the close, and what is still open after
/// [`ServerConfig::shutdown_time`] is cut off. The connections have their own tasks, so the runtime must still run for that.
// The types of the listener and of the handler are erased: a struct can hold it, and a handler of a wrong type is an error
// where it is passed and not once more where the server is awaited.
#[must_use = "await it"]
pub struct Serve {
    counters: Arc<Counters>,
    stop: Stop,
    /// `None` once it runs.
    begin: Option<Box<dyn FnOnce(Stop) -> Serving + Send>>,
    serving: Option<Serving>,
}

type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;
type Serving = Pin<Box<dyn Future<Output = Report> + Send>>;

impl Serve {
    /// Stops when `stop` is ready. The server accepts no more connections, idle ones close, and the response to every
    /// open exchange announces the close. Connections that are still open after [`ServerConfig::shutdown_time`] are cut off,
    /// and are in the [`Report`] that is then returned.
    pub fn until(self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { stop: Box::pin(stop), ..self }
    }

    /// The counters of this server.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }
}

impl Future for Serve {
    type Output = Report;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Report> {
        if let Some(begin) = self.begin.take() {
            let stop = mem::replace(&mut self.stop, Box::pin(pending()));
            self.serving = Some(begin(stop));
        }
        self.serving.as_mut().map_or(Poll::Pending, |serving| serving.as_mut().poll(cx))
    }
}

async fn run<L, H, F>(server: Server<H>, listener: L, mut stop: Stop) -> Report
where
    L: Listener + Sync,
    H: Fn(Exchange) -> F + Send + Sync + 'static,
    F: Future<Output: IntoAnswered> + Send + 'static,
{
    let mut accepting = pin!(accept(Arc::clone(&server.inner), listener));
    poll_fn(|cx| {
        let stopped = stop.as_mut().poll(cx);
        // It does not end before the server stops.
        if stopped.is_pending() { accepting.as_mut().poll(cx) } else { stopped }
    })
    .await;
    let time = server.inner.shared.shutdown_time();
    let shutdown = server.shutdown(time);
    accepting.await;
    shutdown.await
}

impl fmt::Debug for Serve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve").field("counters", &self.counters).finish_non_exhaustive()
    }
}
