//! A byte stream over binary messages.

use std::fmt;
use std::io::{self, IoSlice};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use endwell_core::ws::CloseCode;
use endwell_core::{End, Outcome};

use super::close::CloseSocket;
use super::message::Content;
use super::socket::Socket;
use crate::Ended;

/// A WebSocket as a stream of bytes, as `websockify` and tunnels use it: writes are sent in binary messages, and reads
/// return the content of binary messages. The boundaries between messages have no meaning.
///
/// With feature `tokio` it is `tokio::io::AsyncRead + AsyncWrite`, and with feature `futures-io` the same of
/// `futures-io`. Made by [`Socket::into_byte_stream`].
///
/// A read returns the end of the stream only after a clean close: 1000, 1001 or no code. Any other end is an error, so
/// truncated data never looks complete. A text message is an error too. WebSocket has no half-close: ending the write
/// side closes with 1000, and what the peer still sends is discarded.
///
/// If it is dropped instead of shut down, the peer receives 1011.
#[must_use = "a stream that is dropped is closed with 1011"]
pub struct ByteStream {
    state: State,
    /// Received bytes that are not read yet.
    rest: Bytes,
}

enum State {
    Open(Socket),
    Closing(Closing),
    Ended(Ended),
}

/// The reader and the writer may be two tasks, so each has its own place to wait for the end.
struct Closing {
    read: CloseSocket,
    write: CloseSocket,
}

/// The largest message in bytes: large enough that its header does not matter, and two of them reach the usual
/// high-water mark.
const MESSAGE: usize = 32 << 10;

impl ByteStream {
    pub(super) fn new(socket: Socket) -> Self {
        Self { state: State::Open(socket), rest: Bytes::new() }
    }

    /// How the connection ended, once a read or the shutdown has seen it.
    pub fn ended(&self) -> Option<&Ended> {
        match &self.state {
            State::Ended(ended) => Some(ended),
            State::Open(_) | State::Closing(_) => None,
        }
    }

    /// Reads from the stream. Zero bytes are the end of the stream, unless `buffer` is empty.
    ///
    /// # Errors
    ///
    /// If a text message came, or the connection did not end cleanly.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        while self.rest.is_empty() && !buffer.is_empty() {
            let State::Open(socket) = &mut self.state else {
                return self
                    .poll_end(cx, |closing| &mut closing.read)
                    .map(|ended| if is_clean(ended) { Ok(0) } else { Err(failed(ended)) });
            };
            let Some(message) = ready!(Pin::new(&mut socket.receive()).poll(cx)) else {
                self.close(CloseCode::NORMAL);
                continue;
            };
            match message.content() {
                Content::Binary(_) => self.rest = message.into_bytes(),
                Content::Text(_) => {
                    self.close(CloseCode::UNSUPPORTED_DATA);
                    let error = "expected a binary message, got a text message";
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)));
                }
                Content::Ping(_) | Content::Pong(_) | Content::Close(_) => {}
            }
        }
        let len = self.rest.len().min(buffer.len());
        if let Some(start) = buffer.get_mut(..len) {
            self.rest.copy_to_slice(start);
        }
        Poll::Ready(Ok(len))
    }

    /// Writes from `slices`, and returns how many bytes were taken.
    ///
    /// # Errors
    ///
    /// If the connection is closing or has ended.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let State::Open(socket) = &mut self.state else { return Poll::Ready(Err(self.broken())) };
        let Some(data) = slices.iter().find(|slice| !slice.is_empty()) else { return Poll::Ready(Ok(0)) };
        socket.send_half().poll_write_binary(cx, data, MESSAGE).map_err(failed_to_write)
    }

    /// Waits until the transport has taken everything. After a clean end it has.
    ///
    /// # Errors
    ///
    /// If the connection did not end cleanly.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.state {
            State::Open(socket) => Pin::new(&mut socket.flush()).poll(cx).map_err(|ended| failed(&ended)),
            State::Closing(_) | State::Ended(_) => self.poll_clean_end(cx),
        }
    }

    /// Closes with 1000 after what was written, and waits for the end.
    ///
    /// # Errors
    ///
    /// If the connection did not end cleanly.
    pub fn poll_end_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.close(CloseCode::NORMAL);
        self.poll_clean_end(cx)
    }

    fn poll_clean_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ended = self.poll_end(cx, |closing| &mut closing.write);
        ended.map(|ended| if is_clean(ended) { Ok(()) } else { Err(failed(ended)) })
    }

    fn close(&mut self, code: CloseCode) {
        self.state = match mem::replace(&mut self.state, State::Ended(Ended::ABORTED)) {
            State::Open(socket) => {
                let write = socket.close(code);
                State::Closing(Closing { read: write.again(), write })
            }
            other @ (State::Closing(_) | State::Ended(_)) => other,
        };
    }

    fn poll_end(
        &mut self,
        cx: &mut Context<'_>,
        side: impl FnOnce(&mut Closing) -> &mut CloseSocket,
    ) -> Poll<&Ended> {
        if let State::Closing(closing) = &mut self.state {
            self.state = State::Ended(ready!(Pin::new(side(closing)).poll(cx)));
        }
        match &self.state {
            State::Ended(ended) => Poll::Ready(ended),
            State::Open(_) | State::Closing(_) => Poll::Pending,
        }
    }

    fn broken(&self) -> io::Error {
        match &self.state {
            State::Ended(ended) => io::Error::new(io::ErrorKind::BrokenPipe, ended.clone()),
            State::Open(_) | State::Closing(_) => io::ErrorKind::BrokenPipe.into(),
        }
    }
}

/// True if the side that closed first had sent all that it wanted to.
fn is_clean(ended: &Ended) -> bool {
    let Some(Outcome::Closed { first, sent, received }) = ended.web_socket() else { return false };
    is_clean_code(match first {
        End::Ours => sent.code(),
        End::Theirs => received.code(),
    })
}

fn is_clean_code(code: Option<CloseCode>) -> bool {
    matches!(code, None | Some(CloseCode::NORMAL | CloseCode::GOING_AWAY))
}

fn failed(ended: &Ended) -> io::Error {
    ended.clone().into()
}

fn failed_to_write(ended: Option<Ended>) -> io::Error {
    ended.map_or_else(|| io::ErrorKind::BrokenPipe.into(), |ended| failed(&ended))
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteStream").field("unread", &self.rest.len()).finish_non_exhaustive()
    }
}
