//! A connection's state and transport, shared between the task that drives it and the rights of a handler.
//!
//! The lock is held for the length of one call and never across an await. Only the driver reads and writes: a right takes
//! what has arrived, queues what is to be sent, and wakes the driver if that is in another task.

mod closing;
mod drive;
mod driver;
mod lent;
mod look;
mod output;
mod settings;
mod shared;
mod state;
mod turn;
mod waiters;

use std::io;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use endwell_core::Instant;
use endwell_core::http::Fields;

use crate::info::Info;
use crate::metrics::Active;
use crate::runtime::{Runtime, Timer};
use crate::server::{Fallback, HeldBy, Life, Member, Observed, Request, Standing, next_connection};
use crate::sync::{Lock, Locked, Woken};
use crate::tracing::ConnectionSpan;
use crate::transport::Transport;
use crate::ws::{Position, Queue, Reader, Unread};
use crate::{Ended, scratch};
pub(crate) use drive::{Beside, Turned};
pub use driver::Driver;
pub(crate) use lent::Lent;
#[cfg(feature = "blocking")]
pub(crate) use lent::check_none as check_may_block;
pub(crate) use look::{Looked, Waits};
pub(crate) use settings::Settings;
pub(crate) use shared::Shared;
pub(crate) use state::{Last, State};
pub(crate) use turn::EVENT;
use waiters::Waiters;
pub(crate) use waiters::{Side, Until};

/// The lock around a [`Connection`], and what is known of it without the lock.
pub(crate) struct Link {
    /// Of a server's connection: its number in this process.
    pub(crate) number: u64,
    pub(crate) span: ConnectionSpan,
    pub(crate) info: Info,
    pub(crate) shared: Arc<Shared>,
    pub(crate) standing: Standing,
    connection: Lock<Connection>,
}

/// A locked connection. The wakers that it collects are woken once the lock is released.
pub(crate) struct LockedConnection<'a> {
    // Dropped in this order.
    connection: Locked<'a, Connection>,
    /// Mostly `None`, which costs nothing.
    woken: Option<Woken>,
}

impl Link {
    /// Makes a connection in a state.
    pub(crate) fn new(
        transport: impl Transport,
        runtime: &impl Runtime,
        info: Info,
        shared: Arc<Shared>,
        state: State,
    ) -> Arc<Self> {
        let mut connection = Connection::new(Box::new(transport), Box::pin(runtime.timer()), state);
        connection.active = Active::connection(&shared.settings);
        let standing = Standing::new(shared.now(), connection.clock());
        let (number, span) = if shared.is_server() {
            let number = next_connection();
            (number, ConnectionSpan::new(number, &info))
        } else {
            (0, ConnectionSpan::none())
        };
        Arc::new(Self { number, span, info, shared, standing, connection: Lock::new(connection) })
    }

    #[inline]
    pub(crate) fn lock(&self) -> LockedConnection<'_> {
        LockedConnection { connection: self.connection.lock_or(|| lent::check(self)), woken: None }
    }
}

impl Link {
    /// The connection has a place in its server, until [`leave_place`](Self::leave_place).
    pub(crate) fn take_place(self: &Arc<Self>, member: Member) {
        member.begin(self);
        self.lock().member = Some(member);
    }

    /// True while a connection that has begun has its place.
    pub(crate) fn has_begun(&self) -> bool {
        let connection = self.lock();
        connection.member.is_some() && (connection.driver.is_some() || connection.timer.is_none())
    }

    /// How long the peer has sent nothing. `None` if the connection is at work at this moment, or has ended.
    #[cfg(feature = "hub")]
    pub(crate) fn silent_for(&self) -> Option<std::time::Duration> {
        let mut connection = self.connection.try_lock()?;
        let now = connection.clock();
        let since = connection.state.io()?.silent_since()?;
        Some(now.saturating_since(since))
    }

    /// Tells how the connection has ended.
    pub(crate) fn tell_end(&self, ended: &Ended) {
        self.span.end(ended);
        if self.shared.settings.metrics {
            let active = self.lock().active.take();
            if let Some(active) = active {
                active.end(ended);
            }
        }
        self.shared.tell_end(&self.info, ended);
    }

    /// Frees the place. Others are woken, so no lock is held.
    pub(crate) fn leave_place(&self) {
        let member = self.lock().member.take();
        drop(member);
    }
}

impl Deref for LockedConnection<'_> {
    type Target = Connection;

    #[inline]
    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for LockedConnection<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

impl Drop for LockedConnection<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.connection.woken.is_empty() {
            self.woken = Some(std::mem::take(&mut self.connection.woken));
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let connection = self.connection.get_mut();
        self.shared.charge(self.standing.bytes(), 0);
        if let Some(mut io) = connection.state.io() {
            scratch::reclaim_output(&mut io);
        }
    }
}

/// The state, the transport, and the waiting tasks.
pub(crate) struct Connection {
    pub(crate) state: State,
    /// The place in a server.
    member: Option<Member>,
    /// The number of the exchange that is open, or was the last.
    pub(crate) number: u64,
    /// The trailers of the request. Boxed, as is all that few connections have, or that no waiting one has.
    pub(crate) trailers: Option<Box<Fields>>,
    /// What is answered if the right to respond is dropped. `None`: 500.
    pub(crate) fallback: Option<Box<Fallback>>,
    /// Counted among the open connections.
    active: Option<Active>,
    /// The exchanges that are not reported yet.
    pub(crate) observed: Observed,
    /// Where the right to respond is.
    pub(crate) held_by: HeldBy,
    /// How the connection ended, once it has.
    pub(crate) ended: Option<Box<Ended>>,
    /// The messages that outlets have accepted for the socket.
    pub(crate) queue: Option<Arc<Queue>>,
    pub(crate) life: Life,
    /// Whether what a socket receives is read.
    pub(crate) reader: Reader,
    pub(crate) unread: Unread,
    /// How far the body of the open exchange is.
    pub(crate) request: Request,
    pub(crate) waiters: Waiters,
    /// The wakers to wake once the lock is released.
    pub(crate) woken: Woken,
    pub(crate) driver: Option<Waker>,
    /// True in the driver's turn: it writes and reads before it waits.
    pub(crate) driving: bool,
    /// The handler is to be polled again in this turn.
    pub(crate) again: bool,
    /// What is left to do in this turn.
    pub(crate) work: turn::Work,
    /// Nothing is left to read in this turn.
    pub(crate) looked: Looked,
    /// The stream broke off. The state is asked first whether bytes are missing.
    pub(crate) truncated: Option<Box<Ended>>,
    /// When the last look of this turn has something to tell.
    pub(crate) read_deadline: Option<Instant>,
    /// When the peer must have taken some of the output.
    pub(crate) write_deadline: Option<Instant>,
    /// The total output when the last turn ended.
    pub(crate) seen: u64,
    /// Bytes that a layer below the transport may still hold back.
    pub(crate) unflushed: usize,
    /// When a lower layer was first seen to hold bytes back, or to owe the end of the stream.
    pub(crate) held_back: Option<Instant>,
    pub(crate) armed: Option<Instant>,
    /// Bytes in outlets.
    pub(crate) held_elsewhere: usize,
    /// Bytes of a body that is being gathered.
    pub(crate) gathered: usize,
    /// Nothing is read in this turn.
    pub(crate) withheld: bool,
    /// Work that was done since the connection last counted as getting on.
    pub(crate) passed: usize,
    /// The time at which this turn began, or went on after a handler.
    pub(crate) now: Instant,
    /// `None` once the connection has hung up: rights that outlive it keep the link, but not the socket.
    pub(crate) transport: Option<Box<dyn Transport>>,
    /// `None` once no task drives the connection: the timer would keep that task's waker.
    pub(crate) timer: Option<Pin<Box<dyn Timer>>>,
}

/// The transport, or an error once it was dropped.
pub(crate) fn open(transport: &mut Option<Box<dyn Transport>>) -> io::Result<&mut dyn Transport> {
    match transport {
        Some(transport) => Ok(&mut **transport),
        None => Err(io::ErrorKind::NotConnected.into()),
    }
}

impl Connection {
    fn new(transport: Box<dyn Transport>, timer: Pin<Box<dyn Timer>>, state: State) -> Self {
        Self {
            state,
            member: None,
            number: 0,
            trailers: None,
            fallback: None,
            active: None,
            observed: Observed::default(),
            held_by: HeldBy::Handler,
            ended: None,
            queue: None,
            life: Life::default(),
            reader: Reader::Reads,
            unread: Unread::default(),
            request: Request::Unread,
            waiters: Waiters::default(),
            woken: Woken::default(),
            driver: None,
            driving: false,
            again: false,
            work: turn::Work::default(),
            looked: Looked::No,
            truncated: None,
            read_deadline: None,
            write_deadline: None,
            seen: 0,
            unflushed: 0,
            held_back: None,
            armed: None,
            held_elsewhere: 0,
            gathered: 0,
            withheld: false,
            passed: 0,
            now: Instant::default(),
            transport: Some(transport),
            timer: Some(timer),
        }
    }

    /// Reads the clock, which stands still once no task drives the connection.
    #[inline]
    pub(crate) fn clock(&self) -> Instant {
        self.timer.as_ref().map_or(self.now, |timer| timer.now())
    }

    /// True if bytes or the end have come that the runtime has not reported yet.
    pub(crate) fn has_unseen(&self) -> bool {
        self.transport.as_ref().is_some_and(|transport| transport.has_unseen())
    }

    /// Makes the close a reset.
    pub(crate) fn reset(&mut self) {
        if let Some(transport) = &mut self.transport {
            transport.reset();
        }
    }

    /// How the connection ended, once it has.
    pub(crate) fn ended(&self) -> Option<&Ended> {
        match (&self.ended, &self.state) {
            (Some(ended), _) | (None, State::Over(ended)) => Some(ended),
            (None, _) => None,
        }
    }

    /// The connection is over, with the output at `position`, and nothing more is to be sent. The driver closes it.
    pub(crate) fn is_over(&mut self, ended: Ended, position: Position) {
        self.observe_end(&ended, position);
        if let Some(queue) = &self.queue {
            queue.ended(&ended, position, &mut self.woken);
        }
        self.state = State::Over(ended.into());
        self.wake_waiters();
        self.wake_driver();
    }

    /// Ends the connection and wakes all waiting tasks. If it ended within a response, it is reset: a plain close could
    /// look like the response's end.
    pub(crate) fn end(&mut self, ended: Ended) {
        let is_sent = self.is_flushed() && self.own_write_error().is_none();
        if self.state.is_exchange() || !is_sent {
            self.reset();
        }
        let position = self.position();
        let ended = self.cut_last(ended);
        if let Some(asking) = self.state.asking() {
            asking.cut(&ended, position.sent);
        }
        self.observe_end(&ended, position);
        let ended = self.ended.get_or_insert_with(|| ended.into());
        if let Some(queue) = &self.queue {
            queue.ended(ended, position, &mut self.woken);
        }
        self.wake_waiters();
        // The driver may have found this itself, in a turn in which it had already looked for the end.
        self.wake_driver();
    }

    /// Hangs up, and is driven no more. Rights may outlive it.
    pub(crate) fn leave(&mut self, ended: Ended) {
        let driver = self.driver.take();
        self.woken.discard(driver);
        self.hang_up(ended);
        self.now = self.clock();
        self.timer = None;
    }

    /// Ends the connection, whatever is in progress, and closes the socket. Keeps only how it ended, and what a client
    /// has received for a late reader.
    fn hang_up(&mut self, ended: Ended) {
        self.end(ended);
        if let Some(mut io) = self.state.io() {
            io.discard_output();
            scratch::reclaim_room(&mut io);
            scratch::reclaim_output(&mut io);
        }
        if !matches!(self.state, State::Client(_)) {
            self.state = State::Taken;
        }
        self.transport = None;
    }

    pub(crate) fn wake_waiters(&mut self) {
        self.wake_reader();
        let Self { waiters, woken, .. } = self;
        waiters.wake_others(woken);
    }

    /// Waits until the connection has ended. `key` is the slot of the waiting task.
    pub(crate) fn poll_gone(&mut self, cx: &mut Context<'_>, key: &mut Option<usize>) -> Poll<Ended> {
        if let Some(ended) = self.ended() {
            return Poll::Ready(ended.clone());
        }
        let is_new = self.waiters.watch(key, cx, &mut self.woken);
        self.wait_for_driver(is_new);
        Poll::Pending
    }
}
