//! A driver and its application: plays one connection and logs all that was understood of the first exchange.

use bytes::{Buf, Bytes};
use endwell_core::http::client::{
    Body, Client, Failure, Finished, Next, Received, Response, Tunnelled, Withheld,
};
use endwell_core::http::{ConnectHead, Event, Framing, Method, RequestHead};
use endwell_core::ws::{self, Masks, Offer, Opening};
use endwell_core::{Error, Inbox, Outbox, Step};
use endwell_fuzz::{Arrival, Feed};

use crate::plan::Plan;

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
    let feed = Feed::new(&plan.peer, arrival);
    let stream = plan.peer.stream;
    let mut driver = Driver { feed, stream, out: Outbox::default(), heard: Heard::default() };
    let mut client = Client::new(plan.limits.clone().into());
    let mut first = None;
    for letter in plan.requests {
        let Step::Wait(open) = client.poll() else { break };
        let next = driver.exchange(open, *letter);
        // Whether another request can follow depends on whether bytes behind the response have come.
        first.get_or_insert_with(|| driver.heard.clone());
        match next {
            Some(next) => client = next,
            None => break,
        }
    }
    first.unwrap_or_default()
}

struct Driver<'a> {
    feed: Feed<'a>,
    stream: &'a [u8],
    out: Outbox,
    heard: Heard,
}

/// How far the request is.
enum Sending {
    Withheld(Withheld),
    Finished(Finished),
    Cut,
}

impl Driver<'_> {
    fn log(&mut self, line: impl Into<String>) {
        self.heard.log.push(line.into());
    }

    fn flush(&mut self) {
        let bytes = self.out.copy_to_bytes(self.out.len());
        self.heard.written.extend_from_slice(&bytes);
    }

    fn exchange(&mut self, client: Client, letter: u8) -> Option<Client> {
        let get = RequestHead::new(Method::Get, "a", "/").unwrap().with_trailers();
        let post = RequestHead::new(Method::Post, "a", "/").unwrap();
        let length = Framing::Length(6);
        let out = &mut self.out;
        let (sending, response) = match letter {
            b'p' => {
                let (sent, response) = client.send(&post, "abcdef".into(), out);
                (Sending::Finished(sent), response)
            }
            b'k' | b's' | b'a' | b'c' => {
                let framing = if letter == b'c' { Framing::Chunked } else { length };
                let (body, response) = client.request(&post, framing, out);
                (self.body(body, letter), response)
            }
            b'e' | b'f' => {
                let framing = if letter == b'f' { Framing::Chunked } else { length };
                let (body, response) = client.request_expecting(&post, framing, out);
                (Sending::Withheld(body), response)
            }
            b't' => return self.tunnel(client),
            b'w' => return self.upgrade(client),
            _ => {
                let head = match letter {
                    b'h' => RequestHead::new(Method::Head, "a", "/").unwrap(),
                    b'l' => get.last(),
                    _ => get,
                };
                let (sent, response) = client.send(&head, Bytes::new(), out);
                (Sending::Finished(sent), response)
            }
        };
        self.response(sending, response)
    }

    fn body(&mut self, mut body: Body, letter: u8) -> Sending {
        body.write("abc".into(), &mut self.out).unwrap();
        if letter == b'a' {
            let _aborted = body.abort();
            return Sending::Cut;
        }
        if letter != b's' {
            body.write("def".into(), &mut self.out).unwrap();
        }
        match body.finish(None, &mut self.out) {
            Ok(sent) => Sending::Finished(sent),
            Err(_aborted) => Sending::Cut,
        }
    }

    fn response(&mut self, mut sending: Sending, mut response: Response) -> Option<Client> {
        self.flush();
        self.feed.begin();
        let mut at = self.at(response.inbox());
        loop {
            match response.poll() {
                Ok(Step::Wait(waiting)) => {
                    response = waiting;
                    let deadline = response.deadline();
                    self.feed.next(response.inbox(), deadline);
                }
                Ok(Step::Done(Next::Continue(told, waiting))) => {
                    response = waiting;
                    sending = match sending {
                        Sending::Withheld(body) => self.body(body.proceed(told), b'k'),
                        _ => panic!("told twice to continue"),
                    };
                    // A 100 has been read, or nothing was.
                    at = self.at(response.inbox());
                    self.log("continue");
                    self.flush();
                    self.feed.begin();
                }
                Ok(Step::Done(Next::Interim(head, waiting))) => {
                    response = waiting;
                    at = self.stands(at, head.as_bytes());
                    assert_eq!(at, self.at(response.inbox()));
                    self.log(format!("{} {:?}", head.status(), head.fields()));
                    self.feed.begin();
                }
                Ok(Step::Done(Next::Final(received))) => {
                    self.stands(at, received.head.as_bytes());
                    return self.received(received, sending);
                }
                Err(failure) => {
                    self.failed(&failure);
                    return None;
                }
            }
        }
    }

    /// How much of the stream is understood.
    fn at(&self, inbox: &Inbox) -> usize {
        self.feed.position() - inbox.len()
    }

    /// The head is what stands there in the stream. Where it ends.
    fn stands(&self, at: usize, head: &[u8]) -> usize {
        let end = at + head.len();
        assert_eq!(self.stream.get(at..end), Some(head), "a head that does not stand at {at}");
        end
    }

    fn failed(&mut self, failure: &Failure) {
        if let Failure::Error(Error::Limit(exceeded)) = failure {
            self.feed.was_due(exceeded);
        }
        self.log(format!("{failure}"));
        self.heard.failed = Some(Vec::new());
    }

    fn received(&mut self, received: Received, sending: Sending) -> Option<Client> {
        let Received { head, mut body } = received;
        self.log(format!("{head:?} {:?} {}", head.reason().escape_ascii().to_string(), body.is_last()));
        let announced = body.remaining();
        let until_close = body.is_until_close();
        let start = self.at(body.inbox());
        let mut content = Vec::new();
        self.feed.begin();
        loop {
            match body.poll() {
                Ok(None) => {
                    let deadline = body.deadline();
                    self.feed.next(body.inbox(), deadline);
                }
                Ok(Some(ready)) => match body.event(ready) {
                    Event::Data(data) => content.extend_from_slice(&data),
                    Event::Trailers(fields) => self.log(format!("trailers {fields:?}")),
                    Event::End => break,
                },
                Err(error) => {
                    assert_eq!(body.poll().unwrap_err(), error, "another error the second time");
                    self.log(format!("{} then {error}", content.escape_ascii()));
                    self.heard.content.clone_from(&content);
                    self.heard.failed = Some(content);
                    if let Error::Limit(exceeded) = error {
                        self.feed.was_due(&exceeded);
                    }
                    return None;
                }
            }
        }
        assert!(body.is_done() && body.poll().is_ok_and(|ready| ready.is_some()));
        self.log(format!("{} until close: {until_close}", content.escape_ascii()));
        let end = self.at(body.inbox());
        if let (Some(length), false) = (announced, until_close) {
            assert_eq!(content.len() as u64, length, "more or less than was announced");
            assert_eq!(&self.stream[start..end], content);
        }
        self.heard.content = content;
        let last = body.is_last();
        let Sending::Finished(sent) = sending else { return None };
        let next = body.after(sent);
        assert!(next.is_none() || (!last && end == self.feed.position()));
        next
    }

    fn tunnel(&mut self, client: Client) -> Option<Client> {
        let head = ConnectHead::new("a:1").unwrap();
        let mut tunnel = client.tunnel(&head, &mut self.out);
        self.flush();
        self.feed.begin();
        loop {
            match tunnel.poll() {
                Ok(Step::Wait(waiting)) => {
                    tunnel = waiting;
                    let deadline = tunnel.deadline();
                    self.feed.next(tunnel.inbox(), deadline);
                }
                Ok(Step::Done(Tunnelled::Open(head, upgraded))) => {
                    let behind = [upgraded.into_leftover().as_ref(), self.feed.rest()].concat();
                    assert!(head.status().is_success());
                    self.log(format!("{head:?}, then {}", behind.escape_ascii()));
                    return None;
                }
                Ok(Step::Done(Tunnelled::Refused(received, sent))) => {
                    assert!(!received.head.status().is_success());
                    return self.received(received, Sending::Finished(sent));
                }
                Err(failure) => {
                    self.failed(&failure);
                    return None;
                }
            }
        }
    }

    fn upgrade(&mut self, client: Client) -> Option<Client> {
        // The example of RFC 6455 1.3.
        let limits = ws::Limits::default().into();
        let offer = Offer::new("a", "/", *b"the sample nonce", limits).unwrap().subprotocol("b").unwrap();
        let mut handshake = client.upgrade(offer, Masks::new(|| [1, 2, 3, 4]), &mut self.out);
        self.flush();
        self.feed.begin();
        loop {
            match handshake.poll() {
                Ok(Step::Wait(waiting)) => {
                    handshake = waiting;
                    let deadline = handshake.deadline();
                    self.feed.next(handshake.inbox(), deadline);
                }
                Ok(Step::Done(Opening::Open(mut socket, head))) => {
                    let text = head.as_bytes().to_ascii_lowercase();
                    for needed in
                        [&b"\nupgrade:"[..], b"websocket", b"\nconnection:", b"s3pplmbitxaq9kygzzhzrbk+xoo="]
                    {
                        assert!(text.windows(needed.len()).any(|window| window == needed), "no handshake");
                    }
                    let behind = [socket.recv.inbox().unread(), self.feed.rest()].concat();
                    let line = format!("{head:?} {:?}, then {}", socket.subprotocol, behind.escape_ascii());
                    self.log(line);
                    return None;
                }
                Ok(Step::Done(Opening::Refused(received, sent))) => {
                    return self.received(received, Sending::Finished(sent));
                }
                Err(failure) => {
                    self.failed(&failure);
                    return None;
                }
            }
        }
    }
}
