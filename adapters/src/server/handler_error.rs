//! An error that says what to answer.

use std::error::Error;
use std::fmt;
use std::io;

use bytes::Bytes;
use endwell_core::http::Response;

use crate::{Ended, WriteError};

/// An error of a handler, with the response for it.
///
/// A handler may return any error, and is then answered with 500. This one chooses the response: it is found wherever
/// it is in the chain of [sources](Error::source) of the error that the handler returns, also below a
/// `context` of anyhow. The cause is told to [`ServerConfig::on_exchange`](crate::ServerConfig::on_exchange), and never to the
/// client.
///
/// An error type of yours says once what its errors are answered with:
///
/// ```
/// use endwell::http::StatusCode;
/// use endwell::{Answered, Exchange, HandlerError};
///
/// #[derive(Debug)]
/// enum Failure {
///     NoSuchUser,
///     Database(std::io::Error),
/// }
/// # impl std::fmt::Display for Failure {
/// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, "{self:?}") }
/// # }
/// # impl std::error::Error for Failure {}
///
/// impl From<Failure> for HandlerError {
///     fn from(failure: Failure) -> Self {
///         let status = match failure {
///             Failure::NoSuchUser => StatusCode::NOT_FOUND,
///             Failure::Database(_) => StatusCode::INTERNAL_SERVER_ERROR,
///         };
///         HandlerError::new(status, failure)
///     }
/// }
///
/// # fn name_of(path: &str) -> Result<String, Failure> { Err(Failure::NoSuchUser) }
/// async fn user(exchange: Exchange) -> Result<Answered, HandlerError> {
///     let name = name_of(exchange.path())?;
///     Ok(exchange.respond(StatusCode::OK, name))
/// }
/// ```
pub struct HandlerError(Box<Answer>);

/// What to answer. It stands in the chain of sources, between the error and the sources of its cause: so it is found in
/// an error that hides its own type, as those of anyhow do.
struct Answer {
    /// `None`: what is answered for any error.
    response: Option<(Response, Bytes)>,
    cause: Box<dyn Error + Send + Sync>,
}

impl HandlerError {
    /// Responds with `head`, which may be a status, because of `cause`, which may be a text.
    pub fn new(head: impl Into<Response>, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Box::new(Answer { response: Some((head.into(), Bytes::new())), cause: cause.into() }))
    }

    /// Sets the body of the response. Default: it is empty.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        if let Some((_, empty)) = &mut self.0.response {
            *empty = body.into();
        }
        self
    }

    /// The cause.
    pub fn cause(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.0.cause
    }

    fn unspecified(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Box::new(Answer { response: None, cause: cause.into() }))
    }

    /// The cause, unless the response is chosen.
    pub(crate) fn into_cause(self) -> Result<Box<dyn Error + Send + Sync>, Self> {
        if self.0.response.is_some() { Err(self) } else { Ok(self.0.cause) }
    }
}

/// The longest chain of sources that is searched: a chain may have no end.
const SOURCES: usize = 32;

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn Error + 'static) = *error;
        match error.downcast_ref::<HandlerError>() {
            Some(error) => Some(&*error.0.cause),
            None => error.source(),
        }
    })
    .take(SOURCES)
}

/// The response that an error chooses.
pub(crate) fn response(error: &(dyn Error + 'static)) -> Option<(Response, Bytes)> {
    chain(error).find_map(|error| {
        let own = error.downcast_ref::<HandlerError>().map(|error| &*error.0);
        own.or_else(|| error.downcast_ref::<Answer>())?.response.clone()
    })
}

/// True if it is about a connection that has ended.
pub(crate) fn is_of_connection(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|error| error.is::<Ended>() || error.is::<WriteError>())
}

impl From<Ended> for HandlerError {
    fn from(ended: Ended) -> Self {
        Self::unspecified(ended)
    }
}

impl From<WriteError> for HandlerError {
    fn from(error: WriteError) -> Self {
        Self::unspecified(error)
    }
}

impl From<io::Error> for HandlerError {
    /// It is answered with 500.
    fn from(error: io::Error) -> Self {
        Self::unspecified(error)
    }
}

impl From<Box<dyn Error + Send + Sync>> for HandlerError {
    /// It is answered with 500, unless its chain of sources chooses another response.
    fn from(error: Box<dyn Error + Send + Sync>) -> Self {
        Self::unspecified(error)
    }
}

impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.cause.fmt(f)
    }
}

impl fmt::Debug for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for HandlerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        if self.0.response.is_some() { Some(&*self.0) } else { self.0.cause.source() }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.response {
            Some((head, _)) => write!(f, "answered with {}", head.status()),
            None => self.cause.fmt(f),
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.response.as_ref().map(|(head, _)| head.status());
        f.debug_struct("HandlerError").field("status", &status).field("cause", &self.cause).finish()
    }
}

impl Error for Answer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.source()
    }
}
