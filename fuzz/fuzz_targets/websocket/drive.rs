//! A driver and its application: plays one connection and logs all that was understood.

use std::time::Duration;

use bytes::Bytes;
use endwell_core::ws::{
    Cause, Close, CloseCode, Control, DataMessage, Full, Kind, PieceNotWritten, inflating_work,
};
use endwell_core::{Arrived, Closing, End, Ending, Io, Outcome, Wrote};
use endwell_fuzz::{Arrival, Transport};

use crate::frames;
use crate::plan::Plan;
use crate::socket::{Got, Held, Reception};

pub struct Observed {
    pub log: Vec<String>,
    pub written: Vec<u8>,
}

pub fn run(plan: &Plan<'_>, arrival: Arrival) -> Observed {
    let mut driver = Driver {
        plan,
        transport: Transport::new(&plan.peer, arrival, plan.received()),
        reception: plan.reception(),
        asks: arrival != Arrival::Whole,
        log: vec![],
        said: vec![],
        piece: vec![],
        pinged: vec![],
        messages: 0,
        takes: 0,
        slow: false,
        largest: 0,
    };
    let before = inflating_work();
    let how = driver.open(Held::Idle(plan.socket()));
    let (work, came) = (inflating_work() - before, plan.peer.stream.len() as u64);
    assert!(
        work <= came * WORK_PER_BYTE + 17 * LOAD,
        "inflating {came} bytes took the work of copying {work}"
    );
    driver.check(&how);
    Observed { log: driver.log, written: driver.transport.sent }
}

/// What it takes to begin a stream, in bytes that are copied: a reset, and a window.
const LOAD: u64 = 1024 + (32 << 10);

/// The most that DEFLATE says with a byte.
const INFLATED: usize = 1032;

/// For each byte that comes: a window for each message of four bytes, another for each final block within one, and what
/// the byte says.
const WORK_PER_BYTE: u64 = LOAD / 4 + LOAD / 8 + INFLATED as u64;

/// What the wire must show of the end.
struct How {
    /// Our Close is written.
    closes: bool,
    /// The transport stalled, and the connection was reset.
    reset: bool,
    /// The peer's Close was taken, and so was all before it.
    by_peer: bool,
}

struct Driver<'a> {
    plan: &'a Plan<'a>,
    transport: Transport<'a>,
    reception: Reception,
    /// An event is asked for twice.
    asks: bool,
    log: Vec<String>,
    /// The messages that the application finished.
    said: Vec<(bool, Vec<u8>)>,
    /// The message that it began.
    piece: Vec<u8>,
    /// The payloads of the pings that came before our Close.
    pinged: Vec<Vec<u8>>,
    messages: usize,
    takes: usize,
    slow: bool,
    largest: usize,
}

/// The peer takes too little: the connection is reset.
struct Stalled;

impl Driver<'_> {
    fn open(&mut self, socket: Held) -> How {
        self.talk(socket).unwrap_or_else(|Stalled| {
            self.log.push("reset".into());
            How { closes: false, reset: true, by_peer: false }
        })
    }

    fn talk(&mut self, mut socket: Held) -> Result<How, Stalled> {
        self.transport.begin();
        loop {
            if self.is_late() {
                socket = self.look_ahead(socket);
            }
            self.write_before_an_event(&mut socket)?;
            let Some(got) = socket.next(&mut self.reception, self.asks) else {
                self.holds(&mut socket);
                self.wait(socket.io())?;
                continue;
            };
            self.log.push(format!("{got:?}"));
            let is_over = matches!(got, Got::Close(_) | Got::Failed(_));
            let by_peer = matches!(got, Got::Close(_));
            let (closes, ours) = match got {
                Got::Text(_) | Got::Binary(_) => {
                    let data: Bytes = match got {
                        Got::Text(text) => text.into(),
                        Got::Binary(data) => data.into(),
                        _ => unreachable!(),
                    };
                    assert!(data.len() as u64 <= self.plan.message_bytes());
                    self.messages += 1;
                    match self.plan.action(self.messages - 1) {
                        b'x' => (true, true),
                        action => {
                            socket = self.act(action, socket, &data);
                            (false, false)
                        }
                    }
                }
                Got::Ping(payload) => {
                    self.pinged.push(payload);
                    continue;
                }
                Got::Pong(_) => continue,
                Got::Close(_) => (true, false),
                Got::Failed(cause) => {
                    if let Cause::Exceeded(exceeded) = &cause {
                        self.transport.was_due(exceeded);
                    }
                    (cause.code().is_some(), false)
                }
            };
            if !is_over && !ours {
                self.transport.begin();
                continue;
            }
            if is_over {
                self.is_deaf(&mut socket);
            }
            let before = socket.io().queued();
            let close = Close::new(CloseCode::NORMAL, "bye").unwrap();
            let is_answered = matches!(socket, Held::Receiving(_));
            let mut socket = socket.close_writing(close.clone());
            assert_eq!(socket.io().queued() > before, closes && !is_answered, "a Close is written once");
            let closes = closes || is_answered;
            if self.plan.listens && !is_over {
                self.listen(&mut socket)?;
            }
            let queued = socket.io().queued();
            let mut closing = socket.close(close);
            assert_eq!(closing.io().queued(), queued, "a Close is written once");
            return Ok(How { by_peer, ..self.closing(closing, closes) });
        }
    }

    fn is_late(&self) -> bool {
        self.plan.late && self.transport.is_timed()
    }

    /// More arrives while messages are left unread. What lies behind them is answered.
    fn look_ahead(&mut self, mut socket: Held) -> Held {
        if !self.transport.rest().is_empty() {
            self.transport.arrive(socket.io());
        }
        self.transport.nothing_ahead(socket.io());
        socket.answer_close()
    }

    /// After the peer's Close or a failure nothing comes, and nothing is held.
    fn is_deaf(&mut self, socket: &mut Held) {
        let queued = socket.io().queued();
        let got = socket.next(&mut self.reception, self.asks);
        assert!(matches!(got, Some(Got::Close(_) | Got::Failed(_))), "the end comes again");
        if !self.transport.rest().is_empty() {
            self.transport.arrive(socket.io());
        }
        assert_eq!(socket.next(&mut self.reception, self.asks), got, "something comes after the end");
        assert_eq!((socket.io().unread(), socket.io().queued()), (0, queued));
        assert_eq!(self.transport.nothing(&mut socket.io()), Arrived::Nothing(None));
    }

    /// Our Close is written: the application receives on, and nothing is written.
    fn listen(&mut self, socket: &mut Held) -> Result<(), Stalled> {
        let written = self.transport.sent.len() + socket.io().queued();
        self.transport.begin();
        loop {
            if let Some(got) = socket.next(&mut self.reception, self.asks) {
                self.log.push(format!("{got:?}"));
                match got {
                    Got::Close(_) => break,
                    Got::Failed(cause) => {
                        if let Cause::Exceeded(exceeded) = &cause {
                            self.transport.was_due(exceeded);
                        }
                        break;
                    }
                    Got::Text(_) | Got::Binary(_) | Got::Ping(_) | Got::Pong(_) => self.transport.begin(),
                }
            } else {
                self.wait(socket.io())?;
            }
        }
        self.is_deaf(socket);
        assert_eq!(self.transport.sent.len() + socket.io().queued(), written, "written behind our Close");
        Ok(())
    }

    /// Memory follows what arrived.
    fn holds(&mut self, socket: &mut Held) {
        let arrived = self.transport.consumed(&socket.io());
        let bound = match self.plan.compression {
            None => 2 * arrived + self.largest + 1024,
            Some(_) => 2 * INFLATED * arrived + self.largest + COMPRESSION,
        };
        assert!(socket.held_bytes() <= bound, "{} bytes are held after {arrived}", socket.held_bytes());
    }

    /// The application does something about a message.
    fn act(&mut self, action: u8, mut socket: Held, data: &Bytes) -> Held {
        match action {
            b'n' => {}
            b't' => self.text(&mut socket, "grüße"),
            b'b' => self.message(&mut socket, DataMessage::binary(vec![b'b'; 70])),
            b'l' => self.message(&mut socket, DataMessage::binary(vec![b'l'; 5000])),
            b'L' => self.message(&mut socket, DataMessage::binary(vec![b'L'; 70_000])),
            b'p' => drop(socket.ping(Control::new(b"are you there").unwrap())),
            b'f' => return self.fragment(socket, Kind::Binary, data),
            b'g' => return self.fragment(socket, Kind::Text, data),
            b'.' => return self.finish(socket),
            b's' => self.slow = !self.slow,
            _ => match std::str::from_utf8(data) {
                Ok(text) => self.text(&mut socket, text),
                Err(_) => self.message(&mut socket, DataMessage::binary(data.clone())),
            },
        }
        socket
    }

    fn text(&mut self, socket: &mut Held, text: &str) {
        for _ in 0..2 {
            let Some(mut writer) = socket.idle() else { return };
            let fits = writer.fits(text.len());
            let written = writer.text(text).is_ok();
            assert_eq!(fits, written);
            if written {
                return self.said(true, text.as_bytes());
            }
            self.make_room(socket.io());
        }
        assert!(self.transport.is_timed(), "an empty outbox takes everything");
    }

    fn message(&mut self, socket: &mut Held, mut message: DataMessage) {
        for _ in 0..2 {
            let Some(mut writer) = socket.idle() else { return };
            match writer.message(message.clone()) {
                Ok(()) => return self.said(message.kind() == Kind::Text, message.data()),
                Err(Full(back)) => message = back,
            }
            self.make_room(socket.io());
        }
        assert!(self.transport.is_timed(), "an empty outbox takes everything");
    }

    fn said(&mut self, is_text: bool, data: &[u8]) {
        self.largest = self.largest.max(data.len());
        self.said.push((is_text, data.to_vec()));
    }

    fn fragment(&mut self, socket: Held, kind: Kind, data: &Bytes) -> Held {
        let mut socket = socket.begin(kind);
        for _ in 0..2 {
            // A look ahead may have answered a Close: nothing can be begun then.
            let Some(mut writer) = socket.within() else { return socket };
            let is_text = writer.kind() == Kind::Text;
            match writer.write(data.clone()) {
                Ok(()) => {
                    self.largest = self.largest.max(data.len());
                    self.piece.extend_from_slice(data);
                    return socket;
                }
                Err(PieceNotWritten::Full(back)) => assert_eq!(back, data),
                Err(PieceNotWritten::NotText(back)) => {
                    assert!(back == data && is_text && std::str::from_utf8(data).is_err());
                    return socket;
                }
            }
            self.make_room(socket.io());
        }
        assert!(self.transport.is_timed(), "an empty outbox takes everything");
        socket
    }

    fn finish(&mut self, mut socket: Held) -> Held {
        let kind = socket.within().map(|writer| writer.kind());
        let socket = socket.finish();
        if let (Some(kind), Held::Idle(_)) = (kind, &socket) {
            let piece = std::mem::take(&mut self.piece);
            self.said(kind == Kind::Text, &piece);
        }
        socket
    }

    /// Writes what must be written before the next event.
    fn write_before_an_event(&mut self, socket: &mut Held) -> Result<(), Stalled> {
        let mut io = socket.io();
        let bound = self.plan.outbox.bytes.max(self.largest) + 1024 + 3 * 139;
        assert!(io.queued() <= bound, "{} bytes are queued", io.queued());
        if !self.slow || (!self.transport.is_timed() && io.is_above_high_water()) {
            self.transport.flush(&mut io);
            return Ok(());
        }
        while self.transport.is_timed() && io.is_above_high_water() && !self.plan.rude {
            self.take_slowly(&mut io)?;
        }
        if self.transport.is_timed() { self.is_stalled(&mut io) } else { Ok(()) }
    }

    fn make_room(&mut self, mut io: Io<'_>) {
        if self.slow && self.transport.is_timed() {
            let _ = self.transport.take(&mut io, 5);
        } else {
            self.transport.flush(&mut io);
        }
    }

    /// Writes what can be written, and waits.
    fn wait(&mut self, mut io: Io<'_>) -> Result<(), Stalled> {
        if !(self.slow && self.transport.is_timed()) {
            self.transport.turn(io);
            return Ok(());
        }
        let queued = io.queued();
        let _ = self.transport.take(&mut io, 5);
        let held = match self.transport.take(&mut io, 0) {
            Wrote::Blocked(deadline) => Some(deadline.expect("a slow peer has a deadline")),
            Wrote::Stalled(_) => return Err(Stalled),
            Wrote::Empty | Wrote::Something => None,
        };
        let has_written = io.queued() < queued;
        self.transport.read(io, held, has_written);
        Ok(())
    }

    /// A second passes, and a slow peer takes a few bytes.
    fn take_slowly(&mut self, io: &mut Io<'_>) -> Result<(), Stalled> {
        self.transport.idle(Duration::from_secs(1));
        self.takes += 1;
        let _ = self.transport.take(io, if self.takes % 7 < 5 { 3 } else { 40 });
        self.is_stalled(io)
    }

    fn is_stalled(&mut self, io: &mut Io<'_>) -> Result<(), Stalled> {
        match self.transport.take(io, 0) {
            Wrote::Stalled(_) => Err(Stalled),
            Wrote::Blocked(_) | Wrote::Empty | Wrote::Something => Ok(()),
        }
    }

    fn closing(&mut self, mut closing: Closing, closes: bool) -> How {
        let mut has_ended = false;
        let ended = loop {
            if !(self.slow && self.transport.is_timed()) {
                self.transport.flush(&mut closing.io());
            }
            closing = match closing.poll() {
                Ending::Wait(closing) => closing,
                Ending::EndWrite(mut closing) => {
                    assert_eq!(closing.io().queued(), 0, "the write side ends before the last frame");
                    assert!(!self.plan.client && !has_ended, "the server closes TCP first, once");
                    has_ended = true;
                    closing
                }
                Ending::Done(ended) => break ended,
                Ending::Reset(ended) => panic!("{ended:?} by a reset"),
            };
            let mut io = closing.io();
            if io.queued() == 0 {
                self.transport.turn(io);
            } else if let Err(Stalled) = self.take_slowly(&mut io) {
                self.log.push(format!("reset: {}", closing.into_ended()));
                return How { closes, reset: true, by_peer: false };
            }
        };
        assert_ne!(ended, Outcome::Transport, "the transport did not fail");
        if let Outcome::Closed { first, sent, received } = &ended {
            assert!(closes, "two Closes passed");
            assert!(*first == End::Ours || sent.code() == received.code(), "an answer with another code");
        }
        self.log.push(ended.to_string());
        How { closes, reset: false, by_peer: false }
    }

    /// What was written is WebSocket, and it is what the application said and what the peer was owed.
    fn check(&self, how: &How) {
        let read = frames::read(&self.transport.sent, self.plan.client, self.plan.compression);
        if how.reset {
            return;
        }
        assert!(!read.is_cut, "a frame is not whole");
        assert_eq!(read.closes, usize::from(how.closes), "exactly one Close");
        assert_eq!(read.messages, self.said, "the messages are not what was said");
        if self.is_late() {
            // A Ping that was seen and not taken is answered too: before a failure, or our Close.
            if how.by_peer {
                let mut left = self.pinged.iter();
                let is_owed = read.pongs.iter().all(|pong| left.any(|ping| ping == pong));
                assert!(is_owed, "{:?} answer {:?}", read.pongs, self.pinged);
                assert!(self.plan.rude || read.pongs.last() == self.pinged.last(), "the latest is owed");
            }
            return;
        }
        if self.plan.rude && self.transport.is_timed() {
            return assert!(read.pongs.len() <= self.pinged.len());
        }
        assert_eq!(read.pongs, self.pinged, "the pongs are not those that were owed");
    }
}

/// What compression holds, whatever came: an inflater, a compressor, and the windows between two messages.
const COMPRESSION: usize = 512 << 10;
