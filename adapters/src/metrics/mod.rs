//! Counters, gauges and histograms of the crate `metrics`, for each server of the process.
//!
//! A server whose [`ServerConfig::metrics`](crate::ServerConfig::metrics) is true passes them to the recorder that the program
//! has installed. The names are those of OpenTelemetry's semantic conventions where it has one. An exporter for Prometheus
//! writes `_` for `.`.
//!
//! | name | kind | labels | what it is |
//! |---|---|---|---|
//! | `http.server.request.duration` | histogram, seconds | M, S, V, C, E | from the head of a request to the end of its exchange; to the response for one that was upgraded |
//! | `http.server.request.body.size` | histogram, bytes | M, S, V, C | the body of a request, as far as it was received |
//! | `http.server.response.body.size` | histogram, bytes | M, S, V, C | the body of a response, as far as the transport took it |
//! | `http.server.active_requests` | gauge | M, S | exchanges that have a handler, and have not ended or been upgraded |
//! | `endwell.server.active_connections` | gauge | | connections that are open |
//! | `endwell.server.connection.duration` | histogram, seconds | E | from accepting a connection to its end |
//! | `endwell.server.active_upgrades` | gauge | U | WebSockets, and connections of other protocols, that are open |
//! | `endwell.server.upgrade.duration` | histogram, seconds | U, E | from the request to the end of its connection |
//! | `endwell.server.upgrade.io` | counter, bytes | U, D | what they received and sent |
//! | `endwell.server.websocket.messages` | counter | D | the messages of WebSockets |
//!
//! A hub whose [`HubConfig::metrics`](crate::hub::HubConfig::metrics) is true adds (feature `hub`):
//!
//! | name | kind | labels | what it is |
//! |---|---|---|---|
//! | `endwell.hub.connections` | gauge | | the members on this node |
//! | `endwell.hub.users` | gauge | | the users with a connection on this node |
//! | `endwell.hub.topics` | gauge | | the topics with a subscriber on this node |
//! | `endwell.hub.departures` | counter | L | the members of this node that left |
//! | `endwell.hub.messages` | counter | A | the messages that were sent through the hub |
//! | `endwell.hub.deliveries` | counter | O | the receivers on this node, of those and of what came from other nodes |
//! | `endwell.hub.nodes` | gauge | | the other nodes that are here |
//! | `endwell.hub.stale` | gauge | | 1 while this node is cut off from the others |
//! | `endwell.hub.lost` | counter | D | messages between nodes that were lost: of others, or of this one |
//!
//! | | label | values |
//! |---|---|---|
//! | M | `http.request.method` | the nine methods of RFC 9110 and RFC 5789; `_OTHER` for another one, and for a request without a line |
//! | S | `url.scheme` | `http`, `https` |
//! | V | `network.protocol.version` | `1.0`, `1.1`; absent without a line |
//! | C | `http.response.status_code` | the status; absent if no response had begun |
//! | E | `error.type` | [`ExchangeReport::error_type`], and the same of a connection; absent if nothing went wrong |
//! | U | `network.protocol.name` | `websocket`, `other` |
//! | D | `network.io.direction` | `receive`, `transmit` |
//! | L | `endwell.hub.departure` | `dropped`, `ended`, `replaced` |
//! | A | `endwell.hub.audience` | `topic`, `user`, `everyone`, `connection` |
//! | O | `endwell.hub.outcome` | `accepted`, `lagged`, `dropped`, `closed`, `ended` |
//!
//! The number of series is bounded: no label has a value that a client chooses. The bytes and messages of an upgraded
//! connection are counted by the connection itself, and added when it has ended: no counter is shared while messages pass.
//! Events before an exchange, such as errors of `accept`, are in [`Counters`](crate::Counters).
//!
//! ```no_run
//! use endwell::{Exchange, ServerConfig, http::StatusCode, serve, with_state};
//! use metrics_exporter_prometheus::PrometheusBuilder;
//!
//! # async fn f(listener: tokio::net::TcpListener) -> Result<(), Box<dyn std::error::Error>> {
//! let prometheus = PrometheusBuilder::new().install_recorder()?;
//! endwell::metrics::describe();
//! let handler = with_state(prometheus, async |prometheus, exchange: Exchange| match exchange.path() {
//!     "/metrics" => exchange.respond(StatusCode::OK, prometheus.render()),
//!     _ => exchange.respond(StatusCode::OK, "hello"),
//! });
//! serve(listener, ServerConfig::default().metrics(true), handler).await;
//! # Ok(())
//! # }
//! ```

use std::time::{Duration, Instant};

use endwell_core::http::{Method, RequestHead};
use metrics::{Label, Unit, counter, gauge, histogram};

use crate::Ended;
use crate::connection::{Link, Settings};
use crate::server::ExchangeReport;

const DURATION: &str = "http.server.request.duration";
const REQUEST_SIZE: &str = "http.server.request.body.size";
const RESPONSE_SIZE: &str = "http.server.response.body.size";
const ACTIVE_REQUESTS: &str = "http.server.active_requests";
const ACTIVE_CONNECTIONS: &str = "endwell.server.active_connections";
const CONNECTION_DURATION: &str = "endwell.server.connection.duration";
const ACTIVE_UPGRADES: &str = "endwell.server.active_upgrades";
const UPGRADE_DURATION: &str = "endwell.server.upgrade.duration";
const UPGRADE_IO: &str = "endwell.server.upgrade.io";
const MESSAGES: &str = "endwell.server.websocket.messages";

#[cfg(feature = "hub")]
pub(crate) mod hub {
    pub(crate) const CONNECTIONS: &str = "endwell.hub.connections";
    pub(crate) const USERS: &str = "endwell.hub.users";
    pub(crate) const TOPICS: &str = "endwell.hub.topics";
    pub(crate) const DEPARTURES: &str = "endwell.hub.departures";
    pub(crate) const MESSAGES: &str = "endwell.hub.messages";
    pub(crate) const DELIVERIES: &str = "endwell.hub.deliveries";
    pub(crate) const NODES: &str = "endwell.hub.nodes";
    pub(crate) const STALE: &str = "endwell.hub.stale";
    pub(crate) const LOST: &str = "endwell.hub.lost";
}

/// Tells the recorder the unit and the meaning of each metric. Call it once the recorder is installed.
pub fn describe() {
    use metrics::{describe_counter, describe_gauge, describe_histogram};

    describe_histogram!(DURATION, Unit::Seconds, "Duration of HTTP server requests.");
    describe_histogram!(REQUEST_SIZE, Unit::Bytes, "Size of HTTP server request bodies.");
    describe_histogram!(RESPONSE_SIZE, Unit::Bytes, "Size of HTTP server response bodies.");
    describe_gauge!(ACTIVE_REQUESTS, Unit::Count, "Number of active HTTP server requests.");
    describe_gauge!(ACTIVE_CONNECTIONS, Unit::Count, "Connections that are open.");
    describe_histogram!(CONNECTION_DURATION, Unit::Seconds, "Duration of connections.");
    describe_gauge!(ACTIVE_UPGRADES, Unit::Count, "Connections that are open and use another protocol.");
    describe_histogram!(
        UPGRADE_DURATION,
        Unit::Seconds,
        "Duration of connections that use another protocol."
    );
    describe_counter!(UPGRADE_IO, Unit::Bytes, "Bytes of connections that use another protocol.");
    describe_counter!(MESSAGES, Unit::Count, "Messages of WebSockets.");
    #[cfg(feature = "hub")]
    {
        describe_gauge!(hub::CONNECTIONS, Unit::Count, "Members of the hub on this node.");
        describe_gauge!(hub::USERS, Unit::Count, "Users with a connection on this node.");
        describe_gauge!(hub::TOPICS, Unit::Count, "Topics with a subscriber on this node.");
        describe_counter!(hub::DEPARTURES, Unit::Count, "Members of this node that left.");
        describe_counter!(hub::MESSAGES, Unit::Count, "Messages that were sent through the hub.");
        describe_counter!(hub::DELIVERIES, Unit::Count, "Receivers of messages on this node.");
        describe_gauge!(hub::NODES, Unit::Count, "Other nodes that are here.");
        describe_gauge!(hub::STALE, Unit::Count, "1 while this node is cut off from the others.");
        describe_counter!(hub::LOST, Unit::Count, "Messages between nodes that were lost.");
    }
}

/// Something that is open, and counted until it is dropped. Boxed: each connection has room for one.
pub(crate) struct Active(Box<Open>);

struct Open {
    gauge: &'static str,
    labels: Vec<Label>,
    since: Instant,
}

impl Active {
    fn new(gauge: &'static str, labels: Vec<Label>) -> Self {
        gauge!(gauge, labels.clone()).increment(1.0);
        Self(Box::new(Open { gauge, labels, since: Instant::now() }))
    }

    /// A connection. `None` if they are not counted.
    pub(crate) fn connection(settings: &Settings) -> Option<Self> {
        settings.metrics.then(|| Self::new(ACTIVE_CONNECTIONS, Vec::new()))
    }

    /// An exchange whose handler begins. `None` if they are not counted.
    pub(crate) fn request(head: &RequestHead, link: &Link) -> Option<Self> {
        let labels = || vec![method(Some(head)), scheme(link.info.is_secure)];
        link.shared.settings.metrics.then(|| Self::new(ACTIVE_REQUESTS, labels()))
    }

    /// The exchange has become another protocol.
    pub(crate) fn upgraded(self, is_web_socket: bool) -> Self {
        drop(self);
        Self::new(ACTIVE_UPGRADES, vec![protocol(is_web_socket)])
    }

    /// The connection has ended.
    pub(crate) fn end(self, ended: &Ended) {
        let labels: Vec<_> = error(ended.error_type()).into_iter().collect();
        histogram!(CONNECTION_DURATION, labels).record(self.0.since.elapsed());
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        gauge!(self.0.gauge, std::mem::take(&mut self.0.labels)).decrement(1.0);
    }
}

/// Records an exchange that has ended.
pub(crate) fn record(report: &ExchangeReport) {
    let mut labels = vec![method(report.head()), scheme(report.is_secure())];
    let version = report.version().map(|version| version.to_string());
    if let Some(version) = version.as_deref().and_then(|version| version.strip_prefix("HTTP/")) {
        labels.push(Label::new("network.protocol.version", version.to_owned()));
    }
    if let Some(status) = report.status() {
        labels.push(Label::new("http.response.status_code", status.to_string()));
    }
    let error_type = error(report.error_type());
    let with_error = |labels: &[Label]| labels.iter().chain(&error_type).cloned().collect::<Vec<_>>();
    if !report.is_upgraded() {
        histogram!(REQUEST_SIZE, labels.clone()).record(size(report.received_bytes()));
        histogram!(RESPONSE_SIZE, labels.clone()).record(size(report.sent_bytes()));
        histogram!(DURATION, with_error(&labels)).record(report.time());
        return;
    }
    histogram!(DURATION, labels).record(report.time_to_response().unwrap_or(Duration::ZERO));
    let protocol = protocol(report.messages().is_some());
    histogram!(UPGRADE_DURATION, with_error(std::slice::from_ref(&protocol))).record(report.time());
    let bytes = [(RECEIVE, report.received_bytes()), (TRANSMIT, report.sent_bytes())];
    for (direction, bytes) in bytes {
        counter!(UPGRADE_IO, vec![protocol.clone(), direction.clone()]).increment(bytes);
    }
    if let Some(messages) = report.messages() {
        for (direction, count) in [(RECEIVE, messages.received), (TRANSMIT, messages.sent)] {
            counter!(MESSAGES, vec![direction]).increment(count);
        }
    }
}

pub(crate) const RECEIVE: Label = Label::from_static_parts("network.io.direction", "receive");
pub(crate) const TRANSMIT: Label = Label::from_static_parts("network.io.direction", "transmit");

fn method(head: Option<&RequestHead>) -> Label {
    let name = match head.map(RequestHead::method) {
        Some(Method::Get) => "GET",
        Some(Method::Head) => "HEAD",
        Some(Method::Post) => "POST",
        Some(Method::Put) => "PUT",
        Some(Method::Delete) => "DELETE",
        Some(Method::Connect) => "CONNECT",
        Some(Method::Options) => "OPTIONS",
        Some(Method::Trace) => "TRACE",
        Some(Method::Patch) => "PATCH",
        Some(_) | None => "_OTHER",
    };
    Label::from_static_parts("http.request.method", name)
}

fn scheme(is_secure: bool) -> Label {
    Label::from_static_parts("url.scheme", if is_secure { "https" } else { "http" })
}

fn protocol(is_web_socket: bool) -> Label {
    Label::from_static_parts("network.protocol.name", if is_web_socket { "websocket" } else { "other" })
}

fn error(kind: Option<&'static str>) -> Option<Label> {
    kind.map(|kind| Label::from_static_parts("error.type", kind))
}

/// A number of bytes, as histograms take it. Above 2^53 it is rounded.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "no body is so large that it matters")]
fn size(bytes: u64) -> f64 {
    bytes as f64
}
