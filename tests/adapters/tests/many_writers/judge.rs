//! A strict client that says what arrived of many producers' messages. What is wrong it counts: it judges other servers
//! than ours as well.

use std::fmt;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::peer::{CLOSE, FIN, HANDSHAKE, PING, PONG, TEXT, close, frame};

pub(crate) const PRODUCERS: usize = 8;
pub(crate) const EACH: usize = 1000;
const LEN: usize = 102;

/// What a producer sends: no two are alike, and a piece of another's shows.
pub(crate) fn message(producer: usize, index: usize) -> String {
    let mut text = format!("{producer} {index} ");
    while text.len() < LEN {
        text.push(char::from(b'a' + ((producer * 31 + index * 7 + text.len()) % 26) as u8));
    }
    text
}

/// What the client saw of one connection.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Messages with the right content, each counted once.
    pub(crate) whole: usize,
    /// Messages that came before one of the same producer that was sent earlier.
    pub(crate) out_of_order: usize,
    /// Well-formed messages that nobody has sent.
    pub(crate) wrong: usize,
    pub(crate) pings: usize,
    /// Answers to the client's own pings.
    pub(crate) pongs: usize,
    /// Why the stream could not be read to its end.
    pub(crate) torn: Option<String>,
    /// The code of the Close, with nothing behind it.
    pub(crate) code: Option<u16>,
}

impl Verdict {
    pub(crate) fn lost(&self) -> usize {
        PRODUCERS * EACH - self.whole
    }
}

/// Connects, pings, answers pings, and reads to the end.
pub(crate) fn judge(address: SocketAddr) -> Verdict {
    let mut stream = Stream::connect(address);
    stream.send(&frame(FIN | PING, b"0"));
    let mut verdict = Verdict::default();
    let mut seen = [[false; EACH]; PRODUCERS];
    verdict.torn = verdict.read(&mut stream, &mut seen).err();
    verdict
}

impl Verdict {
    fn read(&mut self, stream: &mut Stream, seen: &mut [[bool; EACH]; PRODUCERS]) -> Result<(), String> {
        let mut next = [0; PRODUCERS];
        loop {
            let (first, payload) = stream.frame()?;
            match (first & FIN, first & !FIN) {
                (FIN, TEXT) => {
                    let Some((producer, index)) = whole(&payload) else {
                        self.wrong += 1;
                        continue;
                    };
                    self.out_of_order += usize::from(index < next[producer]);
                    next[producer] = next[producer].max(index + 1);
                    self.whole += usize::from(!std::mem::replace(&mut seen[producer][index], true));
                    if self.whole % 1000 == 0 {
                        stream.send(&frame(FIN | PING, b"more"));
                    }
                }
                (FIN, PING) => {
                    self.pings += 1;
                    stream.send(&frame(FIN | PONG, &payload));
                }
                (FIN, PONG) => self.pongs += 1,
                (FIN, CLOSE) => {
                    let code = payload.get(..2).ok_or("a Close without a code")?;
                    stream.send(&close(1000));
                    if stream.is_over()? {
                        self.code = Some(u16::from_be_bytes([code[0], code[1]]));
                        return Ok(());
                    }
                    return Err("bytes behind the Close".to_owned());
                }
                _ => return Err(format!("a frame that begins with {first:#04x}")),
            }
        }
    }
}

/// Whose message it is, and which; if it is one.
fn whole(payload: &[u8]) -> Option<(usize, usize)> {
    let text = std::str::from_utf8(payload).ok()?;
    let mut words = text.split(' ');
    let (producer, index) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    (producer < PRODUCERS && index < EACH && text == message(producer, index)).then_some((producer, index))
}

/// Frames, read strictly.
struct Stream {
    socket: TcpStream,
    ahead: Vec<u8>,
    at: usize,
}

impl Stream {
    fn connect(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut stream = Self { socket, ahead: Vec::new(), at: 0 };
        stream.send(HANDSHAKE.as_bytes());
        let end = loop {
            stream.fill().expect("an answer to the handshake");
            if let Some(end) = stream.ahead.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
        };
        assert!(stream.ahead.starts_with(b"HTTP/1.1 101 "));
        stream.at = end;
        stream
    }

    /// What the server does not take any more, the reading will tell.
    fn send(&mut self, bytes: &[u8]) {
        let _ = self.socket.write_all(bytes);
    }

    fn frame(&mut self) -> Result<(u8, Vec<u8>), String> {
        let head = self.take(2)?;
        let (first, len) = (head[0], head[1]);
        let len = match len {
            0..126 => usize::from(len),
            126 => {
                let len = self.take(2)?;
                usize::from(u16::from_be_bytes([len[0], len[1]]))
            }
            _ => return Err(format!("a length that begins with {len:#04x}")),
        };
        Ok((first, self.take(len)?))
    }

    fn take(&mut self, len: usize) -> Result<Vec<u8>, String> {
        while self.ahead.len() - self.at < len {
            self.fill()?;
        }
        self.at += len;
        Ok(self.ahead[self.at - len..self.at].to_vec())
    }

    fn is_over(&mut self) -> Result<bool, String> {
        if self.ahead.len() > self.at {
            return Ok(false);
        }
        let mut byte = [0];
        Ok(self.socket.read(&mut byte).map_err(|error| error.to_string())? == 0)
    }

    fn fill(&mut self) -> Result<(), String> {
        self.ahead.drain(..self.at);
        self.at = 0;
        let mut buffer = [0; 16 << 10];
        match self.socket.read(&mut buffer).map_err(|error| error.to_string())? {
            0 => Err("the stream ended without a Close".to_owned()),
            len => {
                self.ahead.extend_from_slice(&buffer[..len]);
                Ok(())
            }
        }
    }
}

/// Sums over the runs with one server: a line of the table.
#[derive(Default)]
pub(crate) struct Sums {
    runs: usize,
    verdict: Verdict,
    lost: usize,
    torn: usize,
    closed: usize,
    pub(crate) panics: usize,
    time: Duration,
}

impl Sums {
    pub(crate) const HEAD: &str = "server                runs   whole    lost  wrong  disorder  torn  closed 1000  \
                                   panics  pings  ms/run";

    pub(crate) fn add(&mut self, verdict: &Verdict, time: Duration) {
        self.runs += 1;
        self.lost += verdict.lost();
        self.torn += usize::from(verdict.torn.is_some());
        self.closed += usize::from(verdict.code == Some(1000));
        self.verdict.whole += verdict.whole;
        self.verdict.out_of_order += verdict.out_of_order;
        self.verdict.wrong += verdict.wrong;
        self.verdict.pings += verdict.pings;
        self.time += time;
    }

    /// Nothing was lost, torn or wrong, and every connection was closed in order.
    pub(crate) fn is_clean(&self) -> bool {
        let Verdict { out_of_order, wrong, .. } = self.verdict;
        (self.lost, self.torn, out_of_order, wrong, self.panics) == (0, 0, 0, 0, 0)
            && self.closed == self.runs
    }
}

impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runs, verdict, lost, torn, closed, panics, time } = self;
        let Verdict { whole, wrong, out_of_order, pings, .. } = verdict;
        let time = time.as_millis() / (*runs).max(1) as u128;
        write!(
            f,
            "{runs:>4} {whole:>7} {lost:>7} {wrong:>6} {out_of_order:>9} {torn:>5} {closed:>12} {panics:>7} {pings:>6} {time:>7}"
        )
    }
}
