//! A message that is sent to many connections.

use core::fmt;

use bytes::Bytes;

use super::message::DataMessage;
use crate::Outbox;
use crate::ws::deflate::{Compression, Sending, SharedForm};
use crate::ws::wire::header;
use crate::ws::wire::header::OpCode;
use crate::ws::wire::kind::Kind;
use crate::ws::wire::mask::Masks;

/// A whole message as one frame, encoded once and sent to any number of connections: see
/// [`Writer::frame`](crate::ws::Writer::frame). RFC 6455 5.2.
///
/// A clone is another reference to the same content. The encoded form is the one that a server writes. A client masks
/// every frame with its own key (RFC 6455 5.3), so clients share only the content.
///
/// ```
/// use endwell_core::ws::{Frame, Kind, DataMessage};
///
/// let frame = Frame::encode(DataMessage::text("hello"));
/// assert_eq!((frame.kind(), &frame.data()[..], frame.encoded_len()), (Kind::Text, &b"hello"[..], 7));
/// assert_eq!(DataMessage::from(frame), DataMessage::text("hello"));
/// ```
///
/// If compression was agreed on, the message is also compressed once: by the first connection that sends it compressed,
/// and without reference to that connection's earlier messages, since they differ between connections. All connections
/// with the same window size send that form; for other window sizes, each connection compresses the message on its own.
#[derive(Clone)]
pub struct Frame {
    data: Bytes,
    compressed: SharedForm,
    kind: Kind,
    compression: Compression,
    header: [u8; HEADER],
    header_len: u8,
}

/// The longest header without a mask.
const HEADER: usize = 10;

impl Frame {
    /// Encodes a message. Its content is referenced, not copied.
    pub fn encode(message: DataMessage) -> Self {
        let (kind, compression) = (message.kind(), message.compression());
        let mut frame = Self {
            data: message.into_data(),
            compressed: SharedForm::default(),
            kind,
            compression,
            header: [0; HEADER],
            header_len: 0,
        };
        let first = OpCode::of_kind(frame.kind()).last();
        let mut rest = frame.header.iter_mut();
        header::write_header(first, frame.data.len(), 0, |bytes| {
            for (&byte, place) in bytes.iter().zip(rest.by_ref()) {
                *place = byte;
                frame.header_len += 1;
            }
        });
        frame
    }

    /// Text or binary.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The content of the message.
    pub fn data(&self) -> &Bytes {
        &self.data
    }

    /// The bytes of header and content together, as a server writes them. A client's mask key adds four.
    pub fn encoded_len(&self) -> usize {
        self.header().len().saturating_add(self.data().len())
    }

    pub(in crate::ws) fn put(&self, masks: Option<&mut Masks>, out: &mut Outbox) {
        match masks {
            None => {
                out.put(self.header());
                out.put_shared(self.data());
            }
            Some(masks) => {
                header::put_masked(OpCode::of_kind(self.kind()).last(), self.data(), masks, out);
            }
        }
    }

    pub(in crate::ws) fn put_compressed(&self, sending: &mut Sending, out: &mut Outbox) {
        let first = OpCode::of_kind(self.kind).last();
        if !sending.put_shared(first, &self.data, self.compression, &self.compressed, out) {
            self.put(sending.masks(), out);
        }
    }

    fn header(&self) -> &[u8] {
        self.header.get(..usize::from(self.header_len)).unwrap_or_default()
    }
}

impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, &self.data) == (other.kind, &other.data)
    }
}

impl Eq for Frame {}

impl From<DataMessage> for Frame {
    fn from(message: DataMessage) -> Self {
        Self::encode(message)
    }
}

impl From<Frame> for DataMessage {
    /// Returns the message that was encoded, without a copy.
    fn from(frame: Frame) -> Self {
        Self::from_parts(frame.kind, frame.compression, frame.data)
    }
}

impl fmt::Debug for Frame {
    /// Shows lengths, never content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({:?}, {} bytes)", self.kind(), self.data().len())
    }
}
