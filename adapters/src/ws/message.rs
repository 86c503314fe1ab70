//! A received or sent message, one pointer in size, to match on.

use std::fmt;

use bytes::Bytes;
#[cfg(feature = "deflate")]
use endwell_core::ws::Compression;
use endwell_core::ws::{self, Close, Control, Event, Frame, Idle, Kind, Text, Writer};

/// A message of a WebSocket, owned: one to send, or whatever was received, also a Ping, a Pong or a Close.
///
/// It is one pointer in size, so that a future returns it cheaply. Small content is stored with it, without another
/// allocation.
///
/// ```
/// use endwell::ws::{Content, Message};
///
/// let message = Message::from("hello");
/// match message.content() {
///     Content::Text(text) => assert_eq!(text, "hello"),
///     Content::Binary(_) | Content::Ping(_) | Content::Pong(_) | Content::Close(_) => unreachable!(),
/// }
/// ```
#[derive(Clone)]
pub struct Message(Box<Inner>);

#[derive(Clone)]
enum Inner {
    SmallText(Small),
    Text(String),
    SmallBinary(Small),
    Binary(Bytes),
    /// A message with its own setting of compression.
    #[cfg(feature = "deflate")]
    Said(ws::DataMessage),
    /// A message that many connections share.
    Frame(Frame),
    Ping(Control<'static>),
    Pong(Control<'static>),
    Close(Close),
}

/// A few bytes, stored in place.
#[derive(Clone, Copy)]
struct Small {
    len: u8,
    bytes: [u8; Self::ROOM],
}

impl Small {
    /// More than most chat messages and prices have, and less than a cache line.
    const ROOM: usize = 55;

    #[inline]
    fn of(data: &[u8]) -> Option<Self> {
        let mut bytes = [0; Self::ROOM];
        bytes.get_mut(..data.len())?.copy_from_slice(data);
        Some(Self { len: u8::try_from(data.len()).ok()?, bytes })
    }

    #[inline]
    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// The bytes were made from text, so they are text.
    #[inline]
    fn as_text(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

/// The content of a [`Message`], to match on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// Text, checked to be UTF-8.
    Text(&'a str),
    /// Any bytes.
    Binary(&'a [u8]),
    /// A ping from the peer, which was answered.
    Ping(&'a [u8]),
    /// A pong from the peer.
    Pong(&'a [u8]),
    /// The peer's Close, which was answered: the last message.
    Close(&'a Close),
}

impl<'a> Content<'a> {
    /// Wraps data whose kind was checked when it was made.
    fn of(kind: Kind, data: &'a Bytes) -> Self {
        match kind {
            Kind::Binary => Self::Binary(data),
            // The bytes were made from text, so they are text.
            Kind::Text => Self::Text(std::str::from_utf8(data).unwrap_or_default()),
        }
    }
}

impl Message {
    /// Makes a text message.
    pub fn text(text: impl Into<String>) -> Self {
        Self(Box::new(Inner::Text(text.into())))
    }

    /// Makes a binary message. A large one is referenced, not copied.
    pub fn binary(data: impl Into<Bytes>) -> Self {
        Self(Box::new(Inner::Binary(data.into())))
    }

    /// Sets whether the message is compressed, if compression was agreed on. Pings, pongs and Close never are. Default:
    /// [`Compression::BySize`].
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn with_compression(self, compression: Compression) -> Self {
        match self.into_data() {
            Ok(message) => Self(Box::new(Inner::Said(message.with_compression(compression)))),
            Err(control) => control,
        }
    }

    /// Encodes the message once for many connections: from now on a clone is a reference.
    #[must_use]
    pub fn shared(self) -> Self {
        if let Inner::Frame(_) = *self.0 {
            return self;
        }
        match self.into_data() {
            Ok(message) => Frame::encode(message).into(),
            Err(control) => control,
        }
    }

    /// Converts to the message of the core, without a copy of large content. Returns pings, pongs and Close.
    fn into_data(self) -> Result<ws::DataMessage, Self> {
        Ok(match *self.0 {
            Inner::SmallText(small) => ws::DataMessage::text(small.as_text()),
            Inner::Text(text) => ws::DataMessage::text(text),
            Inner::SmallBinary(small) => ws::DataMessage::binary(Bytes::copy_from_slice(small.as_bytes())),
            Inner::Binary(data) => ws::DataMessage::binary(data),
            #[cfg(feature = "deflate")]
            Inner::Said(message) => message,
            Inner::Frame(frame) => frame.into(),
            Inner::Ping(_) | Inner::Pong(_) | Inner::Close(_) => return Err(self),
        })
    }

    /// The content.
    #[inline]
    pub fn content(&self) -> Content<'_> {
        match &*self.0 {
            Inner::SmallText(small) => Content::Text(small.as_text()),
            Inner::Text(text) => Content::Text(text),
            Inner::SmallBinary(small) => Content::Binary(small.as_bytes()),
            Inner::Binary(data) => Content::Binary(data),
            #[cfg(feature = "deflate")]
            Inner::Said(message) => Content::of(message.kind(), message.data()),
            Inner::Frame(frame) => Content::of(frame.kind(), frame.data()),
            Inner::Ping(payload) => Content::Ping(payload),
            Inner::Pong(payload) => Content::Pong(payload),
            Inner::Close(close) => Content::Close(close),
        }
    }

    /// Text or binary; `None` for pings, pongs and Close.
    #[inline]
    pub fn kind(&self) -> Option<Kind> {
        // Not taken from the content: that would check all of a shared message's text again.
        match &*self.0 {
            Inner::SmallText(_) | Inner::Text(_) => Some(Kind::Text),
            Inner::SmallBinary(_) | Inner::Binary(_) => Some(Kind::Binary),
            #[cfg(feature = "deflate")]
            Inner::Said(message) => Some(message.kind()),
            Inner::Frame(frame) => Some(frame.kind()),
            Inner::Ping(_) | Inner::Pong(_) | Inner::Close(_) => None,
        }
    }

    /// True for text and binary: the messages that an application sends and receives.
    #[inline]
    pub fn is_data(&self) -> bool {
        !matches!(*self.0, Inner::Ping(_) | Inner::Pong(_) | Inner::Close(_))
    }

    /// The text, if this is a text message.
    #[inline]
    pub fn as_text(&self) -> Option<&str> {
        match self.content() {
            Content::Text(text) => Some(text),
            Content::Binary(_) | Content::Ping(_) | Content::Pong(_) | Content::Close(_) => None,
        }
    }

    /// The content of a text message, owned. A large one is moved, unless it is shared or has a setting of compression.
    ///
    /// ```
    /// use endwell::ws::Message;
    ///
    /// assert_eq!(Message::from("hello").into_text().unwrap(), "hello");
    /// assert!(Message::binary("hello").into_text().is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the message if it is not text.
    pub fn into_text(self) -> Result<String, Self> {
        match *self.0 {
            Inner::Text(text) => Ok(text),
            _ => self.as_text().map(String::from).ok_or(self),
        }
    }

    /// The content of a text or binary message, or the payload of a ping or pong, owned. Empty for a Close.
    pub fn into_bytes(self) -> Bytes {
        match *self.0 {
            Inner::SmallText(small) | Inner::SmallBinary(small) => Bytes::copy_from_slice(small.as_bytes()),
            Inner::Text(text) => text.into(),
            Inner::Binary(data) => data,
            #[cfg(feature = "deflate")]
            Inner::Said(message) => message.into_data(),
            Inner::Frame(frame) => frame.data().clone(),
            Inner::Ping(payload) | Inner::Pong(payload) => Bytes::copy_from_slice(&payload),
            Inner::Close(_) => Bytes::new(),
        }
    }

    #[inline]
    pub(crate) fn received_text(text: Text<'_>) -> Self {
        Self(Box::new(match Small::of(text.as_bytes()) {
            Some(small) => Inner::SmallText(small),
            None => Inner::Text(text.into_string()),
        }))
    }

    #[inline]
    pub(crate) fn received_binary(data: endwell_core::Payload<'_>) -> Self {
        Self(Box::new(match Small::of(&data) {
            Some(small) => Inner::SmallBinary(small),
            None => Inner::Binary(data.take()),
        }))
    }

    /// The message of an event that is neither text nor binary. `None` for a failure, which the end reports.
    #[cold]
    pub(crate) fn control(event: Event<'_>) -> Option<Self> {
        Some(Self(Box::new(match event {
            Event::Ping(payload) => Inner::Ping(payload.into_owned()),
            Event::Pong(payload) => Inner::Pong(payload.into_owned()),
            Event::Close(close) => Inner::Close(close.clone()),
            Event::Text(_) | Event::Binary(_) | Event::Failed(_) => return None,
        })))
    }

    /// Writes the message if it fits, and returns it otherwise. Small content is copied, and large content moves.
    ///
    /// Writes nothing for pings, pongs and Close, which have methods of their own.
    #[inline]
    pub(crate) fn write(self, writer: &mut Writer<'_, Idle>) -> Result<(), Self> {
        let written = match &*self.0 {
            Inner::SmallText(small) => writer.text(small.as_text()).is_ok(),
            Inner::SmallBinary(small) => writer.binary(small.as_bytes()).is_ok(),
            Inner::Text(_) | Inner::Binary(_) => return self.write_large(writer),
            #[cfg(feature = "deflate")]
            Inner::Said(_) => return self.write_large(writer),
            Inner::Frame(frame) => writer.frame(frame).is_ok(),
            Inner::Ping(_) | Inner::Pong(_) | Inner::Close(_) => true,
        };
        if written { Ok(()) } else { Err(self) }
    }

    fn write_large(mut self, writer: &mut Writer<'_, Idle>) -> Result<(), Self> {
        if !writer.fits(self.len()) {
            return Err(self);
        }
        let message = match &mut *self.0 {
            Inner::Text(text) => ws::DataMessage::text(std::mem::take(text)),
            Inner::Binary(data) => ws::DataMessage::binary(std::mem::take(data)),
            #[cfg(feature = "deflate")]
            Inner::Said(message) => std::mem::replace(message, ws::DataMessage::from_static("")),
            Inner::SmallText(_)
            | Inner::SmallBinary(_)
            | Inner::Frame(_)
            | Inner::Ping(_)
            | Inner::Pong(_)
            | Inner::Close(_) => return Ok(()),
        };
        // It fits, as checked above.
        writer.message(message).map_err(|_| self)
    }

    /// The length of the content in bytes.
    #[inline]
    pub fn len(&self) -> usize {
        match &*self.0 {
            Inner::SmallText(small) | Inner::SmallBinary(small) => usize::from(small.len),
            Inner::Text(text) => text.len(),
            Inner::Binary(data) => data.len(),
            #[cfg(feature = "deflate")]
            Inner::Said(message) => message.data().len(),
            Inner::Frame(frame) => frame.data().len(),
            Inner::Ping(payload) | Inner::Pong(payload) => payload.len(),
            Inner::Close(_) => 0,
        }
    }

    /// True if the content is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self(Box::new(match Small::of(text.as_bytes()) {
            Some(small) => Inner::SmallText(small),
            None => Inner::Text(text.into()),
        }))
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<Bytes> for Message {
    fn from(data: Bytes) -> Self {
        Self::binary(data)
    }
}

impl From<Vec<u8>> for Message {
    fn from(data: Vec<u8>) -> Self {
        Self::binary(data)
    }
}

impl From<Frame> for Message {
    fn from(frame: Frame) -> Self {
        Self(Box::new(Inner::Frame(frame)))
    }
}

impl fmt::Debug for Message {
    /// Shows the kind and the length, never content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match (self.kind(), &*self.0) {
            (Some(Kind::Text), _) => "text",
            (Some(Kind::Binary), _) => "binary",
            (None, Inner::Close(close)) => return write!(f, "Message(close {close})"),
            (None, Inner::Ping(_)) => "ping",
            (None, _) => "pong",
        };
        write!(f, "Message({what}, {} bytes)", self.len())
    }
}
