//! One exchange, as its plan says.

use bytes::Bytes;
use endwell_core::Io;
use endwell_core::http::server::{Exchange, Unanswered};
use endwell_core::http::{
    BodyEvent, FieldSection, Interim, NotWritten, RequestHead, Response, StatusCode, Streaming,
};
use std::collections::VecDeque;

use super::{Connection, State};
use crate::plan::{Answer, Pieces, Plan};
use crate::record::{End, Record, Seen, lines};

/// One exchange under way.
pub(super) enum Serving {
    /// Reads first.
    Owed {
        exchange: Exchange<Unanswered>,
        plan: Plan,
        content: Vec<u8>,
    },
    Pieces {
        exchange: Exchange<Streaming>,
        left: VecDeque<Bytes>,
        plan: Pieces,
    },
}

impl Serving {
    pub(super) fn io(&mut self) -> Io<'_> {
        match self {
            Self::Owed { exchange, .. } => exchange.io(),
            Self::Pieces { exchange, .. } => exchange.io(),
        }
    }
}

impl Connection {
    pub(super) fn open(&mut self, head: &RequestHead, exchange: Exchange) -> State {
        let plan = (self.handler)(head);
        self.records.push(Record::Request(Seen::of(head, exchange.expects_continue())));
        let upgraded = match plan.answer {
            Answer::Switch(protocol) => exchange.switch(protocol, &FieldSection::new(), None),
            Answer::Tunnel => exchange.tunnel(&FieldSection::new(), None),
            _ => return Self::serve(exchange, plan),
        };
        match upgraded {
            Ok(upgraded) => {
                let (received, queued) = upgraded.into_parts();
                self.left = queued.to_vec();
                self.over(End::Upgraded(received.to_vec()));
                State::Over
            }
            Err((_, exchange)) => Self::serve(exchange, Plan { answer: Answer::Echo, ..plan }),
        }
    }

    fn serve(mut exchange: Exchange, plan: Plan) -> State {
        for _ in 0..plan.hints {
            exchange.interim(&Interim::early_hints());
        }
        if plan.proceeds {
            exchange.proceed();
        }
        if plan.closes {
            exchange.last();
        }
        State::Serving(Box::new(Serving::Owed { exchange, plan, content: Vec::new() }))
    }

    pub(super) fn serving(&mut self, serving: Serving) -> (State, bool) {
        match serving {
            Serving::Owed { mut exchange, plan, mut content } => {
                let read = plan.reads.then(|| self.read(&mut exchange, &mut content));
                let Some(failed) = read.unwrap_or(Some(None)) else {
                    let serving = Serving::Owed { exchange, plan, content };
                    return (State::Serving(Box::new(serving)), false);
                };
                self.answer(exchange, plan, failed, content)
            }
            Serving::Pieces { exchange, left, plan } => self.pieces(exchange, left, plan),
        }
    }

    /// Reads what arrived. `None`: there is more to come. Otherwise the head of the answer to a failure, if any.
    #[expect(clippy::option_option, reason = "waiting is not the same as the end without a failure")]
    fn read(&mut self, exchange: &mut Exchange, content: &mut Vec<u8>) -> Option<Option<Response>> {
        loop {
            match exchange.body().event()? {
                BodyEvent::Data(data) => content.extend_from_slice(&data),
                BodyEvent::Trailers(fields) => self.records.push(Record::Trailers(lines(fields))),
                BodyEvent::End => {
                    self.records.push(Record::Content(content.clone()));
                    return Some(None);
                }
                BodyEvent::Failed(error) => {
                    let status = StatusCode::of_error(error);
                    self.records.push(Record::BodyFailed(status.as_u16(), error.to_string()));
                    return Some(Some(Response::new(status)));
                }
            }
        }
    }

    fn answer(
        &mut self,
        exchange: Exchange,
        plan: Plan,
        failure: Option<Response>,
        content: Vec<u8>,
    ) -> (State, bool) {
        let (head, content) = match (failure, plan.answer) {
            (Some(head), _) => (head, Vec::new()),
            (None, Answer::Full(head, content)) => (head, content),
            (None, Answer::Pieces(plan)) => {
                let exchange = exchange.start(&plan.head, plan.framing, None);
                let left = plan.pieces.iter().cloned().map(Bytes::from).collect();
                return (State::Serving(Box::new(Serving::Pieces { exchange, left, plan })), true);
            }
            (None, Answer::Echo | Answer::Switch(_) | Answer::Tunnel) => {
                (Response::new(StatusCode::OK), content)
            }
        };
        self.records.push(Record::Answered(head.status().as_u16()));
        self.after(exchange.respond(&head, content.into(), None).next())
    }

    fn pieces(
        &mut self,
        mut exchange: Exchange<Streaming>,
        mut left: VecDeque<Bytes>,
        plan: Pieces,
    ) -> (State, bool) {
        while let Some(piece) = left.pop_front() {
            match exchange.writer().write(piece) {
                Ok(()) => {}
                Err(NotWritten::Full(piece)) => {
                    left.push_front(piece);
                    return (State::Serving(Box::new(Serving::Pieces { exchange, left, plan })), false);
                }
                Err(NotWritten::Overrun(_)) => break,
            }
        }
        let finished = if plan.fails { Err(exchange) } else { exchange.finish(Some(&plan.trailers)) };
        match finished {
            Ok(answered) => {
                self.records.push(Record::Answered(plan.head.status().as_u16()));
                self.after(answered.next())
            }
            Err(exchange) => {
                self.records.push(Record::Aborted);
                self.close(exchange.abort())
            }
        }
    }
}
