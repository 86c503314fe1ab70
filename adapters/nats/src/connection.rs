//! One connection to NATS, from the attempt to the cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::{
    Client, ConnectOptions, Event, HeaderMap, Message, PublishErrorKind, ServerAddr, Subscriber,
};
use endwell::Bytes;
use endwell::hub::Publication;
use futures_util::StreamExt;
use tokio::sync::Notify;

use crate::ConnectError;
use crate::prefix::Prefix;
use crate::shared::{Shared, Work};

/// The least `max_payload` of a server: 512 KiB, twice the largest message of a hub. Parts of a presence snapshot may be
/// larger than that.
const MAX_PAYLOAD: usize = 512 * 1024;

/// The most servers that are remembered beside those of the URL: 64, more than a cluster has.
const DISCOVERED: usize = 64;

/// What to connect to.
pub(crate) struct Target {
    prefix: Prefix,
    /// Those of the URL.
    servers: Vec<ServerAddr>,
    /// Those that the last server told of.
    discovered: Vec<ServerAddr>,
    options: ConnectOptions,
}

impl Target {
    pub(crate) fn new(prefix: Prefix, servers: Vec<ServerAddr>, options: ConnectOptions) -> Self {
        Self { prefix, servers, discovered: Vec::new(), options }
    }
}

/// Notices that the client has lost its connection.
#[derive(Default)]
struct Cut {
    was_connected: AtomicBool,
    happened: Notify,
}

impl Cut {
    /// The client is about to connect, and asks how long to wait. It tells of nothing as reliably: its events are dropped
    /// when there are many.
    fn before_connect(&self) -> Duration {
        if self.was_connected.load(Ordering::Relaxed) {
            self.happened.notify_one();
            // The runtime ends before.
            return Duration::from_secs(3600);
        }
        Duration::ZERO
    }
}

/// Connects and carries messages until the connection is cut.
pub(crate) async fn live(
    target: &mut Target,
    shared: &Arc<Shared>,
    on_connected: impl FnOnce(),
) -> Result<(), ConnectError> {
    let cut = Arc::new(Cut::default());
    let at_connect = Arc::clone(&cut);
    let at_event = Arc::clone(shared);
    let options = target.options.clone();
    let client = options
        .reconnect_delay_callback(move |_| at_connect.before_connect())
        .event_callback(move |event| {
            complained(&at_event, event);
            std::future::ready(())
        })
        .connect([&*target.servers, &*target.discovered].concat())
        .await
        .map_err(ConnectError::of_client)?;
    // There is no await between, so the client's task has not run.
    cut.was_connected.store(true, Ordering::Relaxed);
    let info = client.server_info();
    if !info.headers || info.max_payload < MAX_PAYLOAD {
        return Err(ConnectError::Unfit { max_payload: info.max_payload, headers: info.headers });
    }
    let subscription = client.subscribe(target.prefix.everything()).await;
    let subscription = subscription.map_err(|error| ConnectError::Unreachable(error.into()))?;
    tracing::info!(server = info.server_name, version = info.version, "connected to NATS");
    let private = target.prefix.private();
    shared.connected();
    on_connected();
    tokio::select! {
        () = cut.happened.notified() => {}
        // The client reads up to 8 MiB in one turn. Within tokio's budget this would take 128 messages in its own.
        () = tokio::task::unconstrained(receive(subscription, &target.prefix, &private, shared)) => {}
        () = send(&client, &target.prefix, &private, shared) => {}
        () = discover(&client, &target.servers, &mut target.discovered) => {}
    }
    shared.cut();
    tracing::warn!("the connection to NATS is cut");
    Ok(())
}

fn complained(shared: &Shared, event: Event) {
    match event {
        Event::ServerError(error) => {
            tracing::warn!(%error, "NATS complains");
            shared.failed(error.to_string());
        }
        Event::SlowConsumer(_) => tracing::warn!("the client of NATS dropped messages"),
        Event::Connected
        | Event::Disconnected
        | Event::LameDuckMode
        | Event::Draining
        | Event::Closed
        | Event::ClientError(_) => {}
    }
}

/// Ends with the client.
async fn receive(mut subscription: Subscriber, prefix: &Prefix, private: &str, shared: &Shared) {
    while let Some(Message { subject, headers, payload, .. }) = subscription.next().await {
        if &*subject == private {
            if let Ok(number) = <[u8; 8]>::try_from(&*payload) {
                shared.confirmed(u64::from_be_bytes(number));
            }
            continue;
        }
        let subject = prefix.strip(&subject).filter(|subject| !Prefix::is_private(subject));
        let Some(subject) = subject else { continue };
        let header = headers.as_ref().and_then(|headers| headers.get(Publication::HEADER));
        shared.received(subject, header.map(AsRef::as_ref), &payload);
    }
}

/// Ends with the client.
async fn send(client: &Client, prefix: &Prefix, private: &str, shared: &Shared) {
    loop {
        match shared.work().await {
            Work::Send(message) => {
                let subject = prefix.add(&message.subject);
                let sent = match message.header {
                    Some(header) => {
                        let mut headers = HeaderMap::new();
                        headers.insert(Publication::HEADER, header);
                        client.publish_with_headers(subject, headers, message.payload).await
                    }
                    None => client.publish(subject, message.payload).await,
                };
                match sent {
                    Ok(()) => shared.sent(),
                    Err(error) if error.kind() == PublishErrorKind::Send => return,
                    Err(error) => {
                        tracing::error!(%error, subject = message.subject, "NATS cannot take a message");
                        shared.unsendable(error.to_string());
                    }
                }
            }
            // The client's own flush waits for no answer, and a socket that is closed while something is unread throws away
            // what it was to write.
            Work::Barrier(number) => {
                let payload = Bytes::copy_from_slice(&number.to_be_bytes());
                if client.publish(private.to_owned(), payload).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Learns the other servers of a cluster, for the time when those of the URL are away.
async fn discover(client: &Client, servers: &[ServerAddr], discovered: &mut Vec<ServerAddr>) {
    if let Ok(pool) = client.server_pool().await {
        discovered.clear();
        let others = pool.into_iter().map(|server| server.addr).filter(|addr| !servers.contains(addr));
        discovered.extend(others.take(DISCOVERED));
    }
    std::future::pending::<()>().await;
}
