//! An open WebSocket, in both roles: one value.

mod answer;
mod open;
mod reader;
mod writer;

pub(crate) use answer::Answer;
pub use open::{Idle, Receiving, Socket, Within};
pub use writer::{PieceNotWritten, Writer};
