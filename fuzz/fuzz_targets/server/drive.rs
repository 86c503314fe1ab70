//! A driver and its handlers: plays one connection and logs all that was understood.

use bytes::{Buf, Bytes};
use endwell_core::http::server::{
    Abandoned, Aborted, After, Closed, Event, Exchange, Finished, Linger, Next, NotWritten, RequestBody,
    Responder, ResponseBody, Server,
};
use endwell_core::http::{Date, Field, FieldSection, Framing, Head, InterimHead, StatusCode};
use endwell_core::{Error, Outbox, Step};

use endwell_fuzz::{Arrival, Feed};

use crate::plan::Plan;
use crate::target;

pub struct Outcome {
    pub log: Vec<String>,
    pub written: Vec<u8>,
}

pub fn run(plan: &Plan<'_>, arrival: Arrival) -> Outcome {
    let feed = Feed::new(&plan.peer, arrival);
    let (log, written) = (Vec::new(), Vec::new());
    let mut driver = Driver { feed, out: Outbox::new(plan.outbox), log, written, sends: 0 };
    let mut server = Server::new(plan.limits.clone().into());
    for exchange in 0.. {
        match driver.between(server).and_then(|opened| driver.exchange(opened, plan.handler(exchange))) {
            Some(next) => server = next,
            None => break,
        }
    }
    Outcome { log: driver.log, written: driver.written }
}

struct Driver<'a> {
    feed: Feed<'a>,
    out: Outbox,
    log: Vec<String>,
    written: Vec<u8>,
    sends: usize,
}

/// How an exchange's answer ended.
enum Answer {
    Finished(Finished),
    Aborted(Aborted),
}

impl Driver<'_> {
    fn log(&mut self, line: impl Into<String>) {
        self.log.push(line.into());
    }

    fn between(&mut self, mut server: Server) -> Option<Exchange> {
        // Above the high-water mark no request is taken.
        self.flush();
        self.feed.begin();
        loop {
            match server.poll() {
                Ok(Step::Wait(waiting)) => {
                    server = waiting;
                    let deadline = server.deadline();
                    self.feed.next(server.inbox(), deadline);
                }
                Ok(Step::Done(Next::Exchange(exchange))) => {
                    let head = &exchange.head;
                    target::check(head, self.feed.stream());
                    let line = format!("{} {:?} {:?}", head.method(), head.target(), head.version());
                    let fields: Vec<_> =
                        head.fields().iter().map(|(n, v)| (n, v.escape_ascii().to_string())).collect();
                    let line = format!("{line} {fields:?} expects: {}", exchange.expect.is_some());
                    self.log(line);
                    return Some(exchange);
                }
                Ok(Step::Done(Next::Closed(closed))) => {
                    if let Closed::Silent(exceeded) = &closed {
                        self.feed.was_due(exceeded);
                    }
                    self.log(format!("{closed:?}"));
                    return None;
                }
                Err(refusal) => {
                    if let Error::Limit(exceeded) = refusal.error() {
                        self.feed.was_due(exceeded);
                    }
                    self.log(format!("{} {}", refusal.status(), refusal.error()));
                    let linger = refusal.write(None, &mut self.out);
                    self.linger(linger);
                    return None;
                }
            }
        }
    }

    fn exchange(&mut self, mut exchange: Exchange, letter: u8) -> Option<Server> {
        let date = letter
            .is_ascii_uppercase()
            .then(|| Date::from_imf_fixdate("Sun, 06 Nov 1994 08:49:37 GMT").unwrap());
        let date = date.as_ref();
        let letter = letter.to_ascii_lowercase();
        let none = FieldSection::new();
        let switched = match letter {
            b'u' => exchange.switch("echo", &none, date, &mut self.out),
            b't' => exchange.tunnel(&none, date, &mut self.out),
            b'd' => {
                self.log("dropped");
                return None;
            }
            _ => return self.answer(exchange, letter, date),
        };
        match switched {
            Ok(upgraded) => {
                let behind = [upgraded.into_leftover().as_ref(), self.feed.rest()].concat();
                self.log(format!("upgraded, then {}", behind.escape_ascii()));
                self.flush();
                None
            }
            Err((reason, back)) => {
                self.log(format!("{reason}"));
                exchange = *back;
                self.answer(exchange, b'b', date)
            }
        }
    }

    fn answer(&mut self, exchange: Exchange, letter: u8, date: Option<&Date>) -> Option<Server> {
        let Exchange { expect, mut recv, mut send, .. } = exchange;
        self.feed.pause(recv.inbox());
        match expect {
            Some(wanted) if letter.is_ascii_digit() || b"bceli".contains(&letter) => {
                send.proceed(wanted, &mut self.out)
            }
            // Whether the client sent its body unasked decides what may follow: let it decide.
            Some(_) if recv.inbox().is_empty() && !recv.inbox().has_ended() => {
                while recv.inbox().is_empty() && !recv.inbox().has_ended() {
                    self.feed.next(recv.inbox(), None);
                    if self.feed.is_timed() {
                        break;
                    }
                }
            }
            _ => {}
        }
        if letter != b'b' && recv.remaining().is_none() {
            // Whether the rest of chunks has arrived decides whether the connection stays: let all arrive that fits.
            while !recv.inbox().is_full() && !recv.inbox().has_ended() && !self.feed.is_timed() {
                self.feed.next(recv.inbox(), None);
            }
        }
        let answer = self.respond(letter, send, &mut recv, date);
        self.flush();
        match answer {
            Answer::Finished(sent) => self.after(recv.after(sent)),
            Answer::Aborted(cut) => {
                match recv.abandon(cut) {
                    Abandoned::Linger(linger) => self.linger(linger),
                    Abandoned::Reset => self.log("reset"),
                }
                None
            }
        }
    }

    fn respond(
        &mut self,
        letter: u8,
        mut send: Responder,
        recv: &mut RequestBody,
        date: Option<&Date>,
    ) -> Answer {
        let head = Head::new(StatusCode::OK).with(Field::from_static("x", "y"));
        let (head, body) = match letter {
            b'r' => (head, "unread".into()),
            b'n' => (Head::new(StatusCode::NO_CONTENT), "nothing".into()),
            b'm' => (Head::new(StatusCode::NOT_MODIFIED), "nothing".into()),
            b'z' => (Head::new(StatusCode::RESET_CONTENT), "nothing".into()),
            b'g' => (head, vec![b'g'; 5000].into()),
            b'x' => {
                send.close();
                (head, "last".into())
            }
            b'i' => {
                let hint = InterimHead::early_hints().with(Field::from_static("link", "</>"));
                send.interim(&hint, &mut self.out);
                (head, "hinted".into())
            }
            b'e' | b'a' | b'f' => {
                let body = send.start(&head, Framing::Chunked, date, recv, &mut self.out);
                return self.echo(letter, body, recv);
            }
            b'l' | b's' | b'o' => {
                let body = send.start(&head, Framing::Length(12), date, recv, &mut self.out);
                return self.of_length(letter, body);
            }
            _ => match self.read(recv) {
                Ok(body) => (head, body),
                Err(error) => {
                    self.body_failed(&error);
                    (Head::new(RequestBody::status_of_error(&error)), "failed".into())
                }
            },
        };
        Answer::Finished(send.respond(&head, body, date, recv, &mut self.out))
    }

    fn body_failed(&mut self, error: &Error) {
        if let Error::Limit(exceeded) = error {
            self.feed.was_due(exceeded);
        }
        self.log(format!("{error}"));
    }

    /// The rest of the request, and its end comes again.
    fn read(&mut self, recv: &mut RequestBody) -> Result<Bytes, Error> {
        let mut body = Vec::new();
        while let Some(piece) = self.piece(recv)? {
            body.extend_from_slice(&piece);
        }
        assert!(recv.is_done() && self.piece(recv)?.is_none());
        self.log(format!("body {}", body.escape_ascii()));
        Ok(body.into())
    }

    /// The next content. None: the end.
    fn piece(&mut self, recv: &mut RequestBody) -> Result<Option<Bytes>, Error> {
        loop {
            let Some(ready) =
                recv.poll().inspect_err(|error| assert_eq!(recv_error(recv), Some(error.clone())))?
            else {
                let deadline = recv.deadline();
                self.feed.next(recv.inbox(), deadline);
                continue;
            };
            match recv.event(ready) {
                Event::Data(data) => {
                    assert!(!data.is_empty());
                    let data = if data.len() % 2 == 0 { data.take() } else { Bytes::copy_from_slice(&data) };
                    return Ok(Some(data));
                }
                Event::Trailers(fields) => {
                    let fields: Vec<_> =
                        fields.iter().map(|(n, v)| (n.to_owned(), v.escape_ascii().to_string())).collect();
                    self.log(format!("trailers {fields:?}"));
                }
                Event::End => return Ok(None),
            }
        }
    }

    /// Full duplex, in pieces of one size, so that the output does not depend on how the input was cut.
    fn echo(&mut self, letter: u8, mut body: ResponseBody, recv: &mut RequestBody) -> Answer {
        let mut gathered = Vec::new();
        loop {
            match self.piece(recv) {
                Ok(Some(piece)) if letter == b'e' => {
                    gathered.extend_from_slice(&piece);
                    while gathered.len() >= 7 {
                        self.write(&mut body, gathered.drain(..7).collect());
                    }
                }
                Ok(None) if letter == b'e' => break,
                Err(error) => {
                    self.body_failed(&error);
                    return Answer::Aborted(body.abort());
                }
                Ok(_) if letter == b'a' => return Answer::Aborted(body.abort()),
                // Finished before the request is: the rest is drained.
                Ok(_) => break,
            }
        }
        self.write(&mut body, gathered.into());
        let mut trailers = FieldSection::new();
        trailers.push(Field::from_static("sum", "0"));
        self.finish(body, Some(&trailers))
    }

    fn of_length(&mut self, letter: u8, mut body: ResponseBody) -> Answer {
        let remaining = body.remaining();
        self.write(&mut body, Bytes::from_static(b"hello"));
        if letter == b'o' && remaining.is_some() {
            let data = Bytes::from_static(b"too much");
            assert_eq!(body.write(data.clone(), &mut self.out), Err(NotWritten::Overrun(data)));
        }
        if letter != b's' {
            self.write(&mut body, Bytes::from_static(b" world!"));
        }
        self.finish(body, None)
    }

    fn finish(&mut self, body: ResponseBody, trailers: Option<&FieldSection>) -> Answer {
        match body.finish(trailers, &mut self.out) {
            Ok(sent) => Answer::Finished(sent),
            Err(cut) => Answer::Aborted(cut),
        }
    }

    fn write(&mut self, body: &mut ResponseBody, data: Bytes) {
        let mut data = data;
        loop {
            let before = self.out.len();
            match body.write(data, &mut self.out) {
                Ok(()) => {
                    let bound = self.out.limits().bytes;
                    return assert!(self.out.len() <= bound.max(before), "more is queued than the bound");
                }
                Err(NotWritten::Full(back)) => {
                    assert!(before > 0 && self.out.len() == before);
                    self.flush();
                    data = back;
                }
                Err(NotWritten::Overrun(_)) => unreachable!("within the length"),
            }
        }
    }

    fn after(&mut self, after: After) -> Option<Server> {
        let mut drain = match after {
            After::Again(server) => return Some(server),
            After::Drain(drain) => drain,
            After::Linger(linger) => {
                self.linger(linger);
                return None;
            }
        };
        loop {
            match drain.poll() {
                Ok(Step::Wait(waiting)) => {
                    drain = waiting;
                    let deadline = drain.deadline();
                    self.feed.next(drain.inbox(), deadline);
                }
                Ok(Step::Done(server)) => return Some(server),
                Err(linger) => {
                    self.log("the rest of the body failed");
                    self.linger(linger);
                    return None;
                }
            }
        }
    }

    fn linger(&mut self, mut linger: Linger) {
        self.flush();
        self.log("linger");
        while let Step::Wait(waiting) = linger.poll(self.feed.now) {
            linger = waiting;
            let deadline = linger.deadline();
            assert!(deadline.is_some() && linger.inbox().is_empty(), "lingering holds bytes");
            self.feed.next(linger.inbox(), deadline);
        }
        assert!(self.out.is_empty(), "something was written behind the last word");
    }

    /// The transport takes everything, in pieces of its own choice. What waits for something to arrive goes behind it.
    fn flush(&mut self) {
        while self.out.has_remaining() || self.out.arrived() {
            let chunks: Vec<u8> = self.out.chunks().flatten().copied().collect();
            assert_eq!(chunks.len(), self.out.remaining(), "the chunks are not what may go out");
            self.sends += 1;
            let taken = (self.sends * 37 % 91 + 1).min(chunks.len());
            self.out.advance(taken);
            self.written.extend_from_slice(&chunks[..taken]);
            if self.sends % 5 == 0 {
                self.out.reclaim();
            }
        }
        assert_eq!(self.out.poll(self.feed.now, || None), Ok(()), "nothing is queued, so nothing stalls");
    }
}

/// An error is for good.
fn recv_error(recv: &mut RequestBody) -> Option<Error> {
    recv.poll().err()
}
