//! What the servers of these scenarios do, and what the scenarios do with their sockets.

use std::future::ready;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use endwell::blocking::block_on;
use endwell::ws::{Outlet, Socket};
use endwell::{Answered, Ended, Exchange, ServerConfig};
use tokio::sync::oneshot;

use crate::aborted::aborted;
use crate::support::{LONG, Running, Runtime, start_narrow, start_with, told};

/// Accepts, or refuses as the library proposes.
pub(crate) fn accept(exchange: Exchange) -> Result<Socket, Ended> {
    let acceptance = exchange.acceptance();
    exchange.accept(acceptance).map_err(|(reason, exchange)| {
        drop(exchange.respond(reason.head(), reason.to_string()));
        aborted()
    })
}

/// A server whose handlers hand their sockets to the scenario: the next one.
pub(crate) fn handing_over<R: Runtime>(config: ServerConfig) -> (Running, impl Fn() -> Socket) {
    let (tell, sockets) = told();
    let server = start_with::<R, _, _>(config, move |exchange| ready(hand_over(exchange, &tell)));
    (server, move || sockets.next())
}

/// The same with small socket buffers.
pub(crate) fn handing_over_narrow<R: Runtime>(config: ServerConfig) -> (Running, impl Fn() -> Socket) {
    let (tell, sockets) = told();
    let server = start_narrow::<R, _, _>(config, move |exchange| ready(hand_over(exchange, &tell)));
    (server, move || sockets.next())
}

fn hand_over(exchange: Exchange, tell: &SyncSender<Socket>) -> Result<Answered, Ended> {
    tell.send(accept(exchange)?).unwrap();
    Err(aborted())
}

/// Runs a task on the runtime. Ready: it is done.
pub(crate) fn spawn<R: Runtime, T: Send + 'static>(
    task: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = T> + Send {
    let (tell, told) = oneshot::channel();
    R::spawn(async move {
        let _ = tell.send(task.await);
    });
    async { told.await.expect("a task that ends") }
}

/// Waits for what must come, and not for ever.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    block_on(async {
        let late = async {
            smol::Timer::after(LONG).await;
            panic!("nothing has come")
        };
        smol::future::or(future, late).await
    })
}

/// Sends messages of `len` bytes until no more are accepted and the connection takes no more: how many were accepted.
pub(crate) fn fill(outlet: &Outlet, len: usize) -> usize {
    let mut accepted = 0;
    // The connection's task may still take some, for which others get room.
    while wait(outlet.send_timeout(vec![b'x'; len], Duration::from_millis(100))).is_ok() {
        accepted += 1;
    }
    accepted
}

/// A waker that counts.
#[derive(Default)]
pub(crate) struct Wakes {
    count: Mutex<usize>,
    woken: Condvar,
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        *self.count.lock().unwrap() += 1;
        self.woken.notify_all();
    }
}

impl Wakes {
    /// Polls with this as the waker.
    pub(crate) fn poll<F: Future + Unpin>(self: &Arc<Self>, future: &mut F) -> Poll<F::Output> {
        let waker = Waker::from(Arc::clone(self));
        std::pin::Pin::new(future).poll(&mut Context::from_waker(&waker))
    }

    pub(crate) fn count(&self) -> usize {
        *self.count.lock().unwrap()
    }

    /// Waits until it was woken so often in all.
    pub(crate) fn wait(&self, count: usize) {
        let guard = self.count.lock().unwrap();
        let waited = self.woken.wait_timeout_while(guard, LONG, |seen| *seen < count).unwrap();
        assert!(!waited.1.timed_out(), "never woken");
    }
}
