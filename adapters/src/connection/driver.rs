//! A connection, as held by its task.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::Link;
use super::drive::{Beside, Turned};
use crate::Ended;

/// Drives a connection to its end, beside the tasks that use it: what is sent is written, what arrives is read, and time
/// limits are kept. Its result is how the connection ended.
///
/// Spawn it, or let it [`run`](Self::run) the application in its own task. [`client::Connection::dial`](crate::client::Connection::dial)
/// and [`ws::Socket::dial`](crate::ws::Socket::dial) return one, and so do the functions `over` of both.
///
/// # Cancel safety
///
/// If it is dropped, the connection closes at once: rights in other tasks would otherwise wait for ever. They receive
/// [`EndedKind::Cancelled`](crate::EndedKind::Cancelled).
#[must_use = "nothing is sent or received unless the driver is polled"]
pub struct Driver(Arc<Link>);

impl Driver {
    pub(crate) fn new(link: Arc<Link>) -> Self {
        Self(link)
    }

    pub(crate) fn link(&self) -> &Arc<Link> {
        &self.0
    }

    /// Runs the application that uses the connection, and drives the connection in the same task. This is the fastest
    /// form of a client: what has arrived reaches the application without a change of tasks, and what it has sent is
    /// written together when it waits.
    ///
    /// It is ready with the application's result. The connection goes on if rights to it do: spawn the driver then, or
    /// await it.
    ///
    /// ```no_run
    /// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
    /// use endwell::{ClientConfig, tokio::Tcp, ws};
    ///
    /// let url = "ws://example.com/feed";
    /// let (mut socket, mut driver) = ws::Socket::dial(&Tcp, url, &ClientConfig::default()).await?;
    /// let ended = driver
    ///     .run(async move {
    ///         while let Some(message) = socket.receive().await {
    ///             println!("{message:?}");
    ///         }
    ///         socket.close(ws::CloseCode::NORMAL).await
    ///     })
    ///     .await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// If the connection ends, the application is told by what it waits for, and goes on as long as it likes.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the application is dropped. The connection waits until its driver is polled again.
    pub fn run<A: Future>(&mut self, application: A) -> impl Future<Output = A::Output> + use<'_, A> {
        Running { driver: self, application }
    }
}

pin_project! {
    /// An application that runs in the task of its driver.
    struct Running<'d, A> {
        driver: &'d mut Driver,
        #[pin]
        application: A,
    }
}

impl<A: Future> Future for Running<'_, A> {
    type Output = A::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<A::Output> {
        let mut this = self.project();
        let link = this.driver.link();
        link.lock().begin(link, cx, Beside::Handler);
        loop {
            let output = this.application.as_mut().poll(cx);
            // The lock is released before the application is polled again.
            let beside = if output.is_ready() { Beside::Nothing } else { Beside::Handler };
            let turned = link.lock().turn(link, cx, beside);
            if output.is_ready() {
                return output;
            }
            if let Turned::Waits = turned {
                return Poll::Pending;
            }
        }
    }
}

impl Future for Driver {
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        let link = &self.0;
        let mut connection = link.lock();
        connection.begin(link, cx, Beside::Nothing);
        match connection.turn(link, cx, Beside::Nothing) {
            Turned::Ended(ended) => Poll::Ready(ended),
            // No handler was ever here, and no server that stops.
            Turned::Waits | Turned::Again | Turned::Late(_) | Turned::Cancel | Turned::Request(_) => {
                Poll::Pending
            }
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.lock().leave(Ended::CANCELLED);
        self.0.leave_place();
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("info", &self.0.info).finish_non_exhaustive()
    }
}
