//! WebSocket on a real connection.
//!
//! - [`Socket`] is a whole WebSocket; [`Socket::split`] gives one half to each of two tasks.
//! - [`Outlet`] is for many producers: bounded, in order, whole messages. [`broadcast`] sends one message to many
//!   connections.
//! - [`ByteStream`] is a byte stream over binary messages, and with feature `futures` `Messages` is a `Stream` and
//!   `Sink`.
//! - [`connect`] builds and opens a client's WebSocket, and [`Socket::connect`] does so in one call.
//! - [`Reconnecting`] is a client's WebSocket that is opened again when it is lost.
//! - [`Socket::over`] is for connections whose handshake was done elsewhere.

mod background;
mod builder;
mod byte_stream;
mod close;
mod config;
mod connect;
mod driven;
mod flush;
#[cfg(feature = "hyper")]
mod foreign;
mod halves;
mod message;
mod message_reader;
mod message_writer;
#[cfg(feature = "futures")]
mod messages;
mod outlet;
mod receive;
mod reconnect;
mod send;
mod socket;
#[cfg(feature = "tower")]
mod upgrade;

pub(crate) use background::{Reader, Unread};
pub use builder::{SocketBuilder, connect};
pub use byte_stream::ByteStream;
pub use close::CloseSocket;
pub use config::SocketConfig;
pub use connect::ConnectError;
pub use endwell_core::ws::{
    Acceptance, Cause, Close, CloseCode, Control, ControlTooLong, Event, Frame, Full, InvalidCloseCode,
    InvalidSubprotocol, Jitter, Kind, NotAHandshake, Offer, Origins, ReasonTooLong, SocketLimits,
    Subprotocol, Text,
};
#[cfg(feature = "deflate")]
pub use endwell_core::ws::{Agreement, Compression, Deflate, MalformedExtensions, WindowBits};
pub use endwell_core::{End, Outcome, Payload};
pub use flush::Flush;
pub use halves::{ReceiveHalf, SendHalf};
pub use message::{Content, Message};
pub use message_reader::{MessageReader, ReadPiece, ReceivePieces};
pub use message_writer::{FinishPieces, MessageWriter, PieceError, WritePiece};
#[cfg(feature = "futures")]
pub use messages::Messages;
#[cfg(feature = "hub")]
pub(crate) use outlet::LateDelivery;
pub use outlet::{
    Broadcast, Closed, Deliver, Delivery, FlushOutlet, Outlet, OutletLimits, SendOutlet, SendTimeout,
    SendTimeoutError, TrySendError, WhenFull, broadcast,
};
pub(crate) use outlet::{Next, Position, Queue};
pub use receive::{ForEach, Receive, ReceiveData, Reply};
pub use reconnect::{
    Loss, LossCause, ReconnectBuilder, ReconnectEvent, ReconnectLimits, ReconnectOutlet, Reconnecting,
};
pub use send::{NotSent, SendMessage};
pub use socket::Socket;
#[cfg(feature = "tower")]
pub(crate) use upgrade::Agreed;
#[cfg(feature = "tower")]
pub use upgrade::WebSocketUpgrade;
