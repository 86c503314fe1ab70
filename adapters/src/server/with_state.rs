//! Handlers that share something.

use crate::Exchange;

/// Makes a handler from one that has a state: `handler` is called with a clone of `state` for each request.
///
/// The state is typically an `Arc`, or a handle that is cheap to clone. The handler is an `async fn`, or an `async`
/// closure:
///
/// ```no_run
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use endwell::{Answered, ServerConfig, Exchange, http::StatusCode, serve, with_state};
///
/// async fn count(visits: Arc<AtomicU64>, exchange: Exchange) -> Answered {
///     let visit = visits.fetch_add(1, Ordering::Relaxed);
///     exchange.respond(StatusCode::OK, format!("visit {visit}"))
/// }
///
/// # async fn f() -> std::io::Result<()> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// let visits = Arc::new(AtomicU64::new(1));
/// serve(listener, ServerConfig::default(), with_state(visits, count)).await;
/// # Ok(())
/// # }
/// ```
///
/// An `async` closure that captures its state is not a handler: the future of each request would borrow from the
/// closure, and could not be a task of its own.
pub fn with_state<S, H, F>(state: S, handler: H) -> impl Fn(Exchange) -> F + Send + Sync + 'static
where
    S: Clone + Send + Sync + 'static,
    H: Fn(S, Exchange) -> F + Send + Sync + 'static,
{
    move |exchange| handler(state.clone(), exchange)
}
