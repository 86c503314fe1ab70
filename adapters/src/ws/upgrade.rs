//! A WebSocket that a `tower::Service` opens.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use endwell_core::ws::Acceptance;

use super::socket::Socket;
use crate::connection::Shared;
use crate::server::acceptance;

/// The way to open a WebSocket from a `tower::Service`, found in the extensions of each request.
///
/// The head of the request is in them too, for [`Subprotocol::offered`](super::Subprotocol::offered).
///
/// ```no_run
/// use axum::response::Response;
/// use axum::routing::get;
/// use axum::{Extension, Router};
/// use endwell::ws::{CloseCode, Message, Socket, WebSocketUpgrade};
/// use endwell::{ServerConfig, serve, with_service};
///
/// async fn chat(Extension(upgrade): Extension<WebSocketUpgrade>) -> Response {
///     upgrade.on_open(upgrade.acceptance(), |mut socket: Socket| async move {
///         while let Some(message) = socket.receive().await.filter(Message::is_data) {
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
pub struct WebSocketUpgrade {
    shared: Arc<Shared>,
    agreed: Agreed,
}

/// What the service has agreed to.
#[derive(Clone, Default)]
pub(crate) struct Agreed(Arc<Mutex<Option<Session>>>);

/// The terms of a WebSocket, and what uses it.
pub(crate) struct Session {
    pub(crate) acceptance: Acceptance,
    #[expect(clippy::type_complexity, reason = "made in one place, and called in one")]
    pub(crate) run: Box<dyn FnOnce(Socket) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>,
}

impl Agreed {
    pub(crate) fn take(&self) -> Option<Session> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl WebSocketUpgrade {
    /// What the service agrees to comes to `agreed`.
    pub(crate) fn new(shared: Arc<Shared>, agreed: Agreed) -> Self {
        Self { shared, agreed }
    }

    /// The default terms: see [`Exchange::acceptance`](crate::Exchange::acceptance).
    pub fn acceptance(&self) -> Acceptance {
        acceptance(&self.shared)
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
        let run =
            Box::new(|socket| -> Pin<Box<dyn Future<Output = ()> + Send>> { Box::pin(session(socket)) });
        *self.agreed.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Session { acceptance, run });
        let mut response = ::http::Response::new(B::default());
        *response.status_mut() = ::http::StatusCode::SWITCHING_PROTOCOLS;
        response
    }
}

impl fmt::Debug for WebSocketUpgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketUpgrade").finish_non_exhaustive()
    }
}
