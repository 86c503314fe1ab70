//! The open WebSockets of a program: users, topics, presence, and messages for many.
//!
//! A [`Hub`] knows each connection, its user, the topics that it subscribes to, and its metadata. It sends one message to a
//! topic, a user, everyone or one connection, and counts what became of it.
//!
//! ```no_run
//! use endwell::hub::{Hub, Login};
//! use endwell::ws::{Close, CloseCode, Content, WhenFull};
//! use endwell::{Answered, Ended, Exchange};
//!
//! async fn chat(hub: Hub, exchange: Exchange) -> Result<Answered, Ended> {
//!     let name = exchange.path().trim_start_matches('/').to_owned();
//!     let acceptance = exchange.acceptance();
//!     let mut socket = match exchange.accept(acceptance) {
//!         Ok(socket) => socket,
//!         Err((reason, exchange)) => return Ok(exchange.respond(reason.head(), reason.to_string())),
//!     };
//!     // From here on it is a member, and it leaves however this function ends.
//!     let member = hub.join(&socket);
//!     if member.login(&name, Login::Replace).is_err() || member.subscribe("lobby").is_err() {
//!         return Err(socket.close(CloseCode::POLICY_VIOLATION).await);
//!     }
//!     while let Some(message) = socket.receive().await {
//!         if let Content::Text(text) = message.content() {
//!             let lobby = hub.topic("lobby").except(member.key());
//!             let receipt = lobby.send(format!("{name}: {text}"), WhenFull::DropOldest).await;
//!             println!("{receipt}");
//!         }
//!     }
//!     Err(socket.close(Close::EMPTY).await)
//! }
//! ```
//!
//! # Promises
//!
//! - **Membership is a guard.** [`Hub::join`] comes before anything that could end, and does not wait. [`Member`] is not
//!   `Clone`. Dropping it (by a return, an error, a panic, a cancellation) leaves exactly once. If the connection ends
//!   before that, its task makes the member leave then, before it reports the end
//!   ([`ServerConfig::on_end`](crate::ServerConfig::on_end)): a hub shows no connection that is known to have ended.
//! - **A login cannot happen after the end**, and replacing is atomic: the late end of the old connection never takes the
//!   place of the new one.
//! - A message that is sent after `subscribe` returned goes to that member at most once. One that is sent after
//!   `unsubscribe` returned does not go to it.
//! - All members of a topic see one order. A message that waits for room at one member
//!   ([`WhenFull::Wait`](crate::ws::WhenFull::Wait)) comes there once it has room, behind those that were accepted
//!   meanwhile.
//! - The [`Receipt`] counts each receiver exactly once: a message that was not handed to a receiver's queue is in exactly
//!   one count.
//! - No connection holds up another, and leaving never waits for a whole fan-out: it goes in steps of 256 receivers.
//!
//! What a member's queue has accepted is written while its connection is open:
//! [`Outlet::unsent`](crate::ws::Outlet::unsent) returns what the end cut off.
//!
//! # What ends a connection
//!
//! The hub has no sweeper. A peer that vanishes is noticed by the connection's own pings
//! ([`SocketLimits::ping_interval`](crate::ws::SocketLimits::ping_interval)), one that does not take its messages by its
//! pace of output, and both are one [`HubEvent::Left`].
//!
//! # Many nodes
//!
//! With feature `cluster`, `Hub::over` makes a hub that has its users, topics and messages in common with those of other
//! programs, the *nodes*, over a bus between them: a [`Backplane`]. The crate `endwell-nats` has one for NATS, and
//! [`InProcessBus`] is one for tests. Everything above is as it was, and includes the other nodes: presence, counts, events,
//! messages, and logins that replace. [`Present::node`] says on which node a connection is.
//!
//! - **At most once, in order.** A connection gets the messages of each node in the order in which they were sent, and each
//!   at most once, whatever the bus repeats or reorders. [`Receipt::bus`] says what becomes of a message on the way to the
//!   others; the counts are those of this node.
//! - **Lost is counted.** A cut loses nothing if what is sent meanwhile is at most 4,096 messages, 1 MiB and 60 s. Beyond
//!   it, both sides are told the exact number: [`HubEvent::Lost`] and [`HubEvent::Missed`].
//! - **Presence.** The connections of a node that is killed have left within 4 s, those of one that ends at once. A bus that
//!   fell apart is whole in all views 2 s after it is whole again.
//! - **While a node is cut off it declares no other dead.** What it knows of them stays, and it says that this is old:
//!   [`HubEvent::Stale`], `Hub::stale_for`.
//! - **One login.** Of the logins of a user that replace, the last one stays, on all nodes. The others are closed, and told
//!   by which. Of two at the same time one wins, on both nodes.
//! - **Resuming.** A [`ResumeToken`] is valid on every node: `Member::resume` gives all that a client missed, or says that
//!   there is a gap.
//!
//! No node waits for another, and nothing that a program does waits for the bus. A hub knows the others 1.5 s after it
//! began. [`Backplane`] documents what is on the bus: `nats pub chat.m.topic.lobby hello` reaches the room.
//!
//! # Shutdown
//!
//! [`Hub::drain`] closes all connections with 1001, spread over a time, so that they do not all reconnect at once. Then
//! [`Server::shutdown`](crate::Server::shutdown) ends the rest.

#[cfg(feature = "cluster")]
mod cluster;
mod config;
mod drain;
mod error;
mod events;
mod fanout;
mod key;
mod member;
#[cfg(feature = "cluster")]
mod nodes;
#[cfg(not(feature = "cluster"))]
#[path = "nodes/off.rs"]
mod nodes;
mod notices;
mod observer;
mod reader;
mod recipients;
mod registry;
mod schedule;
mod seat;
mod shared;
mod snapshot;

use std::fmt;
use std::sync::Arc;

use crate::ws::Outlet;
#[cfg(feature = "cluster")]
pub use cluster::{
    Backplane, BusEvent, InProcessBus, InProcessConnection, InvalidToken, Publication, Refused, ResumeToken,
};
pub use config::HubConfig;
pub use drain::{Drain, DrainReport, Undrained};
pub use error::{LoginError, MetaError, SubscribeError};
pub use events::{Departure, HubEvent};
pub use fanout::{Fanout, OnBus, Receipt};
pub use key::ConnectionKey;
pub use member::{Login, Member, Notice, Told};
use nodes::Nodes;
#[cfg(feature = "cluster")]
pub use nodes::{HubNode, Resume};
pub use reader::{HubEvents, NextEvent};
pub use recipients::Recipients;
use registry::Registry;
use seat::Seat;
use shared::Shared;
pub use snapshot::{HubConnection, HubCounts, HubSnapshot, OtherNode, Present};

/// The connections of a program, with their users and topics. A clone is the same hub.
///
/// Dropping it changes nothing for its members.
#[derive(Clone)]
pub struct Hub {
    shared: Arc<Shared>,
}

impl Hub {
    /// Makes a hub without members.
    pub fn new(config: HubConfig) -> Self {
        Self { shared: Arc::new(Shared::new(&config)) }
    }

    /// Adds a connection: a `&Socket`, a `&SendHalf`, or an `Outlet`. It is a member until the returned value is dropped,
    /// or the connection has ended. If it has ended already, the member has left when this returns.
    pub fn join(&self, socket: impl Into<Outlet>) -> Member {
        Member::join(&self.shared, socket.into())
    }

    /// The subscribers of a topic.
    pub fn topic<'a>(&'a self, topic: &'a str) -> Recipients<'a> {
        Recipients::of_topic(&self.shared, topic)
    }

    /// The connections of a user.
    pub fn user<'a>(&'a self, user: &'a str) -> Recipients<'a> {
        Recipients::of_user(&self.shared, user)
    }

    /// All connections.
    pub fn everyone(&self) -> Recipients<'_> {
        Recipients::everyone(&self.shared)
    }

    /// One connection, of this node or another one.
    pub fn connection(&self, key: ConnectionKey) -> Recipients<'_> {
        Recipients::connection(&self.shared, key)
    }

    /// Reads what happens in the hub from now on.
    pub fn events(&self) -> HubEvents {
        HubEvents::new(&self.shared)
    }

    /// The numbers of connections, users and topics, on all nodes. It takes nanoseconds; with other nodes, some for each
    /// name that they have.
    pub fn counts(&self) -> HubCounts {
        self.shared.look(Registry::counts)
    }

    /// The users with a connection, in no order.
    pub fn users(&self) -> Vec<Arc<str>> {
        self.shared.look(|registry| registry.users().cloned().collect())
    }

    /// True if a user has a connection.
    pub fn is_online(&self, user: &str) -> bool {
        self.shared.look(|registry| registry.is_online(user))
    }

    /// The connections of a user, in no order.
    pub fn presence(&self, user: &str) -> Vec<Present> {
        self.shared.look(|registry| registry.presence(user))
    }

    /// The subscribers of a topic, in no order.
    pub fn topic_presence(&self, topic: &str) -> Vec<Present> {
        self.shared.look(|registry| registry.topic_presence(topic))
    }

    /// The other nodes that are here, in the order in which they were met.
    pub fn nodes(&self) -> Vec<OtherNode> {
        self.shared.look(Registry::nodes)
    }

    /// The counts, and what is known of each connection. Others join and leave meanwhile: the hub is not stopped for it.
    pub fn snapshot(&self) -> HubSnapshot {
        HubSnapshot::take(&self.shared)
    }
}

impl Default for Hub {
    fn default() -> Self {
        Self::new(HubConfig::default())
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("counts", &self.counts()).finish_non_exhaustive()
    }
}
