//! A hub on many nodes: machines that are told the time and what arrives, and say what follows. They do no I/O.
//!
//! A *node* is a program with a hub. The nodes of a cluster are connected to one *bus*, which hands what one publishes to
//! all that are connected at that moment, and promises nothing else: NATS is one.
//!
//! # Promises
//!
//! - **At most once, in order.** A node has the messages of each other node in the order in which they were sent, and each
//!   at most once, whatever the bus repeats or reorders.
//! - **Lost is counted.** A cut that fits the ring loses nothing. Beyond it, the node that misses messages is told how
//!   many ([`Effect::Lost`](effect::Effect::Lost)), and the node that sent them too ([`Effect::Missed`](effect::Effect::Missed)).
//!   What an origin sent before this node first heard it is not missed, and what a killed node did not hand to the bus is
//!   unknown.
//! - **Presence.** A killed node's connections have left within 4 s. Once a bus that fell apart is whole again, all views
//!   are right within 2 s.
//! - **While a node is cut off it declares no other dead**, and says that its view is stale. A bus that hangs, or a
//!   subscription that does not work yet, counts as a cut: a node that does not hear itself judges no other.
//! - **One login.** Of the logins of a user that replace, the last one stays, on all nodes; the others are closed, and told
//!   by which.
//! - **Resuming.** A token is valid on every node. What it gives is all that was missed, or it says that there is a gap.
//!
//! # On the bus
//!
//! A program chooses a prefix, here `chat`. A node subscribes to `chat.>`, once. The subjects of messages, and their header,
//! are in the documentation of [`Backplane`].
//!
//! | subject | what it is |
//! |---|---|
//! | `chat.c.lease` | `lease`, each second: how far a node is, and what it has of the others; the last one says `bye` |
//! | `chat.c.presence` | `changes`: of a node's connections, numbered |
//! | `chat.c.node.<node>` | `ask_messages`, `forgotten`, `ask_members`, `members`: from one node to another; `barrier`: to itself |
//!
//! Control messages are JSON: `{"v":1,"node":"9f86d081884c7d65","lease":{..}}`. Other versions are ignored. A node's name is
//! drawn at random when it starts, so the numbers of its messages need no epoch. Logins need no subject of their own: the
//! change says their Lamport time and whether they replace, and so does the snapshot that repairs a lost change.
//!
//! # Coming back
//!
//! On a new connection a node sends itself barriers until one comes back: only then does it hear. Then it says its lease,
//! which the others answer with theirs at once. It sends nothing before it has heard one of them, or 3.5 s have passed: a
//! bus that starts again has no subscribers at first, and a message to none is lost without a word. Of the messages that the
//! bus had taken before, it sends again what the other does not have; then those that waited. Whatever a node still misses
//! it asks for, since the leases say how far each is.
//!
//! # Bounds
//!
//! They are in `bounds.rs`, each with its reason.
//!
//! | what | bound |
//! |---|---|
//! | a message | 256 KiB |
//! | kept for those that missed it, of each node | 4,096 messages, 1 MiB, 60 s |
//! | kept for connections that resume, of all nodes | the same |
//! | held back behind a gap, of each origin | 1 s of asking in vain, 1 MiB |
//! | a lease | each second; dead after 3.5 s; deaf after 2 s |
//! | changes of members | collected for 20 ms, in messages of about 128 KiB |
//! | a snapshot | pieces of 256 KiB, at most 4,096 |
//! | nodes that are remembered | 1,024 |

mod backplane;
mod bounds;
mod claims;
mod control;
mod effect;
mod header;
mod history;
mod id;
mod in_process;
mod inbound;
mod node;
mod presence;
mod ring;
mod subject;
#[cfg(test)]
mod worlds;

pub(super) use effect::{Down, Effect};
pub(super) use header::MessageKind;
pub(super) use history::Replay;
pub(super) use id::NodeId;
pub(super) use inbound::Incoming;
pub(super) use node::Node;
pub(super) use presence::Change;
pub(super) use subject::To;

pub use backplane::{Backplane, BusEvent, Publication, Refused};
pub use history::{InvalidToken, ResumeToken};
pub use in_process::{InProcessBus, InProcessConnection};
