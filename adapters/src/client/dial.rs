//! Connects to an origin.

use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::connection::Connection;
use super::origin::Origin;
use crate::transport::Connector;
use crate::{Config, Driver};

/// Connects, and spawns the task of the connection.
///
/// # Errors
///
/// The origin requires TLS and the connector has none, the name has no address, no address can be connected to within
/// [`Config::connect_time`], TLS fails or does not complete in that time, or the runtime has no room for a task.
///
/// # Cancel safety
///
/// Dropping the future leaves nothing behind.
/// If the future is dropped, nothing is left of it.
pub async fn connect<C: Connector>(
    connector: &C,
    origin: &Origin,
    config: &Config,
) -> io::Result<Connection> {
    let (connection, driver) = dial(connector, origin, config).await?;
    connector.spawn(async {
        driver.await;
    })?;
    Ok(connection)
}

/// Connects.
pub(super) async fn dial<C: Connector>(
    connector: &C,
    origin: &Origin,
    config: &Config,
) -> io::Result<(Connection, Driver)> {
    let connected = within(config.connect_time, connector.connect(origin), C::sleep).await;
    let (transport, endpoints) = connected.unwrap_or_else(|| {
        let text = format!("no connection to {origin} within {:?}", config.connect_time);
        Err(io::Error::new(io::ErrorKind::TimedOut, text))
    })?;
    Ok(Connection::with_endpoints(transport, endpoints, config))
}

/// Runs a future within a time. `None` if the time was over first.
pub(super) async fn within<S: Future<Output = ()>, R>(
    time: Duration,
    future: impl Future<Output = R>,
    sleep: impl FnOnce(Duration) -> S,
) -> Option<R> {
    let (mut future, mut sleep) = (pin!(future), pin!(sleep(time)));
    std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => sleep.as_mut().poll(cx).map(|()| None),
    })
    .await
}
