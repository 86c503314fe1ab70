//! What a connection holds and how it gets on, for the others of its server, and its end when they need the room.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use endwell_core::http::{Field, Response, StatusCode};
use endwell_core::ws::CloseCode;
use endwell_core::{Exceeded, Instant, Limit, Look};

use crate::connection::{Connection, Last, Link, Looked, State};
use crate::ws::Reader;
use crate::{Ended, EndedKind};

/// What a connection may hold without being kept waiting or shed: one buffer. An inbox holds no more, nor does output
/// that is queued piece by piece.
pub(crate) const BUFFER: usize = 64 << 10;

/// A connection gets on when so much work was done, or a 64th of what it holds.
const STEP: usize = 16 << 10;

/// What the others of a server see of a connection. Its driver writes it before it waits.
pub(crate) struct Standing {
    bytes: AtomicUsize,
    /// When it last got on, or became idle.
    since: Ticks,
    /// The moment at which the connection's own clock began.
    epoch: u32,
    /// When the connection began.
    began: u32,
    condition: AtomicU8,
    told: AtomicU8,
}

/// A moment in hundredths of a second since the server began. It wraps after 497 days, and only ages are compared.
type Ticks = AtomicU32;

/// It waits for a request, none has begun, and nothing is to be sent.
const IDLE: u8 = 1;
/// It waits for its peer, within something that has begun.
const OWED: u8 = 2;
/// Most of what it holds is to be sent.
const SENDING: u8 = 4;

/// What the server wants of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// To leave, if it is still idle.
    LeaveIdle,
    /// To leave, if it still does not get on.
    LeaveStalled,
    /// To hold less: everything is ended that makes it hold much.
    Shed,
}

impl Standing {
    pub(crate) fn new(now: u32, own: Instant) -> Self {
        Self {
            bytes: AtomicUsize::new(0),
            since: AtomicU32::new(now),
            epoch: now.wrapping_sub(ticks(own.since_epoch())),
            began: now,
            condition: AtomicU8::new(IDLE),
            told: AtomicU8::new(0),
        }
    }

    /// The bytes that it held when it last waited.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The time since it last got on, or became idle.
    pub(crate) fn age(&self, now: u32) -> Duration {
        time_since(self.since.load(Ordering::Relaxed), now)
    }

    /// The time since it began.
    pub(crate) fn total_age(&self, now: u32) -> Duration {
        time_since(self.began, now)
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.is(IDLE)
    }

    /// True if its peer owes it something.
    pub(crate) fn is_owed(&self) -> bool {
        self.is(OWED)
    }

    pub(crate) fn is_sending(&self) -> bool {
        self.is(SENDING)
    }

    fn is(&self, condition: u8) -> bool {
        self.condition.load(Ordering::Relaxed) & condition != 0
    }

    /// Tells it something. Its driver is to be woken behind this.
    pub(crate) fn tell(&self, told: Told) {
        let code = match told {
            Told::LeaveIdle => 1,
            Told::LeaveStalled => 2,
            Told::Shed => 3,
        };
        self.told.store(code, Ordering::Release);
    }

    /// What it was told and has not heeded yet.
    #[inline]
    pub(crate) fn told(&self) -> Option<Told> {
        match self.told.load(Ordering::Acquire) {
            1 => Some(Told::LeaveIdle),
            2 => Some(Told::LeaveStalled),
            3 => Some(Told::Shed),
            _ => None,
        }
    }

    fn heeded(&self) {
        self.told.store(0, Ordering::Relaxed);
    }
}

fn time_since(moment: u32, now: u32) -> Duration {
    let age = now.wrapping_sub(moment);
    // One that got on just now may be ahead of `now`.
    if age > u32::MAX / 2 { Duration::ZERO } else { Duration::from_millis(u64::from(age) * 10) }
}

/// A time in hundredths of a second.
pub(crate) fn ticks(time: Duration) -> u32 {
    // In 136 years it begins anew.
    let hundredths = time.as_secs().wrapping_mul(100).wrapping_add(u64::from(time.subsec_millis() / 10));
    u32::try_from(hundredths % (1 << 32)).unwrap_or(0)
}

impl Connection {
    /// Whether this turn reads, and the most work that it does.
    pub(crate) fn judge_budget(&mut self, link: &Link) -> usize {
        if !link.shared.is_pressed() {
            self.withheld = false;
            return usize::MAX;
        }
        // What is discarded does not grow.
        self.withheld = link.standing.bytes() > BUFFER && !matches!(self.state, State::Closing(_));
        BUFFER
    }

    /// True if this turn, or the last one, does not read.
    pub(crate) fn is_withheld(&self) -> bool {
        self.withheld
    }

    /// Reads nothing, and lets no time run that is the peer's.
    #[cold]
    pub(crate) fn look_away(&mut self) -> Poll<Result<(), Ended>> {
        let now = self.now;
        if let Some(mut io) = self.state.io() {
            let _ = io.read_ahead(now, |_| Ok::<_, Infallible>(Look::Nothing));
        }
        self.looked = Looked::Full;
        self.read_deadline = None;
        Poll::Pending
    }

    /// Notes how much was gathered of the body of exchange `number`.
    pub(crate) fn gathers(&mut self, number: u64, bytes: usize) {
        if self.number == number {
            self.gathered = bytes;
        }
    }

    /// Tells the server what the connection holds, and how it gets on.
    pub(crate) fn tell_standing(&mut self, link: &Link) {
        if !link.shared.is_server() {
            return;
        }
        let Link { shared, standing, .. } = link;
        let (unread, queued) = self.state.io().map_or((0, 0), |io| (io.unread(), io.queued()));
        let received = unread + self.gathered + self.state.held_bytes();
        let sent = queued + self.held_elsewhere;
        let held = received + sent;
        let mut condition = self.condition(queued, received);
        if sent > received {
            condition |= SENDING;
        }
        let done = self.work.spent();
        self.passed = self.passed.saturating_add(done);
        let was = standing.condition.load(Ordering::Relaxed);
        let begins = condition & !was & (IDLE | OWED) != 0;
        let gets_on = self.passed >= STEP.max(held / 64) || (condition & IDLE != 0 && done > 0);
        if begins || gets_on {
            self.passed = 0;
            let now = standing.epoch.wrapping_add(ticks(self.now.since_epoch()));
            standing.since.store(now, Ordering::Relaxed);
        }
        if condition != was {
            standing.condition.store(condition, Ordering::Relaxed);
        }
        let before = standing.bytes();
        if held != before {
            standing.bytes.store(held, Ordering::Relaxed);
            shared.charge(before, held);
        }
        if self.withheld && held <= BUFFER {
            // It is read again.
            self.wake_driver();
        }
    }

    fn condition(&self, queued: usize, received: usize) -> u8 {
        let is_awaited = self.waiters.is_reading();
        let is_owed = match &self.state {
            State::Between(server) if queued == 0 && server.is_idle() => return IDLE,
            State::Between(_) | State::Closing(_) => true,
            // While it is not waited for, the handler works.
            State::Open(_) | State::Writing(_) | State::Answered(_) => queued > 0 || is_awaited,
            // A quiet WebSocket owes nothing.
            State::Socket(_) | State::Within(_) | State::Receiving(_) => {
                queued > 0 || (is_awaited && received > BUFFER)
            }
            State::Client(_) | State::Raw(_) | State::Over(_) | State::Taken => false,
        };
        if is_owed { OWED } else { 0 }
    }

    /// Does what the server wants of the connection. True if that ended its state.
    #[inline]
    pub(crate) fn heed(&mut self, link: &Link, cx: &mut Context<'_>) -> bool {
        link.standing.told().is_some_and(|told| self.makes_room(told, link, cx))
    }

    #[cold]
    fn makes_room(&mut self, told: Told, link: &Link, cx: &mut Context<'_>) -> bool {
        link.standing.heeded();
        if self.ended().is_some() {
            return false;
        }
        let ended = Ended::limit(link.shared.exceeded(told));
        let has_made_room = match told {
            Told::LeaveIdle => self.leaves_idle(ended),
            Told::LeaveStalled if link.shared.is_stalled(&link.standing) => {
                self.shed(ended.clone());
                // A last word, if the transport takes it at once.
                let _ = self.poll_write_out(cx);
                self.end(ended);
                true
            }
            Told::LeaveStalled => false,
            Told::Shed => self.shed(ended),
        };
        if has_made_room {
            self.withheld = false;
            link.shared.counters.shed.add();
        }
        has_made_room
    }

    /// Closes at once, if no request has begun: all that was sent was taken a while ago.
    fn leaves_idle(&mut self, ended: Ended) -> bool {
        let is_idle = matches!(&self.state, State::Between(server) if server.is_idle());
        if is_idle && self.is_flushed() {
            let position = self.position();
            self.is_over(ended, position);
            return true;
        }
        false
    }

    /// Ends what makes the connection hold much. True if there was anything.
    fn shed(&mut self, ended: Ended) -> bool {
        if self.queued() > BUFFER || matches!(self.state, State::Writing(_)) {
            // The peer does not take even that: more would wait behind it.
            self.reset();
            self.end(ended);
            return true;
        }
        match self.state {
            State::Open(_) => {
                self.answer_shed(ended);
                true
            }
            State::Socket(_) | State::Within(_) | State::Receiving(_) => {
                self.reader = Reader::Reads;
                self.close_socket_now(CloseCode::TRY_AGAIN_LATER.into());
                if let State::Closing(last) = &mut self.state {
                    last.ended = Some(ended.into());
                }
                true
            }
            _ => false,
        }
    }

    /// Answers an exchange in the place of its handler.
    fn answer_shed(&mut self, ended: Ended) {
        let mut exchange = match self.state.take() {
            State::Open(exchange) => exchange,
            other => {
                self.state = other;
                return;
            }
        };
        let is_body = self.gathered > BUFFER;
        let status = if is_body { StatusCode::CONTENT_TOO_LARGE } else { StatusCode::SERVICE_UNAVAILABLE };
        exchange.last();
        let head = Response::new(status).with(RETRY_AFTER);
        self.observed.because(&ended);
        let answered = self.write_response(exchange, &head, Bytes::new());
        self.after(answered, ended);
        self.observe_answer();
        self.wake_reader();
    }

    /// How an exchange was ended in the place of its handler.
    pub(crate) fn shed_as(&self) -> Option<&Ended> {
        let State::Closing(Last { ended: Some(ended), .. }) = &self.state else { return None };
        let EndedKind::Limit(Exceeded { limit, .. }) = ended.kind() else { return None };
        matches!(limit, Limit::HeldBytes | Limit::Connections).then_some(ended)
    }
}

/// RFC 9110 15.5.14: a 413 that is temporary says so. It depends on others, so any time is a guess.
const RETRY_AFTER: Field<'_> = Field::from_static("retry-after", "1");
