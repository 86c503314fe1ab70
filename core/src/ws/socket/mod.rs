//! An open WebSocket, in both roles: one value.

mod answer;
mod event;
mod open;
mod reader;
mod writer;

pub(crate) use answer::Answer;
pub use event::{Event, Piece};
pub use open::{Idle, Receiving, Socket, Within};
pub use writer::{NotWritten, Writer};
