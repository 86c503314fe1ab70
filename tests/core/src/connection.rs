//! One server core on a virtual clock, with a scripted handler and no socket.

use core::convert::Infallible;
use core::time::Duration;
use endwell_core::http::server::{After, Next, ServerConnection};
use endwell_core::http::{HttpLimits, RequestHead};
use endwell_core::{Arrived, Closing, Deadline, Ending, Instant, Io, Look, OutboxLimits, Outcome, Wrote};

use self::serving::Serving;
use crate::plan::Plan;
use crate::record::{End, Record};

/// A server's connection: feed it, let time pass, take its output.
///
/// It keeps a driver's duties as the core lists them, and checks what the core promises a driver on the way.
pub struct Connection {
    state: State,
    handler: Box<dyn Fn(&RequestHead) -> Plan>,
    now: Instant,
    records: Vec<Record>,
    /// What was queued when the last word was said, as far as it is not taken.
    last_word: Option<usize>,
    /// What was queued when it ended.
    left: Vec<u8>,
    /// Until when to wait, as the last look and the last write said.
    read_deadline: Option<Deadline>,
    write_deadline: Option<Deadline>,
}

enum State {
    Between(ServerConnection),
    Serving(Box<Serving>),
    Closing(Closing),
    Over,
}

impl Connection {
    /// A new connection with default limits.
    pub fn new(handler: impl Fn(&RequestHead) -> Plan + 'static) -> Self {
        Self::with(HttpLimits::default(), OutboxLimits::default(), handler)
    }

    /// A new connection.
    pub fn with(
        limits: HttpLimits,
        output: OutboxLimits,
        handler: impl Fn(&RequestHead) -> Plan + 'static,
    ) -> Self {
        Self {
            state: State::Between(ServerConnection::new(limits.into(), output)),
            handler: Box::new(handler),
            now: Instant::default(),
            records: Vec::new(),
            last_word: None,
            left: Vec::new(),
            read_deadline: None,
            write_deadline: None,
        }
    }

    /// Bytes arrive. Says how many were taken; the others stay in the kernel.
    pub fn feed(&mut self, bytes: &[u8]) -> usize {
        if let Some(Record::Ended(End::Upgraded(behind))) = self.records.last_mut() {
            behind.extend_from_slice(bytes);
        }
        let now = self.now;
        let mut taken = 0;
        while taken < bytes.len() {
            let Some(mut io) = self.io() else { return bytes.len() };
            let before = taken;
            let arrived = io.read(now, |room| {
                let len = room.len().min(bytes.len() - taken);
                room[..len].copy_from_slice(&bytes[taken..taken + len]);
                taken += len;
                Ok::<_, Infallible>(Look::Bytes(len))
            });
            let Ok(arrived) = arrived;
            if arrived == Arrived::Full || taken == before {
                break;
            }
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
        let now = self.now;
        if let Some(mut io) = self.io() {
            let Ok(_) = io.read(now, |_| Ok::<_, Infallible>(Look::End));
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
        self.stuck();
        loop {
            let now = self.now;
            let Some(mut io) = self.io() else { return };
            let Ok(arrived) = io.read(now, |_| Ok::<_, Infallible>(Look::Nothing));
            match arrived {
                Arrived::Nothing(deadline) => return self.read_deadline = deadline,
                Arrived::Something | Arrived::Full | Arrived::Cut => self.run(),
            }
            if self.is_over() || arrived == Arrived::Full {
                return;
            }
        }
    }

    /// A write takes nothing at this moment.
    pub fn stuck(&mut self) {
        let now = self.now;
        let Some(mut io) = self.io() else { return };
        let Ok(wrote) = io.write(now, |_| Ok::<_, Infallible>(None));
        match wrote {
            Wrote::Blocked(deadline) => self.write_deadline = deadline,
            Wrote::Empty => self.write_deadline = None,
            Wrote::Stalled(_) => self.over(End::Stalled),
            Wrote::Something => unreachable!("nothing was taken"),
        }
        self.run();
    }

    /// So much time passes unseen: nobody reads, writes or polls.
    pub fn sleep(&mut self, time: Duration) {
        self.now = self.now.saturating_add(time);
    }

    /// The transport takes up to `max` bytes of the output.
    pub fn take(&mut self, max: usize) -> Vec<u8> {
        let mut taken = core::mem::take(&mut self.left);
        let now = self.now;
        while taken.len() < max {
            let left = max - taken.len();
            let Some(mut io) = self.io() else { break };
            let Ok(wrote) = io.write(now, |chunks| {
                let chunk = chunks.next().unwrap_or_default();
                let chunk = &chunk[..chunk.len().min(left)];
                taken.extend_from_slice(chunk);
                Ok::<_, Infallible>(Some(chunk.len()))
            });
            if wrote != Wrote::Something {
                self.write_deadline = match wrote {
                    Wrote::Blocked(deadline) => deadline,
                    Wrote::Something | Wrote::Empty | Wrote::Stalled(_) => None,
                };
                break;
            }
        }
        if let Some(left) = &mut self.last_word {
            *left -= taken.len();
        }
        self.run();
        taken
    }

    /// What is queued for the transport.
    pub fn queued(&mut self) -> usize {
        self.io().map_or(0, |io| io.queued()) + self.left.len()
    }

    /// Whether more can be read: the bound of the inbox is not met.
    pub fn has_room(&mut self) -> bool {
        let now = self.now;
        let Some(mut io) = self.io() else { return true };
        let Ok(arrived) = io.read_ahead(now, |_| Ok::<_, Infallible>(Look::Nothing));
        arrived != Arrived::Full
    }

    /// When to look again though nothing happens.
    pub fn deadline(&self) -> Option<Deadline> {
        Deadline::earlier(self.read_deadline, self.write_deadline)
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
        matches!(self.state, State::Closing(_))
    }

    /// How it ended, if it has.
    pub fn ended(&self) -> Option<&End> {
        match self.records.last() {
            Some(Record::Ended(end)) => Some(end),
            _ => None,
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    fn io(&mut self) -> Option<Io<'_>> {
        match &mut self.state {
            State::Between(server) => Some(server.io()),
            State::Serving(serving) => Some(serving.io()),
            State::Closing(closing) => Some(closing.io()),
            State::Over => None,
        }
    }

    /// Ends. What is queued can still be looked at.
    fn over(&mut self, end: End) {
        if let Some(mut io) = self.io() {
            let mut left = Vec::new();
            let Ok(_) = io.write(Instant::default(), |chunks| {
                left.extend(chunks.flatten());
                Ok::<_, Infallible>(None)
            });
            self.left = left;
        }
        if self.ended().is_none() {
            self.records.push(Record::Ended(end));
        }
        self.state = State::Over;
        (self.read_deadline, self.write_deadline) = (None, None);
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
            if let Some(io) = self.io() {
                assert_eq!(io.queued(), left, "something was written after the last word");
            }
        }
    }

    fn step(&mut self) -> (State, bool) {
        match core::mem::replace(&mut self.state, State::Over) {
            State::Between(server) => self.between(server),
            State::Serving(serving) => self.serving(*serving),
            State::Closing(closing) => self.closing(closing),
            State::Over => (State::Over, false),
        }
    }

    fn closing(&mut self, mut closing: Closing) -> (State, bool) {
        let by_peer = closing.io().has_ended();
        if *closing.ended() == Outcome::Aborted {
            // A reset writes nothing more. What would have gone out is looked at.
            let mut left = Vec::new();
            let Ok(_) = closing.io().write(self.now, |chunks| {
                left.extend(chunks.flatten());
                Ok::<_, Infallible>(None)
            });
            self.left = left;
        }
        match closing.poll() {
            Ending::Wait(closing) => {
                self.left.clear();
                (State::Closing(closing), false)
            }
            Ending::EndWrite(closing) => (State::Closing(closing), true),
            Ending::Done(ended) => {
                self.over(match ended {
                    Outcome::ByPeer => End::ByPeer,
                    Outcome::Silent(exceeded) => End::Silent(exceeded.limit),
                    _ if by_peer => End::Lingered,
                    _ => End::LingeredOut,
                });
                (State::Over, false)
            }
            Ending::Reset(_) => {
                self.over(End::Reset);
                (State::Over, false)
            }
        }
    }

    fn between(&mut self, server: ServerConnection) -> (State, bool) {
        match server.poll() {
            Next::Wait(server) => (State::Between(server), false),
            Next::Request(head, exchange) => (self.open(&head, exchange), true),
            Next::Closing(closing) => {
                if *closing.ended() == Outcome::ByUs {
                    self.records.push(Record::DrainFailed);
                }
                self.close(closing)
            }
            Next::Refused(refusal) => {
                self.records.push(Record::Refused(refusal.status().as_u16(), refusal.error().to_string()));
                let closing = refusal.answer(None);
                self.close(closing)
            }
        }
    }

    fn after(&mut self, after: After) -> (State, bool) {
        match after {
            After::Again(server) => (State::Between(server), true),
            After::Closing(closing) => self.close(closing),
        }
    }

    fn close(&mut self, mut closing: Closing) -> (State, bool) {
        self.last_word = Some(closing.io().queued());
        (State::Closing(closing), true)
    }
}

mod serving;
