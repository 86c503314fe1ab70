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
                let held = u64::try_from(self.held.rest.len()).unwrap_or(u64::MAX);
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
            pub async fn send_body<B>(mut self, body: B) -> Result<$done, BodyError>
            where
                B: Body<Error: Into<Box<dyn Error + Send + Sync>>>,
            {
                let mut body = pin!(body);
                loop {
                    self.ready().await?;
                    let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await else {
                        return Ok(self.finish()?);
                    };
                    let frame = frame.map_err(|error| BodyError::Source(error.into()))?;
                    match frame.into_data().map_err(Frame::into_trailers) {
                        Ok(mut data) => self.write(data.copy_to_bytes(data.remaining())).await?,
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
        if body.is_end_stream() {
            return Ok(self.respond(head, Bytes::new()));
        }
        let framing = body.size_hint().exact().map_or(Framing::Chunked, Framing::Length);
        self.start(head, framing).send_body(body).await
    }
}
