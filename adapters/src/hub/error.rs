//! Why a member did not get what it asked for.

use std::error::Error;
use std::fmt;

/// Why a connection was not logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginError {
    /// The connection has left the hub: it ended, or was replaced.
    Left,
    /// The user has as many connections as [`Login::Beside`](super::Login::Beside) allows.
    TooMany {
        /// The bound.
        at_most: usize,
    },
    /// The name is longer than [`HubConfig::name_bytes`](super::HubConfig::name_bytes).
    NameTooLong {
        /// The bound.
        at_most: usize,
    },
}

/// Why a connection was not subscribed to a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The connection has left the hub: it ended, or was replaced.
    Left,
    /// The connection has as many topics as [`HubConfig::topics_each`](super::HubConfig::topics_each) allows.
    TooMany {
        /// The bound.
        at_most: usize,
    },
    /// The topic is new, and the hub has as many as [`HubConfig::topics`](super::HubConfig::topics) allows.
    HubFull {
        /// The bound.
        at_most: usize,
    },
    /// The name is longer than [`HubConfig::name_bytes`](super::HubConfig::name_bytes).
    NameTooLong {
        /// The bound.
        at_most: usize,
    },
}

/// Why the metadata of a connection was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetaError {
    /// The connection has left the hub: it ended, or was replaced.
    Left,
    /// The metadata is longer than [`HubConfig::meta_bytes`](super::HubConfig::meta_bytes).
    TooLong {
        /// The bound.
        at_most: usize,
    },
}

const LEFT: &str = "the connection has left the hub";

impl fmt::Display for LoginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Left => f.write_str(LEFT),
            Self::TooMany { at_most } => {
                write!(f, "the user has {at_most} connections, and may have no more")
            }
            Self::NameTooLong { at_most } => write!(f, "the name of the user is longer than {at_most} bytes"),
        }
    }
}

impl fmt::Display for SubscribeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Left => f.write_str(LEFT),
            Self::TooMany { at_most } => {
                write!(f, "the connection has {at_most} topics, and may have no more")
            }
            Self::HubFull { at_most } => write!(f, "the hub has {at_most} topics, and may have no more"),
            Self::NameTooLong { at_most } => {
                write!(f, "the name of the topic is longer than {at_most} bytes")
            }
        }
    }
}

impl fmt::Display for MetaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Left => f.write_str(LEFT),
            Self::TooLong { at_most } => write!(f, "the metadata is longer than {at_most} bytes"),
        }
    }
}

impl Error for LoginError {}
impl Error for SubscribeError {}
impl Error for MetaError {}
