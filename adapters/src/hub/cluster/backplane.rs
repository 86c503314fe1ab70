//! What carries messages between nodes.

use std::error::Error;
use std::fmt;
use std::task::{Context, Poll};

use crate::Bytes;

/// A node's connection to a bus: what a hub on many nodes needs of NATS, or of another one. [`InProcessBus`](super::InProcessBus) is one
/// without a network.
///
/// A bus hands what one node publishes to all nodes that are connected at that moment, *the publisher too*: a node that
/// does not hear itself knows that it is cut off. Nothing else is asked of it. It may lose, repeat and reorder what it
/// carries, and hang: the nodes count, ask again and put in order.
///
/// # What an implementation does
///
/// - **Subjects.** The application chooses a prefix, such as `chat`, which is the implementation's business. What is
///   published on the subject `m.topic.lobby` goes out on `chat.m.topic.lobby`. Each connection to the bus subscribes once,
///   to everything below the prefix (`chat.>`), and takes the prefix off what arrives. Subjects consist of letters, digits,
///   `-`, `_`, `%` and single dots.
/// - **Header.** A message of a node has one header, whose name is [`Publication::HEADER`]. A message without it is
///   received with `None`: so one from a shell reaches a topic too.
/// - **Order.** Messages should be carried in the order in which they were published, which saves asking again.
/// - **Size.** Payloads have at most 256 KiB if they are messages. Control messages can be some times larger, where
///   connections have very much metadata or very long names: a bus that carries 1 MiB, as NATS does by default, has
///   room.
/// - **Reconnecting** is its own business, for as long as it lives. Each connection begins with
///   [`BusEvent::Connected`] and ends with [`BusEvent::Cut`].
/// - **Waiting.** It keeps few messages of its own, since the hub keeps those that wait ([`Refused`]), knows which are
///   lost, and sends them again. What a connection had taken and not sent when it ended should be dropped: on the next
///   one, it may come before other nodes have subscribed.
///
/// # On the bus
///
/// | subject | what it is |
/// |---|---|
/// | `chat.m.topic.<topic>` | a message for the subscribers of a topic |
/// | `chat.m.user.<user>` | for the connections of a user |
/// | `chat.m.all` | for everyone |
/// | `chat.m.conn.<node>.<number>-<slot>` | for one connection |
/// | `chat.c.>` | what the nodes tell each other: JSON with a version |
///
/// Names are percent-encoded outside `[A-Za-z0-9_-]`; an empty name is `%`. The payload of a message *is* the message, so
/// `nats pub chat.m.topic.lobby hello` reaches the room. A node adds the header
/// `1 <node> <seq> <text|binary> <drop-newest|drop-oldest|close>`. Without it, a message is text if it is UTF-8, drops the
/// oldest where there is no room, and is neither numbered nor kept for those that resume.
///
/// A program that can write to the bus is trusted: it can claim to be any node.
///
/// # Use
///
/// A hub polls it in one task, and calls it in that task only. It is object safe: a `Box<dyn Backplane>` is one too. An
/// implementation with a task of its own (as the client of NATS has) takes from one bounded channel in
/// [`poll`](Self::poll), and gives to another in [`try_publish`](Self::try_publish).
pub trait Backplane: Send + 'static {
    /// Returns the next thing that happened on the bus.
    ///
    /// If it is pending, it wakes the task of the last `cx` when there is one, *and* when it takes messages again after
    /// it has [refused](Self::try_publish) one. It may wake without a reason.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<BusEvent>;

    /// Takes a message for all nodes, at once or not at all. It never waits, so that a slow bus holds up no connection.
    ///
    /// `Ok` promises nothing: the message may be lost. A message that the bus can never carry, as it is too large, is
    /// taken and dropped, and the other nodes count it.
    ///
    /// # Errors
    ///
    /// [`Refused`] if there is no connection, or no room. The hub keeps the message and comes back with it, after
    /// [`poll`](Self::poll) has woken its task. Nothing of the message may have been sent.
    fn try_publish(&mut self, publication: Publication<'_>) -> Result<(), Refused>;

    /// Waits until the bus has what was taken. The hub calls it at its own end, behind its last message, waits for at most a
    /// second, and then drops the backplane, which ends the connection.
    ///
    /// An implementation that writes at once needs none: by default it is ready.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        _ = cx;
        Poll::Ready(())
    }
}

impl<B: Backplane + ?Sized> Backplane for Box<B> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<BusEvent> {
        (**self).poll(cx)
    }

    fn try_publish(&mut self, publication: Publication<'_>) -> Result<(), Refused> {
        (**self).try_publish(publication)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        (**self).poll_flush(cx)
    }
}

/// What happened on a bus: [`Backplane::poll`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusEvent {
    /// There is a new connection. It has subscribed to everything below the prefix, or asked to: the subscription need
    /// not work yet, since the node finds out when it does.
    Connected,
    /// The connection has gone. What it had taken may be lost.
    Cut,
    /// A message arrived, maybe one of this node's own.
    Received {
        /// The subject, without the prefix.
        subject: String,
        /// The header, if the message has one.
        header: Option<String>,
        /// The content.
        payload: Bytes,
    },
}

/// A message for the bus: [`Backplane::try_publish`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publication<'a> {
    /// The subject, without the prefix.
    pub subject: &'a str,
    /// The header, if it has one.
    pub header: Option<&'a str>,
    /// The content.
    pub payload: &'a Bytes,
}

impl Publication<'_> {
    /// The name of the header, on a bus whose headers have names.
    pub const HEADER: &'static str = "Endwell-Hub";
}

/// The bus takes no message now: there is no connection, or no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bus takes no message now")
    }
}

impl Error for Refused {}
