//! One client core on a virtual clock, with requests written down beforehand and no socket.

use bytes::Bytes;
use core::convert::Infallible;
use core::time::Duration;
use endwell_core::http::client::{
    Again, Answer, Call, CallEvent, ClientConnection, GrantHead, Handshake, Opening, Sent, Withheld,
};
use endwell_core::http::{
    BodyWriter, Connect, FieldSection, Framing, HttpLimits, Method, NotWritten, Request, ResponseHead,
    Streaming, Upgrade, Version,
};
use endwell_core::{Arrived, Deadline, Instant, Io, Look, OutboxLimits, Upgraded, Wrote};
use std::collections::VecDeque;

use crate::record::{Lines, lines};

/// A request to send.
#[derive(Clone, Debug)]
pub enum Ask {
    /// With its body at hand.
    Whole(Request, Vec<u8>),
    /// With its body in pieces.
    Pieces(Request, Pieces),
    /// With its body in pieces, which the server must ask for.
    Expecting(Request, Pieces),
    /// A tunnel.
    Tunnel(Connect),
    /// Another protocol.
    Switch(Upgrade),
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
pub fn head(method: Method<'_>) -> Request {
    Request::new(method, "h", "/").unwrap()
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
    /// Another protocol has the connection, and this came behind the head.
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
    now: Instant,
    notes: Vec<Note>,
    /// What the transport took and nobody has looked at.
    out: Vec<u8>,
    deadline: Option<Deadline>,
}

enum State {
    Idle(ClientConnection),
    Calling(Sending, Received),
    Opening(Handshake<Upgraded>),
    Over,
}

/// How much of a request is written.
enum Sending {
    Withheld(Call<Withheld>, Pieces),
    Pieces(Call<Streaming>, Pieces),
    Sent(Call<Sent>),
    /// The body failed.
    Cut(Call<Streaming>),
}

/// How much of a response has come.
#[derive(Default)]
struct Received {
    content: Vec<u8>,
    is_until_close: bool,
    is_whole: bool,
}

impl Sending {
    fn io(&mut self) -> Io<'_> {
        match self {
            Self::Withheld(call, _) => call.io(),
            Self::Pieces(call, _) | Self::Cut(call) => call.io(),
            Self::Sent(call) => call.io(),
        }
    }

    fn answer(&mut self) -> Answer<'_> {
        match self {
            Self::Withheld(call, _) => call.answer(),
            Self::Pieces(call, _) | Self::Cut(call) => call.answer(),
            Self::Sent(call) => call.answer(),
        }
    }

    /// Whether it is the last response, and lasts until the close, and nothing of it has come.
    fn facts(&self) -> (bool, bool, bool) {
        fn of<W>(call: &Call<W>) -> (bool, bool, bool) {
            (call.is_last(), call.is_until_close(), call.is_untouched())
        }
        match self {
            Self::Withheld(call, _) => of(call),
            Self::Pieces(call, _) | Self::Cut(call) => of(call),
            Self::Sent(call) => of(call),
        }
    }
}

impl Asking {
    /// A new connection with default limits.
    pub fn new(asks: &[Ask]) -> Self {
        Self::with(HttpLimits::default(), OutboxLimits::default(), asks)
    }

    /// A new connection. The first request goes out at once.
    pub fn with(limits: HttpLimits, output: OutboxLimits, asks: &[Ask]) -> Self {
        let mut asking = Self {
            state: State::Idle(ClientConnection::new(limits.into(), output)),
            asks: asks.iter().cloned().collect(),
            now: Instant::default(),
            notes: Vec::new(),
            out: Vec::new(),
            deadline: None,
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
        let now = self.now;
        while !bytes.is_empty() {
            let Some(mut io) = self.io() else { return };
            let mut taken = 0;
            let Ok(_) = io.read(now, |room| {
                taken = room.len().min(bytes.len());
                room[..taken].copy_from_slice(&bytes[..taken]);
                Ok::<_, Infallible>(Look::Bytes(taken))
            });
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
        let now = self.now;
        if let Some(mut io) = self.io() {
            let Ok(_) = io.read(now, |_| Ok::<_, Infallible>(Look::End));
        }
        self.run();
    }

    /// So much time passes, what is queued is taken, and then a read finds nothing.
    pub fn silence(&mut self, time: Duration) {
        self.now = self.now.saturating_add(time);
        self.send(usize::MAX);
        self.run();
        loop {
            let now = self.now;
            let Some(mut io) = self.io() else { return };
            let Ok(arrived) = io.read(now, |_| Ok::<_, Infallible>(Look::Nothing));
            match arrived {
                Arrived::Nothing(deadline) => return self.deadline = deadline,
                Arrived::Full => return,
                Arrived::Something | Arrived::Cut => self.run(),
            }
        }
    }

    /// So much time passes unseen: nobody reads, writes or polls.
    pub fn sleep(&mut self, time: Duration) {
        self.now = self.now.saturating_add(time);
    }

    /// The application does something else than to wait for the server.
    pub fn pause(&mut self) {
        let now = self.now;
        if let Some(mut io) = self.io() {
            let Ok(_) = io.read_ahead(now, |_| Ok::<_, Infallible>(Look::Nothing));
        }
        self.deadline = None;
    }

    /// The transport takes up to `max` bytes of the output. What it has taken and was not looked at.
    pub fn take(&mut self, max: usize) -> Vec<u8> {
        self.send(max.saturating_sub(self.out.len()));
        let rest = self.out.split_off(self.out.len().min(max));
        let taken = core::mem::replace(&mut self.out, rest);
        self.run();
        taken
    }

    fn send(&mut self, max: usize) {
        let (now, mut out) = (self.now, core::mem::take(&mut self.out));
        let end = out.len().saturating_add(max);
        while let Some(mut io) = self.io().filter(|_| out.len() < end) {
            let Ok(wrote) = io.write(now, |chunks| {
                let chunk = chunks.next().unwrap_or_default();
                let chunk = &chunk[..chunk.len().min(end - out.len())];
                out.extend_from_slice(chunk);
                Ok::<_, Infallible>(Some(chunk.len()))
            });
            if wrote != Wrote::Something {
                break;
            }
        }
        self.out = out;
    }

    /// When to look again though nothing happens.
    pub fn deadline(&self) -> Option<Deadline> {
        self.deadline
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
        matches!(&self.state, State::Calling(sending, _) if sending.facts().2)
    }

    fn io(&mut self) -> Option<Io<'_>> {
        match &mut self.state {
            State::Idle(client) => Some(client.io()),
            State::Calling(sending, _) => Some(sending.io()),
            State::Opening(handshake) => Some(handshake.io()),
            State::Over => None,
        }
    }

    fn run(&mut self) {
        loop {
            let (state, again) = match core::mem::replace(&mut self.state, State::Over) {
                State::Idle(client) => self.idle(client),
                State::Calling(sending, received) => self.calling(sending, received),
                State::Opening(handshake) => self.opening(handshake),
                State::Over => (State::Over, false),
            };
            self.state = state;
            if !again {
                return;
            }
        }
    }

    fn idle(&mut self, client: ClientConnection) -> (State, bool) {
        let Ok(client) = client.poll() else { return (State::Over, false) };
        let Some(ask) = self.asks.pop_front() else { return (State::Idle(client), false) };
        self.notes.push(Note::Asked);
        self.deadline = None;
        let sending = match ask {
            Ask::Whole(head, content) => Sending::Sent(client.send(&head, content.into())),
            Ask::Pieces(head, pieces) => Sending::Pieces(client.start(&head, pieces.framing), pieces),
            Ask::Expecting(head, pieces) => Sending::Withheld(client.ask(&head, pieces.framing), pieces),
            Ask::Tunnel(head) => return (State::Opening(client.tunnel(&head)), true),
            Ask::Switch(head) => return (State::Opening(client.switch(head, Bytes::new())), true),
        };
        (State::Calling(sending, Received::default()), true)
    }

    fn calling(&mut self, mut sending: Sending, mut received: Received) -> (State, bool) {
        loop {
            sending = write(sending);
            match sending {
                Sending::Sent(call) if received.is_whole => return self.next(call, received),
                Sending::Withheld(..) | Sending::Cut(_) if received.is_whole => return self.over(sending),
                Sending::Pieces(..) if received.is_whole => {
                    let (is_last, ..) = sending.facts();
                    if is_last {
                        return self.over(sending);
                    }
                    return (State::Calling(sending, received), false);
                }
                _ => {}
            }
            assert_eq!(sending.answer().ready(), sending.answer().ready());
            let (_, is_until_close, _) = sending.facts();
            let mut proceeds = false;
            match sending.answer().event() {
                None => return (State::Calling(sending, received), false),
                Some(CallEvent::Continue) => {
                    self.notes.push(Note::Continue);
                    proceeds = true;
                }
                Some(CallEvent::Interim(head)) => {
                    self.notes.push(Note::Interim(head.status(), lines(head.fields())));
                }
                Some(CallEvent::Head(head)) => {
                    note(head, &mut self.notes);
                    received.is_until_close = is_until_close;
                }
                Some(CallEvent::Data(data)) => received.content.extend_from_slice(&data),
                Some(CallEvent::Trailers(fields)) => self.notes.push(Note::Trailers(lines(fields))),
                Some(CallEvent::End) => {
                    received.is_whole = true;
                    let until = if received.is_until_close { Until::Close } else { Until::End };
                    self.notes.push(Note::Content(core::mem::take(&mut received.content), until));
                }
                Some(CallEvent::Failed(failure)) => {
                    let text = failure.to_string();
                    let began = matches!(self.notes.last(), Some(Note::Head(..) | Note::Trailers(_)));
                    self.notes.push(if began {
                        Note::BodyFailed(core::mem::take(&mut received.content), text.clone())
                    } else {
                        Note::Failed(text.clone())
                    });
                    let Some(CallEvent::Failed(again)) = sending.answer().event() else { panic!("no end") };
                    assert_eq!(again.to_string(), text, "the same comes again");
                    return self.over(sending);
                }
            }
            if proceeds {
                sending = match sending {
                    Sending::Withheld(call, pieces) => Sending::Pieces(call.proceed(), pieces),
                    other => other,
                };
            }
        }
    }

    /// The connection is over. What is queued can still be looked at.
    fn over(&mut self, mut sending: Sending) -> (State, bool) {
        let out = &mut self.out;
        let Ok(_) = sending.io().write(self.now, |chunks| {
            out.extend(chunks.flatten());
            Ok::<_, Infallible>(None)
        });
        (State::Over, false)
    }

    fn next(&mut self, mut call: Call<Sent>, received: Received) -> (State, bool) {
        if call.io().queued() > 0 {
            // What is queued goes out, whatever comes of the connection.
            let out = &mut self.out;
            while let Ok(Wrote::Something) = call.io().write(self.now, |chunks| {
                let before = out.len();
                out.extend(chunks.flatten());
                Ok::<_, Infallible>(Some(out.len() - before))
            }) {}
        }
        let is_last = call.is_last();
        match call.next() {
            Again::Client(_) if is_last => panic!("the last response has a next request"),
            Again::Client(client) => (State::Idle(client), true),
            Again::Unread(_) => panic!("{} bytes are unread", received.content.len()),
            Again::Closed(_) => (State::Over, false),
        }
    }

    fn opening(&mut self, handshake: Handshake<Upgraded>) -> (State, bool) {
        match handshake.poll() {
            Opening::Wait(handshake) => (State::Opening(handshake), false),
            Opening::Open(head, upgraded) => {
                match head {
                    GrantHead::Success(head) => note(&head, &mut self.notes),
                    GrantHead::Switching(head) => {
                        self.notes.push(Note::Interim(head.status(), lines(head.fields())));
                    }
                }
                self.notes.push(Note::Open(upgraded.into_parts().0.to_vec()));
                (State::Over, false)
            }
            Opening::Refused(call) => (State::Calling(Sending::Sent(call), Received::default()), true),
            Opening::Failed(failure) => {
                self.notes.push(Note::Failed(failure.to_string()));
                (State::Over, false)
            }
        }
    }
}

fn note(head: &ResponseHead, notes: &mut Vec<Note>) {
    let minor = u8::from(head.version() == Version::Http11);
    notes.push(Note::Head(head.status().as_u16(), minor, lines(head.fields())));
}

/// Writes what there is room for.
fn write(sending: Sending) -> Sending {
    let Sending::Pieces(mut call, mut left) = sending else { return sending };
    let whole = write_pieces(&mut call.writer(), &mut left);
    match whole {
        Some(false) => return Sending::Pieces(call, left),
        None => return Sending::Cut(call),
        Some(true) => {}
    }
    match call.finish(Some(&left.trailers)) {
        Ok(call) => Sending::Sent(call),
        Err(call) => Sending::Cut(call),
    }
}

/// Whether all is written; `None` if it is more than was announced.
fn write_pieces(writer: &mut BodyWriter<'_>, left: &mut Pieces) -> Option<bool> {
    while let Some(mut piece) = left.pieces.pop_front() {
        // As much as there is room for, so that a piece of any size goes.
        let rest = piece.split_off(piece.len().min(writer.room()));
        let waits = !rest.is_empty();
        if waits {
            left.pieces.push_front(rest);
        }
        match writer.write(piece) {
            Ok(()) if waits => return Some(false),
            Ok(()) => {}
            Err(NotWritten::Full(piece)) => panic!("{} bytes were promised room", piece.len()),
            Err(NotWritten::Overrun(_)) => return None,
        }
    }
    Some(true)
}
