//! Sends and retries requests. RFC 9110 9.2.2.

use bytes::Bytes;
use endwell_core::http::Request;

use super::{Pool, SendError, Wanted};
use crate::client::asked::Asked;
use crate::client::connection::Connection;
use crate::client::response_future::ResponseFuture;
use crate::client::total_time::TotalTime;
use crate::client::{Origin, RequestError, ResponseReader};
use crate::transport::Connector;

impl<C: Connector> Pool<C> {
    /// Sends a request whose whole body is available, and waits for the head of the response. `origin` is the server to
    /// send it to, whatever host it names. To build a request from a URL, see [`request`](Self::request).
    ///
    /// It is retried, at most [`PoolLimits::retries`](super::PoolLimits::retries) times and on another connection, if
    /// that is safe: if no byte of it was sent; or if its method is idempotent (GET, HEAD, OPTIONS, TRACE, PUT, DELETE)
    /// and a connection that had been idle ended before any byte of a response. The latter happens once, and on a new
    /// connection: a retry that failed is not retried. [`ResponseReader::retries`] returns the number of retries.
    ///
    /// # Errors
    ///
    /// If there was no connection, or no head of a response. The error tells whether the request can be sent again.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the request up. Its connection closes if any of the request was sent.
    pub async fn send(
        &self,
        origin: &Origin,
        head: &Request,
        body: impl Into<Bytes>,
    ) -> Result<ResponseReader, SendError> {
        self.send_as(origin, head, body, head.method().is_idempotent()).await
    }

    /// Sends a request like [`send`](Self::send), but the application states whether a repeated request has the same
    /// effect as a single one: true for a POST with a key that makes it so, or false for a GET that is not idempotent.
    ///
    /// # Errors
    ///
    /// Those of [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// Like [`send`](Self::send).
    pub async fn send_as(
        &self,
        origin: &Origin,
        head: &Request,
        body: impl Into<Bytes>,
        is_idempotent: bool,
    ) -> Result<ResponseReader, SendError> {
        self.send_whole(origin, head, body.into(), is_idempotent, None).await
    }

    pub(super) async fn send_whole(
        &self,
        origin: &Origin,
        head: &Request,
        body: Bytes,
        is_idempotent: bool,
        time: Option<TotalTime>,
    ) -> Result<ResponseReader, SendError> {
        let ask = |connection: Connection, time| {
            let ResponseFuture(asked) = connection.send(head, body.clone());
            ResponseFuture(asked.within(time))
        };
        let (response, retries) = self.ask(origin, is_idempotent, time, ask).await?;
        Ok(response.sent_again(retries))
    }

    /// Asks until there is an answer, or the request must not be sent again. Returns the number of retries too.
    pub(super) async fn ask<F, T>(
        &self,
        origin: &Origin,
        is_idempotent: bool,
        mut time: Option<TotalTime>,
        ask: impl Fn(Connection, Option<TotalTime>) -> F,
    ) -> Result<(T, u32), SendError>
    where
        F: AsMut<Asked> + Future<Output = Result<T, RequestError>> + Unpin,
    {
        let most = self.common.limits.retries;
        let mut retries = 0;
        let mut may_have_arrived = false;
        loop {
            let is_last = retries >= most;
            let is_anew = may_have_arrived || (is_last && retries > 0);
            let wanted = if is_anew { Wanted::New } else { Wanted::Any };
            let connection = self.obtain_within(origin, wanted, &mut time).await;
            let connection = connection.map_err(|error| SendError::NoConnection { error, retries })?;
            let was_used = connection.was_used();
            let mut asked = ask(connection, time.take());
            let failure = match (&mut asked).await {
                Ok(answer) => return Ok((answer, retries)),
                Err(failure) => failure,
            };
            time = asked.as_mut().take_time();
            let is_late = time.as_ref().is_some_and(TotalTime::is_over);
            let is_again = match failure {
                RequestError::NotSent(_) => true,
                // RFC 9112 9.3.1: a server may close an idle connection at any time. A server that closes a new
                // connection rejects the request, or the client.
                RequestError::Unanswered(_) => is_idempotent && was_used,
                RequestError::Failed(_) => false,
            };
            if is_last || is_late || !is_again {
                let is_safe_to_retry = failure.is_safe_to_retry(is_idempotent);
                return Err(SendError::Failed { failure, retries, is_safe_to_retry });
            }
            // RFC 9110 9.2.2: an automatic retry that failed is not retried. On a new connection it would not be.
            may_have_arrived |= matches!(failure, RequestError::Unanswered(_));
            retries += 1;
        }
    }
}
