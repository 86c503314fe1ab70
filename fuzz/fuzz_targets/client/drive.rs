//! A driver and its application: plays one connection and logs all that was understood of the first exchange.

use bytes::Bytes;
use endwell_core::http::client::{
    Again, Call, CallEvent, ClientConnection, Failure, Handshake, Opening, Sent,
};
use endwell_core::http::{Connect, Framing, Method, Reading, Request, Upgrade};
use endwell_core::ws::Socket;
use endwell_core::ws::{self, Masks, Offer};
use endwell_core::{Arrived, Ending, Error, OutboxLimits, Upgraded};
use endwell_fuzz::framing::{self, Broken, Kind, Message, Trust};
use endwell_fuzz::{Arrival, Transport};

use crate::plan::Plan;
use crate::sending::Sending;

/// What was understood of the first exchange, and what was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    pub log: Vec<String>,
    pub written: Vec<u8>,
    /// What came of the body.
    pub content: Vec<u8>,
    /// The last line of the log says why the response failed, and this is what had come of its body.
    pub failed: Option<Vec<u8>>,
}

pub fn run(plan: &Plan<'_>, arrival: Arrival) -> Heard {
    let transport = Transport::new(&plan.peer, arrival, plan.received());
    let strict = plan.limits.reading == Reading::Strict;
    let mut driver = Driver { transport, strict, at: 0, asked: vec![], heard: Heard::default() };
    let mut client = ClientConnection::new(plan.limits.clone().into(), OutboxLimits::default());
    let mut first = None;
    for letter in plan.requests {
        let Ok(open) = client.poll() else { break };
        let next = driver.exchange(open, *letter);
        driver.heard.written.clone_from(&driver.transport.sent);
        // Whether another request can follow depends on whether bytes behind the response have come.
        first.get_or_insert_with(|| driver.heard.clone());
        match next {
            Some(next) => client = next,
            None => break,
        }
    }
    driver.check_requests();
    first.unwrap_or_default()
}

struct Driver<'a> {
    transport: Transport<'a>,
    strict: bool,
    /// Where the next head stands in the stream.
    at: usize,
    /// The contents of the requests that were written to their end.
    asked: Vec<Vec<u8>>,
    heard: Heard,
}

impl Driver<'_> {
    fn log(&mut self, line: impl Into<String>) {
        self.heard.log.push(line.into());
    }

    fn exchange(&mut self, client: ClientConnection, letter: u8) -> Option<ClientConnection> {
        let get = Request::new(Method::Get, "a", "/").unwrap().with_trailers();
        let post = Request::new(Method::Post, "a", "/").unwrap();
        let (length, chunked) = (Framing::Length(6), Framing::Chunked);
        let sending = match letter {
            b'p' => {
                self.asked.push(b"abcdef".to_vec());
                Sending::Sent(client.send(&post, "abcdef".into()))
            }
            b'k' => self.body(Sending::Streaming(client.start(&post, length))),
            b'c' => self.body(Sending::Streaming(client.start(&post, chunked))),
            b's' | b'a' => {
                let mut call = client.start(&post, length);
                call.writer().write("abc".into()).unwrap();
                Sending::Streaming(call.finish(None).expect_err("it is short"))
            }
            b'e' => Sending::Withheld(client.ask(&post, length)),
            b'f' => Sending::Withheld(client.ask(&post, chunked)),
            b't' => return self.tunnel(client),
            b'w' => return self.upgrade(client),
            b'u' => return self.switch(client, get),
            _ => {
                let head = match letter {
                    b'h' => Request::new(Method::Head, "a", "/").unwrap(),
                    b'l' => get.last(),
                    _ => get,
                };
                self.asked.push(vec![]);
                Sending::Sent(client.send(&head, Bytes::new()))
            }
        };
        self.response(sending, letter, letter == b'h')
    }

    /// Writes a body to its end.
    fn body(&mut self, sending: Sending) -> Sending {
        let Sending::Streaming(mut call) = sending else { panic!("no body to write") };
        call.writer().write("abc".into()).unwrap();
        call.writer().write("def".into()).unwrap();
        self.asked.push(b"abcdef".to_vec());
        Sending::Sent(call.finish(None).expect("it is whole"))
    }

    /// The response, and what the connection becomes.
    fn response(&mut self, mut sending: Sending, letter: u8, to_head: bool) -> Option<ClientConnection> {
        self.transport.flush(&mut sending.io());
        self.transport.begin();
        let kind = Kind::Response { to_head };
        let (mut content, mut trailers) = (Vec::new(), 0);
        let mut message: Option<Message> = None;
        loop {
            let is_ready = sending.answer().ready();
            let Some(event) = sending.answer().event() else {
                assert!(!is_ready);
                if let (Sending::Streaming(_), true) = (&sending, self.transport.is_silent()) {
                    match self.transport.nothing(&mut sending.io()) {
                        // It is the application that does not go on.
                        Arrived::Nothing(None) => return self.abort(sending),
                        Arrived::Nothing(Some(_)) => {}
                        Arrived::Something | Arrived::Full | Arrived::Cut => continue,
                    }
                }
                self.transport.turn(sending.io());
                continue;
            };
            assert!(is_ready);
            match event {
                CallEvent::Continue => {
                    let Sending::Withheld(call) = sending else { panic!("told twice to continue") };
                    sending = self.body(Sending::Streaming(call.proceed()));
                    // A 100 has been read, or nothing was.
                    self.at = self.transport.consumed(&sending.io());
                    self.log("continue");
                    self.transport.flush(&mut sending.io());
                    self.transport.begin();
                }
                CallEvent::Interim(head) => {
                    let line = format!("{} {:?}", head.status(), head.fields());
                    let text = head.as_bytes().to_vec();
                    self.log(line);
                    self.head(&text, kind, self.transport.consumed(&sending.io()));
                    self.transport.begin();
                }
                CallEvent::Head(head) => {
                    let line = format!("{head:?} {:?}", head.reason().escape_ascii().to_string());
                    let text = head.as_bytes().to_vec();
                    self.log(format!("{line} {}", sending.is_last()));
                    if letter == b'a' {
                        return self.abort(sending);
                    }
                    let found = self.head(&text, kind, self.transport.consumed(&sending.io()));
                    assert!(found.trust < Trust::Last || sending.is_last(), "{found:?} and goes on");
                    message = Some(found);
                    self.transport.begin();
                }
                CallEvent::Data(data) => {
                    assert!(!data.is_empty());
                    content.extend_from_slice(&data);
                }
                CallEvent::Trailers(fields) => {
                    trailers = fields.len();
                    let line = format!("trailers {fields:?}");
                    self.log(line);
                }
                CallEvent::End => break,
                CallEvent::Failed(failure) => {
                    let again = sending.answer().event();
                    assert!(matches!(again, Some(CallEvent::Failed(again)) if again == failure));
                    self.failed(&failure, content, message, kind);
                    return None;
                }
            }
        }
        let until_close = sending.is_until_close();
        assert!(sending.answer().is_done() && matches!(sending.answer().event(), Some(CallEvent::End)));
        self.log(format!("{} until close: {until_close}", content.escape_ascii()));
        let message = message.expect("a head before the end");
        assert_eq!(content, message.content, "another body");
        assert_eq!(trailers, message.trailers, "other trailers");
        self.at = self.transport.consumed(&sending.io());
        assert_eq!(Ok(self.at), message.end, "another end");
        self.heard.content = content;
        let is_last = sending.is_last();
        let Sending::Sent(call) = sending else { return None };
        match call.next() {
            Again::Client(mut client) => {
                assert!(!is_last && client.io().unread() == 0);
                Some(client)
            }
            Again::Unread(call) => panic!("{call:?} was read to its end"),
            Again::Closed(_) => None,
        }
    }

    /// The head stands in the stream where the last one or the last body ended, and another reader understands it.
    fn head(&mut self, text: &[u8], kind: Kind, consumed: usize) -> Message {
        let stream = self.transport.stream();
        let end = self.at + text.len();
        assert_eq!(stream.get(self.at..end), Some(text), "a head that does not stand at {}", self.at);
        assert_eq!(end, consumed);
        let message = framing::message(stream, self.at, kind, self.strict);
        let message =
            message.unwrap_or_else(|broken| panic!("{} is taken and {broken:?}", text.escape_ascii()));
        assert_eq!(message.body, end, "a head that ends elsewhere");
        assert!(!self.strict || text[9] == b'1' || message.trust == Trust::Sound, "{message:?}");
        self.at = end;
        message
    }

    /// What came before the failure stands in the stream, and a fault of the framing is one.
    fn failed(&mut self, failure: &Failure, content: Vec<u8>, message: Option<Message>, kind: Kind) {
        let started = message.is_some();
        let message = match message {
            Some(message) => Ok(message),
            None => framing::message(self.transport.stream(), self.at, kind, self.strict),
        };
        if let Ok(message) = &message {
            assert!(message.content.starts_with(&content), "{failure} behind another body");
        }
        match failure {
            Failure::Error(Error::Limit(exceeded)) => self.transport.was_due(exceeded),
            Failure::Error(Error::Protocol(violation)) if framing::is_about_framing(violation.section()) => {
                let may_fail = message.as_ref().map_or(true, |message| match message.end {
                    Err(_) if started => true,
                    Ok(_) if started => false,
                    _ => message.trust > Trust::Sound,
                });
                assert!(may_fail, "{violation}, but {message:?}");
            }
            Failure::Unanswered => assert_eq!(message.err(), Some(Broken::Truncated)),
            Failure::Error(Error::Protocol(_)) => {}
        }
        let line =
            if started { format!("{} then {failure}", content.escape_ascii()) } else { failure.to_string() };
        self.log(line);
        self.heard.content.clone_from(&content);
        self.heard.failed = Some(content);
    }

    /// The connection is reset in the middle of the request.
    fn abort(&mut self, sending: Sending) -> Option<ClientConnection> {
        let Sending::Streaming(call) = sending else { panic!("nothing to abort") };
        match call.abort().poll() {
            Ending::Reset(ended) => self.log(format!("{ended}")),
            other => panic!("{other:?}"),
        }
        None
    }

    fn tunnel(&mut self, client: ClientConnection) -> Option<ClientConnection> {
        let handshake = client.tunnel(&Connect::new("a:1").unwrap());
        let (line, upgraded) = match self.handshake::<Upgraded>(handshake) {
            Ok(granted) => granted,
            Err(next) => return next,
        };
        let (received, queued) = upgraded.into_parts();
        assert!(queued.is_empty());
        self.log(format!(
            "{line}, then {}",
            [received.as_ref(), self.transport.rest()].concat().escape_ascii()
        ));
        None
    }

    fn upgrade(&mut self, client: ClientConnection) -> Option<ClientConnection> {
        // The example of RFC 6455 1.3.
        let limits = ws::SocketLimits::default().into();
        let offer = Offer::new("a", "/", *b"the sample nonce", limits).unwrap().subprotocol("b").unwrap();
        let handshake = client.websocket(offer, Masks::new(|| [1, 2, 3, 4]));
        let (line, mut socket) = match self.handshake::<Socket>(handshake) {
            Ok(granted) => granted,
            Err(next) => return next,
        };
        let behind = self.transport.consumed(&socket.io());
        self.granted(behind, &["\nupgrade:", "websocket", "\nconnection:", "s3pplmbitxaq9kygzzhzrbk+xoo="]);
        let behind = &self.transport.stream()[behind..];
        self.log(format!("{line} {:?}, then {}", socket.subprotocol(), behind.escape_ascii()));
        None
    }

    fn switch(&mut self, client: ClientConnection, head: Request) -> Option<ClientConnection> {
        let handshake = client.switch(Upgrade::new(head, "echo/1").unwrap(), bytes::Bytes::new());
        let (line, mut upgraded) = match self.handshake::<Upgraded>(handshake) {
            Ok(granted) => granted,
            Err(next) => return next,
        };
        let behind = self.transport.consumed(&upgraded.io());
        self.granted(behind, &["http/1.1 101", "\nupgrade:", "echo/1", "\nconnection:"]);
        let (received, _) = upgraded.into_parts();
        let rest = self.transport.rest();
        assert_eq!([received.as_ref(), rest].concat(), self.transport.stream()[behind..]);
        self.log(format!("{line}, then {}", self.transport.stream()[behind..].escape_ascii()));
        None
    }

    /// The stream before `behind` grants the other protocol.
    fn granted(&self, behind: usize, needed: &[&str]) {
        let text = self.transport.stream()[..behind].to_ascii_lowercase();
        for needed in needed {
            assert!(
                text.windows(needed.len()).any(|window| window == needed.as_bytes()),
                "granted without {needed}"
            );
        }
    }

    /// What was granted. A refusal is read as any response.
    fn handshake<T>(&mut self, mut handshake: Handshake<T>) -> Result<(String, T), Option<ClientConnection>> {
        self.asked.push(vec![]);
        self.transport.flush(&mut handshake.io());
        self.transport.begin();
        loop {
            match handshake.poll() {
                Opening::Wait(waiting) => {
                    handshake = waiting;
                    self.transport.turn(handshake.io());
                }
                Opening::Open(head, granted) => return Ok((format!("{head:?}"), granted)),
                Opening::Refused(call) => return Err(self.refused(call)),
                Opening::Failed(failure) => {
                    if let Failure::Error(Error::Limit(exceeded)) = &failure {
                        self.transport.was_due(exceeded);
                    }
                    self.log(format!("{failure}"));
                    self.heard.failed = Some(Vec::new());
                    return Err(None);
                }
            }
        }
    }

    fn refused(&mut self, mut call: Call<Sent>) -> Option<ClientConnection> {
        let head = call.head().expect("a final head").as_bytes().len();
        // Interim responses were skipped.
        self.at = self.transport.consumed(&call.io()) - head;
        self.response(Sending::Sent(call), b'g', false)
    }

    /// Each request that was written to its end stands in the output, as another reader understands it.
    fn check_requests(&self) {
        let mut at = 0;
        for content in &self.asked {
            let message = framing::message(&self.transport.sent, at, Kind::Request, true);
            let message = message.expect("a request that can be read");
            assert!(message.trust == Trust::Sound && message.content == *content, "{message:?}");
            at = message.end.expect("a whole request");
        }
    }
}
