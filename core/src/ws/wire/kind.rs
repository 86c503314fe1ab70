//! Text or binary.

/// The kind of a data message: text or binary. RFC 6455 5.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// Any bytes.
    Binary,
}
