//! What a connection needs of a configuration after it was made, in both roles.

use std::sync::Arc;

use endwell_core::OutboxLimits;
use endwell_core::http::HttpLimits;
#[cfg(feature = "deflate")]
use endwell_core::ws::Deflate;
use endwell_core::ws::SocketLimits;

use crate::client::ClientConfig;
use crate::config::{OnExchange, ServerConfig};
use crate::server::LifeLimits;
use crate::tracing::ExchangeSpan;
use crate::ws::{OutletLimits, SocketConfig};

pub(crate) struct Settings {
    /// Of HTTP, in the role of these connections.
    pub(crate) http: Arc<HttpLimits>,
    /// Of what is queued.
    pub(crate) output: Arc<OutboxLimits>,
    /// For the WebSockets that connections of HTTP become.
    pub(crate) ws_limits: Arc<SocketLimits>,
    #[cfg(feature = "deflate")]
    pub(crate) deflate: Option<Arc<Deflate>>,
    pub(crate) outlet_limits: OutletLimits,
    /// For handlers, and for peers that have ended their side.
    pub(crate) life: LifeLimits,
    pub(crate) on_exchange: Option<OnExchange>,
    /// Connections and exchanges are counted by the crate `metrics`.
    pub(crate) metrics: bool,
}

impl From<&ServerConfig> for Settings {
    fn from(config: &ServerConfig) -> Self {
        Self {
            #[cfg(feature = "deflate")]
            deflate: config.deflate.clone().map(Arc::new),
            on_exchange: config.on_exchange.clone(),
            #[cfg(feature = "metrics")]
            metrics: config.metrics,
            ..Self::new(&config.http, config.output, &config.ws, config.outlet, LifeLimits::new(config))
        }
    }
}

impl From<&ClientConfig> for Settings {
    fn from(config: &ClientConfig) -> Self {
        let life = LifeLimits::without_handler(config.half_closed);
        Self {
            #[cfg(feature = "deflate")]
            deflate: config.deflate.clone().map(Arc::new),
            ..Self::new(&config.http, config.output, &config.ws, config.outlet, life)
        }
    }
}

impl From<&SocketConfig> for Settings {
    fn from(config: &SocketConfig) -> Self {
        let life = LifeLimits::without_handler(config.half_closed);
        // It has the other limits from the handshake.
        Self::new(
            &HttpLimits::default(),
            OutboxLimits::default(),
            &SocketLimits::default(),
            config.outlet,
            life,
        )
    }
}

impl Settings {
    /// True if exchanges are followed until they are reported.
    #[inline]
    pub(crate) fn observes(&self) -> bool {
        self.on_exchange.is_some() || self.metrics || ExchangeSpan::is_wanted()
    }

    fn new(
        http: &HttpLimits,
        output: OutboxLimits,
        ws: &SocketLimits,
        outlet_limits: OutletLimits,
        life: LifeLimits,
    ) -> Self {
        Self {
            http: Arc::new(http.clone()),
            output: Arc::new(with_room_for_a_chunk(output)),
            ws_limits: Arc::new(ws.clone()),
            #[cfg(feature = "deflate")]
            deflate: None,
            outlet_limits,
            life,
            on_exchange: None,
            metrics: false,
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
