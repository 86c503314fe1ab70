//! A pool as a `tower::Service`.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use ::http::header::{self, HeaderMap, HeaderName};
use ::http::request::Parts;
use ::http_body::Body;
use bytes::Bytes;
use endwell_core::http::{Field, InvalidField, InvalidRequest, Method, Request};
use tower_service::Service;

use super::request::{Prepared, asked_of};
use super::{Pool, SendError};
use crate::client::{Origin, ResponseReader, Url};
use crate::transport::Connector;

/// Sends requests of the `http` crate, under any layers: redirects, decompression and time limits are those of tower-http or
/// of others.
///
/// ```no_run
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// use axum::body::Body;
/// use endwell::client::{Pool, PoolLimits};
/// use endwell::{ClientConfig, tokio::Tcp};
/// use tower::{ServiceBuilder, ServiceExt};
/// use tower_http::decompression::DecompressionLayer;
/// use tower_http::follow_redirect::FollowRedirectLayer;
///
/// let pool = Pool::new(Tcp, ClientConfig::default(), PoolLimits::default());
/// let client = ServiceBuilder::new()
///     .layer(FollowRedirectLayer::new())
///     .layer(DecompressionLayer::new())
///     .service(pool);
/// let request = http::Request::get("http://example.com/").body(Body::empty())?;
/// let response = client.clone().oneshot(request).await?;
/// println!("{}", response.status());
/// # Ok(())
/// # }
/// ```
///
/// - The URI is absolute, and names the server. A Host field is sent as it is; without one, the host is that of the URI.
/// - The length of the request is that of its Content-Length, or else that of its body if it is known; otherwise the body is
///   chunked. Of the fields that manage the connection, `Connection: close` and `TE: trailers` are heeded, and the others are
///   left out.
/// - A request is sent as [`RequestBuilder::send_with`](super::RequestBuilder::send_with) does it. [`SendError`] tells whether it
///   can be sent again: [`is_safe_to_retry`](SendError::is_safe_to_retry).
/// - The extensions of the response have its head as it came ([`ResponseHead`](crate::http::ResponseHead)), and the
///   [`Info`](crate::Info) of its connection. The body is a [`ResponseReader`], which gives the connection back when it is dropped
///   at its end.
/// - It is always ready: a request waits for its turn in its own future.
impl<C, B> Service<::http::Request<B>> for Pool<C>
where
    C: Connector,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    type Response = ::http::Response<ResponseReader>;
    type Error = SendError;
    type Future = SendRequest;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: ::http::Request<B>) -> SendRequest {
        let pool = self.clone();
        SendRequest(Box::pin(async move { send(&pool, request).await }))
    }
}

/// Waits for the head of a response: a [`Pool`] as a `tower::Service`.
#[must_use = "futures do nothing unless polled"]
pub struct SendRequest(
    Pin<Box<dyn Future<Output = Result<::http::Response<ResponseReader>, SendError>> + Send>>,
);

impl Future for SendRequest {
    type Output = Result<::http::Response<ResponseReader>, SendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for SendRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendRequest").finish_non_exhaustive()
    }
}

async fn send<C, B>(
    pool: &Pool<C>,
    request: ::http::Request<B>,
) -> Result<::http::Response<ResponseReader>, SendError>
where
    C: Connector,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let (parts, body) = request.into_parts();
    let (origin, head) = head_of(&parts)?;
    let announced = length(&parts.headers)?;
    let is_idempotent = head.method().is_idempotent();
    let prepared = Prepared { pool, origin, head, body: Bytes::new(), is_idempotent, time: None };
    answer(prepared.send_body(body, announced).await?)
}

fn head_of(parts: &Parts) -> Result<(Origin, Request), SendError> {
    let Parts { uri, headers, .. } = parts;
    let method = Method::try_from(&parts.method).map_err(InvalidRequest::from)?;
    let url = Url::try_from(uri)?;
    let (origin, mut head) = asked_of(method, &url)?;
    if let Some(host) = headers.get(header::HOST) {
        let host = host.to_str().map_err(|_not_ascii| InvalidRequest::Host)?;
        head = Request::new(method, host, url.target())?;
    }
    for field in headers {
        match Field::try_from(field) {
            Ok(field) => head.fields_mut().push(field),
            Err(InvalidField::Reserved) => {}
            Err(invalid) => return Err(invalid.into()),
        }
    }
    if lists(headers, &header::CONNECTION, b"close") {
        head = head.last();
    }
    if lists(headers, &header::TE, b"trailers") {
        head = head.with_trailers();
    }
    Ok((origin, head))
}

fn lists(headers: &HeaderMap, name: &HeaderName, option: &[u8]) -> bool {
    let options = headers.get_all(name).iter().flat_map(|value| value.as_bytes().split(|&b| b == b','));
    options.map(<[u8]>::trim_ascii).any(|listed| listed.eq_ignore_ascii_case(option))
}

/// The length that the request announces.
fn length(headers: &HeaderMap) -> Result<Option<u64>, SendError> {
    let Some(value) = headers.get(header::CONTENT_LENGTH) else { return Ok(None) };
    let length = value.to_str().ok().and_then(|text| text.parse().ok());
    length.map(Some).ok_or_else(|| SendError::Head(InvalidField::Value.into()))
}

/// The response, with its reader as the body.
fn answer(reader: ResponseReader) -> Result<::http::Response<ResponseReader>, SendError> {
    let response = ::http::Response::try_from(reader.head().clone()).map_err(SendError::Response)?;
    let mut response = response.map(|()| reader);
    let info = response.body().link().info.clone();
    response.extensions_mut().insert(info);
    Ok(response)
}
