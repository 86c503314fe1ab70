//! A driver and its handlers: plays one connection and logs all that was understood.

use bytes::Bytes;
use endwell_core::http::server::{After, Answered, Exchange, Next, Refusal, ServerConnection};
use endwell_core::http::{
    BodyEvent, Date, Field, FieldSection, Framing, Interim, NotWritten, RequestHead, Response, StatusCode,
    Streaming,
};
use endwell_core::{Closing, Ending, Error, Outcome, Upgraded};
use endwell_fuzz::framing::{self, Kind, Message, Trust};
use endwell_fuzz::{Arrival, Transport};

use crate::answers::Answers;
use crate::plan::Plan;
use crate::target;

pub struct Observed {
    pub log: Vec<String>,
    pub written: Vec<u8>,
}

pub fn run(plan: &Plan<'_>, arrival: Arrival) -> Observed {
    let transport = Transport::new(&plan.peer, arrival, plan.received());
    let mut driver = Driver {
        transport,
        bound: plan.outbox.bytes,
        drain: plan.limits.drain_bytes,
        log: vec![],
        next: Some(0),
        answers: Answers::default(),
    };
    let mut server = ServerConnection::new(plan.limits.clone().into(), plan.outbox);
    for exchange in 0.. {
        match driver.request(server).and_then(|open| driver.exchange(open, plan.handler(exchange))) {
            Some(next) => server = next,
            None => break,
        }
    }
    driver.answers.check(&driver.transport.sent);
    Observed { log: driver.log, written: driver.transport.sent }
}

struct Driver<'a> {
    transport: Transport<'a>,
    /// Bytes that may be queued.
    bound: usize,
    /// Bytes of a body that are worth reading to keep the connection.
    drain: u64,
    log: Vec<String>,
    /// Where the next request begins, unless the body before it is broken.
    next: Option<usize>,
    answers: Answers,
}

/// A request whose head was understood.
struct Open {
    exchange: Exchange,
    reading: Reading,
}

/// What was read of a request, and what stands in the stream.
struct Reading {
    message: Message,
    content: Vec<u8>,
    trailers: usize,
}

impl Driver<'_> {
    fn log(&mut self, line: impl Into<String>) {
        self.log.push(line.into());
    }

    fn request(&mut self, mut server: ServerConnection) -> Option<Open> {
        self.transport.begin();
        loop {
            match server.poll() {
                Next::Wait(waiting) => {
                    server = waiting;
                    self.transport.turn(server.io());
                }
                Next::Request(head, exchange) => return Some(self.open(&head, exchange)),
                Next::Closing(closing) => {
                    if let Outcome::Silent(exceeded) = closing.ended() {
                        self.transport.was_due(exceeded);
                    }
                    self.close(closing);
                    return None;
                }
                Next::Refused(refusal) => {
                    self.refuse(refusal);
                    return None;
                }
            }
        }
    }

    fn open(&mut self, head: &RequestHead, mut exchange: Exchange) -> Open {
        target::check(head, self.transport.stream());
        let next = self.next.expect("a request behind a broken body");
        let message = framing::message(self.transport.stream(), next, Kind::Request, true);
        let message = message.unwrap_or_else(|broken| panic!("{head:?} is taken and {broken:?}"));
        assert_eq!(message.trust, Trust::Sound, "{head:?}");
        assert_eq!(
            message.body,
            self.transport.consumed(&exchange.io()),
            "the head of {head:?} ends elsewhere"
        );
        self.next = message.end.ok();
        self.answers.begin(head.method());
        let fields: Vec<_> = head.fields().iter().map(|(n, v)| (n, v.escape_ascii().to_string())).collect();
        let line = format!("{} {:?} {:?}", head.method(), head.target(), head.version());
        self.log(format!("{line} {fields:?} expects: {}", exchange.expects_continue()));
        Open { exchange, reading: Reading { message, content: vec![], trailers: 0 } }
    }

    fn refuse(&mut self, refusal: Refusal) {
        match refusal.error() {
            Error::Limit(exceeded) => self.transport.was_due(exceeded),
            Error::Protocol(violation) if framing::is_about_framing(violation.section()) => {
                let next = self.next.expect("a request behind a broken body");
                let message = framing::message(self.transport.stream(), next, Kind::Request, true);
                let may_refuse = message.as_ref().map_or(true, |message| message.trust > Trust::Sound);
                assert!(may_refuse, "{violation}, but {message:?}");
            }
            Error::Protocol(_) => {}
        }
        self.log(format!("{} {}", refusal.status(), refusal.error()));
        self.answers.refusal();
        let closing = refusal.answer(None);
        self.close(closing);
    }

    fn exchange(&mut self, open: Open, letter: u8) -> Option<ServerConnection> {
        let Open { exchange, reading } = open;
        let date = letter
            .is_ascii_uppercase()
            .then(|| Date::from_imf_fixdate("Sun, 06 Nov 1994 08:49:37 GMT").unwrap());
        let date = date.as_ref();
        let letter = letter.to_ascii_lowercase();
        let none = FieldSection::new();
        let switched = match letter {
            b'u' => exchange.switch("echo", &none, date),
            b't' => exchange.tunnel(&none, date),
            b'd' => {
                self.log("abandoned");
                self.close(exchange.abandon());
                return None;
            }
            _ => return self.answer(exchange, reading, letter, date),
        };
        match switched {
            Ok(upgraded) => {
                self.upgraded(upgraded, reading.message.body);
                None
            }
            Err((reason, back)) => {
                self.log(format!("{reason}"));
                self.answer(back, reading, b'b', date)
            }
        }
    }

    /// What stands behind the head belongs to the other protocol, and the answer goes out before it.
    fn upgraded(&mut self, mut upgraded: Upgraded, body: usize) {
        self.transport.flush(&mut upgraded.io());
        self.answers.head();
        let rest = self.transport.rest();
        let (received, queued) = upgraded.into_parts();
        let behind = [received.as_ref(), rest].concat();
        assert!(queued.is_empty() && behind == self.transport.stream()[body..]);
        self.log(format!("upgraded, then {}", behind.escape_ascii()));
    }

    fn answer(
        &mut self,
        mut exchange: Exchange,
        reading: Reading,
        letter: u8,
        date: Option<&Date>,
    ) -> Option<ServerConnection> {
        self.transport.pause(exchange.io());
        if exchange.expects_continue() {
            if letter.is_ascii_digit() || b"bceli".contains(&letter) {
                exchange.proceed();
                exchange.proceed();
            } else if !self.transport.is_timed() && exchange.io().unread() == 0 {
                // Whether the client sent its body unasked decides what may follow: let it decide.
                self.transport.arrive(exchange.io());
            }
        }
        let is_long = exchange.body().remaining().is_none_or(|rest| rest > self.drain);
        if letter != b'b' && is_long && !self.transport.is_timed() {
            // Whether the rest has arrived decides whether the connection stays: let all arrive that fits.
            while self.transport.arrive(exchange.io()) {}
        }
        self.respond(letter, exchange, reading, date)
    }

    fn respond(
        &mut self,
        letter: u8,
        mut exchange: Exchange,
        mut reading: Reading,
        date: Option<&Date>,
    ) -> Option<ServerConnection> {
        let head = Response::new(StatusCode::OK).with(Field::from_static("x", "y"));
        let (head, body) = match letter {
            b'r' => (head, "unread".into()),
            b'n' => (Response::new(StatusCode::NO_CONTENT), "nothing".into()),
            b'm' => (Response::new(StatusCode::NOT_MODIFIED), "nothing".into()),
            b'z' => (Response::new(StatusCode::RESET_CONTENT), "nothing".into()),
            b'g' => (head, vec![b'g'; 5000].into()),
            b'x' => {
                exchange.last();
                (head, "last".into())
            }
            b'i' => {
                exchange.interim(&Interim::early_hints().with(Field::from_static("link", "</>")));
                (head, "hinted".into())
            }
            b'e' | b'a' | b'f' => {
                let exchange = exchange.start(&head, Framing::Chunked, date);
                return self.echo(letter, exchange, reading);
            }
            b'l' | b's' | b'o' => {
                let exchange = exchange.start(&head, Framing::Length(12), date);
                return self.of_length(letter, exchange);
            }
            _ => match self.read(&mut exchange, &mut reading) {
                Ok(body) => (head, body),
                Err(error) => {
                    self.body_failed(&error, &reading);
                    (Response::new(StatusCode::of_error(&error)), "failed".into())
                }
            },
        };
        self.answers.whole(if b"nmz".contains(&letter) { b"" } else { &body });
        let answered = exchange.respond(&head, body, date);
        self.after(answered)
    }

    /// What came before the failure stands in the stream, and a fault of the framing is one.
    fn body_failed(&mut self, error: &Error, reading: &Reading) {
        let Reading { message, content, .. } = reading;
        assert!(message.content.starts_with(content), "{error} behind another body");
        match error {
            Error::Limit(exceeded) => self.transport.was_due(exceeded),
            Error::Protocol(violation) if framing::is_about_framing(violation.section()) => {
                assert!(message.end.is_err(), "{violation}, but {message:?}");
            }
            Error::Protocol(_) => {}
        }
        self.log(format!("{error}"));
    }

    /// The rest of the request, and its end comes again.
    fn read(&mut self, exchange: &mut Exchange, reading: &mut Reading) -> Result<Bytes, Error> {
        while self.piece(exchange, reading)?.is_some() {}
        assert!(exchange.body().is_done() && self.piece(exchange, reading)?.is_none());
        self.log(format!("body {}", reading.content.escape_ascii()));
        Ok(Bytes::copy_from_slice(&reading.content))
    }

    /// The next content. `None`: the end, which is where it stands in the stream.
    fn piece<W>(
        &mut self,
        exchange: &mut Exchange<W>,
        reading: &mut Reading,
    ) -> Result<Option<Bytes>, Error> {
        loop {
            let is_ready = exchange.body().ready();
            match exchange.body().event() {
                None => {
                    assert!(!is_ready);
                    self.transport.turn(exchange.io());
                    continue;
                }
                Some(BodyEvent::Data(data)) => {
                    assert!(!data.is_empty());
                    let data = if data.len() % 2 == 0 { data.take() } else { Bytes::copy_from_slice(&data) };
                    reading.content.extend_from_slice(&data);
                    return Ok(Some(data));
                }
                Some(BodyEvent::Trailers(fields)) => {
                    reading.trailers = fields.len();
                    let fields: Vec<_> =
                        fields.iter().map(|(n, v)| (n.to_owned(), v.escape_ascii().to_string())).collect();
                    self.log(format!("trailers {fields:?}"));
                }
                Some(BodyEvent::End) => {
                    let Reading { message, content, trailers } = reading;
                    assert_eq!(*content, message.content, "another body");
                    assert_eq!(*trailers, message.trailers, "other trailers");
                    assert_eq!(Ok(self.transport.consumed(&exchange.io())), message.end, "another end");
                    return Ok(None);
                }
                Some(BodyEvent::Failed(error)) => {
                    let error = error.clone();
                    // An error is for good.
                    assert!(
                        matches!(exchange.body().event(), Some(BodyEvent::Failed(again)) if *again == error)
                    );
                    return Err(error);
                }
            }
            assert!(is_ready);
        }
    }

    /// Full duplex, in pieces of one size, so that the output does not depend on how the input was cut.
    fn echo(
        &mut self,
        letter: u8,
        mut exchange: Exchange<Streaming>,
        mut reading: Reading,
    ) -> Option<ServerConnection> {
        let (mut gathered, mut echoed) = (Vec::new(), Vec::new());
        loop {
            match self.piece(&mut exchange, &mut reading) {
                Ok(Some(piece)) if letter == b'e' => {
                    gathered.extend_from_slice(&piece);
                    echoed.extend_from_slice(&piece);
                    while gathered.len() >= 7 {
                        self.write(&mut exchange, gathered.drain(..7).collect());
                    }
                }
                Ok(None) if letter == b'e' => break,
                Err(error) => {
                    self.body_failed(&error, &reading);
                    return self.abort(exchange);
                }
                Ok(_) if letter == b'a' => return self.abort(exchange),
                // Finished before the request is: the rest is drained.
                Ok(_) => break,
            }
        }
        self.write(&mut exchange, gathered.into());
        self.finish(exchange, &echoed, Some(&FieldSection::new().with(Field::from_static("sum", "0"))))
    }

    fn of_length(&mut self, letter: u8, mut exchange: Exchange<Streaming>) -> Option<ServerConnection> {
        let remaining = exchange.writer().remaining();
        self.write(&mut exchange, Bytes::from_static(b"hello"));
        if letter == b'o' && remaining.is_some() {
            let data = Bytes::from_static(b"too much");
            assert_eq!(exchange.writer().write(data.clone()), Err(NotWritten::Overrun(data)));
        }
        if letter != b's' {
            self.write(&mut exchange, Bytes::from_static(b" world!"));
        }
        self.finish(exchange, if letter == b's' { b"hello" } else { b"hello world!" }, None)
    }

    fn finish(
        &mut self,
        exchange: Exchange<Streaming>,
        body: &[u8],
        trailers: Option<&FieldSection>,
    ) -> Option<ServerConnection> {
        match exchange.finish(trailers) {
            Ok(answered) => {
                self.answers.whole(body);
                self.after(answered)
            }
            Err(short) => self.abort(short),
        }
    }

    /// What is queued goes out first, since a reset leaves it behind.
    fn abort(&mut self, mut exchange: Exchange<Streaming>) -> Option<ServerConnection> {
        self.transport.flush(&mut exchange.io());
        self.answers.cut();
        self.close(exchange.abort());
        None
    }

    fn write(&mut self, exchange: &mut Exchange<Streaming>, mut data: Bytes) {
        loop {
            let before = exchange.io().queued();
            match exchange.writer().write(data) {
                Ok(()) => {
                    let queued = exchange.io().queued();
                    return assert!(queued <= self.bound.max(before), "more is queued than the bound");
                }
                Err(NotWritten::Full(back)) => {
                    assert!(before > 0 && exchange.io().queued() == before);
                    self.transport.flush(&mut exchange.io());
                    data = back;
                }
                Err(NotWritten::Overrun(_)) => unreachable!("within the length"),
            }
        }
    }

    fn after(&mut self, answered: Exchange<Answered>) -> Option<ServerConnection> {
        let is_last = answered.is_last();
        match answered.next() {
            After::Again(server) => {
                assert!(!is_last);
                Some(server)
            }
            After::Closing(closing) => {
                assert!(is_last);
                self.close(closing);
                None
            }
        }
    }

    /// What is queued goes out, and nothing is written behind it.
    fn close(&mut self, mut closing: Closing) {
        self.log(format!("{:?}", closing.ended()));
        let mut all = None;
        let ended = loop {
            closing = match closing.poll() {
                Ending::Wait(closing) => closing,
                Ending::EndWrite(mut closing) => {
                    assert_eq!(
                        (closing.io().queued(), all),
                        (0, None),
                        "the end of writing comes once, at the end"
                    );
                    all = Some(self.transport.sent.len());
                    closing
                }
                Ending::Done(ended) => break ended,
                Ending::Reset(ended) => {
                    self.log("reset");
                    break ended;
                }
            };
            assert_eq!(closing.io().unread(), 0, "lingering holds bytes");
            self.transport.turn(closing.io());
        };
        assert!(
            all.is_none_or(|all| all == self.transport.sent.len()),
            "something is written behind the end"
        );
        self.log(format!("{ended:?}"));
    }
}
