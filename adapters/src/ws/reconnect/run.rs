//! One socket after the other.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use endwell_core::http::InterimHead;
use endwell_core::ws::Close;

use super::builder::ReconnectBuilder;
use super::shared::Shared;
use super::{Loss, LossCause, ReconnectEvent};
use crate::client::{Switched, before};
use crate::runtime::{Runtime, Timer};
use crate::transport::Connector;
use crate::ws::connect::spawn;
use crate::ws::{ConnectError, Message, Outlet, Socket};

/// What opens sockets, receives from them and waits between them. It runs within the call that receives.
pub(super) struct Run<C> {
    with: ReconnectBuilder<C>,
    shared: Arc<Shared>,
}

/// How a socket was lost, or was not opened.
struct Lost {
    cause: LossCause,
    unsent: Vec<Message>,
    /// The time that it was open.
    open: Duration,
}

impl<C> Drop for Run<C> {
    /// Tasks that wait for a socket are told that there is no further one.
    fn drop(&mut self) {
        self.shared.over();
    }
}

impl<C: Connector> Run<C> {
    pub(super) fn new(with: ReconnectBuilder<C>, shared: Arc<Shared>) -> Self {
        Self { with, shared }
    }

    pub(super) async fn run(self) {
        let limits = self.with.limits;
        let mut failures = 0_u32;
        while let Some(lost) = self.one().await {
            let Lost { cause, unsent, open } = lost;
            failures = if open < limits.lasting_time { failures.saturating_add(1) } else { 1 };
            let mut loss = Loss { cause, unsent, failures, wait: None };
            if !self.shared.is_closing() && !(self.with.is_final)(&loss) {
                loss.wait = Some(limits.wait(failures, loss.retry_after()));
            }
            let wait = loss.wait;
            if wait.is_none() {
                self.shared.close(Close::EMPTY);
            }
            self.give(ReconnectEvent::Lost(loss)).await;
            let Some(wait) = wait else { return };
            if self.unless_closed(self.sleep(wait)).await.is_none() {
                return;
            }
        }
    }

    /// Opens a socket and receives from it until it is lost. `None` if it was closed before it was open.
    async fn one(&self) -> Option<Lost> {
        let (socket, head) = match self.unless_closed(self.open()).await? {
            Ok(opened) => opened,
            Err(lost) => return Some(lost),
        };
        // It counts from an epoch of its own.
        let clock = self.with.connector.runtime().timer();
        let opened = clock.now();
        let outlet = socket.outlet();
        let (send, mut receive) = socket.split();
        self.shared.opened(&outlet);
        self.give(ReconnectEvent::Open(head)).await;
        while let Some(message) = receive.receive().await {
            self.give(ReconnectEvent::Message(message)).await;
        }
        drop(receive);
        // It is closing already, or has ended.
        let ended = send.close(Close::EMPTY).await;
        self.shared.lost();
        let open = clock.now().saturating_since(opened);
        Some(Lost { cause: LossCause::Ended(ended), unsent: outlet.unsent(), open })
    }

    async fn open(&self) -> Result<(Socket, InterimHead), Lost> {
        let mut builder = self.with.socket.clone();
        if let Some(prepare) = &self.with.prepare {
            let prepared = self.in_time(prepare(builder)).await;
            builder = prepared.map_err(|error| Lost::before(LossCause::Prepare(error)))?;
        }
        let dialled = builder.dial(&self.with.connector).await;
        let not_opened = |error| Lost::before(LossCause::NotOpened(error));
        let (Switched { mut socket, head }, driver) = dialled.map_err(not_opened)?;
        spawn(&self.with.connector, driver).map_err(|error| not_opened(ConnectError::Io(error)))?;
        if let Some(hook) = &self.with.on_open {
            let outlet = socket.outlet();
            socket = match self.in_time(hook(socket)).await {
                Ok(socket) => socket,
                Err(error) => return Err(self.failed(error, outlet).await),
            };
        }
        Ok((socket, head))
    }

    /// The hook has failed. It has dropped the socket, or holds it somewhere.
    async fn failed(&self, error: Box<dyn std::error::Error + Send + Sync>, outlet: Outlet) -> Lost {
        let ended = before(self.sleep(self.with.limits.hook_time), outlet.closed()).await;
        Lost { unsent: outlet.unsent(), ..Lost::before(LossCause::Hook { error, ended }) }
    }

    /// Runs a hook within its time.
    async fn in_time<T, E: From<String>>(&self, hook: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let time = self.with.limits.hook_time;
        let ran = before(self.sleep(time), hook).await;
        ran.unwrap_or_else(|| Err(format!("it was not done within {time:?}").into()))
    }

    /// Hands out an event, and goes on when it was taken. The task that takes it polls this again.
    async fn give(&self, event: ReconnectEvent) {
        self.shared.put(event);
        poll_fn(|_| if self.shared.has_event() { Poll::Pending } else { Poll::Ready(()) }).await;
    }

    /// Runs a future, unless it is to end. `None` then.
    async fn unless_closed<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        before(poll_fn(|cx| self.shared.poll_closing(cx)), future).await
    }

    async fn sleep(&self, time: Duration) {
        let runtime = self.with.connector.runtime();
        runtime.sleep(time).await;
    }
}

impl Lost {
    /// Before a socket was open.
    fn before(cause: LossCause) -> Self {
        Self { cause, unsent: Vec::new(), open: Duration::ZERO }
    }
}
