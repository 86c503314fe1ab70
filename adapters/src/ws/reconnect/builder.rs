//! Sets how a socket reconnects.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use super::run::Run;
use super::shared::Shared;
use super::{Loss, ReconnectLimits, Reconnecting};
use crate::transport::Connector;
use crate::ws::{Socket, SocketBuilder};

type Failure = Box<dyn Error + Send + Sync>;
type Hooked<T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send>>;

/// A hook that takes a value and returns it, or an error.
pub(super) type Hook<T> = Box<dyn Fn(T) -> Hooked<T> + Send + Sync>;

/// A [`Reconnecting`] socket that has not started. Made by [`SocketBuilder::reconnecting`].
#[must_use = "it starts with `start`"]
pub struct ReconnectBuilder<C> {
    pub(super) connector: C,
    pub(super) socket: SocketBuilder,
    pub(super) limits: ReconnectLimits,
    pub(super) prepare: Option<Hook<SocketBuilder>>,
    pub(super) on_open: Option<Hook<Socket>>,
    pub(super) is_final: Box<dyn Fn(&Loss) -> bool + Send + Sync>,
}

impl SocketBuilder {
    /// Opens the socket over `connector`, and opens it again whenever it is lost. Start it, and receive from it.
    ///
    /// For TLS the connector is a `tls::TlsConnector`, for proxies a [`Proxied`](crate::client::proxy::Proxied), as for
    /// [`open`](Self::open).
    pub fn reconnecting<C: Connector>(self, connector: C) -> ReconnectBuilder<C> {
        ReconnectBuilder {
            connector,
            socket: self,
            limits: ReconnectLimits::default(),
            prepare: None,
            on_open: None,
            is_final: Box::new(Loss::is_final),
        }
    }
}

impl<C: Connector> ReconnectBuilder<C> {
    /// Sets the limits. Default: [`ReconnectLimits::default`].
    pub fn limits(self, limits: ReconnectLimits) -> Self {
        Self { limits, ..self }
    }

    /// Sets what runs before each attempt. It may change what is asked for, for example a token that has expired, and returns
    /// it. If it fails or takes longer than [`ReconnectLimits::hook_time`], the attempt has failed.
    ///
    /// ```no_run
    /// # use endwell::{tokio::Tcp, ws::{self, SocketBuilder}};
    /// # async fn token() -> std::io::Result<String> { todo!() }
    /// let feed = ws::connect("ws://example.com/prices")
    ///     .reconnecting(Tcp)
    ///     .prepare(async |socket: SocketBuilder| Ok(socket.set_header("authorization", token().await?)))
    ///     .end_if(|_| false)
    ///     .start();
    /// ```
    pub fn prepare<F, Fut>(mut self, prepare: F) -> Self
    where
        F: Fn(SocketBuilder) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<SocketBuilder, Failure>> + Send + 'static,
    {
        self.prepare = Some(Box::new(move |socket| Box::pin(prepare(socket))));
        self
    }

    /// Sets what runs on each new socket, before it is used for anything else: subscribe, send credentials, ask for what was
    /// missed. It may receive too, and returns the socket. If it fails, or takes longer than
    /// [`ReconnectLimits::hook_time`], the socket is closed with 1011 and counts as lost.
    ///
    /// An outlet sends over the socket from when the hook has succeeded.
    pub fn on_open<F, Fut>(mut self, hook: F) -> Self
    where
        F: Fn(Socket) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Socket, Failure>> + Send + 'static,
    {
        self.on_open = Some(Box::new(move |socket| Box::pin(hook(socket))));
        self
    }

    /// Sets what decides, after each loss, whether it is the last. Default: [`Loss::is_final`].
    ///
    /// ```no_run
    /// # use endwell::{tokio::Tcp, ws};
    /// let feed = ws::connect("ws://example.com/prices")
    ///     .reconnecting(Tcp)
    ///     .end_if(|loss| loss.is_final() || loss.failures == 10 || loss.close_code().is_some_and(|code| code.number() == 4001))
    ///     .start();
    /// ```
    pub fn end_if(mut self, is_final: impl Fn(&Loss) -> bool + Send + Sync + 'static) -> Self {
        self.is_final = Box::new(is_final);
        self
    }

    /// Starts it. It connects when it is received from.
    pub fn start(self) -> Reconnecting {
        let shared = Arc::new(Shared::new());
        let run = Run::new(self, Arc::clone(&shared));
        Reconnecting { run: Some(Box::pin(run.run())), shared }
    }
}

impl<C> fmt::Debug for ReconnectBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReconnectBuilder")
            .field("socket", &self.socket)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
