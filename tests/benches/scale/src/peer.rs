//! A client of a WebSocket in memory: it answers pings and the Close, and counts messages. It is as small as it can be, since
//! there are a million of it.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use endwell::Transport;

/// What all peers have seen.
#[derive(Default)]
pub struct Seen {
    pub handshakes: AtomicU64,
    pub messages: AtomicU64,
    pub pings: AtomicU64,
    pub closes: AtomicU64,
}

/// One peer.
pub struct Peer {
    to_server: Vec<u8>,
    /// A frame of which a part has come.
    part: Vec<u8>,
    reader: Option<Waker>,
    has_handshake: bool,
    has_ended: bool,
}

/// The server's end of a connection.
pub struct Wire {
    peer: Arc<Mutex<Peer>>,
    seen: Arc<Seen>,
}

const HANDSHAKE: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

impl Wire {
    /// A connection whose handshake is on its way.
    pub fn new(seen: &Arc<Seen>) -> (Self, Arc<Mutex<Peer>>) {
        let peer = Arc::new(Mutex::new(Peer {
            to_server: HANDSHAKE.to_vec(),
            part: Vec::new(),
            reader: None,
            has_handshake: false,
            has_ended: false,
        }));
        (Self { peer: Arc::clone(&peer), seen: Arc::clone(seen) }, peer)
    }
}

/// Sends a text message, masked with zeros.
pub fn send(peer: &Mutex<Peer>, text: &str) {
    let mut peer = peer.lock().unwrap_or_else(PoisonError::into_inner);
    let len = 0x80 | u8::try_from(text.len()).unwrap_or(125);
    peer.to_server.extend([0x81, len, 0, 0, 0, 0]);
    peer.to_server.extend(text.as_bytes());
    if let Some(reader) = peer.reader.take() {
        reader.wake();
    }
}

impl Peer {
    /// Takes what the server has written.
    fn take(&mut self, slices: &[IoSlice<'_>], seen: &Seen) -> usize {
        let mut bytes: VecDeque<u8> = std::mem::take(&mut self.part).into();
        let len = slices.iter().map(|slice| slice.len()).sum();
        slices.iter().for_each(|slice| bytes.extend(slice.iter()));
        if !self.has_handshake {
            let text = bytes.make_contiguous();
            let Some(end) = text.windows(4).position(|end| end == b"\r\n\r\n") else {
                self.part = bytes.into();
                return len;
            };
            assert!(text.starts_with(b"HTTP/1.1 101 "), "{}", text.escape_ascii());
            bytes.drain(..end + 4);
            self.has_handshake = true;
            seen.handshakes.fetch_add(1, Relaxed);
        }
        while let (Some(&first), Some(&short)) = (bytes.front(), bytes.get(1)) {
            assert!(short <= 125, "short frames only");
            let end = 2 + usize::from(short);
            if bytes.len() < end {
                break;
            }
            let payload: Vec<u8> = bytes.drain(..end).skip(2).collect();
            match first & 0x0f {
                1 | 2 => {
                    seen.messages.fetch_add(1, Relaxed);
                }
                8 => {
                    seen.closes.fetch_add(1, Relaxed);
                    self.answer(0x88, &payload);
                    self.has_ended = true;
                }
                9 => {
                    seen.pings.fetch_add(1, Relaxed);
                    self.answer(0x8a, &payload);
                }
                other => panic!("a frame of kind {other}"),
            }
        }
        self.part = bytes.into();
        len
    }

    fn answer(&mut self, first: u8, payload: &[u8]) {
        let len = 0x80 | u8::try_from(payload.len()).unwrap_or(125);
        self.to_server.extend([first, len, 0, 0, 0, 0]);
        self.to_server.extend(payload);
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

impl Transport for Wire {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut peer = self.peer.lock().unwrap_or_else(PoisonError::into_inner);
        if peer.to_server.is_empty() {
            // Nothing is kept between messages.
            peer.to_server = Vec::new();
            if peer.has_ended {
                return Poll::Ready(Ok(0));
            }
            peer.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let len = peer.to_server.len().min(buffer.len());
        buffer.iter_mut().zip(peer.to_server.drain(..len)).for_each(|(to, from)| *to = from);
        Poll::Ready(Ok(len))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let mut peer = self.peer.lock().unwrap_or_else(PoisonError::into_inner);
        Poll::Ready(Ok(peer.take(slices, &self.seen)))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_end_write(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn reset(&mut self) {}
}
