//! Follows the exchanges of a connection until they are reported, if anything wants the reports.

use std::collections::VecDeque;
use std::sync::Arc;

use endwell_core::Instant;
use endwell_core::http::RequestHead;

use super::report::{ExchangeReport, HandlerEnd, MessageCounts};
use crate::Ended;
use crate::connection::{Connection, Link};
use crate::metrics::{self, Active};
use crate::tracing::ExchangeSpan;
use crate::ws::Position;

/// The exchanges that are not reported yet, in order. The last one may be open; the responses to others may wait for the
/// transport. `None` if there are none, and always if nothing wants reports: that costs nothing else.
#[derive(Default)]
#[expect(clippy::box_collection, reason = "it is mostly missing, and each connection has one")]
pub(crate) struct Observed(Option<Box<VecDeque<Record>>>);

/// What is known of one exchange.
pub(super) struct Record {
    pub(super) number: u64,
    pub(super) head: Option<RequestHead>,
    pub(super) status: Option<u16>,
    pub(super) began: Instant,
    pub(super) responded: Option<Instant>,
    pub(super) ended: Instant,
    pub(super) received: u64,
    /// What the transport took from the outbox, and what another protocol wrote past that.
    sent: u64,
    sent_past: u64,
    pub(super) messages: Option<MessageCounts>,
    pub(super) is_whole: bool,
    pub(super) cause: Option<Ended>,
    pub(super) phase: Phase,
    pub(super) handler: Handler,
    pub(super) span: ExchangeSpan,
    /// Counted among what is open.
    active: Option<Active>,
    /// The body of the request may still be read.
    has_request: bool,
    /// It has ended, or its connection has.
    is_over: bool,
    /// The position of the output at which the body of the response begins, once it is known. `None` again once the outbox
    /// was given away.
    body_at: Option<u64>,
}

/// How far the response is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It is not complete.
    Open,
    /// It is queued, and ends at this position of the output.
    Queued { until: u64 },
    /// It has handed the connection to another protocol.
    Upgraded,
}

/// The handler of an exchange.
pub(super) enum Handler {
    NotCalled,
    Runs,
    Ended(HandlerEnd),
}

/// An exchange that no handler sees.
pub(crate) struct Unhandled {
    pub(crate) head: Option<RequestHead>,
    pub(crate) status: u16,
    /// The bytes of its response's body, which is queued.
    pub(crate) content: usize,
    pub(crate) cause: Ended,
}

impl Record {
    fn new(number: u64, head: Option<RequestHead>, now: Instant) -> Self {
        Self {
            number,
            head,
            status: None,
            began: now,
            responded: None,
            ended: now,
            received: 0,
            sent: 0,
            sent_past: 0,
            messages: None,
            is_whole: false,
            cause: None,
            phase: Phase::Open,
            handler: Handler::Runs,
            span: ExchangeSpan::none(),
            active: None,
            has_request: true,
            is_over: false,
            body_at: None,
        }
    }

    /// True if the response waits for the transport.
    fn is_queued(&self) -> bool {
        matches!(self.phase, Phase::Queued { .. }) && !self.is_over
    }

    fn handler_runs(&self) -> bool {
        matches!(self.handler, Handler::Runs)
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent.saturating_add(self.sent_past)
    }

    /// Notes how much the transport has taken from the outbox.
    fn took(&mut self, sent: u64) {
        let Some(body_at) = self.body_at else { return };
        let (end, is_whole) = match self.phase {
            Phase::Open => (sent, false),
            Phase::Queued { until } => (sent.min(until), sent >= until),
            Phase::Upgraded => (sent, sent >= body_at),
        };
        self.sent = end.saturating_sub(body_at);
        self.is_whole = is_whole;
    }
}

impl Observed {
    /// True while an exchange is followed.
    #[inline]
    pub(crate) fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// The exchange that is open, or was the last.
    fn last(&mut self) -> Option<&mut Record> {
        self.0.as_mut()?.back_mut()
    }

    /// The exchange that is open.
    fn open(&mut self) -> Option<&mut Record> {
        self.last().filter(|record| record.phase == Phase::Open && !record.is_over)
    }

    /// The exchange that has become another protocol.
    #[inline]
    fn upgraded(&mut self) -> Option<&mut Record> {
        self.last().filter(|record| record.phase == Phase::Upgraded && !record.is_over)
    }

    fn push(&mut self, record: Record) {
        self.0.get_or_insert_default().push_back(record);
    }

    /// A handler begins.
    pub(crate) fn begin(&mut self, number: u64, head: &RequestHead, link: &Link, now: Instant) {
        let active = Active::request(head, link);
        self.push(Record { active, ..Record::new(number, Some(head.clone()), now) });
    }

    /// The exchange of the handler that begins has a span.
    pub(crate) fn set_span(&mut self, number: u64, span: &ExchangeSpan) {
        if let Some(record) = self.last().filter(|record| record.number == number) {
            record.span = span.clone();
        }
    }

    /// The target of the request whose handler runs.
    pub(crate) fn target(&self) -> Option<String> {
        let running = self.0.as_ref()?.back().filter(|record| record.handler_runs())?;
        running.head.as_ref().map(|head| head.target().to_string())
    }

    /// Notes why the library responds in place of the handler.
    pub(crate) fn because(&mut self, cause: &Ended) {
        if let Some(record) = self.open() {
            record.cause.get_or_insert_with(|| cause.clone());
        }
    }

    /// The body of the request is done with, of which so much was received.
    pub(crate) fn end_request(&mut self, received: u64) {
        if let Some(record) = self.last().filter(|record| record.has_request && !record.is_over) {
            record.received = received;
            record.has_request = false;
        }
    }

    /// The handler has ended.
    pub(crate) fn end_handler(&mut self, outcome: &HandlerEnd) {
        if let Some(record) = self.last().filter(|record| record.handler_runs()) {
            record.handler = Handler::Ended(outcome.clone());
        }
    }

    /// Bytes have come, of which another protocol takes note.
    #[inline]
    pub(crate) fn received(&mut self, len: usize) {
        if let Some(record) = self.upgraded() {
            record.received = record.received.saturating_add(wide(len));
        }
    }

    /// Another protocol has written bytes past the outbox.
    pub(crate) fn wrote(&mut self, len: usize) {
        if let Some(record) = self.upgraded() {
            record.sent_past = record.sent_past.saturating_add(wide(len));
        }
    }

    /// The outbox is given away, at `position`: what is written from here on is counted where that happens.
    pub(crate) fn release(&mut self, position: Position) {
        if let Some(record) = self.upgraded() {
            record.took(position.sent);
            record.body_at = None;
        }
    }

    /// The messages of the WebSocket, if they are counted.
    #[inline]
    pub(crate) fn messages(&mut self) -> Option<&mut MessageCounts> {
        self.last()?.messages.as_mut()
    }

    /// The application has received a message, or what takes its place has.
    #[inline]
    pub(crate) fn received_message(&mut self) {
        if let Some(messages) = self.messages() {
            messages.received += 1;
        }
    }

    /// A message was queued.
    #[inline]
    pub(crate) fn sent_message(&mut self) {
        if let Some(messages) = self.messages() {
            messages.sent += 1;
        }
    }

    /// The connection is lost to every exchange: no task drives it, and its handlers are dropped.
    fn lose(&mut self) {
        for record in self.0.iter_mut().flat_map(|records| records.iter_mut()) {
            if record.handler_runs() {
                record.handler = Handler::Ended(HandlerEnd::Cancelled);
            }
        }
    }

    /// True if an exchange is to be reported.
    #[inline]
    pub(crate) fn has_ended(&self) -> bool {
        let first = self.0.as_ref().and_then(|records| records.front());
        first.is_some_and(|record| record.is_over && !record.handler_runs())
    }

    /// The next exchange to report.
    fn next(&mut self) -> Option<Record> {
        let record = if self.has_ended() { self.0.as_mut()?.pop_front() } else { None };
        if self.0.as_ref().is_some_and(|records| records.is_empty()) {
            self.0 = None;
        }
        record
    }
}

fn wide(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

impl Connection {
    /// The head of the response is queued, and `content` bytes of its body: up to `position`.
    #[cold]
    pub(crate) fn observe_response(&mut self, status: u16, content: usize, position: Position) {
        let now = self.clock();
        if let Some(record) = self.observed.open() {
            record.status = Some(status);
            record.responded = Some(now);
            record.body_at = Some(position.written.saturating_sub(wide(content)));
        }
    }

    /// The response is complete.
    #[inline]
    pub(crate) fn observe_answer(&mut self) {
        if self.observed.is_some() {
            self.end_answer();
        }
    }

    #[cold]
    fn end_answer(&mut self) {
        let position = self.position();
        if let Some(record) = self.observed.open() {
            record.phase = Phase::Queued { until: position.written };
        }
        self.end_sent();
    }

    /// The exchange has become another protocol: a WebSocket, which counts messages, or a byte stream.
    pub(crate) fn observe_upgrade(&mut self, status: u16, messages: Option<MessageCounts>) {
        if !self.observed.is_some() {
            return;
        }
        let position = self.position();
        self.observe_response(status, 0, position);
        let ahead = self.state.io().map_or(0, |io| io.unread());
        if let Some(record) = self.observed.open() {
            record.phase = Phase::Upgraded;
            record.active = record.active.take().map(|active| active.upgraded(messages.is_some()));
            record.messages = messages;
            record.received = wide(ahead);
            record.has_request = false;
        }
    }

    /// An exchange that no handler sees is answered.
    pub(crate) fn observe_unhandled(&mut self, unhandled: Option<Unhandled>) {
        let Some(Unhandled { head, status, content, cause }) = unhandled else { return };
        self.number += 1;
        let (number, now) = (self.number, self.now);
        self.observed.push(Record { handler: Handler::NotCalled, ..Record::new(number, head, now) });
        let position = self.position();
        self.observe_response(status, content, position);
        self.observed.because(&cause);
        self.observed.end_request(0);
        self.observe_answer();
    }

    /// Ends the exchanges whose responses the transport has taken.
    #[inline]
    pub(crate) fn observe_output(&mut self) {
        if self.observed.is_some() {
            self.end_sent();
        }
    }

    #[cold]
    fn end_sent(&mut self) {
        if !self.observed.0.iter().flat_map(|records| records.iter()).any(Record::is_queued) {
            return;
        }
        let (now, position) = (self.clock(), self.position());
        for record in self.observed.0.iter_mut().flat_map(|records| records.iter_mut()) {
            if !record.is_queued() {
                continue;
            }
            record.took(position.sent);
            if record.is_whole && !record.has_request {
                record.is_over = true;
                record.ended = now;
            }
        }
    }

    /// Ends every exchange with the connection, whose output has come to `position`.
    pub(crate) fn observe_end(&mut self, ended: &Ended, position: Position) {
        if !self.observed.is_some() {
            return;
        }
        let received = self.state.received_of_request();
        self.observed.end_request(received);
        let now = self.clock();
        for record in self.observed.0.iter_mut().flat_map(|records| records.iter_mut()) {
            if !record.is_over {
                record.took(position.sent);
                record.cause.get_or_insert_with(|| ended.clone());
                record.is_over = true;
                record.ended = now;
            }
        }
    }

    /// No task drives the connection any more.
    pub(crate) fn observe_loss(&mut self) {
        self.observed.lose();
    }
}

impl Link {
    /// Reports the exchanges that have ended. No lock is held meanwhile.
    #[cold]
    pub(crate) fn report_exchanges(self: &Arc<Self>) {
        let settings = &self.shared.settings;
        loop {
            let mut connection = self.lock();
            let next = connection.observed.next();
            let now = connection.clock();
            drop(connection);
            let Some(mut record) = next else { return };
            // It is no longer open when its end is told.
            record.active = None;
            let report = ExchangeReport::new(Arc::clone(self), record, now);
            report.tell_span();
            if settings.metrics {
                metrics::record(&report);
            }
            settings.on_exchange.iter().for_each(|tell| tell(&report));
        }
    }
}
