//! A client and a server at the two ends of a link that delays and cuts, on a virtual clock, by seed.

use core::time::Duration;
use endwell_core::http::{Framing, HttpLimits, RequestHead};
use endwell_core::{Instant, OutboxLimits};
use std::collections::VecDeque;

use crate::client::{self, Asked, Heard};
use crate::connection::Connection;
use crate::plan::Plan;
use crate::random::Random;
use crate::record::{End, Record};

/// How a run ended, and what the client has of it.
#[derive(Debug)]
pub struct Outcome {
    /// How the server's connection ended. `None`: the client reset it.
    pub end: Option<End>,
    /// What happened at the server.
    pub records: Vec<Record>,
    /// What the client read.
    pub heard: Heard,
    /// Whether the client read all that was sent.
    pub read_all: bool,
    /// The virtual time it took.
    pub took: Duration,
}

/// What travels to the server.
enum Flight {
    Bytes(Vec<u8>),
    End,
    Reset,
}

/// What a client does besides asking.
struct Manners {
    /// Bytes that it reads at once; it may stop for ever behind `deaf_after`.
    reads: usize,
    deaf_after: usize,
    /// Whether it closes when it sees the server's close.
    polite: bool,
}

struct World {
    random: Random,
    server: Connection,
    up: VecDeque<(Instant, Flight)>,
    down: VecDeque<(Instant, Vec<u8>)>,
    kernel: VecDeque<u8>,
    manners: Manners,
    fin: bool,
    answered_close: bool,
    received: Vec<u8>,
}

/// Bytes under way to the client, at the most.
const WINDOW: usize = 2000;

/// Runs one world to its end.
///
/// # Panics
///
/// If it does not end in time, if something is written after the end, or if the client hears what no server may
/// send.
pub fn run(seed: u64) -> Outcome {
    let mut random = Random::new(seed);
    let asked = requests(&mut random);
    let manners = Manners {
        reads: *random.pick(&[10, 500, 5000]),
        deaf_after: if random.one_in(4) { random.below(4000) } else { usize::MAX },
        polite: !random.one_in(4),
    };
    let outbox = OutboxLimits { bytes: 8 << 10, high_water: 2 << 10, ..OutboxLimits::default() };
    let mut limits = HttpLimits::default();
    limits.received_bytes = 4 << 10;
    limits.head_bytes = 4 << 10;
    let server = Connection::with(limits, outbox, handler);
    let up = flights(&asked, &mut random);
    let (down, kernel, received) = (VecDeque::new(), VecDeque::new(), Vec::new());
    let mut world =
        World { random, server, up, down, kernel, manners, fin: false, answered_close: false, received };
    let reset = world.play(seed);
    world.outcome(seed, reset, &asked)
}

/// Every kind of answer, chosen by the target.
fn handler(request: &RequestHead) -> Plan {
    match request.path() {
        "/early" => Plan::full(200, &[b'e'; 300]).unread(),
        "/stream" => Plan::pieces(Framing::Chunked, &[&[b's'; 3000], &[b's'; 3000], &[b's'; 3000]]),
        "/fails" => Plan::pieces(Framing::Chunked, &[&[b'f'; 1000]]).failing(),
        "/large" => Plan::full(200, &b"l".repeat(20_000)),
        _ => Plan::echo(),
    }
}

fn requests(random: &mut Random) -> Vec<(Vec<u8>, Asked)> {
    let count = 1 + random.below(5);
    let one = |random: &mut Random| {
        let path = *random.pick(&["/", "/early", "/stream", "/fails", "/large"]);
        let body = "b".repeat(*random.pick(&[1, 100, 3000]));
        let expect = if random.one_in(3) { "Expect: 100-continue\r\n" } else { "" };
        let length = body.len();
        match random.below(9) {
            0..=2 => (format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n"), Asked::GET),
            3 => (format!("HEAD {path} HTTP/1.1\r\nHost: h\r\n\r\n"), Asked::HEAD),
            4 => (format!("GET {path} HTTP/1.0\r\n\r\n"), Asked::OLD),
            5 | 6 => {
                let lines = format!("Content-Length: {length}\r\n{expect}");
                (format!("POST {path} HTTP/1.1\r\nHost: h\r\n{lines}\r\n{body}"), Asked::GET)
            }
            7 => {
                let lines = "Transfer-Encoding: chunked\r\n";
                let chunk = format!("{length:x}\r\n{body}\r\n0\r\n\r\n");
                (format!("POST {path} HTTP/1.1\r\nHost: h\r\n{lines}\r\n{chunk}"), Asked::GET)
            }
            _ => ("GET / HTTP/1.1\r\nHost : h\r\n\r\n".to_owned(), Asked::GET),
        }
    };
    (0..count).map(|_| one(random)).map(|(text, asked)| (text.into_bytes(), asked)).collect()
}

/// When which bytes arrive, and how the client stops: not at all, with an end or with a reset at any byte.
fn flights(asked: &[(Vec<u8>, Asked)], random: &mut Random) -> VecDeque<(Instant, Flight)> {
    let bytes: Vec<u8> = asked.iter().flat_map(|(bytes, _)| bytes.clone()).collect();
    let cut = if random.one_in(2) { random.below(bytes.len() + 1) } else { bytes.len() };
    let longest = *random.pick(&[3, 300, 10_000]);
    let pauses = *random.pick::<&[u64]>(&[&[0], &[0, 1, 100], &[0, 10, 1000, 7000, 30_000]]);
    let mut at = Instant::default();
    let mut flights = VecDeque::new();
    for piece in crate::cutter::at_random(&bytes[..cut], longest, random) {
        at = at.saturating_add(Duration::from_millis(*random.pick(pauses)));
        flights.push_back((at, Flight::Bytes(piece.to_vec())));
    }
    at = at.saturating_add(Duration::from_millis(random.number() % 3000));
    match random.below(4) {
        0 => flights.push_back((at, Flight::End)),
        1 => flights.push_back((at, Flight::Reset)),
        _ => {}
    }
    flights
}

impl World {
    /// Goes from one moment at which something happens to the next. True: the client has reset the connection.
    fn play(&mut self, seed: u64) -> bool {
        loop {
            if self.arrive() {
                return true;
            }
            self.client_reads();
            self.serve();
            if self.server.ended().is_some() {
                return false;
            }
            let next = [self.up.front().map(|(at, _)| *at), self.down.front().map(|(at, _)| *at)]
                .into_iter()
                .chain([self.server.deadline().map(|deadline| deadline.at)])
                .flatten()
                .min();
            let Some(next) = next else { panic!("seed {seed} waits for ever: {:?}", self.server.records()) };
            let wait = next.saturating_since(self.server.now()).max(Duration::from_millis(1));
            self.server.sleep(wait);
            let now = self.server.now().since_epoch();
            assert!(now < Duration::from_secs(3600), "seed {seed} does not end: {:?}", self.server.records());
        }
    }

    fn arrive(&mut self) -> bool {
        let now = self.server.now();
        while self.up.front().is_some_and(|(at, _)| *at <= now) {
            match self.up.pop_front() {
                Some((_, Flight::Bytes(bytes))) => self.kernel.extend(bytes),
                Some((_, Flight::Reset)) => return true,
                Some((_, Flight::End)) | None => self.fin = true,
            }
        }
        false
    }

    fn client_reads(&mut self) {
        let now = self.server.now();
        while self.down.front().is_some_and(|(at, _)| *at <= now) {
            if self.received.len() >= self.manners.deaf_after {
                // It stays in the window for ever.
                self.down[0].0 = now.saturating_add(Duration::from_secs(1));
                break;
            }
            let Some((_, bytes)) = self.down.pop_front() else { break };
            self.received.extend(bytes);
        }
        let closed = self.server.is_lingering() && self.server.queued() == 0 && self.down.is_empty();
        if closed && self.manners.polite && !self.answered_close {
            self.answered_close = true;
            self.up.clear();
            self.up.push_back((now.saturating_add(Duration::from_millis(50)), Flight::End));
        }
    }

    /// The driver's duties: read until nothing is there, write what is there, say so when either finds nothing,
    /// and write what comes of that before it waits.
    fn serve(&mut self) {
        loop {
            while self.pass_on() {}
            let before = (self.server.queued(), self.server.records().len());
            match (self.kernel.is_empty(), self.fin) {
                (true, true) => {
                    self.server.end();
                    self.server.stuck();
                }
                (true, false) => self.server.look(),
                (false, _) => self.server.stuck(),
            }
            if before == (self.server.queued(), self.server.records().len()) {
                break;
            }
        }
    }

    /// One read and one write. False: neither found anything.
    fn pass_on(&mut self) -> bool {
        let taken = self.server.feed(self.kernel.make_contiguous());
        self.kernel.drain(..taken);
        let under_way: usize = self.down.iter().map(|(_, bytes)| bytes.len()).sum();
        let written = self.server.take(WINDOW.saturating_sub(under_way).min(self.manners.reads));
        let delay = Duration::from_millis(1 + self.random.number() % 200);
        let at = self.server.now().saturating_add(delay);
        let at = self.down.back().map_or(at, |(last, _)| at.max(*last));
        let some = taken > 0 || !written.is_empty();
        if !written.is_empty() {
            self.down.push_back((at, written));
        }
        some
    }

    fn outcome(mut self, seed: u64, reset: bool, asked: &[(Vec<u8>, Asked)]) -> Outcome {
        let took = self.server.now().since_epoch();
        let end = self.server.ended().cloned();
        assert_eq!(end.is_none(), reset, "seed {seed}");
        let queued = self.server.queued();
        if !reset {
            self.server.feed(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            self.server.sleep(Duration::from_secs(100));
            self.server.look();
            assert_eq!(self.server.queued(), queued, "seed {seed}: written after the end");
        }
        // What is under way arrives, unless a reset overtakes it or nobody reads.
        let deaf = self.received.len() >= self.manners.deaf_after;
        let lost = reset || deaf || matches!(end, Some(End::Reset | End::Stalled));
        if !lost {
            self.received.extend(self.down.drain(..).flat_map(|(_, bytes)| bytes));
        }
        let mut asked: Vec<Asked> = asked.iter().map(|(_, asked)| *asked).collect();
        let taken =
            self.server.records().iter().filter(|record| matches!(record, Record::Request(_))).count();
        let in_head =
            self.server.records().iter().any(|record| matches!(record, Record::Refused(400 | 408, _)));
        let heard = client::read(&self.received, &asked).or_else(|error| match asked.get_mut(taken) {
            // It was refused in time or cut before its method had come, and nobody could know that it is a HEAD.
            Some(refused) if in_head && refused.head => {
                *refused = Asked::GET;
                client::read(&self.received, &asked)
            }
            _ => Err(error),
        });
        let heard = heard.unwrap_or_else(|error| panic!("seed {seed}: {error}: {:?}", self.server.records()));
        let read_all = !lost && queued == 0;
        Outcome { end, records: self.server.records().to_vec(), heard, read_all, took }
    }
}
