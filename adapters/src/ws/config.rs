//! The settings of a WebSocket whose handshake was done elsewhere.

use std::time::Duration;

use super::OutletLimits;
use crate::{ClientConfig, ServerConfig};

/// How the adapter treats a WebSocket made by [`Socket::over`](super::Socket::over). The limits of the protocol and of
/// output are those of the WebSocket that it is made from. Every field has a default.
///
/// ```
/// use endwell::ws::SocketConfig;
///
/// let mut config = SocketConfig::default();
/// config.outlet.messages = 100;
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SocketConfig {
    /// The limits of messages that the outlets of the WebSocket have accepted.
    pub outlet: OutletLimits,
    /// How long a WebSocket whose peer has closed it or left stays open while the application receives none of what came
    /// before. Default 10 s; `None`: without an end.
    pub half_closed: Option<Duration>,
}

impl Default for SocketConfig {
    fn default() -> Self {
        Self { outlet: OutletLimits::default(), half_closed: Some(Duration::from_secs(10)) }
    }
}

impl From<&ServerConfig> for SocketConfig {
    /// The settings of a WebSocket that this server accepts.
    fn from(config: &ServerConfig) -> Self {
        Self { outlet: config.outlet, half_closed: config.half_closed }
    }
}

impl From<&ClientConfig> for SocketConfig {
    /// The settings of a WebSocket that this client opens.
    fn from(config: &ClientConfig) -> Self {
        Self { outlet: config.outlet, half_closed: config.half_closed }
    }
}
