//! One exchange, as its plan says.

use bytes::Bytes;
use endwell_core::http::server::{
    Abandoned, After, Event, Exchange, NotWritten, RequestBody, Responder, ResponseBody,
};
use endwell_core::http::{FieldSection, Head, InterimHead, StatusCode};
use std::collections::VecDeque;

use super::{Connection, State};
use crate::plan::{Answer, Pieces, Plan};
use crate::record::{End, Record, Seen, lines};

/// One exchange under way.
pub(super) struct Serving {
    pub(super) recv: RequestBody,
    send: Sending,
    content: Vec<u8>,
}

enum Sending {
    /// Reads first.
    Owed(Responder, Plan),
    Pieces {
        body: ResponseBody,
        left: VecDeque<Bytes>,
        plan: Pieces,
    },
}

impl Connection {
    pub(super) fn open(&mut self, exchange: Exchange) -> State {
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

    pub(super) fn serving(&mut self, mut serving: Serving) -> (State, bool) {
        match serving.send {
            Sending::Owed(send, plan) => {
                let read = plan.reads.then(|| self.read(&mut serving.recv, &mut serving.content));
                let Some(failed) = read.unwrap_or(Some(None)) else {
                    serving.send = Sending::Owed(send, plan);
                    return (State::Serving(Box::new(serving)), false);
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
        mut recv: RequestBody,
        send: Responder,
        plan: Plan,
        failure: Option<Head>,
        content: Vec<u8>,
    ) -> (State, bool) {
        let (head, content) = match (failure, plan.answer) {
            (Some(head), _) => (head, Vec::new()),
            (None, Answer::Full(head, content)) => (head, content),
            (None, Answer::Pieces(plan)) => {
                let body = send.start(&plan.head, plan.framing, None, &recv, &mut self.out);
                let left = plan.pieces.iter().cloned().map(Bytes::from).collect();
                let pieces = Sending::Pieces { body, left, plan };
                return (State::Serving(Box::new(Serving { recv, send: pieces, content })), true);
            }
            (None, Answer::Echo | Answer::Switch(_) | Answer::Tunnel) => (Head::new(StatusCode::OK), content),
        };
        self.records.push(Record::Answered(head.status().code()));
        let finished = send.respond(&head, content.into(), None, &mut recv, &mut self.out);
        self.after(recv.after(finished))
    }

    fn pieces(
        &mut self,
        recv: RequestBody,
        mut body: ResponseBody,
        mut left: VecDeque<Bytes>,
        plan: Pieces,
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
