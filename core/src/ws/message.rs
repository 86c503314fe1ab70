//! Messages, and the payloads of control frames.

use alloc::borrow::Cow;
use alloc::string::String;
use bytes::Bytes;
use core::fmt;
use core::ops::Deref;

use super::close::Close;
use super::deflate::Compression;
use super::frame;
use crate::Payload;

/// Text or binary. RFC 6455 5.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// Any bytes.
    Binary,
}

/// A message to send, owned. Its text is UTF-8, because it is made from text.
///
/// ```
/// use endwell_core::ws::{Kind, Message};
///
/// assert_eq!(Message::text("hello").kind(), Kind::Text);
/// assert_eq!(Message::binary(vec![1, 2]).data()[..], [1, 2]);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    kind: Kind,
    compression: Compression,
    data: Bytes,
}

impl Message {
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
    pub(super) const fn from_parts(kind: Kind, compression: Compression, data: Bytes) -> Self {
        Self { kind, compression, data }
    }

    /// Sets whether the message is compressed. Default: [`Compression::BySize`].
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn with_compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    pub(super) fn compression(&self) -> Compression {
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

impl From<Text<'_>> for Message {
    /// Takes over received text, without checking it again.
    fn from(text: Text<'_>) -> Self {
        Self::new(Kind::Text, text.take())
    }
}

impl From<Payload<'_>> for Message {
    fn from(payload: Payload<'_>) -> Self {
        Self::new(Kind::Binary, payload.take())
    }
}

impl fmt::Debug for Message {
    /// Shows the length, never content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({:?}, {} bytes)", self.kind, self.data.len())
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
    pub(super) fn arrived(text: &'a str) -> Self {
        Self(TextPlace::Arrived(text))
    }

    pub(super) fn gathered(text: &'a mut String) -> Self {
        Self(TextPlace::Gathered(text))
    }

    /// Makes the text an owned value. It is copied if it was received in one piece, which is at most
    /// [`Limits::received_bytes`](super::Limits::received_bytes), and moved if it was reassembled.
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
        if bytes.len() > usize::from(frame::CONTROL_BYTES) {
            return Err(ControlTooLong(bytes.len()));
        }
        Ok(Self(Cow::Borrowed(bytes)))
    }

    /// Copies the bytes, so that the payload owns them.
    pub fn into_owned(self) -> Control<'static> {
        Control(Cow::Owned(self.0.into_owned()))
    }

    /// Takes bytes whose length a control frame's header has bounded.
    pub(super) fn received(bytes: &'a [u8]) -> Self {
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

/// A received Ping. [`Sender::pong`](super::Sender::pong) takes it and writes the Pong that it is owed.
///
/// It borrows from the inbox; [`into_owned`](Self::into_owned) makes it movable to another task.
#[derive(Debug)]
#[must_use = "a Ping is owed a Pong: give it to `Sender::pong`"]
pub struct Ping<'a>(pub(super) Control<'a>);

impl Ping<'_> {
    /// The payload of the Ping, and of the Pong to come.
    pub fn payload(&self) -> &Control<'_> {
        &self.0
    }

    /// Copies the payload, so that the Ping owns it.
    pub fn into_owned(self) -> Ping<'static> {
        Ping(self.0.into_owned())
    }
}

/// A keep-alive ping is due. [`Sender::keep_alive`](super::Sender::keep_alive) takes this.
#[derive(Debug)]
#[must_use = "the peer is expected to answer this ping: give it to `Sender::keep_alive`"]
pub struct PingDue(pub(super) ());

/// The peer's Close. [`Sender::answer`](super::Sender::answer) takes it and writes the answer that it is owed.
///
/// Until then writing stays legal: RFC 6455 5.5.1 forbids data only after *our* Close.
#[derive(Debug)]
#[must_use = "a Close is owed an answer: give it to `Sender::answer`"]
pub struct PeerClose(pub(super) Close);

impl PeerClose {
    /// The content of the peer's Close.
    pub fn close(&self) -> &Close {
        &self.0
    }
}
