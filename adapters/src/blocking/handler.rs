//! Handlers without async.

use std::fmt;
use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;

use endwell_core::http::StatusCode;

use crate::Exchange;
use crate::config::OnGone;
use crate::server::{HandlerEnd, IntoAnswered};
use crate::tracing;

/// Makes a handler from a closure that may block: each call has its own thread.
///
/// The connection's own thread keeps working meanwhile: it writes queued output, and reads what `closure` waits for,
/// each with its deadline. `closure` waits with [`block_on`](super::block_on), for example `block_on(exchange.read())`,
/// `block_on(socket.receive())` or `block_on(response.write(piece))`.
///
/// A panic is caught, counted and answered as for any other handler. When the connection ends, every wait of `closure`
/// on it ends too. Other work of the closure cannot be stopped: its thread, and the socket while it holds the exchange,
/// stay until it returns. If the system has no thread left, the response is 503, and
/// [`overloaded`](crate::Counters::overloaded) counts it.
///
/// It works on every runtime, not only on threads.
pub fn handler<H, C>(closure: H) -> impl Fn(Exchange) -> Handling + Send + Sync + 'static
where
    H: Fn(Exchange) -> C + Send + Sync + 'static,
    C: IntoAnswered,
{
    let closure = Arc::new(closure);
    move |exchange| {
        let closure = Arc::clone(&closure);
        Handling::start(exchange, move |exchange| closure(exchange).into_handler_end())
    }
}

/// A call of a closure on its own thread. Made by the [`handler`] that was passed to [`serve`](crate::serve()).
#[must_use = "futures do nothing unless polled"]
pub struct Handling {
    progress: Arc<Mutex<Progress>>,
}

/// The result of a handler that may block, which only the connection can read.
#[derive(Debug)]
pub struct Handled(HandlerEnd);

impl IntoAnswered for Handled {
    fn into_handler_end(self) -> HandlerEnd {
        self.0
    }
}

/// How far the closure has run.
enum Progress {
    Working(Option<Waker>),
    Done(thread::Result<HandlerEnd>),
}

impl Handling {
    fn start(exchange: Exchange, closure: impl FnOnce(Exchange) -> HandlerEnd + Send + 'static) -> Self {
        // A thread cannot be dropped.
        let mut exchange = exchange;
        exchange.set_on_gone(OnGone::Finish);
        exchange.link().lock().answer_late();
        let shared = Arc::clone(&exchange.link().shared);
        let progress = Arc::new(Mutex::new(Progress::Working(None)));
        if let Err(exchange) = spawn(exchange, closure, Arc::clone(&progress)) {
            shared.counters.overloaded.add();
            drop(exchange.respond(StatusCode::SERVICE_UNAVAILABLE, ""));
            *lock(&progress) = Progress::Done(Ok(HandlerEnd::Answered));
        }
        Self { progress }
    }
}

/// Runs the closure on a new thread. Returns the exchange if the system has no thread left.
fn spawn(
    exchange: Exchange,
    closure: impl FnOnce(Exchange) -> HandlerEnd + Send + 'static,
    progress: Arc<Mutex<Progress>>,
) -> Result<(), Box<Exchange>> {
    let given = Arc::new(Mutex::new(Some(Box::new(exchange))));
    let taken = Arc::clone(&given);
    let span = tracing::current();
    let work = move || {
        let Some(exchange) = lock(&taken).take() else { return };
        // A panic drops what the closure holds, so the exchange returns to the connection.
        let done = catch_unwind(AssertUnwindSafe(|| span.enter(|| closure(*exchange))));
        let before = mem::replace(&mut *lock(&progress), Progress::Done(done));
        if let Progress::Working(Some(waker)) = before {
            waker.wake();
        }
    };
    let spawned: io::Result<_> = thread::Builder::new().name("endwell handler".into()).spawn(work);
    match spawned {
        Ok(_) => Ok(()),
        Err(_) => lock(&given).take().map_or(Ok(()), Err),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Future for Handling {
    type Output = Handled;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Handled> {
        let waiting = Progress::Working(Some(cx.waker().clone()));
        let mut progress = lock(&self.progress);
        let before = mem::replace(&mut *progress, waiting);
        drop(progress);
        match before {
            Progress::Working(_) => Poll::Pending,
            Progress::Done(done) => {
                // The panic continues in the connection's task, which catches and counts it.
                Poll::Ready(done.map_or_else(|panic| resume_unwind(panic), Handled))
            }
        }
    }
}

impl fmt::Debug for Handling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handling").finish_non_exhaustive()
    }
}
