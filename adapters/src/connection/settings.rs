//! What a connection needs of a configuration after it was made, in both roles.

use std::sync::Arc;

use endwell_core::{OutboxLimits, http, ws};

use crate::client::ClientConfig;
use crate::config::{OnExchange, ServerConfig};
use crate::server::LifeLimits;
use crate::ws::{OutletLimits, SocketConfig};

pub(crate) struct Settings {
    /// Of HTTP, in the role of these connections.
    pub(crate) http: Arc<http::HttpLimits>,
    /// Of what is queued.
    pub(crate) output: Arc<OutboxLimits>,
    /// For the WebSockets that connections of HTTP become.
    pub(crate) ws_limits: Arc<ws::SocketLimits>,
    #[cfg(feature = "deflate")]
    pub(crate) deflate: Option<Arc<ws::Deflate>>,
    pub(crate) outlet_limits: OutletLimits,
    /// For handlers, and for peers that have ended their side.
    pub(crate) life: LifeLimits,
    pub(crate) on_exchange: Option<OnExchange>,
}

impl From<&ServerConfig> for Settings {
    fn from(config: &ServerConfig) -> Self {
        Self {
            http: Arc::new(config.http.clone()),
            output: Arc::new(with_room_for_a_chunk(config.output)),
            ws_limits: Arc::new(config.ws.clone()),
            #[cfg(feature = "deflate")]
            deflate: config.deflate.clone().map(Arc::new),
            outlet_limits: config.outlet,
            life: LifeLimits::new(config),
            on_exchange: config.on_exchange.clone(),
        }
    }
}

impl From<&ClientConfig> for Settings {
    fn from(config: &ClientConfig) -> Self {
        Self {
            http: Arc::new(config.http.clone()),
            output: Arc::new(with_room_for_a_chunk(config.output)),
            ws_limits: Arc::new(config.ws.clone()),
            #[cfg(feature = "deflate")]
            deflate: config.deflate.clone().map(Arc::new),
            outlet_limits: config.outlet,
            life: LifeLimits::without_handler(config.half_closed),
            on_exchange: None,
        }
    }
}

impl From<&SocketConfig> for Settings {
    fn from(config: &SocketConfig) -> Self {
        Self {
            http: Arc::default(),
            output: Arc::default(),
            ws_limits: Arc::default(),
            #[cfg(feature = "deflate")]
            deflate: None,
            outlet_limits: config.outlet,
            life: LifeLimits::without_handler(config.half_closed),
            on_exchange: None,
        }
    }
}

/// The limits that are set, with room for at least one chunk: a writer that waits for an empty outbox must fit.
fn with_room_for_a_chunk(output: OutboxLimits) -> OutboxLimits {
    let bytes = output.bytes.max(LEAST_OUTPUT);
    OutboxLimits { bytes, high_water: output.high_water.min(bytes), ..output }
}

/// The smallest limit of an outbox.
const LEAST_OUTPUT: usize = 4096;
