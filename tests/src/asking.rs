//! One client core on a virtual clock, with requests written down beforehand and no socket.

use bytes::{Buf, Bytes};
use core::time::Duration;
use endwell_core::http::client::{
    Body, Client, Finished, Next, Received, Response, ResponseBody, Tunnel, Tunnelled, Withheld,
};
use endwell_core::http::{
    ConnectHead, Event, FieldSection, Framing, Limits, Method, NotWritten, RequestHead, ResponseHead, Version,
};
use endwell_core::{Deadline, Inbox, Instant, Outbox, OutboxLimits, Step};
use std::collections::VecDeque;

use crate::record::{Lines, lines};

/// A request to send.
#[derive(Clone, Debug)]
pub enum Ask {
    /// With its body at hand.
    Whole(RequestHead, Vec<u8>),
    /// With its body in pieces.
    Pieces(RequestHead, Pieces),
    /// With its body in pieces, which the server must ask for.
    Expecting(RequestHead, Pieces),
    /// A tunnel.
    Tunnel(ConnectHead),
}

/// The body of a request.
#[derive(Clone, Debug)]
pub struct Pieces {
    /// Its framing.
    pub framing: Framing,
    /// Its content.
    pub pieces: VecDeque<Bytes>,
    /// Its trailers.
    pub trailers: FieldSection,
}

impl Pieces {
    /// Without trailers.
    pub fn new(framing: Framing, pieces: &[&[u8]]) -> Self {
        let pieces = pieces.iter().map(|piece| Bytes::copy_from_slice(piece)).collect();
        Self { framing, pieces, trailers: FieldSection::new() }
    }
}

impl Ask {
    /// Without content.
    pub fn with(method: Method<'_>) -> Self {
        Self::Whole(head(method), Vec::new())
    }

    /// GET.
    pub fn get() -> Self {
        Self::with(Method::Get)
    }
}

/// The head of a request to the host `h` for `/`.
pub fn head(method: Method<'_>) -> RequestHead {
    RequestHead::new(method, "h", "/").unwrap()
}

/// One thing that a client heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A request went out.
    Asked,
    /// The body that was withheld can go.
    Continue,
    /// An interim response.
    Interim(u16, Lines),
    /// The head of the final response: status, minor version, fields.
    Head(u16, u8, Lines),
    /// The whole content of a response, and whether only the close ended it.
    Content(Vec<u8>, Until),
    /// A trailer section.
    Trailers(Lines),
    /// A body that failed: what came of it, and the error in words.
    BodyFailed(Vec<u8>, String),
    /// No head came: the error in words.
    Failed(String),
    /// A tunnel is open, and this came behind the head.
    Open(Vec<u8>),
}

/// What ended a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// It was known where it ends.
    End,
    /// The end of the stream.
    Close,
}

/// A client's connection: feed it, let time pass, take its output.
pub struct Asking {
    state: State,
    asks: VecDeque<Ask>,
    out: Outbox,
    now: Instant,
    notes: Vec<Note>,
}

enum State {
    Idle(Client),
    Waiting(Response, Sending),
    Reading(ResponseBody, Sending, Vec<u8>, Until),
    /// The response is whole, and the request is not yet.
    Sending(ResponseBody, Sending),
    Tunnel(Tunnel),
    Over,
}

enum Sending {
    Withheld(Withheld, Pieces),
    Pieces(Body, Pieces),
    Finished(Finished),
    /// The body failed, or was not wanted.
    Cut,
}

impl Asking {
    /// A new connection with default limits.
    pub fn new(asks: &[Ask]) -> Self {
        Self::with(Limits::default(), OutboxLimits::default(), asks)
    }

    /// A new connection. The first request goes out at once.
    pub fn with(limits: Limits, outbox: OutboxLimits, asks: &[Ask]) -> Self {
        let mut asking = Self {
            state: State::Idle(Client::new(limits.into())),
            asks: asks.iter().cloned().collect(),
            out: Outbox::new(outbox),
            now: Instant::default(),
            notes: Vec::new(),
        };
        asking.run();
        asking
    }

    /// Bytes arrive, and are all taken.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        if let Some(Note::Open(behind)) = self.notes.last_mut() {
            behind.extend_from_slice(bytes);
            return;
        }
        while let Some(inbox) = self.inbox().filter(|_| !bytes.is_empty()) {
            let taken = inbox.feed(bytes);
            bytes = &bytes[taken..];
            self.run();
            assert!(
                taken > 0 || matches!(self.state, State::Over | State::Idle(_)),
                "a state leaves no room"
            );
            if taken == 0 {
                break;
            }
        }
    }

    /// The server ends its stream.
    pub fn end(&mut self) {
        if let Some(inbox) = self.inbox() {
            inbox.end();
        }
        self.run();
    }

    /// So much time passes, and then a read finds nothing.
    pub fn silence(&mut self, time: Duration) {
        self.now = self.now.saturating_add(time);
        let now = self.now;
        if let Some(inbox) = self.inbox() {
            inbox.dry(now);
        }
        self.run();
    }

    /// So much time passes unseen: nobody reads, writes or polls.
    pub fn sleep(&mut self, time: Duration) {
        self.now = self.now.saturating_add(time);
    }

    /// The application does something else than to wait for the server.
    pub fn pause(&mut self) {
        match &mut self.state {
            State::Waiting(response, _) => response.pause(),
            State::Reading(body, ..) | State::Sending(body, _) => body.pause(self.now),
            State::Tunnel(tunnel) => tunnel.pause(),
            State::Idle(_) | State::Over => {}
        }
    }

    /// The transport takes up to `max` bytes of the output.
    pub fn take(&mut self, max: usize) -> Vec<u8> {
        let len = self.out.len().min(max);
        let taken = self.out.copy_to_bytes(len).to_vec();
        self.run();
        taken
    }

    /// When to look again though nothing happens.
    pub fn deadline(&self) -> Option<Deadline> {
        match &self.state {
            State::Idle(client) => client.deadline(),
            State::Waiting(response, _) => response.deadline(),
            State::Reading(body, ..) => body.deadline(),
            State::Tunnel(tunnel) => tunnel.deadline(),
            State::Sending(..) | State::Over => None,
        }
    }

    /// The virtual time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// What happened until now.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Whether another request could be sent now.
    pub fn is_kept(&self) -> bool {
        matches!(self.state, State::Idle(_))
    }

    /// Whether the connection is gone.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Whether no byte of the response that is waited for has come.
    pub fn is_untouched(&self) -> bool {
        matches!(&self.state, State::Waiting(response, _) if response.is_untouched())
    }

    fn inbox(&mut self) -> Option<&mut Inbox> {
        match &mut self.state {
            State::Idle(client) => Some(client.inbox()),
            State::Waiting(response, _) => Some(response.inbox()),
            State::Reading(body, ..) | State::Sending(body, _) => Some(body.inbox()),
            State::Tunnel(tunnel) => Some(tunnel.inbox()),
            State::Over => None,
        }
    }

    fn run(&mut self) {
        loop {
            let (state, again) = match core::mem::replace(&mut self.state, State::Over) {
                State::Idle(client) => self.idle(client),
                State::Waiting(response, sending) => self.waiting(response, sending),
                State::Reading(body, sending, content, until) => self.reading(body, sending, content, until),
                State::Sending(body, sending) => self.sending(body, sending),
                State::Tunnel(tunnel) => self.tunnel(tunnel),
                State::Over => (State::Over, false),
            };
            self.state = state;
            if !again {
                return;
            }
        }
    }

    fn idle(&mut self, client: Client) -> (State, bool) {
        let client = match client.poll() {
            Step::Wait(client) => client,
            Step::Done(_) => return (State::Over, false),
        };
        let Some(ask) = self.asks.pop_front() else { return (State::Idle(client), false) };
        self.notes.push(Note::Asked);
        let state = match ask {
            Ask::Whole(head, content) => {
                let (sent, response) = client.send(&head, content.into(), &mut self.out);
                State::Waiting(response, Sending::Finished(sent))
            }
            Ask::Pieces(head, pieces) => {
                let (body, response) = client.request(&head, pieces.framing, &mut self.out);
                State::Waiting(response, Sending::Pieces(body, pieces))
            }
            Ask::Expecting(head, pieces) => {
                let (body, response) = client.request_expecting(&head, pieces.framing, &mut self.out);
                State::Waiting(response, Sending::Withheld(body, pieces))
            }
            Ask::Tunnel(head) => State::Tunnel(client.tunnel(&head, &mut self.out)),
        };
        (state, true)
    }

    /// Writes what there is room for.
    fn write(&mut self, sending: Sending) -> Sending {
        let Sending::Pieces(mut body, mut left) = sending else { return sending };
        while let Some(mut piece) = left.pieces.pop_front() {
            // As much as there is room for, so that a piece of any size goes.
            let rest = piece.split_off(piece.len().min(body.room(&self.out)));
            let waits = !rest.is_empty();
            if waits {
                left.pieces.push_front(rest);
            }
            match body.write(piece, &mut self.out) {
                Ok(()) if waits => return Sending::Pieces(body, left),
                Ok(()) => {}
                Err(NotWritten::Full(piece)) => panic!("{} bytes were promised room", piece.len()),
                Err(NotWritten::Overrun(_)) => {
                    let _aborted = body.abort();
                    return Sending::Cut;
                }
            }
        }
        match body.finish(Some(&left.trailers), &mut self.out) {
            Ok(sent) => Sending::Finished(sent),
            Err(_aborted) => Sending::Cut,
        }
    }

    fn waiting(&mut self, response: Response, sending: Sending) -> (State, bool) {
        let sending = self.write(sending);
        match response.poll() {
            Ok(Step::Wait(mut response)) => {
                assert!(response.inbox().is_empty() || !response.inbox().room().is_empty(), "no room");
                (State::Waiting(response, sending), false)
            }
            Ok(Step::Done(Next::Continue(told, response))) => {
                self.notes.push(Note::Continue);
                let sending = match sending {
                    Sending::Withheld(body, pieces) => Sending::Pieces(body.proceed(told), pieces),
                    other => other,
                };
                (State::Waiting(response, sending), true)
            }
            Ok(Step::Done(Next::Interim(head, response))) => {
                self.notes.push(Note::Interim(head.status(), lines(head.fields())));
                (State::Waiting(response, sending), true)
            }
            Ok(Step::Done(Next::Final(received))) => (self.read(received, sending), true),
            Err(failure) => {
                self.notes.push(Note::Failed(failure.to_string()));
                (State::Over, false)
            }
        }
    }

    fn read(&mut self, received: Received, sending: Sending) -> State {
        self.note(&received.head);
        let until = if received.body.is_until_close() { Until::Close } else { Until::End };
        State::Reading(received.body, sending, Vec::new(), until)
    }

    fn note(&mut self, head: &ResponseHead) {
        let minor = u8::from(head.version() == Version::Http11);
        self.notes.push(Note::Head(head.status().code(), minor, lines(head.fields())));
    }

    fn reading(
        &mut self,
        mut body: ResponseBody,
        sending: Sending,
        mut content: Vec<u8>,
        until: Until,
    ) -> (State, bool) {
        let sending = self.write(sending);
        loop {
            match body.poll() {
                Ok(None) => {
                    assert!(!body.inbox().room().is_empty(), "waits without room");
                    return (State::Reading(body, sending, content, until), false);
                }
                Ok(Some(ready)) => match body.event(ready) {
                    Event::Data(data) => content.extend_from_slice(&data),
                    Event::Trailers(fields) => self.notes.push(Note::Trailers(lines(&fields))),
                    Event::End => {
                        assert!(body.is_done());
                        self.notes.push(Note::Content(content, until));
                        return (State::Sending(body, sending), true);
                    }
                },
                Err(error) => {
                    assert_eq!(body.poll().unwrap_err(), error, "the same error comes again");
                    self.notes.push(Note::BodyFailed(content, error.to_string()));
                    return (State::Over, false);
                }
            }
        }
    }

    fn sending(&mut self, body: ResponseBody, sending: Sending) -> (State, bool) {
        match self.write(sending) {
            Sending::Finished(sent) => {
                let last = body.is_last();
                match body.after(sent) {
                    Some(_) if last => panic!("the last response has a next request"),
                    Some(client) => (State::Idle(client), true),
                    None => (State::Over, false),
                }
            }
            Sending::Cut | Sending::Withheld(..) => (State::Over, false),
            Sending::Pieces(..) if body.is_last() => (State::Over, false),
            pieces @ Sending::Pieces(..) => (State::Sending(body, pieces), false),
        }
    }

    fn tunnel(&mut self, tunnel: Tunnel) -> (State, bool) {
        match tunnel.poll() {
            Ok(Step::Wait(tunnel)) => (State::Tunnel(tunnel), false),
            Ok(Step::Done(Tunnelled::Open(head, upgraded))) => {
                self.note(&head);
                self.notes.push(Note::Open(upgraded.into_leftover().to_vec()));
                (State::Over, false)
            }
            Ok(Step::Done(Tunnelled::Refused(received, sent))) => {
                (self.read(received, Sending::Finished(sent)), true)
            }
            Err(failure) => {
                self.notes.push(Note::Failed(failure.to_string()));
                (State::Over, false)
            }
        }
    }
}
