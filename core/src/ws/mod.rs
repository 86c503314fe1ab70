//! WebSocket, RFC 6455, strict, for either role.

mod close;
mod closing;
mod ended;
mod failure;
mod fragments;
mod frame;
mod gather;
mod handshake;
mod keep_alive;
mod limits;
mod mask;
mod message;
mod origin;
mod receiver;
mod sender;
mod session;
mod utf8;
mod websocket;

pub use close::{Close, CloseCode, InvalidCloseCode, ReasonTooLong};
pub use closing::Closing;
pub use ended::{End, Ended};
pub use failure::{Cause, Failure};
pub use fragments::{Fragments, NotWritten};
pub use handshake::{Acceptance, NotAHandshake, Subprotocol};
pub use keep_alive::Jitter;
pub use limits::Limits;
pub use mask::Masks;
pub use message::{Control, ControlTooLong, Full, Kind, Message, PeerClose, Ping, PingDue, Text};
pub use origin::Origins;
pub use receiver::{Event, Ready, Receiver};
pub use sender::{CloseSent, Sender};
pub use session::{Session, SessionEvent, Writing};
pub use websocket::{Role, WebSocket};
