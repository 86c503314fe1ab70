//! Sends requests whose bodies are `http_body::Body`.

use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use ::http_body::{Body, Frame};
use bytes::{Buf, Bytes};
use endwell_core::http::Framing;

use super::request::Prepared;
use super::{RequestBuilder, SendError, Wanted};
use crate::client::ResponseReader;
use crate::client::dial::before;
use crate::client::response_future::ResponseFuture;
use crate::news::Gone;
use crate::runtime::Runtime;
use crate::transport::Connector;
use crate::{BodyError, EndedKind, WriteError};

type Failure = Box<dyn Error + Send + Sync>;
type Upload = Pin<Box<dyn Future<Output = Result<(), BodyError>> + Send>>;

impl<C: Connector> RequestBuilder<'_, C> {
    /// Sends the request with any body, and waits for the head of the response. A body that was set is left out. Its length
    /// is announced if it is known, otherwise it is chunked. Trailers are sent.
    ///
    /// A body of one frame that is ready at once is sent as [`send`](Self::send) does it, with retries. Any other is used
    /// up, and is not sent again. If the response comes before the whole body was sent, a task of its own sends the rest,
    /// until the connection ends.
    ///
    /// # Errors
    ///
    /// Those of [`send`](Self::send), or the body has failed.
    ///
    /// # Cancel safety
    ///
    /// As for [`send`](Self::send).
    pub async fn send_with<B>(self, body: B) -> Result<ResponseReader, SendError>
    where
        B: Body<Data: Send, Error: Into<Failure>> + Send + 'static,
    {
        self.prepare()?.send_body(body, None).await
    }
}

impl<C: Connector> Prepared<'_, C> {
    /// Sends `body` instead of its own, with the length that a field announces, if one does.
    pub(super) async fn send_body<B>(
        self,
        body: B,
        announced: Option<u64>,
    ) -> Result<ResponseReader, SendError>
    where
        B: Body<Data: Send, Error: Into<Failure>> + Send + 'static,
    {
        let Self { pool, origin, head, is_idempotent, mut time, .. } = self;
        let length = announced.or_else(|| body.size_hint().exact());
        let body = match begin(body).await? {
            Begun::Whole(data) => {
                if announced.is_some_and(|announced| u64::try_from(data.len()) != Ok(announced)) {
                    return Err(other_length());
                }
                return pool.send_whole(&origin, &head, data, is_idempotent, time).await;
            }
            Begun::More(body) => body,
        };
        let connection = pool.obtain_within(&origin, Wanted::Any, &mut time).await;
        let connection = connection.map_err(|error| SendError::NoConnection { error, retries: 0 })?;
        let framing = length.map_or(Framing::Chunked, Framing::Length);
        let (writer, ResponseFuture(asked)) = connection.request(&head, framing);
        let response = ResponseFuture(asked.within(time));
        let runtime = pool.common.connector.runtime();
        both(&runtime, Box::pin(writer.send_body(body)), response, is_idempotent).await
    }
}

/// A body whose first frame has been asked for.
enum Begun<B: Body> {
    Whole(Bytes),
    More(More<B>),
}

/// A body of which the first frame may have come.
struct More<B: Body> {
    first: Option<Frame<B::Data>>,
    body: Pin<Box<B>>,
}

/// Nothing of it is pinned where it is.
impl<B: Body> Unpin for More<B> {}

impl<B: Body> Body for More<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let Self { first, body } = self.get_mut();
        match first.take() {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None => body.as_mut().poll_frame(cx),
        }
    }
}

async fn begin<B: Body<Error: Into<Failure>>>(body: B) -> Result<Begun<B>, SendError> {
    let mut body = Box::pin(body);
    if body.is_end_stream() {
        return Ok(Begun::Whole(Bytes::new()));
    }
    let first = match poll_fn(|cx| Poll::Ready(body.as_mut().poll_frame(cx))).await {
        Poll::Pending => None,
        Poll::Ready(None) => return Ok(Begun::Whole(Bytes::new())),
        Poll::Ready(Some(Err(error))) => return Err(SendError::Body(error.into())),
        Poll::Ready(Some(Ok(frame))) if body.is_end_stream() => match frame.into_data() {
            Ok(mut data) => return Ok(Begun::Whole(data.copy_to_bytes(data.remaining()))),
            Err(frame) => Some(frame),
        },
        Poll::Ready(Some(Ok(frame))) => Some(frame),
    };
    Ok(Begun::More(More { first, body }))
}

/// Sends a body and waits for the head of the response.
async fn both(
    runtime: &impl Runtime,
    upload: Upload,
    mut response: ResponseFuture,
    is_idempotent: bool,
) -> Result<ResponseReader, SendError> {
    let mut uploading = Some(upload);
    let answer = poll_fn(|cx| {
        if let Some(Poll::Ready(sent)) = uploading.as_mut().map(|upload| upload.as_mut().poll(cx)) {
            uploading = None;
            if let Some(failure) = sent.err().and_then(failure) {
                return Poll::Ready(Err(failure));
            }
        }
        Pin::new(&mut response).poll(cx).map(Ok)
    });
    let response = match answer.await? {
        Ok(response) => response,
        Err(failure) => {
            let is_safe_to_retry = failure.is_safe_to_retry(is_idempotent);
            return Err(SendError::Failed { failure, retries: 0, is_safe_to_retry });
        }
    };
    if let Some(upload) = uploading {
        let link = Arc::clone(response.link());
        // Without a task for it, the request is cut off, and the response may be whole.
        let _ = runtime.spawn(async move {
            let gone = async {
                Gone::new(&link).await;
            };
            before(gone, upload).await;
        });
    }
    Ok(response)
}

/// The error of a body that was not sent to its end. `None` if the connection has ended: the response says how, and may
/// have come before.
fn failure(error: BodyError) -> Option<SendError> {
    match error {
        BodyError::Source(error) => Some(SendError::Body(error)),
        BodyError::Write(WriteError::Ended(ended)) => {
            matches!(ended.kind(), EndedKind::Aborted).then(other_length)
        }
        BodyError::Write(WriteError::Overrun(_)) => Some(other_length()),
    }
}

fn other_length() -> SendError {
    SendError::Body("expected a body of the announced length (RFC 9112 6.2)".into())
}
