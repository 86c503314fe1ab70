//! Accepts connections, and gives each its own task.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::Inner;
use super::answered::IntoAnswered;
use super::members::{Accepting, Member, Watcher};
use super::room::{self, Sleeps, Tender};
use super::run::Serving;
use crate::connection::Shared;
use crate::info::Info;
use crate::runtime::Runtime;
use crate::transport::{Listener, Transport};
use crate::{Ended, Exchange};

/// Serves what `listener` accepts until the server stops. Then closes it, and ends with the last connection: until then
/// it sheds connections when they hold too much.
pub(super) fn accept<L, H, F>(server: Arc<Inner<H>>, listener: L) -> impl Future<Output = ()> + Send
where
    L: Listener + Sync,
    H: Fn(Exchange) -> F + Send + Sync + 'static,
    F: Future<Output: IntoAnswered> + Send + 'static,
{
    // From before its task runs: a server that is shut down meanwhile waits for it.
    let accepting = Accepting::new(&server.shared);
    accept_until_stop(server, listener, accepting)
}

async fn accept_until_stop<L, H, F>(server: Arc<Inner<H>>, listener: L, accepting: Accepting)
where
    L: Listener,
    H: Fn(Exchange) -> F + Send + Sync + 'static,
    F: Future<Output: IntoAnswered> + Send + 'static,
{
    let runtime = listener.runtime();
    let sleeps = Sleeps::new(runtime.clone());
    let mut beside = Beside::new(&server.shared, sleeps.clone());
    let mut pause = FIRST_PAUSE;
    while let Some(accepted) = beside.until_stop(next(&server.shared, &listener, &sleeps)).await {
        let accepted = accepted.and_then(|new| spawn(&server, new, &runtime));
        let Err(error) = accepted else {
            pause = FIRST_PAUSE;
            continue;
        };
        server.shared.counters.accept_errors.add();
        if is_about_one_connection(&error) {
            continue;
        }
        if beside.until_stop(runtime.sleep(pause)).await.is_none() {
            break;
        }
        pause = (pause * 2).min(LAST_PAUSE);
    }
    // Dropped at once, so that the system refuses new connections from now on.
    drop(listener);
    drop(accepting);
    beside.until_empty().await;
}

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// A connection with a place.
struct New<T> {
    transport: T,
    info: Info,
    member: Member,
}

/// Accepts a connection, and waits until there is room for it. A full server knows so that one waits.
async fn next<L: Listener>(
    shared: &Arc<Shared>,
    listener: &L,
    sleeps: &Sleeps,
) -> io::Result<New<L::Transport>> {
    loop {
        let (transport, mut info) = listener.accept().await?;
        let Some(member) = shared.arrive(&info) else { continue };
        shared.tell_begin(&mut info);
        room::wait(member.turn(), Arc::clone(shared), sleeps.clone()).await;
        return Ok(New { transport, info, member });
    }
}

fn spawn<H, F>(server: &Arc<Inner<H>>, new: New<impl Transport>, runtime: &impl Runtime) -> io::Result<()>
where
    H: Fn(Exchange) -> F + Send + Sync + 'static,
    F: Future<Output: IntoAnswered> + Send + 'static,
{
    let link = server.link(new.transport, runtime, new.info);
    link.take_place(new.member);
    let serving = Serving::new(Arc::clone(&link), Arc::clone(server));
    runtime.spawn(serving).map_err(|error| {
        let kind = error.kind();
        link.tell_end(&Ended::transport(error));
        kind.into()
    })
}

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

/// What an accept loop does beside accepting.
struct Beside {
    shared: Arc<Shared>,
    tender: Tender,
    watcher: Watcher,
}

impl Beside {
    fn new(shared: &Arc<Shared>, sleeps: Sleeps) -> Self {
        let tender = Tender::new(Arc::clone(shared), sleeps);
        Self { shared: Arc::clone(shared), tender, watcher: Watcher::new(shared) }
    }

    /// Runs `future`. `None` if the server stops first.
    async fn until_stop<R>(&mut self, future: impl Future<Output = R>) -> Option<R> {
        let mut future = pin!(future);
        poll_fn(|cx| {
            self.tender.poll(cx);
            // The waker is left before the look.
            self.watcher.is_empty(cx.waker());
            if self.shared.is_draining() {
                return Poll::Ready(None);
            }
            future.as_mut().poll(cx).map(Some)
        })
        .await
    }

    async fn until_empty(&mut self) {
        poll_fn(|cx| {
            self.tender.poll(cx);
            if self.watcher.is_empty(cx.waker()) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}
