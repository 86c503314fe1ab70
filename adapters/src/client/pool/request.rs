//! Builds a request from a URL.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use endwell_core::http::{Field, Framing, InvalidRequest, Method, Request, Upgrade};

use super::{Pool, SendError, Wanted};
use crate::client::connection::Connection;
use crate::client::response_future::ResponseFuture;
use crate::client::switch::{SwitchFuture, SwitchOutcome};
use crate::client::total_time::TotalTime;
use crate::client::{InvalidUrl, Origin, RequestWriter, ResponseReader, Scheme, Url};
use crate::transport::Connector;

/// A request that a [`Pool`] will send. Made by [`Pool::get`], [`Pool::post`] and the others.
///
/// A URL, a method or a field that is not valid is an error of the call that sends.
///
/// ```no_run
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// use endwell::client::{Pool, PoolLimits};
/// use endwell::{ClientConfig, tokio::Tcp};
///
/// let pool = Pool::new(Tcp, ClientConfig::default(), PoolLimits::default());
/// let mut response = pool
///     .get("http://example.com/search?q=a")
///     .header("accept", "text/html")
///     .timeout(Duration::from_secs(10))
///     .send()
///     .await?;
/// if response.status().is_success() {
///     println!("{}", response.text(1 << 20).await?);
/// }
/// # Ok(())
/// # }
/// ```
///
/// JSON needs no more than serde_json:
///
/// ```no_run
/// # async fn f(pool: endwell::client::Pool<endwell::tokio::Tcp>) -> Result<(), Box<dyn std::error::Error>> {
/// let order = serde_json::json!({ "item": 7 });
/// let request = pool.post("http://example.com/orders").header("content-type", "application/json");
/// let mut response = request.body(serde_json::to_vec(&order)?).send().await?;
/// let answer: serde_json::Value = serde_json::from_slice(&response.read_all(1 << 20).await?)?;
/// # Ok(())
/// # }
/// ```
///
/// With feature `tower`, a pool is a `tower::Service`: redirects, cookies and decompression are layers around it.
#[must_use = "a request is sent by `send`"]
pub struct RequestBuilder<'p, C> {
    pool: &'p Pool<C>,
    asked: Result<(Origin, Request), SendError>,
    body: Bytes,
    timeout: Option<Duration>,
    /// `None`: the method decides.
    is_idempotent: Option<bool>,
}

impl<C: Connector> Pool<C> {
    /// Builds a GET for `url`: a text, a [`Url`], or a `Uri` of the `http` crate.
    pub fn get(&self, url: impl TryInto<Url, Error: Into<InvalidUrl>>) -> RequestBuilder<'_, C> {
        self.request(Method::Get, url)
    }

    /// Builds a HEAD.
    pub fn head(&self, url: impl TryInto<Url, Error: Into<InvalidUrl>>) -> RequestBuilder<'_, C> {
        self.request(Method::Head, url)
    }

    /// Builds a POST.
    pub fn post(&self, url: impl TryInto<Url, Error: Into<InvalidUrl>>) -> RequestBuilder<'_, C> {
        self.request(Method::Post, url)
    }

    /// Builds a PUT.
    pub fn put(&self, url: impl TryInto<Url, Error: Into<InvalidUrl>>) -> RequestBuilder<'_, C> {
        self.request(Method::Put, url)
    }

    /// Builds a PATCH.
    pub fn patch(&self, url: impl TryInto<Url, Error: Into<InvalidUrl>>) -> RequestBuilder<'_, C> {
        self.request(Method::Patch, url)
    }

    /// Builds a DELETE.
    pub fn delete(&self, url: impl TryInto<Url, Error: Into<InvalidUrl>>) -> RequestBuilder<'_, C> {
        self.request(Method::Delete, url)
    }

    /// Builds a request with any method but CONNECT, for an `http` or `https` URL.
    pub fn request(
        &self,
        method: Method<'_>,
        url: impl TryInto<Url, Error: Into<InvalidUrl>>,
    ) -> RequestBuilder<'_, C> {
        let asked = url.try_into().map_err(|invalid| SendError::Url(invalid.into()));
        let asked = asked.and_then(|url| asked_of(method, &url));
        RequestBuilder { pool: self, asked, body: Bytes::new(), timeout: None, is_idempotent: None }
    }
}

/// The server and the head.
pub(super) fn asked_of(method: Method<'_>, url: &Url) -> Result<(Origin, Request), SendError> {
    match url.scheme() {
        Scheme::Http | Scheme::Https => {}
        Scheme::Ws | Scheme::Wss => return Err(SendError::Url(InvalidUrl::Scheme)),
    }
    Ok((url.origin(), Request::new(method, url.authority(), url.target())?))
}

impl<C: Connector> RequestBuilder<'_, C> {
    fn change(mut self, change: impl FnOnce(Request) -> Result<Request, InvalidRequest>) -> Self {
        self.asked = self.asked.and_then(|(origin, head)| Ok((origin, change(head)?)));
        self
    }

    /// Adds a field. The fields that frame the message and manage the connection are the library's to write: they are not
    /// valid here.
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.change(|head| Ok(head.header(name, value)?))
    }

    /// Adds a field that was checked before.
    pub fn with(self, field: Field<'_>) -> Self {
        self.change(|head| Ok(head.with(field)))
    }

    /// Sets the body. It is sent again with the request if that is needed and allowed.
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// Sets the time for all of it: from the call that sends, over the wait for a place in the pool, the connection with TLS
    /// and proxies, retries, and the head of the response, to the end of its body. It runs on while the application does
    /// something else, and is noticed by what waits for the server then: the call fails, or reading the body. What has
    /// arrived before can still be read. Default: none, and each part has its own limit in
    /// [`ClientConfig`](crate::ClientConfig) and [`PoolLimits`](super::PoolLimits).
    pub fn timeout(self, time: Duration) -> Self {
        Self { timeout: Some(time), ..self }
    }

    /// States whether a repeated request has the same effect as a single one, as in [`Pool::send_as`]. Default: the method
    /// decides.
    pub fn idempotent(self, is_idempotent: bool) -> Self {
        Self { is_idempotent: Some(is_idempotent), ..self }
    }

    /// Sends the request, and waits for the head of the response. It is retried as [`Pool::send`] does.
    ///
    /// # Errors
    ///
    /// The request is not valid, there was no connection, or no head of a response came. The error tells whether the request
    /// can be sent again.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the request up. Its connection closes if any of the request was sent.
    pub async fn send(self) -> Result<ResponseReader, SendError> {
        let Prepared { pool, origin, head, body, is_idempotent, time } = self.prepare()?;
        pool.send_whole(&origin, &head, body, is_idempotent, time).await
    }

    /// Sends the head of the request, for a body that is written in pieces, copied from an `AsyncRead` or sent by a `Sink`,
    /// while the response may already be arriving. A body that was set is left out.
    ///
    /// It is not retried. The time is noticed by what waits for the response, and not by what writes the body.
    ///
    /// ```no_run
    /// # async fn f(pool: endwell::client::Pool<endwell::tokio::Tcp>) -> Result<(), Box<dyn std::error::Error>> {
    /// use endwell::http::Framing;
    ///
    /// let mut file = tokio::fs::File::open("film").await?;
    /// let (mut body, response) = pool.put("http://example.com/film").start(Framing::Chunked).await?;
    /// tokio::io::copy(&mut file, &mut body).await?;
    /// body.finish()?;
    /// println!("{}", response.await?.status());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The request is not valid, or there was no connection.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves nothing behind.
    pub async fn start(self, framing: Framing) -> Result<(RequestWriter, ResponseFuture), SendError> {
        let Prepared { pool, origin, head, mut time, .. } = self.prepare()?;
        let connection = pool.obtain_within(&origin, Wanted::Any, &mut time).await;
        let connection = connection.map_err(|error| SendError::NoConnection { error, retries: 0 })?;
        let (writer, ResponseFuture(asked)) = connection.request(&head, framing);
        Ok((writer, ResponseFuture(asked.within(time))))
    }

    /// Sends the request and offers to switch to another protocol after it: `name`, or `name/version`. RFC 9110 7.8. For a
    /// WebSocket, use [`ws::Socket::connect`](crate::ws::Socket::connect).
    ///
    /// ```no_run
    /// # type Result = std::result::Result<(), Box<dyn std::error::Error>>;
    /// # async fn f(pool: endwell::client::Pool<endwell::tokio::Tcp>, mut terminal: tokio::net::UnixStream) -> Result {
    /// use endwell::client::SwitchOutcome;
    ///
    /// let container = "http://localhost:2375/containers/3f4e/attach?stream=1&stdin=1&stdout=1";
    /// match pool.post(container).switch("tcp").await? {
    ///     SwitchOutcome::Stream { mut stream, .. } => {
    ///         tokio::io::copy_bidirectional(&mut stream, &mut terminal).await?;
    ///     }
    ///     SwitchOutcome::Response(response) => println!("{}", response.status()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// It is retried as [`send`](Self::send) does. The time ends with the answer. A stream keeps its place in the pool until
    /// it is closed.
    ///
    /// # Errors
    ///
    /// Those of [`send`](Self::send), or the protocol is not valid.
    ///
    /// # Cancel safety
    ///
    /// As for [`send`](Self::send).
    pub async fn switch(self, protocol: &str) -> Result<SwitchOutcome, SendError> {
        let Prepared { pool, origin, head, body, is_idempotent, time } = self.prepare()?;
        let head = Upgrade::new(head, protocol)?;
        let ask = |connection: Connection, time| {
            let SwitchFuture(asked) = connection.switch(head.clone(), body.clone());
            SwitchFuture(asked.within(time))
        };
        Ok(match pool.ask(&origin, is_idempotent, time, ask).await? {
            (SwitchOutcome::Response(response), retries) => {
                SwitchOutcome::Response(response.sent_again(retries).into())
            }
            (stream @ SwitchOutcome::Stream { .. }, _) => stream,
        })
    }
}

/// A valid request, whose time has begun.
pub(super) struct Prepared<'p, C> {
    pub(super) pool: &'p Pool<C>,
    pub(super) origin: Origin,
    pub(super) head: Request,
    pub(super) body: Bytes,
    pub(super) is_idempotent: bool,
    pub(super) time: Option<TotalTime>,
}

impl<'p, C: Connector> RequestBuilder<'p, C> {
    pub(super) fn prepare(self) -> Result<Prepared<'p, C>, SendError> {
        let Self { pool, asked, body, timeout, is_idempotent } = self;
        let (origin, head) = asked?;
        let is_idempotent = is_idempotent.unwrap_or(head.method().is_idempotent());
        let time = timeout.map(|time| TotalTime::new(&pool.common.connector.runtime(), time));
        Ok(Prepared { pool, origin, head, body, is_idempotent, time })
    }
}

impl<C> fmt::Debug for RequestBuilder<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBuilder").field("request", &self.asked).finish_non_exhaustive()
    }
}
