//! The limits of HTTP: each has a number, a default and a reason.

use core::time::Duration;

use crate::Pace;
use crate::http::grammar::reading::{Reader, Reading};

/// The limits of an HTTP/1.1 connection, for both roles.
///
/// Where a limit names a status, a server refuses a request that exceeds the limit with that status; a client's
/// response fails with an error that names the limit. A client applies all of them except those for a request's head, a
/// target, a first byte, draining and lingering. [`reading`](Self::reading) sets how strictly a client reads responses.
///
/// ```
/// use endwell_core::http::HttpLimits;
///
/// let mut limits = HttpLimits::default();
/// limits.body_bytes = 1 << 20;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpLimits {
    /// Bytes of a request's head, from the request line to the empty line. Default 32 KiB, four times what browsers
    /// with many cookies send. A longer head is refused with 431. The value is clamped to 64 bytes to 16 MiB.
    pub head_bytes: usize,
    /// Bytes of a request target. Default 8 KiB, the least that RFC 9112 3 recommends. A longer target is refused with
    /// 414. The method and the version are not counted. The head's limit applies as well.
    pub target_bytes: usize,
    /// Field lines in the head or in the trailer section of a request. Default 100, over three times what a browser
    /// sends. More are refused with 431.
    pub fields: usize,
    /// For a client: how strictly a response is read. Default [`Reading::Ordinary`], as other clients read it. Set
    /// [`Reading::Strict`] to forward responses.
    pub reading: Reading,
    /// For a client: bytes of a response's head, from the status line to the empty line. Default 64 KiB: policies,
    /// links and cookies make response heads longer than request heads. The value is clamped to 64 bytes to 16 MiB.
    pub response_head_bytes: usize,
    /// For a client: field lines in the head or in the trailer section of a response. Default 200, twice a request's:
    /// servers send one line for each cookie and each link.
    pub response_fields: usize,
    /// Bytes of a trailer section. Default 8 KiB: trailers are checksums and signatures, not documents.
    pub trailer_bytes: usize,
    /// Bytes of all chunk extensions of one body together. Default 4 KiB: they are rare and are discarded, so a larger
    /// allowance only adds work. Zeros before a chunk's size count too.
    pub chunk_extension_bytes: usize,
    /// Bytes of content in one body. Default 1 GiB. More is refused with 413. A body is streamed through constant
    /// memory, so this bounds the time of one exchange. A handler that collects a body sets its own bound on memory.
    pub body_bytes: u64,
    /// Bytes received and not yet consumed. Default 64 KiB, the size of one read. A head and a trailer section must
    /// fit, so the larger of their limits is used if it is larger than this.
    pub received_bytes: usize,
    /// The time from the start of the connection to its first byte. Default 10 s: a client that connects has a request
    /// to send.
    pub first_byte_time: Duration,
    /// The time from the first byte of a head to its last. Default 10 s. A server refuses a slower head with 408.
    pub head_time: Duration,
    /// The time between two requests, from when the last response has gone out. Default 75 s, longer than the usual 60 s
    /// of clients and proxies, so that they close first and no request crosses our close. A client closes idle connections
    /// sooner.
    pub idle_time: Duration,
    /// For a client: the time to the first byte of what comes next, counted from when the transport took the last byte
    /// of the request, or from an interim response. Default 60 s, what proxies allow; a long poll needs more. `None`:
    /// no limit. [`Call::set_response_time`](super::client::Call::set_response_time) sets it for one request.
    pub response_time: Option<Duration>,
    /// The time to wait for the other side around a 100 Continue (RFC 9110 10.1.1). Default 1 s.
    ///
    /// For a client: the time to wait for 100 Continue before the body is sent without it. Servers that know 100 Continue
    /// send it at once, and the others never do.
    ///
    /// For a server that has sent it: the time that the final response is [held back](crate::Io::is_held) if the body
    /// does not begin to arrive. That is a round trip of a slow link, and longer than a busy proxy takes to read the 100
    /// by itself. A client that sends nothing still gets its response. Zero: nothing is held back.
    pub continue_time: Duration,
    /// For a client: interim responses to one request. Default 16: one or two are usual, and each one restarts the
    /// response time, so without a bound the wait could last for ever.
    pub interim_responses: usize,
    /// For a server: the pace of a request's body, counted while the server waits for it. Default: 30 s of silence,
    /// longer than a phone takes to change networks; in total 30 s plus 1 s for every 500 bytes, a modem's rate, so
    /// that one byte a second cannot hold a connection for ever. A slower body is refused with 408.
    /// [`Exchange::set_body_pace`](super::server::Exchange::set_body_pace) sets it for one request.
    pub request_pace: Pace,
    /// For a client: the pace of a response's body, counted while the client waits for it. Default: 300 s of silence,
    /// since event streams and watches send something every few minutes at the least, to keep middleboxes from dropping
    /// the connection; no total time, since such streams are endless.
    /// [`Call::set_body_pace`](super::client::Call::set_body_pace) sets it for one response.
    pub response_pace: Pace,
    /// Bytes of an unread body that are read and discarded to keep the connection. Default 64 KiB: reading more costs
    /// more than a new connection. A response announces the close if the rest of the request's body is longer than this
    /// or of unknown length, unless it has arrived whole. After a response that was started earlier, no more than this
    /// is read.
    pub drain_bytes: u64,
    /// The time that a peer has to close after our last byte. Default 2 s, several round trips of a slow link: closing
    /// at once would reset the connection and could lose the response.
    pub linger_time: Duration,
}

impl Default for HttpLimits {
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

impl HttpLimits {
    /// The limit of a head, within what 32-bit offsets can address.
    pub(super) fn head(&self, reader: Reader) -> usize {
        let bytes = match reader {
            Reader::Server => self.head_bytes,
            Reader::Client => self.response_head_bytes,
        };
        bytes.clamp(64, 16 << 20)
    }

    /// The limit on field lines in one section.
    pub(super) fn fields_of(&self, reader: Reader) -> usize {
        match reader {
            Reader::Server => self.fields,
            Reader::Client => self.response_fields,
        }
    }

    /// How strictly a message is read. A request is always read strictly.
    pub(super) fn reading_of(&self, reader: Reader) -> Reading {
        match reader {
            Reader::Server => Reading::Strict,
            Reader::Client => self.reading,
        }
    }

    /// The limit of a trailer section, with room for the empty line that ends it.
    pub(crate) fn trailers(&self) -> usize {
        self.trailer_bytes.clamp(2, 16 << 20)
    }

    /// The limit of an inbox: a whole head or trailer section fits, so a poll that waits leaves room.
    pub(super) fn received(&self, reader: Reader) -> usize {
        self.received_bytes.max(self.head(reader)).max(self.trailers())
    }
}
