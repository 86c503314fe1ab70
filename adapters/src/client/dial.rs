//! Connects to an origin.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::connection::Connection;
use super::origin::Origin;
use crate::Driver;
use crate::connection::Shared;
use crate::runtime::Runtime as _;
use crate::transport::Connector;

/// Connects. The connection shares its limits with others.
pub(super) async fn dial<C: Connector>(
    connector: &C,
    origin: &Origin,
    connect_time: Duration,
    shared: Arc<Shared>,
) -> io::Result<(Connection, Driver)> {
    let runtime = connector.runtime();
    let in_time = runtime.sleep(connect_time);
    let connected = before(in_time, connector.connect(origin)).await;
    let (transport, info) = connected.unwrap_or_else(|| {
        let text = format!("no connection to {origin} within {connect_time:?}");
        Err(io::Error::new(io::ErrorKind::TimedOut, text))
    })?;
    Ok(Connection::with_info(transport, &runtime, info, shared))
}

/// Runs a future before `end`. `None` if that was first.
pub(crate) async fn before<R>(end: impl Future<Output = ()>, future: impl Future<Output = R>) -> Option<R> {
    let (mut future, mut end) = (pin!(future), pin!(end));
    std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => end.as_mut().poll(cx).map(|()| None),
    })
    .await
}
