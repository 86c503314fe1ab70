//! A WebSocket that a `tower::Service` opens.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use endwell_core::ws::Acceptance;

#[cfg(feature = "hyper")]
use super::foreign::Foreign;
use super::socket::Socket;
use crate::connection::Shared;
use crate::server::acceptance;

/// The way to open a WebSocket from a `tower::Service`, found in the extensions of each request.
///
/// The head of the request is in them too, for [`Subprotocol::offered`](super::Subprotocol::offered). With feature `axum` it is
/// an extractor, which works alike under `axum::serve`: one handler for both servers. With feature `hyper`, `from_parts`
/// makes it of a request that hyper serves.
///
/// ```no_run
/// use axum::response::Response;
/// use axum::routing::get;
/// use axum::{Extension, Router};
/// use endwell::ws::{CloseCode, Socket, WebSocketUpgrade};
/// use endwell::{ServerConfig, serve, with_service};
///
/// async fn chat(Extension(upgrade): Extension<WebSocketUpgrade>) -> Response {
///     upgrade.on_open(upgrade.acceptance(), |mut socket: Socket| async move {
///         while let Some(message) = socket.receive_data().await {
///             if socket.send(message).await.is_err() {
///                 break;
///             }
///         }
///         socket.close(CloseCode::NORMAL).await;
///     })
/// }
///
/// # async fn f() -> std::io::Result<()> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// let router = Router::new().route("/chat", get(chat));
/// serve(listener, ServerConfig::default(), with_service(router)).await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct WebSocketUpgrade(Server);

/// What serves the connection.
#[derive(Clone)]
enum Server {
    Ours {
        shared: Arc<Shared>,
        agreed: Agreed,
    },
    #[cfg(feature = "hyper")]
    Hyper(Box<Foreign>),
}

/// What the service has agreed to. Boxed, because each request has room for it.
#[derive(Clone, Default)]
pub(crate) struct Agreed(Arc<Mutex<Option<Box<Session>>>>);

/// The terms of a WebSocket, and what uses it.
pub(crate) struct Session {
    pub(crate) acceptance: Acceptance,
    #[expect(clippy::type_complexity, reason = "made in one place, and called in one")]
    pub(crate) run: Box<dyn FnOnce(Socket) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>,
}

impl Agreed {
    fn set(&self, session: Session) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(session.into());
    }

    pub(crate) fn take(&self) -> Option<Box<Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl WebSocketUpgrade {
    /// What the service agrees to comes to `agreed`.
    pub(crate) fn new(shared: Arc<Shared>, agreed: Agreed) -> Self {
        Self(Server::Ours { shared, agreed })
    }

    /// Finds it in the extensions of a request that this crate serves, or makes it of a request that hyper serves, such as
    /// under `axum::serve`: over HTTP/1.1, and with feature `http2` over HTTP/2, whose server must allow it
    /// (`enable_connect_protocol`, RFC 8441). Any request has one; [`on_open`](Self::on_open) judges it.
    ///
    /// hyper keeps no account of it: the session is a task of tokio, which a shutdown does not wait for, and the addresses
    /// of the socket are unknown.
    #[cfg(feature = "hyper")]
    pub fn from_parts(parts: &::http::request::Parts) -> Self {
        let ours = parts.extensions.get::<Self>().cloned();
        ours.unwrap_or_else(|| Self(Server::Hyper(Box::new(Foreign::of(parts)))))
    }

    /// The default terms: see [`Exchange::acceptance`](crate::Exchange::acceptance).
    pub fn acceptance(&self) -> Acceptance {
        match &self.0 {
            Server::Ours { shared, .. } => acceptance(shared),
            #[cfg(feature = "hyper")]
            Server::Hyper(_) => Acceptance::new(Arc::default()).jitter(crate::server::jitter()),
        }
    }

    /// Agrees to open the WebSocket: returns the response that the service returns, which is a 101. `session` runs once it
    /// was sent, in the task of the connection.
    ///
    /// The fields of the response, to which layers may add more, are sent with the 101. If the request is not a handshake
    /// that can be accepted, the refusal that [`NotAHandshake::head`](super::NotAHandshake::head) has takes its place. If a
    /// layer replaces the response, that one is sent. In both cases `session` does not run.
    ///
    /// A socket that `session` drops is closed with 1011.
    pub fn on_open<B, F>(
        &self,
        acceptance: Acceptance,
        session: impl FnOnce(Socket) -> F + Send + 'static,
    ) -> ::http::Response<B>
    where
        B: Default,
        F: Future<Output = ()> + Send + 'static,
    {
        let session = |socket| -> Pin<Box<dyn Future<Output = ()> + Send>> { Box::pin(session(socket)) };
        let session = Session { acceptance, run: Box::new(session) };
        match &self.0 {
            Server::Ours { agreed, .. } => {
                agreed.set(session);
                let mut response = ::http::Response::new(B::default());
                *response.status_mut() = ::http::StatusCode::SWITCHING_PROTOCOLS;
                response
            }
            #[cfg(feature = "hyper")]
            Server::Hyper(foreign) => foreign.open(session).map(|()| B::default()),
        }
    }
}

/// As [`WebSocketUpgrade::from_parts`].
#[cfg(feature = "axum")]
impl<S: Sync> axum_core::extract::FromRequestParts<S> for WebSocketUpgrade {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut ::http::request::Parts,
        _: &S,
    ) -> Result<Self, std::convert::Infallible> {
        Ok(Self::from_parts(parts))
    }
}

impl fmt::Debug for WebSocketUpgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketUpgrade").finish_non_exhaustive()
    }
}
