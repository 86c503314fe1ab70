//! Messages to send.

use alloc::string::String;
use bytes::Bytes;
use core::fmt;

use crate::Payload;
use crate::ws::deflate::Compression;
use crate::ws::receive::text::Text;
use crate::ws::wire::kind::Kind;

/// A text or binary message to send, owned. Its text is UTF-8, because it is made from text.
///
/// ```
/// use endwell_core::ws::{Kind, DataMessage};
///
/// assert_eq!(DataMessage::text("hello").kind(), Kind::Text);
/// assert_eq!(DataMessage::binary(vec![1, 2]).data()[..], [1, 2]);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct DataMessage {
    kind: Kind,
    compression: Compression,
    data: Bytes,
}

impl DataMessage {
    /// Makes a text message. A `String` is taken without a copy.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Kind::Text, text.into().into())
    }

    /// Makes a text message of static text, which is referenced.
    pub const fn from_static(text: &'static str) -> Self {
        Self::new(Kind::Text, Bytes::from_static(text.as_bytes()))
    }

    /// Makes a binary message.
    pub fn binary(data: impl Into<Bytes>) -> Self {
        Self::new(Kind::Binary, data.into())
    }

    const fn new(kind: Kind, data: Bytes) -> Self {
        Self::from_parts(kind, Compression::BySize, data)
    }

    /// The data of text must be UTF-8.
    pub(in crate::ws) const fn from_parts(kind: Kind, compression: Compression, data: Bytes) -> Self {
        Self { kind, compression, data }
    }

    /// Sets whether the message is compressed. Default: [`Compression::BySize`].
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn with_compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    pub(in crate::ws) fn compression(&self) -> Compression {
        self.compression
    }

    /// Text or binary.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The content.
    pub fn data(&self) -> &Bytes {
        &self.data
    }

    /// The content, owned.
    pub fn into_data(self) -> Bytes {
        self.data
    }
}

impl From<Text<'_>> for DataMessage {
    /// Takes over received text, without checking it again.
    fn from(text: Text<'_>) -> Self {
        Self::new(Kind::Text, text.take())
    }
}

impl From<Payload<'_>> for DataMessage {
    fn from(payload: Payload<'_>) -> Self {
        Self::new(Kind::Binary, payload.take())
    }
}

impl fmt::Debug for DataMessage {
    /// Shows the length, never content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataMessage({:?}, {} bytes)", self.kind, self.data.len())
    }
}

/// A value that does not fit into the outbox now, handed back: nothing of it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full<M>(pub M);

impl<M> fmt::Display for Full<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the outbox has no room for it now")
    }
}

impl<M: fmt::Debug> core::error::Error for Full<M> {}
