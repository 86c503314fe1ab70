//! The bytes that have arrived, and the bytes to write.

mod inbox;
mod outbox;
mod payload;

pub(crate) use inbox::Inbox;
pub(crate) use outbox::Outbox;
pub use outbox::OutboxLimits;
pub use payload::Payload;
