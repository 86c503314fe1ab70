//! WebSocket on a real connection.

mod close;
mod fragments;
mod message;
mod receive;
mod send;
mod socket;

pub use close::CloseSocket;
pub use endwell_core::ws::{
    Acceptance, Close, CloseCode, Control, End, Ended, Jitter, Kind, Limits, NotAHandshake, Origins,
    SessionEvent, Subprotocol, Writing,
};
pub use fragments::{FragmentError, Fragments, WriteFragment};
pub use message::{Content, Message};
pub use receive::{ForEach, Receive, Reply};
pub use send::{NotSent, Send};
pub use socket::Socket;
