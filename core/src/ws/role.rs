//! The two ends of a connection.

use super::wire::mask::Masks;

/// The role of this end of the connection. RFC 6455 5.1.
#[derive(Debug)]
pub enum Role {
    /// A client. It masks each frame with its own key, and accepts only unmasked frames.
    Client(Masks),
    /// A server. It accepts only masked frames, and masks no frame. It closes TCP first.
    Server,
}
