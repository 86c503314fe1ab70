//! A driver and its application: plays one connection and logs all that was understood.

use std::time::Duration;

use bytes::{Buf, Bytes};
use endwell_core::ws::{
    Cause, Close, CloseCode, Closing, Control, Ended, Full, Kind, Message, NotWritten, Writing,
    inflating_work,
};
use endwell_core::{Deadline, Outbox, Step};
use endwell_fuzz::{Arrival, Feed};

use crate::frames;
use crate::plan::Plan;
use crate::socket::{Got, Socket};

pub struct Outcome {
    pub log: Vec<String>,
    pub written: Vec<u8>,
}

pub fn run(plan: &Plan<'_>, arrival: Arrival, halves: bool) -> Outcome {
    let mut driver = Driver {
        plan,
        feed: Feed::new(&plan.peer, arrival),
        out: Outbox::new(plan.outbox),
        log: vec![],
        written: vec![],
        said: vec![],
        piece: vec![],
        pinged: vec![],
        messages: 0,
        sends: 0,
        slow: false,
        largest: 0,
    };
    let before = inflating_work();
    let how = driver.open(Socket::new(plan.socket(), halves, plan.reception()));
    let (work, came) = (inflating_work() - before, plan.peer.stream.len() as u64);
    assert!(
        work <= came * WORK_PER_BYTE + 17 * LOAD,
        "inflating {came} bytes took the work of copying {work}"
    );
    driver.check(&how);
    Outcome { log: driver.log, written: driver.written }
}

/// What it takes to begin a stream, in bytes that are copied: a reset, and a window.
const LOAD: u64 = 1024 + (32 << 10);

/// For each byte that comes: a window for each message of four bytes, another for each final block within one, and the most
/// that DEFLATE says with a byte.
const WORK_PER_BYTE: u64 = LOAD / 4 + LOAD / 8 + 1032;

/// What the wire must show of the end.
struct How {
    /// Our Close is written.
    closes: bool,
    /// The transport stalled, and the connection was reset.
    reset: bool,
}

struct Driver<'a> {
    plan: &'a Plan<'a>,
    feed: Feed<'a>,
    out: Outbox,
    log: Vec<String>,
    written: Vec<u8>,
    /// The messages that the application finished.
    said: Vec<(bool, Vec<u8>)>,
    /// The message that it began.
    piece: Vec<u8>,
    /// The payloads of the pings that came.
    pinged: Vec<Vec<u8>>,
    messages: usize,
    sends: usize,
    slow: bool,
    largest: usize,
}

impl Driver<'_> {
    fn open(&mut self, mut socket: Socket) -> How {
        self.feed.begin();
        loop {
            if !self.transport(&mut socket) {
                self.log.push("reset".into());
                return How { closes: false, reset: true };
            }
            let Some(got) = socket.next(&mut self.out) else {
                if !self.out.is_empty() {
                    // A driver writes before it waits. A slow transport takes its time.
                    let deadline = self.out.deadline();
                    self.write(&mut socket);
                    assert!(!self.feed.is_timed() || self.out.is_empty() || deadline.is_some());
                }
                let deadline = Deadline::earlier(socket.deadline(), None);
                self.feed.next(socket.inbox(), deadline);
                continue;
            };
            self.log.push(format!("{got:?}"));
            let (closes, ours) = match got {
                Got::Text(text) => {
                    assert!(text.len() as u64 <= self.plan.message_bytes());
                    (false, self.act(&mut socket, &Bytes::from(text)))
                }
                Got::Binary(data) => {
                    assert!(data.len() as u64 <= self.plan.message_bytes());
                    (false, self.act(&mut socket, &data.into()))
                }
                Got::Ping(payload) => {
                    self.pinged.push(payload);
                    continue;
                }
                Got::Pong(_) => continue,
                Got::Close(_) => (true, false),
                Got::Failed(cause) => {
                    if let Cause::Exceeded(exceeded) = &cause {
                        self.feed.was_due(exceeded);
                    }
                    (cause.code().is_some(), false)
                }
            };
            let is_over = !ours && matches!(socket.writing(), Writing::Closed);
            if !is_over && !ours {
                self.feed.begin();
                continue;
            }
            if is_over {
                self.is_deaf(&mut socket);
            }
            let before = self.out.len();
            let close = Close::new(CloseCode::NORMAL, "bye").unwrap();
            let closing = socket.close(close, &mut self.out);
            assert_eq!(self.out.len() > before, ours, "a Close is written once");
            return self.closing(closing, closes || ours);
        }
    }

    /// After the peer's Close or a failure nothing comes, and nothing is held.
    fn is_deaf(&mut self, socket: &mut Socket) {
        let before = self.out.len();
        assert_eq!(socket.next(&mut self.out), None, "something comes after the end");
        if !self.feed.rest().is_empty() {
            self.feed.next(socket.inbox(), None);
        }
        assert_eq!(socket.next(&mut self.out), None, "something comes after the end");
        assert!(socket.inbox().is_empty() && self.out.len() == before && socket.deadline().is_none());
    }

    /// The application. True: it wants to close.
    fn act(&mut self, socket: &mut Socket, data: &Bytes) -> bool {
        self.messages += 1;
        match self.plan.action(self.messages - 1) {
            b'n' => {}
            b't' => self.text(socket, "grüße"),
            b'b' => self.message(socket, Message::binary(vec![b'b'; 70])),
            b'l' => self.message(socket, Message::binary(vec![b'l'; 5000])),
            b'L' => self.message(socket, Message::binary(vec![b'L'; 70_000])),
            b'p' => {
                let payload = Control::new(b"are you there").unwrap();
                let _full = match socket.writing() {
                    Writing::Idle(sender) => sender.ping(payload, &mut self.out),
                    Writing::Streaming(fragments) => fragments.ping(payload, &mut self.out),
                    Writing::Closed => unreachable!(),
                };
            }
            b'f' => self.fragment(socket, Kind::Binary, data),
            b'g' => self.fragment(socket, Kind::Text, data),
            b'.' => self.finish(socket),
            b's' => self.slow = !self.slow,
            b'x' => return true,
            _ => match std::str::from_utf8(data) {
                Ok(text) => self.text(socket, text),
                Err(_) => self.message(socket, Message::binary(data.clone())),
            },
        }
        false
    }

    fn text(&mut self, socket: &mut Socket, text: &str) {
        for _ in 0..2 {
            let Writing::Idle(sender) = socket.writing() else { return };
            if sender.text(text, &mut self.out).is_ok() {
                return self.said(true, text.as_bytes());
            }
            self.write(socket);
        }
        assert!(self.feed.is_timed(), "an empty outbox takes everything");
    }

    fn message(&mut self, socket: &mut Socket, mut message: Message) {
        for _ in 0..2 {
            let Writing::Idle(sender) = socket.writing() else { return };
            match sender.message(message.clone(), &mut self.out) {
                Ok(()) => return self.said(message.kind() == Kind::Text, message.data()),
                Err(Full(back)) => message = back,
            }
            self.write(socket);
        }
        assert!(self.feed.is_timed(), "an empty outbox takes everything");
    }

    fn said(&mut self, is_text: bool, data: &[u8]) {
        self.largest = self.largest.max(data.len());
        self.said.push((is_text, data.to_vec()));
    }

    fn fragment(&mut self, socket: &mut Socket, kind: Kind, data: &Bytes) {
        socket.start(kind);
        for _ in 0..2 {
            let Writing::Streaming(fragments) = socket.writing() else { unreachable!() };
            let is_text = fragments.kind() == Kind::Text;
            match fragments.write(data.clone(), &mut self.out) {
                Ok(()) => {
                    self.largest = self.largest.max(data.len());
                    return self.piece.extend_from_slice(data);
                }
                Err(NotWritten::Full(back)) => assert_eq!(back, data),
                Err(NotWritten::NotText(back)) => {
                    return assert!(back == data && is_text && std::str::from_utf8(data).is_err());
                }
            }
            self.write(socket);
        }
        assert!(self.feed.is_timed(), "an empty outbox takes everything");
    }

    fn finish(&mut self, socket: &mut Socket) {
        let Writing::Streaming(fragments) = socket.writing() else { return };
        let is_text = fragments.kind() == Kind::Text;
        socket.finish(&mut self.out);
        let piece = std::mem::take(&mut self.piece);
        self.said(is_text, &piece);
    }

    /// Writes what must be written before the next event. False: the peer takes nothing any more.
    fn transport(&mut self, socket: &mut Socket) -> bool {
        let bound = self.plan.outbox.bytes.max(self.largest) + 1024 + 3 * 139;
        assert!(self.out.len() <= bound, "{} bytes are queued", self.out.len());
        if !self.slow || (!self.feed.is_timed() && self.out.is_above_high_water()) {
            self.flush();
            socket.settle(&mut self.out);
            return true;
        }
        while self.feed.is_timed() && self.out.is_above_high_water() && !self.plan.rude {
            if self.is_stalled() {
                return false;
            }
            socket.settle(&mut self.out);
        }
        !self.feed.is_timed() || self.out.poll(self.feed.now, || None).is_ok()
    }

    /// Writes what can be written before a wait.
    fn write(&mut self, socket: &mut Socket) {
        if self.slow && self.feed.is_timed() {
            self.take(5);
        } else {
            self.flush();
        }
        socket.settle(&mut self.out);
    }

    /// A second passes, and a slow peer takes a few bytes. True: too few.
    fn is_stalled(&mut self) -> bool {
        self.feed.idle(Duration::from_secs(1));
        let sends = self.sends;
        self.take(if sends % 7 < 5 { 3 } else { 40 });
        self.out.poll(self.feed.now, || None).is_err()
    }

    fn closing(&mut self, mut closing: Closing, closes: bool) -> How {
        let ended = loop {
            if !(self.slow && self.feed.is_timed()) {
                self.flush();
            }
            closing = match closing.poll(self.feed.now, &self.out) {
                Step::Wait(closing) => closing,
                Step::Done(ended) => break ended,
            };
            if !self.out.is_empty() {
                assert!(!closing.ends_writing(&self.out), "the write side ends before the last frame");
                if self.is_stalled() {
                    self.log.push(format!("reset: {}", closing.cut()));
                    return How { closes, reset: true };
                }
                continue;
            }
            let deadline = closing.deadline();
            assert!(deadline.is_some(), "closing waits without an end");
            assert!(!closing.ends_writing(&self.out) || !self.plan.client, "the server closes TCP first");
            self.feed.next(closing.inbox(), deadline);
        };
        assert!(self.out.is_empty() || self.slow);
        assert_ne!(ended, Ended::Transport, "the transport did not fail");
        if let Ended::Closed { .. } = &ended {
            assert!(closes, "two Closes passed");
        }
        self.log.push(ended.to_string());
        self.flush();
        How { closes, reset: false }
    }

    fn flush(&mut self) {
        while !self.out.is_empty() {
            self.take(self.sends * 37 % 911 + 1);
        }
        assert_eq!(self.out.poll(self.feed.now, || None), Ok(()), "nothing is queued, so nothing stalls");
    }

    fn take(&mut self, len: usize) {
        let queued: usize = self.out.chunks().map(<[u8]>::len).sum();
        assert_eq!(queued, self.out.len(), "the chunks are not what is queued");
        let before = self.written.len();
        for chunk in self.out.chunks() {
            let left = len - (self.written.len() - before);
            self.written.extend_from_slice(&chunk[..left.min(chunk.len())]);
        }
        self.sends += 1;
        self.out.advance(self.written.len() - before);
        if self.sends % 5 == 0 {
            self.out.reclaim();
        }
    }

    /// What was written is WebSocket, and it is what the application said and what the peer was owed.
    fn check(&self, how: &How) {
        let read = frames::read(&self.written, self.plan.client, self.plan.compression);
        if how.reset {
            return;
        }
        assert!(!read.is_cut, "a frame is not whole");
        assert_eq!(read.closes, usize::from(how.closes), "exactly one Close");
        assert_eq!(read.messages, self.said, "the messages are not what was said");
        if self.plan.rude && self.feed.is_timed() {
            return assert!(read.pongs.len() <= self.pinged.len());
        }
        assert_eq!(read.pongs, self.pinged, "the pongs are not those that were owed");
    }
}
