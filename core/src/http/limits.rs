//! The bounds of HTTP: each has a number, a default and a reason.

use core::time::Duration;

use super::reading::{Reader, Reading};
use crate::Pace;

/// The bounds of an HTTP/1.1 connection, of either role.
///
/// Where a status stands with a bound, a server refuses with it what goes past; a client's response fails with the bound
/// itself. A client meets all but those of a request's head, a target, a first byte, draining and lingering.
/// They also say [how strictly](Self::reading) a client reads responses.
///
/// ```
/// use endwell_core::http::Limits;
///
/// let mut limits = Limits::default();
/// limits.body_bytes = 1 << 20;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a request's head, from the request line to the empty line. Default 32 KiB, four times what browsers with
    /// many cookies send; 431 above it. At least 64 and at most 16 MiB are used, whatever is set.
    pub head_bytes: usize,
    /// Bytes of a request target. Default 8 KiB, as RFC 9112 3 recommends at the least; 414 above it. The method
    /// and the version come on top. Never more than a head holds.
    pub target_bytes: usize,
    /// Field lines in the head or in the trailer section of a request. Default 100, over three times a browser's; 431 above
    /// it.
    pub fields: usize,
    /// A client's: how strictly a response is read. Default [`Reading::Ordinary`]: as other clients read it. Set
    /// [`Reading::Strict`] to pass responses on.
    pub reading: Reading,
    /// A client's: bytes of a response's head, from the status line to the empty line. Default 64 KiB: policies, links and
    /// cookies make heads that are longer than any request's. At least 64 and at most 16 MiB are used, whatever is set.
    pub response_head_bytes: usize,
    /// A client's: field lines in the head or in the trailer section of a response. Default 200, twice a request's: servers
    /// send a line for each cookie and each link.
    pub response_fields: usize,
    /// Bytes of a trailer section. Default 8 KiB: trailers are checksums and signatures, not documents.
    pub trailer_bytes: usize,
    /// Bytes of all chunk extensions of one body together. Default 4 KiB: hardly anybody sends any, and they
    /// are thrown away, so a larger allowance is work for nothing. Zeros before a chunk's size count too.
    pub chunk_extension_bytes: usize,
    /// Bytes of one body, as content. Default 1 GiB; 413 above it. A body is streamed through constant memory,
    /// so this bounds the time of one exchange; a handler that collects a body bounds its memory itself.
    pub body_bytes: u64,
    /// Bytes received and not yet consumed. Default 64 KiB, what one read takes. A head and a trailer section
    /// must fit, so it is never less than the larger of their limits.
    pub received_bytes: usize,
    /// The time from the making of the connection to its first byte. Default 10 s: a client that connects has
    /// something to say.
    pub first_byte_time: Duration,
    /// The time from the first byte of a head to its last. Default 10 s; 408 after it.
    pub head_time: Duration,
    /// The time between two requests. Default 75 s, longer than the usual 60 s of clients and proxies, so
    /// that they close first and no request crosses our close. A client that keeps connections gives them up sooner.
    pub idle_time: Duration,
    /// A client's: the time from when the transport took the last byte of its request, or from an interim response, to the
    /// first byte of what comes next. Default 60 s, what proxies allow; a server that must be polled for longer needs
    /// more. `None`: no limit. [`Response::set_response_time`](super::client::Response::set_response_time) sets it for one
    /// request.
    pub response_time: Option<Duration>,
    /// A client's: the time that it waits to be told to continue before it sends the body all the same. Default 1 s:
    /// servers that know of 100 Continue say it at once, and the others never do (RFC 9110 10.1.1).
    pub continue_time: Duration,
    /// A client's: interim responses to one request. Default 16: one or two are usual, and without a bound they
    /// would renew the time for the response for ever.
    pub interim_responses: usize,
    /// A server's: the pace of a request's body while it is waited for. Default: 30 s of silence, longer than a phone takes
    /// from one network to the next; in all 30 s and 1 s for every 500 bytes, a modem's rate, so that a byte a second
    /// holds no connection for ever. 408 beyond it. [`RequestBody::set_pace`](super::server::RequestBody::set_pace) sets
    /// it for one request.
    pub request_pace: Pace,
    /// A client's: the pace of a response's body while it is waited for. Default: 300 s of silence, since event streams and
    /// watches say something every few minutes at the least, to keep the boxes on the way from forgetting them; no
    /// total time, since they are endless.
    /// [`ResponseBody::set_pace`](super::client::ResponseBody::set_pace) sets it for one response.
    pub response_pace: Pace,
    /// Bytes of an unread body that are worth reading to keep the connection. Default 64 KiB: more than that
    /// costs more than a new connection. A response to a request with more announces the close.
    pub drain_bytes: u64,
    /// The time that a peer has to close after our last byte. Default 2 s, several round trips of a slow link:
    /// closing at once would reset the connection and could lose the response.
    pub linger_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_bytes: 32 << 10,
            target_bytes: 8 << 10,
            fields: 100,
            reading: Reading::Ordinary,
            response_head_bytes: 64 << 10,
            response_fields: 200,
            trailer_bytes: 8 << 10,
            chunk_extension_bytes: 4 << 10,
            body_bytes: 1 << 30,
            received_bytes: 64 << 10,
            first_byte_time: Duration::from_secs(10),
            head_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(75),
            response_time: Some(Duration::from_secs(60)),
            continue_time: Duration::from_secs(1),
            interim_responses: 16,
            request_pace: Pace::silence(Duration::from_secs(30)).total(Duration::from_secs(30), 500),
            response_pace: Pace::silence(Duration::from_secs(300)),
            drain_bytes: 64 << 10,
            linger_time: Duration::from_secs(2),
        }
    }
}

impl Limits {
    /// A head's bound, within what offsets of 32 bits can address.
    pub(super) fn head(&self, reader: Reader) -> usize {
        let bytes = match reader {
            Reader::Server => self.head_bytes,
            Reader::Client => self.response_head_bytes,
        };
        bytes.clamp(64, 16 << 20)
    }

    /// The bound of the field lines in one section.
    pub(super) fn fields_of(&self, reader: Reader) -> usize {
        match reader {
            Reader::Server => self.fields,
            Reader::Client => self.response_fields,
        }
    }

    /// How strictly a message is read: a request strictly, whatever is set.
    pub(super) fn reading_of(&self, reader: Reader) -> Reading {
        match reader {
            Reader::Server => Reading::Strict,
            Reader::Client => self.reading,
        }
    }

    /// The bound of a trailer section, with room for the empty line that ends it.
    pub(crate) fn trailers(&self) -> usize {
        self.trailer_bytes.clamp(2, 16 << 20)
    }

    /// The bound of an inbox: a whole head or trailer section fits, so a poll that waits leaves room.
    pub(super) fn received(&self, reader: Reader) -> usize {
        self.received_bytes.max(self.head(reader)).max(self.trailers())
    }
}
