//! The values that a handler may return.

use std::error::Error;
use std::sync::Arc;

use super::handler_error::HandlerError;
use super::report::HandlerEnd;
use crate::{Ended, WriteError};

/// The proof that an exchange was answered. A handler returns it, and only responding makes it.
///
/// In the core, [`Exchange<Answered>`](endwell_core::http::server::Answered) is the same proof with the connection in it.
#[derive(Debug)]
#[must_use = "a handler returns it"]
pub struct Answered(());

impl Answered {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

/// The types that a handler may return: [`Answered`], [`Ended`], or one of the two as a `Result`, so that `?` works.
///
/// The error of the `Result` is any type that converts to `Box<dyn Error + Send + Sync>`: an error type of yours,
/// `std::io::Error`, `anyhow::Error`, or a text. If the exchange was not answered, the response is 500 without a body;
/// [`HandlerError`](crate::HandlerError) chooses another one. If reading the request had failed, it is the status for
/// that (400, 408, 413, 431). If a response had begun, it is cut off. In every case the error is told to
/// [`ServerConfig::on_exchange`](crate::ServerConfig::on_exchange), and never to the client.
///
/// An [`Ended`] that is not of this connection, such as that of a proxy's other side, is an error like any other: 500, or
/// what a `HandlerError` around it chooses, such as 502.
///
/// ```no_run
/// use endwell::{Answered, Exchange, http::StatusCode};
///
/// async fn handle(exchange: Exchange) -> std::io::Result<Answered> {
///     let page = tokio::fs::read("page.html").await?;
///     Ok(exchange.respond(StatusCode::OK, page))
/// }
/// ```
///
/// The trait cannot be implemented elsewhere. A handler that forgets to respond has no such value:
///
/// ```compile_fail,E0277
/// # async fn f(listener: tokio::net::TcpListener) {
/// endwell::serve(listener, endwell::ServerConfig::default(), async |exchange: endwell::Exchange| {}).await;
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "a handler returns `Answered`, or a `Result` of it, and not `{Self}`",
    label = "this handler returns `{Self}`",
    note = "`exchange.respond(status, body)` returns `Answered`: return it from the handler, without a `;` behind it",
    note = "the error of a `Result<Answered, E>` is any type that implements `std::error::Error + Send + Sync`, or `anyhow::Error`"
)]
pub trait IntoAnswered: sealed::Sealed {
    /// How the handler has ended.
    #[doc(hidden)]
    fn into_handler_end(self) -> HandlerEnd;
}

impl IntoAnswered for Answered {
    fn into_handler_end(self) -> HandlerEnd {
        HandlerEnd::Answered
    }
}

impl IntoAnswered for Ended {
    fn into_handler_end(self) -> HandlerEnd {
        HandlerEnd::Ended(self)
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<Box<dyn Error + Send + Sync>>> IntoAnswered for Result<Answered, E> {
    fn into_handler_end(self) -> HandlerEnd {
        self.map_or_else(|error| failed(error.into()), Answered::into_handler_end)
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<Box<dyn Error + Send + Sync>>> IntoAnswered for Result<Ended, E> {
    fn into_handler_end(self) -> HandlerEnd {
        self.map_or_else(|error| failed(error.into()), Ended::into_handler_end)
    }
}

mod sealed {
    use super::{Answered, Ended};

    #[expect(unnameable_types, reason = "that is what seals the trait")]
    pub trait Sealed {}

    #[cfg(feature = "blocking")]
    impl Sealed for crate::blocking::Handled {}
    impl Sealed for Answered {}
    impl Sealed for Ended {}
    impl<E> Sealed for Result<Answered, E> {}
    impl<E> Sealed for Result<Ended, E> {}
}

/// The end of a handler that has returned an error.
fn failed(error: Box<dyn Error + Send + Sync>) -> HandlerEnd {
    let error = match error.downcast::<Ended>() {
        Ok(ended) => return HandlerEnd::Ended(*ended),
        Err(error) => error,
    };
    let error = match error.downcast::<WriteError>() {
        Ok(error) => return HandlerEnd::Ended((*error).into()),
        Err(error) => error,
    };
    #[cfg(feature = "http-body")]
    let error = match error.downcast::<crate::BodyError>().map(|error| *error) {
        Ok(crate::BodyError::Write(error)) => return HandlerEnd::Ended(error.into()),
        Ok(crate::BodyError::Source(error)) => return failed(error),
        Err(error) => error,
    };
    match error.downcast::<HandlerError>().map(|error| error.into_cause()) {
        Ok(Ok(cause)) => failed(cause),
        Ok(Err(error)) => HandlerEnd::Failed(Arc::new(error)),
        Err(error) => HandlerEnd::Failed(Arc::from(error)),
    }
}
