//! The end of a server, and what did not end in time.

use std::fmt;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::members::Watcher;
use crate::connection::{Connection, Link, Shared, State};
use crate::info::Info;

/// Waits until the listeners of a server are closed and its last connection has ended: made by [`Server::shutdown`](crate::Server::shutdown).
///
/// # Cancel safety
///
/// Dropping it only loses the report: the shutdown continues.
#[must_use = "await it, to know when the last connection has ended"]
pub struct Shutdown {
    shared: Arc<Shared>,
    watcher: Watcher,
}

impl Shutdown {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), watcher: Watcher::new(shared) }
    }

    /// Replaces the time that the connections have, which began with the shutdown. Zero cuts off at once what is still
    /// open, for example at a second Ctrl-C.
    pub fn set_time(&self, time: Duration) {
        self.shared.stop(time);
    }
}

impl Shared {
    /// Tells every connection that the next response is its last, and idle ones to close. Those that are still there
    /// after `time` end then. A later call only sets the time, which began with the first.
    pub(crate) fn stop(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.stop_time.store(millis, Ordering::Relaxed);
        let mut members = self.members();
        if !self.draining.swap(true, Ordering::AcqRel) {
            members.at_stop = members.links.len();
        }
        let mut woken = members.take_watchers();
        woken.extend(members.waiting.values_mut().filter_map(Option::take));
        drop(members);
        woken.into_iter().for_each(Waker::wake);
        // A connection looks at the flag and leaves its waker under its own lock, which is taken here after the flag is
        // set: so each either sees the flag or is woken.
        for link in self.links() {
            link.lock().wake_driver();
        }
    }

    /// Stops as the settings say, unless it stops already.
    pub(crate) fn stop_by_default(&self) {
        if !self.is_draining() {
            self.stop(self.shutdown_time);
        }
    }

    /// The time that open exchanges have once the server stops, if nothing else is said.
    pub(crate) fn shutdown_time(&self) -> Duration {
        self.shutdown_time
    }

    /// The time that connections have once the server stops. `None` while it does not.
    pub(crate) fn stop_time(&self) -> Option<Duration> {
        self.is_draining().then(|| Duration::from_millis(self.stop_time.load(Ordering::Relaxed)))
    }

    /// Notes a connection that did not end in time.
    pub(crate) fn note_late(&self, late: Late) {
        self.members().late.push(late);
    }

    /// How many connections there were when the server was told to stop, and those that did not end in time.
    pub(crate) fn take_late(&self) -> (usize, Vec<Late>) {
        let mut members = self.members();
        (members.at_stop, mem::take(&mut members.late))
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}

impl Future for Shutdown {
    type Output = Report;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Report> {
        if !self.watcher.is_closed(cx.waker()) {
            return Poll::Pending;
        }
        let (open, late) = self.shared.take_late();
        Poll::Ready(Report { in_time: open.saturating_sub(late.len()), late })
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shutdown").finish_non_exhaustive()
    }
}

/// How a server has ended. Its `Display` is a line for each connection that was cut off, behind one that counts them.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// How many connections were open when the shutdown began, and ended in time.
    pub in_time: usize,
    /// The connections that did not end in time, and were cut off.
    pub late: Vec<Late>,
}

/// A connection that did not end in time, as it was when it was cut off.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Late {
    /// Its two ends, and what its layers know.
    pub info: Info,
    /// The time since it began.
    pub age: Duration,
    /// What it was doing.
    pub stage: Stage,
    /// The target of the request whose handler ran. Known if exchanges are followed: by
    /// [`ServerConfig::on_exchange`](crate::ServerConfig::on_exchange), or the features `tracing` and `metrics`.
    pub target: Option<String>,
    /// The bytes that it held: received and not taken by a handler, and queued.
    pub held_bytes: usize,
}

/// What a connection was doing when it was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// It waits for the next request, or for the rest of its head.
    Waiting,
    /// A handler works: it has not responded, or it goes on although its connection has ended
    /// ([`OnGone::Finish`](crate::OnGone::Finish)).
    Handling,
    /// A response is written, or queued and not taken by the client.
    Responding,
    /// It is a WebSocket.
    WebSocket,
    /// Another protocol uses it.
    Upgraded,
    /// Everything is sent, and it waits for the peer to close.
    Closing,
}

impl Connection {
    /// What is told of a connection that did not end in time.
    pub(crate) fn late(&mut self, link: &Link) -> Late {
        let is_flushed = self.is_flushed();
        let stage = match &self.state {
            State::Between(_) if is_flushed => Stage::Waiting,
            State::Between(_) | State::Writing(_) | State::Answered(_) => Stage::Responding,
            State::Open(_) | State::Taken => Stage::Handling,
            State::Socket(_) | State::Within(_) | State::Receiving(_) => Stage::WebSocket,
            State::Raw(_) => Stage::Upgraded,
            State::Closing(_) | State::Client(_) | State::Over(_) => Stage::Closing,
        };
        let (info, age) = (link.info.clone(), link.standing.total_age(link.shared.now()));
        Late { info, age, stage, target: self.observed.target(), held_bytes: link.standing.bytes() }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "connections that ended in time: {}, that were cut off: {}",
            self.in_time,
            self.late.len()
        )?;
        self.late.iter().try_for_each(|late| write!(f, "\n{late}"))
    }
}

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { info, age, stage, target, held_bytes } = self;
        write!(f, "{}, open for {age:.1?}: {stage}", info.peer)?;
        if let Some(target) = target {
            write!(f, " for {}", target.escape_debug())?;
        }
        write!(f, ", {held_bytes} bytes held")
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waiting => "waiting for a request",
            Self::Handling => "the handler works",
            Self::Responding => "the response is not taken",
            Self::WebSocket => "a WebSocket",
            Self::Upgraded => "another protocol",
            Self::Closing => "waiting for the peer to close",
        })
    }
}
