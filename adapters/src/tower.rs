//! Any `tower::Service` as a handler.

use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use ::http::header::{self, HeaderMap};
use ::http_body::Body;
use endwell_core::http::{FieldSection, Method, Response, StatusCode};
use tower_service::Service;

use crate::body::framing;
use crate::server::Responder;
use crate::ws::{Agreed, WebSocketUpgrade};
use crate::{Answered, Exchange, HandlerError, RequestReader};

/// Makes a handler from a `tower::Service`, such as a router of axum with its layers. The service is cloned for each
/// request.
///
/// ```no_run
/// use axum::Router;
/// use axum::routing::get;
/// use endwell::{ServerConfig, serve, with_service};
///
/// # async fn f() -> std::io::Result<()> {
/// let router = Router::new().route("/", get(async || "hello"));
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// serve(listener, ServerConfig::default(), with_service(router)).await;
/// # Ok(())
/// # }
/// ```
///
/// - The body of the request is a [`RequestReader`]. What the service does not read of it is discarded.
/// - The extensions of the request have its head as it came ([`RequestHead`](crate::http::RequestHead)), the
///   [`Info`](crate::Info) of its connection, and a [`WebSocketUpgrade`].
/// - A target with characters that `http::Uri` refuses, such as `<`, is answered with 400.
/// - The length of the response is that of its Content-Length, or else that of its body if it is known; otherwise the body
///   is chunked. A body of another length than it announces is cut off. Of the fields that manage the connection,
///   `Connection: close` is heeded, and the others are left out.
/// - An error of the service is answered with 500, and told to
///   [`ServerConfig::on_exchange`](crate::ServerConfig::on_exchange).
///
/// It works on every runtime, as far as the service does.
pub fn with_service<S, B>(service: S) -> impl Fn(Exchange) -> WithService + Send + Sync + 'static
where
    S: Service<::http::Request<RequestReader>, Response = ::http::Response<B>>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    S::Future: Send,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    move |exchange| WithService(Box::pin(answer(service.clone(), exchange)))
}

/// Waits until a service has answered an exchange. Made by the handler that [`with_service`] makes.
#[must_use = "futures do nothing unless polled"]
pub struct WithService(Pin<Box<dyn Future<Output = Result<Answered, HandlerError>> + Send>>);

impl Future for WithService {
    type Output = Result<Answered, HandlerError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for WithService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithService").finish_non_exhaustive()
    }
}

async fn answer<S, B>(mut service: S, exchange: Exchange) -> Result<Answered, HandlerError>
where
    S: Service<::http::Request<RequestReader>, Response = ::http::Response<B>>,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body<Error: Into<Box<dyn Error + Send + Sync>>>,
{
    let failed = |error: S::Error| HandlerError::from(error.into());
    poll_fn(|cx| service.poll_ready(cx)).await.map_err(failed)?;
    let is_head = exchange.method() == Method::Head;
    // Heads do not live across an await: they would make the future of each request larger than an allocator serves at
    // once.
    let (called, agreed, responder) = match call(service, exchange) {
        Ok(called) => called,
        Err(answered) => return Ok(answered),
    };
    let response = called.await.map_err(failed)?;
    if response.status() == ::http::StatusCode::SWITCHING_PROTOCOLS {
        return match open(&agreed, responder, response.headers())? {
            Ok(session) => {
                session.await;
                Ok(Answered::new())
            }
            Err(answered) => Ok(answered),
        };
    }
    let Outgoing { head, length, body, responder } = outgoing(responder, response, is_head)?;
    let sent = if is_head {
        responder.start(head, framing(length)).send_body(body).await
    } else {
        responder.send(head, length, body).await
    };
    sent.map_err(|error| HandlerError::from(Box::from(error)))
}

/// Passes a request on. The answer if it is not one of the `http` crate.
fn call<S>(mut service: S, exchange: Exchange) -> Result<(S::Future, Agreed, Responder), Answered>
where
    S: Service<::http::Request<RequestReader>>,
{
    let (head, body, responder) = exchange.into_parts();
    let Ok(request) = ::http::Request::try_from(head) else {
        return Err(responder.respond(StatusCode::BAD_REQUEST, ""));
    };
    let mut request = request.map(|()| body);
    let agreed = Agreed::default();
    let extensions = request.extensions_mut();
    extensions.insert(responder.link().info.clone());
    extensions.insert(WebSocketUpgrade::new(Arc::clone(&responder.link().shared), agreed.clone()));
    Ok((service.call(request), agreed, responder))
}

/// Opens the WebSocket that the service has agreed to. Returns its session, or the refusal.
fn open(
    agreed: &Agreed,
    responder: Responder,
    headers: &HeaderMap,
) -> Result<Result<impl Future<Output = ()> + use<>, Answered>, HandlerError> {
    let Some(mut session) = agreed.take() else {
        return Err(failed("a service responded with 101, but did not call WebSocketUpgrade::on_open"));
    };
    session.acceptance.fields_mut().append(&FieldSection::without_reserved(headers));
    Ok(match responder.accept(session.acceptance) {
        Ok(socket) => Ok((session.run)(socket)),
        Err((reason, responder)) => Err(responder.respond(reason.head(), "")),
    })
}

/// A response that is to be sent.
struct Outgoing<B> {
    head: Response,
    /// The length of the body, if it is known.
    length: Option<u64>,
    body: B,
    responder: Responder,
}

fn outgoing<B: Body>(
    mut responder: Responder,
    response: ::http::Response<B>,
    is_head: bool,
) -> Result<Outgoing<B>, HandlerError> {
    let (parts, body) = response.into_parts();
    let mut head = Response::new(StatusCode::try_from(parts.status).map_err(failed)?);
    *head.fields_mut() = FieldSection::without_reserved(&parts.headers);
    let decided = Decided::of(&parts.headers)?;
    if decided.closes {
        responder.last();
    }
    let length = decided.length.or_else(|| body.size_hint().exact().filter(|_| !is_head));
    Ok(Outgoing { head, length, body, responder })
}

/// What the service decides about the connection and the length.
#[derive(Default)]
struct Decided {
    closes: bool,
    length: Option<u64>,
}

impl Decided {
    /// Looks at each field once: most responses have few.
    fn of(headers: &HeaderMap) -> Result<Self, HandlerError> {
        let mut decided = Self::default();
        for (name, value) in headers {
            if name == header::CONNECTION {
                let mut options = value.as_bytes().split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
                decided.closes |= options.any(|option| option.eq_ignore_ascii_case(b"close"));
            } else if name == header::CONTENT_LENGTH && decided.length.is_none() {
                let length = value.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(|| {
                    failed("expected a number as the Content-Length of a response (RFC 9110 8.6)")
                })?;
                decided.length = Some(length);
            }
        }
        Ok(decided)
    }
}

fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> HandlerError {
    HandlerError::from(error.into())
}
