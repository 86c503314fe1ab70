//! One server core on a virtual clock, with a scripted handler and no socket.

use bytes::{Buf, Bytes};
use core::time::Duration;
use endwell_core::http::server::{
    Abandoned, After, Drain, Event, Exchange, Linger, Next, NotWritten, RequestBody, Responder, ResponseBody,
    Server,
};
use endwell_core::http::{FieldSection, Head, InterimHead, Limits, Request};
use endwell_core::{Deadline, Inbox, Instant, Outbox, OutboxLimits, Step};
use std::collections::VecDeque;

use crate::plan::{Answer, Plan};
use crate::record::{End, Record, Seen, lines};

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

struct Serving {
    recv: RequestBody,
    send: Sending,
    content: Vec<u8>,
}

enum Sending {
    /// Reads first.
    Owed(Responder, Plan),
    Pieces {
        body: ResponseBody,
        left: VecDeque<Bytes>,
        plan: crate::plan::Pieces,
    },
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
        if self.out.poll(now).is_err() {
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
                    endwell_core::http::server::Closed::ByPeer => End::ByPeer,
                    endwell_core::http::server::Closed::Silent(exceeded) => End::Silent(exceeded.limit),
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

    fn open(&mut self, exchange: Exchange) -> State {
        let plan = (self.handler)(&exchange.head);
        self.records.push(Record::Request(Seen::of(&exchange.head, exchange.expect.is_some())));
        let upgraded = match plan.answer {
            Answer::Switch(protocol) => exchange.switch(protocol, &FieldSection::new(), None, &mut self.out),
            Answer::Tunnel => exchange.tunnel(&FieldSection::new(), None, &mut self.out),
            _ => return self.serve(exchange, plan),
        };
        match upgraded {
            Ok(upgraded) => {
                self.over(End::Upgraded(upgraded.into_leftover().to_vec()));
                State::Over
            }
            Err((_, exchange)) => self.serve(*exchange, Plan { answer: Answer::Echo, ..plan }),
        }
    }

    fn serve(&mut self, exchange: Exchange, plan: Plan) -> State {
        let Exchange { recv, mut send, expect, .. } = exchange;
        for _ in 0..plan.hints {
            send.interim(&InterimHead::early_hints(), &mut self.out);
        }
        if let Some(wanted) = expect.filter(|_| plan.proceeds) {
            send.proceed(wanted, &mut self.out);
        }
        if plan.closes {
            send.close();
        }
        State::Serving(Box::new(Serving { recv, send: Sending::Owed(send, plan), content: Vec::new() }))
    }

    fn serving(&mut self, mut serving: Serving) -> (State, bool) {
        match serving.send {
            Sending::Owed(send, plan) => {
                let failed = match plan.reads {
                    true => match self.read(&mut serving.recv, &mut serving.content) {
                        Some(failed) => failed,
                        None => {
                            serving.send = Sending::Owed(send, plan);
                            return (State::Serving(Box::new(serving)), false);
                        }
                    },
                    false => None,
                };
                self.answer(serving.recv, send, plan, failed, serving.content)
            }
            Sending::Pieces { body, left, plan } => self.pieces(serving.recv, body, left, plan),
        }
    }

    /// Reads what arrived. `None`: there is more to come. Otherwise the head of the answer to a failure, if any.
    #[expect(clippy::option_option, reason = "waiting is not the same as the end without a failure")]
    fn read(&mut self, recv: &mut RequestBody, content: &mut Vec<u8>) -> Option<Option<Head>> {
        loop {
            match recv.poll() {
                Ok(None) => {
                    assert!(!recv.inbox().room().is_empty(), "waits without room");
                    return None;
                }
                Ok(Some(ready)) => match recv.event(ready) {
                    Event::Data(data) => content.extend_from_slice(&data),
                    Event::Trailers(fields) => self.records.push(Record::Trailers(lines(&fields))),
                    Event::End => {
                        self.records.push(Record::Content(content.clone()));
                        return Some(None);
                    }
                },
                Err(error) => {
                    let status = RequestBody::status_of_error(&error);
                    self.records.push(Record::BodyFailed(status.code(), error.to_string()));
                    return Some(Some(Head::new(status)));
                }
            }
        }
    }

    fn answer(
        &mut self,
        recv: RequestBody,
        send: Responder,
        plan: Plan,
        failed: Option<Head>,
        content: Vec<u8>,
    ) -> (State, bool) {
        let (head, content) = match (failed, plan.answer) {
            (Some(head), _) => (head, Vec::new()),
            (None, Answer::Full(head, content)) => (head, content),
            (None, Answer::Pieces(plan)) => {
                let body = send.start(&plan.head, plan.framing, None, &recv, &mut self.out);
                let left = plan.pieces.iter().cloned().map(Bytes::from).collect();
                let send = Sending::Pieces { body, left, plan };
                return (State::Serving(Box::new(Serving { recv, send, content })), true);
            }
            (None, Answer::Echo | Answer::Switch(_) | Answer::Tunnel) => {
                (Head::new(endwell_core::http::StatusCode::OK), content)
            }
        };
        self.records.push(Record::Answered(head.status().code()));
        let sent = send.respond(&head, content.into(), None, &recv, &mut self.out);
        self.after(recv.after(sent))
    }

    fn pieces(
        &mut self,
        recv: RequestBody,
        mut body: ResponseBody,
        mut left: VecDeque<Bytes>,
        plan: crate::plan::Pieces,
    ) -> (State, bool) {
        while let Some(piece) = left.pop_front() {
            match body.write(piece, &mut self.out) {
                Ok(()) => {}
                Err(NotWritten::Full(piece)) => {
                    left.push_front(piece);
                    let send = Sending::Pieces { body, left, plan };
                    return (State::Serving(Box::new(Serving { recv, send, content: Vec::new() })), false);
                }
                Err(NotWritten::Overrun(_)) => break,
            }
        }
        let finished =
            if plan.fails { Err(body.abort()) } else { body.finish(Some(&plan.trailers), &mut self.out) };
        match finished {
            Ok(sent) => {
                self.records.push(Record::Answered(plan.head.status().code()));
                self.after(recv.after(sent))
            }
            Err(aborted) => {
                self.records.push(Record::Aborted);
                match recv.abandon(aborted) {
                    Abandoned::Linger(linger) => self.linger(linger),
                    Abandoned::Reset => {
                        self.over(End::Reset);
                        (State::Over, false)
                    }
                }
            }
        }
    }

    fn after(&mut self, after: After) -> (State, bool) {
        match after {
            After::Again(server) => (State::Between(server), true),
            After::Drain(drain) => (State::Draining(drain), true),
            After::Linger(linger) => self.linger(linger),
        }
    }
}
