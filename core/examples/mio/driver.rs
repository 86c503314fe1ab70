//! All connections: when each has its turn.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, ErrorKind};
use std::mem;
use std::time::{Duration, SystemTime};

use endwell_core::http::Date;
use endwell_core::http::server::ServerConnection;
use endwell_core::{Instant, Outcome};
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token, Waker};

use super::Settings;
use super::connection::{Connection, Memory, Shared, Turn, reset};
use super::state::State;

pub(crate) struct Driver {
    poll: Poll,
    /// `None` once the server stops.
    listener: Option<TcpListener>,
    /// The backlog was not seen empty since its last event.
    has_backlog: bool,
    connections: HashMap<usize, Connection>,
    /// The token of the next connection: none is used twice, so an event that comes late meets no other.
    next: usize,
    deadlines: BTreeSet<(Instant, usize)>,
    again: Vec<usize>,
    held: usize,
    shared: Shared,
    epoch: std::time::Instant,
}

const LISTENER: Token = Token(0);
const STOP: Token = Token(1);

impl Driver {
    /// Makes a server. Also returns what stops the server, from any thread.
    pub(crate) fn new(mut listener: TcpListener, settings: Settings) -> io::Result<(Self, Waker)> {
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let stop = Waker::new(poll.registry(), STOP)?;
        let driver = Self {
            poll,
            listener: Some(listener),
            has_backlog: true,
            connections: HashMap::new(),
            next: STOP.0 + 1,
            deadlines: BTreeSet::new(),
            again: Vec::new(),
            held: 0,
            shared: Shared {
                settings,
                memory: Memory::default(),
                now: Instant::default(),
                date: None,
                stops: false,
            },
            epoch: std::time::Instant::now(),
        };
        Ok((driver, stop))
    }

    /// Serves until it is stopped. `ended` is told how each connection ends, `Err` if its transport failed.
    pub(crate) fn run(mut self, mut ended: impl FnMut(io::Result<Outcome>)) -> io::Result<()> {
        let (mut events, mut until) = (Events::with_capacity(1024), None);
        loop {
            // Duty 6.
            let due = self.deadlines.first().map(|&(at, _)| at).into_iter().chain(until).min();
            let wait = due.map(|at| at.saturating_since(Instant::from_epoch(self.epoch.elapsed())));
            let wait = if self.again.is_empty() { wait } else { Some(Duration::ZERO) };
            match self.poll.poll(&mut events, wait) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            let now = Instant::from_epoch(self.epoch.elapsed());
            self.shared.now = now;
            // Duty 10.
            self.shared.date = Date::from_imf_fixdate(&httpdate::fmt_http_date(SystemTime::now()));
            let mut turns = mem::take(&mut self.again);
            for event in &events {
                match event.token() {
                    LISTENER => self.has_backlog = true,
                    // Duty 12.
                    STOP => {
                        until = Some(now.saturating_add(self.shared.settings.grace));
                        (self.listener, self.shared.stops) = (None, true);
                        turns.extend(self.connections.keys());
                    }
                    Token(token) => turns.push(token),
                }
            }
            while let Some((_, token)) = self.deadlines.first().copied().filter(|&(at, _)| at <= now) {
                self.deadlines.pop_first();
                turns.push(token);
            }
            for token in turns {
                if let Some(outcome) = self.turn(token) {
                    ended(outcome);
                }
            }
            self.accept()?;
            if until.is_some_and(|until| self.connections.is_empty() || now >= until) {
                self.connections.values().for_each(|connection| reset(&connection.stream));
                return Ok(());
            }
        }
    }

    /// Gives a connection its turn. Returns how it ended, if it has.
    fn turn(&mut self, token: usize) -> Option<io::Result<Outcome>> {
        let bytes = self.shared.settings.bytes;
        let share = bytes / self.connections.len().max(1);
        let connection = self.connections.get_mut(&token)?;
        if let Some(at) = connection.deadline.take() {
            self.deadlines.remove(&(at, token));
        }
        let turn = connection.turn(&mut self.shared);
        let held = connection.state.held();
        self.held = self.held - mem::replace(&mut connection.held, held) + held;
        let failed = match turn {
            // Duty 13.
            Ok(Turn::Wait(_) | Turn::Again) if self.held > bytes && held > share => {
                connection.state.shed(&connection.stream, bytes);
                self.again.push(token);
                return None;
            }
            Ok(Turn::Wait(until)) => {
                connection.deadline = until;
                self.deadlines.extend(until.map(|at| (at, token)));
                return None;
            }
            Ok(Turn::Again) => {
                self.again.push(token);
                return None;
            }
            Ok(Turn::Over) => None,
            Err(error) => Some(error),
        };
        self.held -= held;
        let Connection { state, .. } = self.connections.remove(&token)?;
        Some(failed.map_or_else(|| Ok(state.outcome()), Err))
    }

    /// Duty 11: until the backlog is empty, or the server is full.
    fn accept(&mut self) -> io::Result<()> {
        let settings = &self.shared.settings;
        while let (Some(listener), true) = (&self.listener, self.has_backlog) {
            if self.connections.len() >= settings.connections || self.held >= settings.bytes {
                break;
            }
            match listener.accept() {
                Ok((mut stream, _)) => {
                    let interest = Interest::READABLE | Interest::WRITABLE;
                    self.poll.registry().register(&mut stream, Token(self.next), interest)?;
                    let _slower = stream.set_nodelay(true);
                    let state =
                        State::Idle(ServerConnection::new(settings.http.clone(), settings.output.clone()));
                    self.connections.insert(self.next, Connection { stream, state, deadline: None, held: 0 });
                    self.again.push(self.next);
                    self.next += 1;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.has_backlog = false,
                // That connection's, or the system has no more of something: soon again.
                Err(_) => {
                    let soon = self.shared.now.saturating_add(Duration::from_millis(10));
                    self.deadlines.insert((soon, LISTENER.0));
                    break;
                }
            }
        }
        Ok(())
    }
}
