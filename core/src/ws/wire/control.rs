//! The payload of a Ping or a Pong.

use alloc::borrow::Cow;
use core::fmt;
use core::ops::Deref;

use super::header::CONTROL_BYTES;

/// The payload of a Ping or a Pong: at most 125 bytes. RFC 6455 5.5.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Control<'a>(Cow<'a, [u8]>);

/// More bytes than a control frame can hold. RFC 6455 5.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlTooLong(usize);

impl fmt::Display for ControlTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected at most 125 bytes in a control frame, got {} (RFC 6455 5.5)", self.0)
    }
}

impl core::error::Error for ControlTooLong {}

impl<'a> Control<'a> {
    /// The empty payload.
    pub const EMPTY: Self = Self(Cow::Borrowed(&[]));

    /// Makes a payload from these bytes.
    ///
    /// # Errors
    ///
    /// If there are more than 125.
    pub fn new(bytes: &'a [u8]) -> Result<Self, ControlTooLong> {
        if bytes.len() > usize::from(CONTROL_BYTES) {
            return Err(ControlTooLong(bytes.len()));
        }
        Ok(Self(Cow::Borrowed(bytes)))
    }

    /// Copies the bytes, so that the payload owns them.
    pub fn into_owned(self) -> Control<'static> {
        Control(Cow::Owned(self.0.into_owned()))
    }

    /// Takes bytes whose length a control frame's header has bounded.
    pub(in crate::ws) fn received(bytes: &'a [u8]) -> Self {
        Self(Cow::Borrowed(bytes))
    }
}

impl Deref for Control<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Control<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Control({} bytes)", self.len())
    }
}
