//! A client that asks for everything at once, and reads what comes.

use std::fmt::{self, Write as _};
use std::io::IoSlice;
use std::task::Poll;
use std::time::Duration;

use endwell::Transport;
use endwell_core_tests::client::Asked;
use endwell_core_tests::random::Random;

use crate::handler::{KINDS, body};
use crate::wire::WireEnd;
use crate::world::World;

/// One request.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each stands for itself")]
pub(crate) struct Request {
    pub(crate) kind: &'static str,
    pub(crate) number: usize,
    pub(crate) asked: Asked,
    pub(crate) has_body: bool,
    pub(crate) chunked: bool,
    /// Whether the connection ends with its answer, because it says so or is of HTTP/1.0.
    pub(crate) last: bool,
    pub(crate) expects: bool,
    bytes: Vec<u8>,
}

/// What a client read.
pub(crate) struct Answer {
    pub(crate) output: Vec<u8>,
    /// Whether the connection failed under it.
    pub(crate) failed: bool,
}

/// What a client does when all is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// It ends its side, and reads on.
    HalfClose,
    /// It reads on until the server closes.
    Wait,
    /// It goes, whatever is still to come.
    Leave,
}

impl Request {
    pub(crate) fn of(number: usize, random: &mut Random) -> Self {
        // Most of what ends a connection comes behind a few that do not.
        let kinds = if number < 2 { &KINDS[..9] } else { &KINDS };
        let kind = *random.pick(kinds);
        // Of HTTP/1.0 are mostly those whose answer only the close ends.
        let old =
            random.one_in(if number > 0 && matches!(kind, "aborts" | "stream" | "echo") { 4 } else { 20 });
        let closes = random.one_in(12);
        let head = random.one_in(12) && matches!(kind, "hello" | "sleeps");
        let has_body = matches!(kind, "all" | "echo" | "cancels" | "early") || random.one_in(6);
        let method = match (head, has_body) {
            (true, _) => "HEAD",
            (false, true) => "POST",
            (false, false) => "GET",
        };
        let version = u8::from(!old);
        let expects = has_body && !old && random.one_in(4);
        let mut text = format!("{method} /{kind}/{number} HTTP/1.{version}\r\nHost: h\r\n");
        if closes {
            text.push_str("Connection: close\r\n");
        }
        if expects {
            text.push_str("Expect: 100-continue\r\n");
        }
        let body = body(number);
        let chunked = has_body && !old && random.one_in(2);
        if !has_body {
            text.push_str("\r\n");
        } else if !chunked {
            write!(text, "Content-Length: {}\r\n\r\n{}", body.len(), body.escape_ascii()).unwrap();
        } else {
            text.push_str("Transfer-Encoding: chunked\r\n\r\n");
            for chunk in endwell_core_tests::cutter::at_random(&body, 300, random) {
                write!(text, "{:x}\r\n{}\r\n", chunk.len(), chunk.escape_ascii()).unwrap();
            }
            text.push_str("0\r\n\r\n");
        }
        let asked = Asked { head, connect: false, http10: old };
        Self {
            kind,
            number,
            asked,
            has_body,
            chunked,
            last: old || closes,
            expects,
            bytes: text.into_bytes(),
        }
    }
}

impl Request {
    /// How long it is, with its body.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A request with a body of known length.
    pub(crate) fn post(body: &[u8]) -> Self {
        let head = format!("POST /x/0 HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", body.len());
        let bytes = [head.as_bytes(), body].concat();
        let (kind, number, asked) = ("x", 0, Asked::GET);
        Self { kind, number, asked, has_body: true, chunked: false, last: false, expects: false, bytes }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, number, asked, has_body, chunked, last, expects, .. } = self;
        write!(
            f,
            "{kind} {number} {asked:?} body: {has_body}, chunked: {chunked}, last: {last}, expects: {expects}"
        )
    }
}

/// Asks, and reads until the server has closed or all is over.
pub(crate) async fn ask(
    world: World,
    mut end: WireEnd,
    requests: Vec<Request>,
    then: Then,
    pause: Duration,
) -> Answer {
    let input: Vec<u8> = requests.iter().flat_map(|request| request.bytes.clone()).collect();
    let (mut sent, mut half_closed, mut failed) = (0, false, false);
    let mut output = Vec::new();
    let mut sleeping = None;
    let over = std::future::poll_fn(|cx| {
        loop {
            // What cannot be written any more may have been answered already: reading goes on.
            while sent < input.len() && !failed {
                match end.poll_write(cx, &[IoSlice::new(&input[sent..])]) {
                    Poll::Ready(Ok(len)) => sent += len,
                    Poll::Ready(Err(_)) => failed = true,
                    Poll::Pending => break,
                }
            }
            if !failed {
                match end.poll_flush(cx) {
                    Poll::Ready(Err(_)) => failed = true,
                    Poll::Ready(Ok(())) if sent == input.len() && then == Then::Leave => {
                        return Poll::Ready(true);
                    }
                    Poll::Ready(Ok(())) if sent == input.len() && then == Then::HalfClose && !half_closed => {
                        half_closed = end.poll_end_write(cx).is_ready();
                    }
                    Poll::Ready(Ok(())) | Poll::Pending => {}
                }
            }
            if let Some(sleep) = &mut sleeping {
                std::task::ready!(Future::poll(std::pin::Pin::new(sleep), cx));
                sleeping = None;
            }
            let mut buffer = [0; 700];
            match std::task::ready!(end.poll_read(cx, &mut buffer)) {
                Ok(0) => return Poll::Ready(true),
                Ok(len) => output.extend(&buffer[..len]),
                Err(_) => return Poll::Ready(false),
            }
            if world.random(|random| random.one_in(8)) {
                sleeping = Some(world.sleep(pause));
            }
        }
    })
    .await;
    Answer { output, failed: !over }
}
