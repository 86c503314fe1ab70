//! A peer that asks, goes on for a while, and leaves.

use std::io::IoSlice;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use endwell::Transport;
use endwell_core_tests::random::Random;

use super::handlers::{Doing, Holds};
use crate::wire::{Leaving, Line, WireEnd};
use crate::world::{Hold, World, race};

pub(super) struct Peer {
    pub(super) world: World,
    pub(super) line: Arc<Mutex<Line>>,
    pub(super) end: WireEnd,
    pub(super) input: Vec<u8>,
    /// It takes what comes until it leaves.
    pub(super) reads: bool,
    pub(super) stays: Duration,
    pub(super) leaves: Leaving,
}

impl Peer {
    pub(super) async fn run(self) {
        let Self { world, line, mut end, input, reads, stays, leaves } = self;
        let mut sent = 0;
        let talk = std::future::poll_fn(|cx| {
            while sent < input.len() {
                match end.poll_write(cx, &[IoSlice::new(&input[sent..])]) {
                    Poll::Ready(Ok(len)) => sent += len,
                    Poll::Ready(Err(_)) | Poll::Pending => break,
                }
            }
            let _ = end.poll_flush(cx);
            let mut buffer = [0; 700];
            while reads && matches!(end.poll_read(cx, &mut buffer), Poll::Ready(Ok(1..))) {}
            Poll::<()>::Pending
        });
        let _ = race(talk, world.sleep(stays)).await;
        line.hold().leave(0, leaves, &world);
    }
}

/// What the peer sends for a handler: a request, and `extra` bytes or so behind its head.
pub(super) fn input(doing: &Doing, extra: usize, random: &mut Random) -> Vec<u8> {
    let path = doing.path;
    let mut input = Vec::new();
    if random.one_in(3) {
        input.extend(b"GET /hello HTTP/1.1\r\nhost: h\r\n\r\n");
    }
    match doing.holds {
        Holds::Socket => {
            let head = "upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n\
                sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
            input.extend(format!("GET /{path} HTTP/1.1\r\nhost: h\r\n{head}").bytes());
            let mut rest = extra;
            while rest > 0 {
                let len = rest.min(100);
                // A message in one frame, or one that goes on, masked with zeros.
                let (first, kind) = if random.one_in(8) { (0x09, 0x80) } else { (0x02, 0x80) };
                input.extend([first | kind, 0x80 | len as u8, 0, 0, 0, 0]);
                input.extend(std::iter::repeat_n(b'y', len));
                rest -= len;
            }
            if random.one_in(6) {
                // A message that is not finished.
                input.extend([0x02, 0x81, 0, 0, 0, 0, b'y']);
            }
            if random.one_in(6) {
                input.extend([0x88, 0x80, 0, 0, 0, 0]);
            }
        }
        Holds::Raw => {
            let head = "upgrade: raw\r\nconnection: upgrade\r\n\r\n";
            input.extend(format!("GET /{path} HTTP/1.1\r\nhost: h\r\n{head}").bytes());
            input.extend(std::iter::repeat_n(b'y', extra));
        }
        Holds::Exchange | Holds::Answered => {
            let rest = *random.pick(&[0, 0, 1, 100_000]);
            let length = extra + rest;
            if length == 0 && random.one_in(2) {
                input.extend(format!("GET /{path} HTTP/1.1\r\nhost: h\r\n\r\n").bytes());
            } else {
                let head = format!("POST /{path} HTTP/1.1\r\nhost: h\r\ncontent-length: {length}\r\n");
                input.extend(head.bytes());
                input.extend(if random.one_in(6) { "expect: 100-continue\r\n\r\n" } else { "\r\n" }.bytes());
                input.extend(std::iter::repeat_n(b'y', extra));
            }
            if rest == 0 && random.one_in(4) {
                // The next one, or a part of it.
                let next = format!("GET /{path} HTTP/1.1\r\nhost: h\r\n\r\n");
                let len = 1 + random.below(next.len());
                input.extend(&next.as_bytes()[..len]);
            }
        }
    }
    if random.one_in(8) {
        input.truncate(random.below(input.len()));
    }
    input
}
