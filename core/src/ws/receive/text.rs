//! Received text.

use alloc::string::String;
use bytes::Bytes;
use core::fmt;
use core::ops::Deref;

/// A received text message: UTF-8, borrowed until the next call.
///
/// Dereferences to `str`. The UTF-8 was checked on arrival.
pub struct Text<'a>(TextPlace<'a>);

enum TextPlace<'a> {
    /// In the inbox.
    Arrived(&'a str),
    /// Reassembled from more than one piece.
    Gathered(&'a mut String),
}

impl<'a> Text<'a> {
    #[inline]
    pub(in crate::ws) fn arrived(text: &'a str) -> Self {
        Self(TextPlace::Arrived(text))
    }

    pub(in crate::ws) fn gathered(text: &'a mut String) -> Self {
        Self(TextPlace::Gathered(text))
    }

    /// Makes the text an owned value. It is copied if it was received in one piece, which is at most
    /// [`SocketLimits::received_bytes`](crate::ws::SocketLimits::received_bytes), and moved if it was reassembled.
    pub fn into_string(self) -> String {
        match self.0 {
            TextPlace::Arrived(text) => text.into(),
            TextPlace::Gathered(text) => core::mem::take(text),
        }
    }

    /// Makes the text owned bytes, copied or moved as by [`into_string`](Self::into_string).
    pub fn take(self) -> Bytes {
        match self.0 {
            TextPlace::Arrived(text) => Bytes::copy_from_slice(text.as_bytes()),
            TextPlace::Gathered(text) => core::mem::take(text).into(),
        }
    }
}

impl<'a> From<&'a str> for Text<'a> {
    /// Wraps text that was received earlier as it would have been then.
    fn from(text: &'a str) -> Self {
        Self::arrived(text)
    }
}

impl Deref for Text<'_> {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        match &self.0 {
            TextPlace::Arrived(text) => text,
            TextPlace::Gathered(text) => text,
        }
    }
}

impl fmt::Debug for Text<'_> {
    /// Shows the length, never content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.len())
    }
}
