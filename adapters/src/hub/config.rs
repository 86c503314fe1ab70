//! The bounds of a hub.

use crate::ws::{Close, CloseCode};

/// The bounds of a [`Hub`](super::Hub), and what it tells connections. Every field has a default.
///
/// ```
/// use endwell::hub::{Hub, HubConfig};
///
/// let mut config = HubConfig::default();
/// config.topics_each = 10;
/// config.topic_events = true;
/// let hub = Hub::new(config);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HubConfig {
    /// The most topics of one connection. Default 256: a client that subscribes without end holds little, and a leave
    /// takes microseconds.
    pub topics_each: usize,
    /// The most topics in all. Default 100,000, some 20 MB if each has one subscriber. A topic exists while a connection
    /// is subscribed to it.
    pub topics: usize,
    /// The most bytes of the name of a user or a topic. Default 200: any identifier or address.
    pub name_bytes: usize,
    /// The most bytes of the metadata of one connection. Default 1 KiB: a name to show, a picture's address, a status.
    pub meta_bytes: usize,
    /// The events that are kept for readers that are behind. Default 1,024: a burst of logins during a slow moment.
    pub events: usize,
    /// Whether subscriptions are events too. Default `false`: where many subscribe to many topics, those are most of the
    /// events. [`Hub::topic_presence`](super::Hub::topic_presence) works either way.
    pub topic_events: bool,
    /// What people call this node: [`Present::node`](super::Present::node), [`HubEvent::NodeUp`](super::HubEvent::NodeUp).
    /// Default empty: then its random number on the bus stands for it. It matters for a hub on many nodes only.
    pub node: String,
    /// True if the crate `metrics` counts what happens: see [`metrics`](crate::metrics) for the names. Default `false`.
    #[cfg(feature = "metrics")]
    pub metrics: bool,
    /// What a connection is closed with that another one replaces ([`Login::Replace`](super::Login::Replace)). Default
    /// 4001 "logged in elsewhere". The codes from 4000 on are an application's own (RFC 6455 7.4.2), so a page can tell
    /// this end from those after which it should reconnect.
    pub replaced: Close,
    /// What connections are closed with by [`Hub::drain`](super::Hub::drain). Default 1001, going away.
    pub draining: Close,
}

impl Default for HubConfig {
    fn default() -> Self {
        let replaced =
            CloseCode::new(4001).ok().and_then(|code| Close::new(code, "logged in elsewhere").ok());
        Self {
            topics_each: 256,
            topics: 100_000,
            name_bytes: 200,
            meta_bytes: 1024,
            events: 1024,
            topic_events: false,
            node: String::new(),
            #[cfg(feature = "metrics")]
            metrics: false,
            replaced: replaced.unwrap_or(Close::EMPTY),
            draining: CloseCode::GOING_AWAY.into(),
        }
    }
}
