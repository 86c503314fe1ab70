//! One server core on a virtual clock, with a scripted handler and no socket.

use bytes::Buf;
use core::time::Duration;
use endwell_core::http::server::{Closed, Drain, Linger, Next, Server};
use endwell_core::http::{Limits, Request};
use endwell_core::{Deadline, Inbox, Instant, Outbox, OutboxLimits, Step};

use self::serving::Serving;
use crate::plan::Plan;
use crate::record::{End, Record};

/// A server's connection: feed it, let time pass, take its output.
///
/// It keeps a driver's duties as the core lists them, and checks what the core promises a driver on the way.
pub struct Connection {
    state: State,
    handler: Box<dyn Fn(&Request) -> Plan>,
    out: Outbox,
    now: Instant,
    records: Vec<Record>,
    /// What was in the outbox when the last word was said, as far as it is not taken.
    last_word: Option<usize>,
}

enum State {
    Between(Server),
    Serving(Box<Serving>),
    Draining(Drain),
    Lingering(Linger),
    Over,
}

impl Connection {
    /// A new connection with default limits.
    pub fn new(handler: impl Fn(&Request) -> Plan + 'static) -> Self {
        Self::with(Limits::default(), OutboxLimits::default(), handler)
    }

    /// A new connection.
    pub fn with(limits: Limits, outbox: OutboxLimits, handler: impl Fn(&Request) -> Plan + 'static) -> Self {
        Self {
            state: State::Between(Server::new(limits.into())),
            handler: Box::new(handler),
            out: Outbox::new(outbox),
            now: Instant::default(),
            records: Vec::new(),
            last_word: None,
        }
    }

    /// Bytes arrive. Says how many were taken; the others stay in the kernel.
    pub fn feed(&mut self, bytes: &[u8]) -> usize {
        if let Some(Record::Ended(End::Upgraded(behind))) = self.records.last_mut() {
            behind.extend_from_slice(bytes);
        }
        let Some(inbox) = self.inbox() else { return bytes.len() };
        let taken = inbox.feed(bytes);
        if taken > 0 {
            self.out.arrived();
        }
        self.run();
        taken
    }

    /// All of these bytes arrive, as room is made for them and the output is taken. What was written.
    pub fn feed_all(&mut self, mut bytes: &[u8]) -> Vec<u8> {
        let mut output = Vec::new();
        while !bytes.is_empty() {
            let taken = self.feed(bytes);
            bytes = &bytes[taken..];
            let written = self.take(usize::MAX);
            assert!(taken > 0 || !written.is_empty(), "neither reads nor writes: {:?}", self.records);
            output.extend(written);
        }
        output
    }

    /// The peer ends its stream.
    pub fn end(&mut self) {
        if let Some(inbox) = self.inbox() {
            inbox.end();
            self.out.arrived();
        }
        self.run();
    }

    /// So much time passes, and then a read finds nothing and a write takes nothing.
    pub fn silence(&mut self, time: Duration) {
        self.now = self.now.saturating_add(time);
        self.look();
    }

    /// A read finds nothing at this moment, and a write takes nothing.
    pub fn look(&mut self) {
        let now = self.now;
        if let Some(inbox) = self.inbox() {
            inbox.dry(now);
        }
        self.stuck();
    }

    /// A write takes nothing at this moment.
    pub fn stuck(&mut self) {
        if self.out.poll(self.now, || None).is_err() {
            self.over(End::Stalled);
        }
        self.run();
    }

    /// So much time passes unseen: nobody reads, writes or polls.
    pub fn sleep(&mut self, time: Duration) {
        self.now = self.now.saturating_add(time);
    }

    /// The transport takes up to `max` bytes of the output.
    pub fn take(&mut self, max: usize) -> Vec<u8> {
        let mut taken = Vec::new();
        while taken.len() < max && self.out.has_remaining() {
            let len = self.out.chunk().len().min(max - taken.len());
            taken.extend_from_slice(&self.out.chunk()[..len]);
            self.out.advance(len);
        }
        if let Some(left) = &mut self.last_word {
            *left -= taken.len();
        }
        self.run();
        taken
    }

    /// What is queued for the transport.
    pub fn queued(&self) -> usize {
        self.out.len()
    }

    /// Whether more can be read: the bound of the inbox is not met.
    pub fn has_room(&mut self) -> bool {
        self.inbox().is_none_or(|inbox| !inbox.is_full())
    }

    /// When to look again though nothing happens.
    pub fn deadline(&self) -> Option<Deadline> {
        let state = match &self.state {
            State::Between(server) => server.deadline(),
            State::Serving(serving) => serving.recv.deadline(),
            State::Draining(drain) => drain.deadline(),
            State::Lingering(linger) => linger.deadline(),
            State::Over => None,
        };
        Deadline::earlier(state, self.out.deadline())
    }

    /// The virtual time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// What happened until now.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Whether the last word was said: all that is left is to send it and to close.
    pub fn is_lingering(&self) -> bool {
        matches!(self.state, State::Lingering(_))
    }

    /// How it ended, if it has.
    pub fn ended(&self) -> Option<&End> {
        match self.records.last() {
            Some(Record::Ended(end)) => Some(end),
            _ => None,
        }
    }

    fn inbox(&mut self) -> Option<&mut Inbox> {
        match &mut self.state {
            State::Between(server) => Some(server.inbox()),
            State::Serving(serving) => Some(serving.recv.inbox()),
            State::Draining(drain) => Some(drain.inbox()),
            State::Lingering(linger) => Some(linger.inbox()),
            State::Over => None,
        }
    }

    fn over(&mut self, end: End) {
        if self.ended().is_none() {
            self.records.push(Record::Ended(end));
        }
        self.state = State::Over;
    }

    /// Steps through the states until one waits.
    fn run(&mut self) {
        loop {
            let (next, goes_on) = self.step();
            self.state = next;
            if !goes_on {
                break;
            }
        }
        if let Some(left) = self.last_word {
            assert_eq!(self.out.len(), left, "something was written after the last word");
        }
    }

    fn step(&mut self) -> (State, bool) {
        match core::mem::replace(&mut self.state, State::Over) {
            State::Between(server) if self.out.is_above_high_water() => (State::Between(server), false),
            State::Between(server) => self.between(server),
            State::Serving(serving) => self.serving(*serving),
            State::Draining(drain) => match drain.poll() {
                Ok(Step::Wait(drain)) => (State::Draining(drain), false),
                Ok(Step::Done(server)) => (State::Between(server), true),
                Err(linger) => {
                    self.records.push(Record::DrainFailed);
                    self.linger(linger)
                }
            },
            State::Lingering(mut linger) if self.out.is_empty() => {
                let by_peer = linger.inbox().has_ended();
                match linger.poll(self.now) {
                    Step::Wait(linger) => (State::Lingering(linger), false),
                    Step::Done(()) => {
                        self.over(if by_peer { End::Lingered } else { End::LingeredOut });
                        (State::Over, false)
                    }
                }
            }
            state @ (State::Lingering(_) | State::Over) => (state, false),
        }
    }

    fn between(&mut self, server: Server) -> (State, bool) {
        match server.poll() {
            Ok(Step::Wait(mut server)) => {
                assert!(!server.inbox().room().is_empty(), "waits without room");
                (State::Between(server), false)
            }
            Ok(Step::Done(Next::Exchange(exchange))) => (self.open(exchange), true),
            Ok(Step::Done(Next::Closed(closed))) => {
                self.over(match closed {
                    Closed::ByPeer => End::ByPeer,
                    Closed::Silent(exceeded) => End::Silent(exceeded.limit),
                });
                (State::Over, false)
            }
            Err(refusal) => {
                self.records.push(Record::Refused(refusal.status().code(), refusal.error().to_string()));
                let linger = refusal.write(None, &mut self.out);
                self.linger(linger)
            }
        }
    }

    fn linger(&mut self, linger: Linger) -> (State, bool) {
        self.last_word = Some(self.out.len());
        (State::Lingering(linger), true)
    }
}

mod serving;
