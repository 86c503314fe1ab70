//! Settings by methods that can be chained.

use std::sync::Arc;
use std::time::Duration;

use endwell_core::OutboxLimits;
use endwell_core::http::HttpLimits;
#[cfg(feature = "deflate")]
use endwell_core::ws::Deflate;
use endwell_core::ws::SocketLimits;

use crate::ws::OutletLimits;
use crate::{ClientConfig, Ended, ExchangeReport, Info, OnGone, ServerConfig};

macro_rules! setters {
    ($config:ty { $($(#[$cfg:meta])? $field:ident: $type:ty,)* }) => {
        impl $config {
            $(
                $(#[$cfg])?
                #[doc = concat!("Sets [`", stringify!($field), "`](#structfield.", stringify!($field), "), and returns the configuration.")]
                #[must_use]
                pub fn $field(mut self, $field: $type) -> Self {
                    self.$field = $field.into();
                    self
                }
            )*

            /// Changes any settings, also those within others, and returns the configuration.
            #[must_use]
            pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
                change(&mut self);
                self
            }
        }
    };
}

setters!(ServerConfig {
    http: HttpLimits,
    ws: SocketLimits,
    output: OutboxLimits,
    outlet: OutletLimits,
    #[cfg(feature = "deflate")]
    deflate: impl Into<Option<Deflate>>,
    connections: usize,
    held_bytes: usize,
    shutdown_time: Duration,
    on_gone: OnGone,
    half_closed: impl Into<Option<Duration>>,
    handler_grace: Duration,
    handler_time: impl Into<Option<Duration>>,
    #[cfg(feature = "metrics")]
    metrics: bool,
});

impl ServerConfig {
    /// Sets [`admit`](#structfield.admit), and returns the configuration.
    #[must_use]
    pub fn admit(mut self, admit: impl Fn(&Info, usize) -> bool + Send + Sync + 'static) -> Self {
        self.admit = Some(Arc::new(admit));
        self
    }

    /// Sets [`on_begin`](#structfield.on_begin), and returns the configuration.
    #[must_use]
    pub fn on_begin(mut self, on_begin: impl Fn(&mut Info) + Send + Sync + 'static) -> Self {
        self.on_begin = Some(Arc::new(on_begin));
        self
    }

    /// Sets [`on_end`](#structfield.on_end), and returns the configuration.
    #[must_use]
    pub fn on_end(mut self, on_end: impl Fn(&Info, &Ended) + Send + Sync + 'static) -> Self {
        self.on_end = Some(Arc::new(on_end));
        self
    }

    /// Sets [`on_exchange`](#structfield.on_exchange), and returns the configuration.
    #[must_use]
    pub fn on_exchange(mut self, on_exchange: impl Fn(&ExchangeReport) + Send + Sync + 'static) -> Self {
        self.on_exchange = Some(Arc::new(on_exchange));
        self
    }
}

setters!(ClientConfig {
    http: HttpLimits,
    ws: SocketLimits,
    output: OutboxLimits,
    outlet: OutletLimits,
    #[cfg(feature = "deflate")]
    deflate: impl Into<Option<Deflate>>,
    connect_time: Duration,
    half_closed: impl Into<Option<Duration>>,
});
