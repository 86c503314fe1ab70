//! Connects to an origin.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::connection::Connection;
use super::origin::Origin;
use crate::connection::Shared;
use crate::runtime::Runtime as _;
use crate::transport::Connector;
use crate::{ClientConfig, Driver};

/// Connects, and spawns the task of the connection.
///
/// # Errors
///
/// The origin requires TLS and the connector has none, the name has no address, no address can be connected to within
/// [`ClientConfig::connect_time`], TLS fails or does not complete in that time, or the runtime has no room for a task.
///
/// # Cancel safety
///
/// Dropping the future leaves nothing behind.
///
/// The future borrows the connector and the origin, and not the configuration.
pub fn connect<'c, 'o, C: Connector>(
    connector: &'c C,
    origin: &'o Origin,
    config: &ClientConfig,
) -> impl Future<Output = io::Result<Connection>> + use<'c, 'o, C> {
    let (connect_time, shared) = (config.connect_time, Shared::alone(config));
    async move {
        let (connection, driver) = dial(connector, origin, connect_time, shared).await?;
        connector.runtime().spawn(async {
            driver.await;
        })?;
        Ok(connection)
    }
}

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
pub(super) async fn before<R>(end: impl Future<Output = ()>, future: impl Future<Output = R>) -> Option<R> {
    let (mut future, mut end) = (pin!(future), pin!(end));
    std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => end.as_mut().poll(cx).map(|()| None),
    })
    .await
}
