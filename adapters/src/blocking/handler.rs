//! Handlers that are plain code.

use std::fmt;
use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;

use endwell_core::http::StatusCode;

use crate::conclusion::Conclusion;
use crate::wire::Link;
use crate::{Ended, Exchange};

/// Makes a handler of a closure that may block: each call has a thread of its own.
///
/// The connection's own thread goes on meanwhile: what was queued is written, and what `closure` waits for is read,
/// each with its deadline. `closure` waits with [`block_on`](super::block_on), such as
/// `block_on(exchange.read())`, `block_on(socket.receive())` or `block_on(response.write(piece))`.
///
/// A panic is caught, counted and answered like that of any other handler. When the connection ends, whatever of it
/// `closure` waits for ends too. What it does besides nobody can end: its thread, and the socket while it holds the
/// exchange, stay until it returns. If the system has no thread to give, the answer is 503, and
/// [`overloaded`](crate::Counters::overloaded) counts it.
///
/// It serves on every runtime, not only on threads.
pub fn handler<H, C>(closure: H) -> impl Fn(Exchange) -> Handling + Send + Sync + 'static
where
    H: Fn(Exchange) -> C + Send + Sync + 'static,
    C: Conclusion,
{
    let closure = Arc::new(closure);
    move |exchange| {
        let closure = Arc::clone(&closure);
        Handling::start(exchange, move |exchange| drop(closure(exchange)))
    }
}

/// A call of a closure on a thread of its own. Made by the [`handler`] that [`serve`](crate::serve()) was given.
#[must_use = "futures do nothing unless polled"]
pub struct Handling {
    progress: Arc<Mutex<Progress>>,
    /// The connection, until this has ended.
    link: Option<Arc<Link>>,
}

/// What such a call has come to, which is the connection's own knowledge.
#[derive(Debug)]
pub struct Handled(());

impl Conclusion for Handled {}

/// How far the closure is.
enum Progress {
    Working(Option<Waker>),
    Done(thread::Result<()>),
}

impl Handling {
    fn start(exchange: Exchange, closure: impl FnOnce(Exchange) + Send + 'static) -> Self {
        let link = Arc::clone(exchange.link());
        let progress = Arc::new(Mutex::new(Progress::Working(None)));
        if let Err(exchange) = spawn(exchange, closure, Arc::clone(&progress)) {
            link.hub.counters.overloaded.add();
            drop(exchange.respond(StatusCode::SERVICE_UNAVAILABLE, ""));
            *lock(&progress) = Progress::Done(Ok(()));
        }
        Self { progress, link: Some(link) }
    }
}

/// Runs the closure on a new thread. The exchange comes back if there is none.
fn spawn(
    exchange: Exchange,
    closure: impl FnOnce(Exchange) + Send + 'static,
    progress: Arc<Mutex<Progress>>,
) -> Result<(), Box<Exchange>> {
    let given = Arc::new(Mutex::new(Some(Box::new(exchange))));
    let taken = Arc::clone(&given);
    let work = move || {
        let Some(exchange) = lock(&taken).take() else { return };
        // What the closure holds is dropped by its panic, so the exchange is the connection's again.
        let done = catch_unwind(AssertUnwindSafe(|| closure(*exchange)));
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

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Handled> {
        let waiting = Progress::Working(Some(cx.waker().clone()));
        let mut progress = lock(&self.progress);
        let before = mem::replace(&mut *progress, waiting);
        drop(progress);
        match before {
            Progress::Working(_) => Poll::Pending,
            Progress::Done(done) => {
                self.link = None;
                // Goes on in the connection's task, which catches and counts it.
                Poll::Ready(done.map_or_else(|panic| resume_unwind(panic), Handled))
            }
        }
    }
}

impl Drop for Handling {
    /// Dropped with its connection: nobody will drive any more what the closure waits for.
    fn drop(&mut self) {
        if let Some(link) = self.link.take() {
            link.lock().end(Ended::Shutdown);
        }
    }
}

impl fmt::Debug for Handling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handling").finish_non_exhaustive()
    }
}
