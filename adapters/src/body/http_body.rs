//! Bodies with the trait of the `http-body` crate: received ones, and any as what is sent.

use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use ::http::HeaderMap;
use ::http_body::{Body, Frame, SizeHint};
use bytes::{Buf, Bytes};
use endwell_core::http::{FieldSection, Framing, Response};
use endwell_core::{Bound, Exceeded, Limit};

use super::source::Source;
use super::{RequestReader, ResponseWriter, WriteError};
use crate::client::{self, Incomplete, RequestWriter};
use crate::server::{Answered, Responder};
use crate::{Ended, Exchange};

macro_rules! body {
    ($body:ty, $error:ty) => {
        /// The size is known if it was announced. Trailers are the last frame. A body that was cut off ends with an error.
        impl Body for $body {
            type Data = Bytes;
            type Error = $error;

            fn poll_frame(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
            ) -> Poll<Option<Result<Frame<Bytes>, $error>>> {
                poll_frame(self.get_mut(), cx)
            }

            fn is_end_stream(&self) -> bool {
                self.held.is_over || (self.held.rest.is_empty() && self.is_at_end())
            }

            fn size_hint(&self) -> SizeHint {
                let held = widen(self.held.rest.len());
                match self.remaining().and_then(|remaining| remaining.checked_add(held)) {
                    Some(exact) => SizeHint::with_exact(exact),
                    None => {
                        let mut hint = SizeHint::new();
                        hint.set_lower(held);
                        hint
                    }
                }
            }
        }
    };
}

body!(RequestReader, Ended);
body!(client::ResponseReader, Incomplete);

fn poll_frame<S: Source>(
    source: &mut S,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Frame<Bytes>, S::Error>>> {
    if source.held().is_over {
        return Poll::Ready(None);
    }
    let piece = ready!(source.poll_piece(cx));
    if let Ok(Some(piece)) = piece {
        return Poll::Ready(Some(Ok(Frame::data(piece))));
    }
    source.held().is_over = true;
    Poll::Ready(match piece {
        Err(error) => Some(Err(error)),
        Ok(_) => source.trailers().map(|fields| {
            let map = HeaderMap::try_from(&fields);
            map.map(Frame::trailers).map_err(|_| source.too_many(FIELDS))
        }),
    })
}

/// More names than a `HeaderMap` has room for.
const FIELDS: Exceeded = Exceeded { limit: Limit::FieldCount, bound: Bound::Count(24_576) };

/// Why a body was not sent to its end. It was cut off.
#[derive(Debug)]
#[non_exhaustive]
pub enum BodyError {
    /// The connection has ended, or the body is larger than was announced.
    Write(WriteError),
    /// The body itself has failed, or its trailers cannot be sent.
    Source(Box<dyn Error + Send + Sync>),
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(error) => error.fmt(f),
            Self::Source(error) => write!(f, "the source of the body has failed: {error}"),
        }
    }
}

impl Error for BodyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Write(error) => Some(error),
            Self::Source(error) => Some(&**error),
        }
    }
}

impl From<WriteError> for BodyError {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

impl From<Ended> for BodyError {
    fn from(ended: Ended) -> Self {
        Self::Write(WriteError::Ended(ended))
    }
}

/// A frame of a body, whatever its types.
type PollFrame = Poll<Option<Result<Frame<Bytes>, Box<dyn Error + Send + Sync>>>>;

fn poll_any_frame<B>(body: Pin<&mut B>, cx: &mut Context<'_>) -> PollFrame
where
    B: Body<Error: Into<Box<dyn Error + Send + Sync>>>,
{
    let any = |frame: Frame<B::Data>| frame.map_data(|mut data| data.copy_to_bytes(data.remaining()));
    body.poll_frame(cx).map(|frame| frame.map(|frame| frame.map(any).map_err(Into::into)))
}

macro_rules! send_body {
    ($writer:ty, $done:ty) => {
        impl $writer {
            /// Sends the frames of `body`, and ends with its trailers.
            ///
            /// The next frame is asked for when there is room for it. A body that fails is cut off, so that the peer
            /// cannot take it for a whole one.
            ///
            /// # Errors
            ///
            /// The connection has ended, or the body has failed, or is shorter or longer than was announced.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future cuts the body off.
            pub async fn send_body<B>(self, body: B) -> Result<$done, BodyError>
            where
                B: Body<Error: Into<Box<dyn Error + Send + Sync>>>,
            {
                self.send_on(Poll::Pending, pin!(body)).await
            }

            /// Sends what was polled of `body`, and the rest.
            async fn send_on<B>(
                mut self,
                mut polled: PollFrame,
                mut body: Pin<&mut B>,
            ) -> Result<$done, BodyError>
            where
                B: Body<Error: Into<Box<dyn Error + Send + Sync>>>,
            {
                loop {
                    self.ready().await?;
                    let frame = poll_fn(|cx| match std::mem::replace(&mut polled, Poll::Pending) {
                        Poll::Pending => poll_any_frame(body.as_mut(), cx),
                        polled => polled,
                    });
                    let Some(frame) = frame.await else {
                        return Ok(self.finish()?);
                    };
                    let frame = frame.map_err(BodyError::Source)?;
                    match frame.into_data().map_err(Frame::into_trailers) {
                        Ok(data) => self.write(data).await?,
                        Err(Ok(trailers)) => {
                            let trailers = FieldSection::try_from(&trailers);
                            let trailers = trailers.map_err(|error| BodyError::Source(error.into()))?;
                            return Ok(self.finish_with(&trailers)?);
                        }
                        // A kind of frame that is not known yet.
                        Err(Err(_)) => {}
                    }
                }
            }
        }
    };
}

send_body!(ResponseWriter, Answered);
send_body!(RequestWriter, ());

impl Exchange {
    /// Responds with any body. Its length is announced if it is known, otherwise the body is chunked. The unread rest of
    /// the request's body is discarded.
    ///
    /// # Errors
    ///
    /// The connection has ended, or the body has failed: the response is cut off.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cuts the body off.
    pub async fn respond_with<B>(self, head: impl Into<Response>, body: B) -> Result<Answered, BodyError>
    where
        B: Body<Error: Into<Box<dyn Error + Send + Sync>>>,
    {
        let (_, _, responder) = self.into_parts();
        responder.respond_with(head, body).await
    }
}

impl Responder {
    /// Responds with any body: see [`Exchange::respond_with`].
    ///
    /// # Errors
    ///
    /// Those of [`Exchange::respond_with`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cuts the body off.
    pub async fn respond_with<B>(self, head: impl Into<Response>, body: B) -> Result<Answered, BodyError>
    where
        B: Body<Error: Into<Box<dyn Error + Send + Sync>>>,
    {
        self.send(head.into(), body.size_hint().exact(), body).await
    }

    /// Responds with a body of this length, if it is known. A body that is available whole is sent with the head.
    pub(crate) async fn send<B>(
        self,
        head: Response,
        length: Option<u64>,
        body: B,
    ) -> Result<Answered, BodyError>
    where
        B: Body<Error: Into<Box<dyn Error + Send + Sync>>>,
    {
        if body.is_end_stream() && length.is_none_or(|length| length == 0) {
            return Ok(self.respond(head, Bytes::new()));
        }
        let mut body = pin!(body);
        let mut polled = Poll::Pending;
        // To respond at once would discard the rest of the request, which may have its reader still.
        if let (Some(length), true) = (length, self.is_request_whole()) {
            polled = poll_fn(|cx| Poll::Ready(poll_any_frame(body.as_mut(), cx))).await;
            if let Poll::Ready(Some(Ok(frame))) = &mut polled {
                let data = frame.data_mut().filter(|data| widen(data.len()) == length);
                if let Some(data) = data.filter(|_| body.is_end_stream()) {
                    return Ok(self.respond(head, std::mem::take(data)));
                }
            }
        }
        self.start(head, framing(length)).send_on(polled, body).await
    }
}

pub(crate) fn framing(length: Option<u64>) -> Framing {
    length.map_or(Framing::Chunked, Framing::Length)
}

fn widen(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
