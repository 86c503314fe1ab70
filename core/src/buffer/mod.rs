//! The bytes that have arrived, and the bytes to write.

mod inbox;
mod outbox;
mod payload;

pub use inbox::Inbox;
pub use outbox::{Outbox, OutboxLimits};
pub use payload::Payload;
