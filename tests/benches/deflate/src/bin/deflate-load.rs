//! Echoes compressed messages and says what that cost the server.
//!
//!     deflate-load cpu --pid PID --payload json|text [--no-context-takeover] [--connections 10] [--flight 4] [--seconds 2] ADDR
//!     deflate-load memory --pid PID [--no-context-takeover] [--connections 2000] ADDR
//!
//! `cpu` prints the messages, the bytes of compressed frames that came and that went, and the server's CPU time in
//! microseconds. `memory` prints the server's resident bytes for each connection, in a process that has served no others: when
//! each has echoed 1 KiB and is idle, when each has echoed 64 KiB more, so that a context is full, and when each is within a
//! compressed message besides. Every message is new, and every echo is compared.

use std::fs;
use std::io::{BufReader, Error, Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use lexopt::Arg::{Long, Value};
use lexopt::ValueExt;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[derive(Clone)]
struct Options {
    pid: u32,
    is_json: bool,
    takeover: bool,
    connections: usize,
    flight: usize,
    seconds: u64,
    address: String,
}

fn main() -> Outcome<()> {
    let mut arguments = lexopt::Parser::from_env();
    let what = match arguments.next()? {
        Some(Value(what)) => what.string()?,
        _ => return Err("expected cpu or memory".into()),
    };
    let connections = if what == "memory" { 2000 } else { 10 };
    let (takeover, address) = (true, String::new());
    let mut options =
        Options { pid: 0, is_json: true, takeover, connections, flight: 4, seconds: 2, address };
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("pid") => options.pid = arguments.value()?.parse()?,
            Long("payload") => options.is_json = arguments.value()? == "json",
            Long("no-context-takeover") => options.takeover = false,
            Long("connections") => options.connections = arguments.value()?.parse()?,
            Long("flight") => options.flight = arguments.value()?.parse()?,
            Long("seconds") => options.seconds = arguments.value()?.parse()?,
            Value(value) => options.address = value.string()?,
            other => return Err(other.unexpected().into()),
        }
    }
    if what == "memory" { memory(&options) } else { cpu(&options) }
}

fn cpu(options: &Options) -> Outcome<()> {
    let (stop, total) = (AtomicBool::new(false), Mutex::new([0; 3]));
    // Whatever the server makes once is made before it is measured.
    Connection::open(options, usize::MAX)?.echo(1)?;
    let before = cpu_us(options.pid)?;
    thread::scope(|scope| {
        let running: Vec<_> = (0..options.connections)
            .map(|index| {
                let (stop, total) = (&stop, &total);
                scope.spawn(move || -> Outcome<()> {
                    let mut connection = Connection::open(options, index)?;
                    while !stop.load(Ordering::Relaxed) {
                        connection.echo(options.flight)?;
                    }
                    let mut total = total.lock().expect("no panic");
                    total[0] += connection.messages;
                    total[1] += connection.received;
                    total[2] += connection.sent;
                    Ok(())
                })
            })
            .collect();
        thread::sleep(Duration::from_secs(options.seconds));
        stop.store(true, Ordering::Relaxed);
        running.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
    })?;
    let spent = cpu_us(options.pid)? - before;
    let [messages, received, sent] = *total.lock().expect("no panic");
    println!("{messages} {received} {sent} {spent}");
    Ok(())
}

fn memory(options: &Options) -> Outcome<()> {
    Connection::open(options, usize::MAX)?.echo(1)?;
    thread::sleep(Duration::from_millis(500));
    let before = resident(options.pid)?;
    let each = |now: u64| now.saturating_sub(before) / options.connections as u64;
    let mut connections = Vec::new();
    for index in 0..options.connections {
        let mut connection = Connection::open(options, index)?;
        connection.echo(1)?;
        connections.push(connection);
    }
    thread::sleep(Duration::from_secs(1));
    let idle = each(resident(options.pid)?);
    for connection in &mut connections {
        connection.writing.is_json = false;
        connection.echo(1)?;
        connection.writing.is_json = true;
    }
    thread::sleep(Duration::from_secs(1));
    let full = each(resident(options.pid)?);
    for connection in &mut connections {
        connection.begin()?;
    }
    thread::sleep(Duration::from_secs(1));
    println!("{idle} {full} {}", each(resident(options.pid)?));
    Ok(())
}

/// User and system time of a process, all its threads together.
fn cpu_us(pid: u32) -> Outcome<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, rest) = stat.rsplit_once(") ").ok_or("no stat")?;
    let ticks: u64 = rest.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    // Linux counts in hundredths of a second.
    Ok(ticks * 10_000)
}

fn resident(pid: u32) -> Outcome<u64> {
    let statm = fs::read_to_string(format!("/proc/{pid}/statm"))?;
    Ok(statm.split(' ').nth(1).ok_or("no statm")?.parse::<u64>()? * 4096)
}

/// A client's connection, with a context in each direction.
struct Connection {
    socket: BufReader<TcpStream>,
    writing: Content,
    deflate: Compress,
    inflate: Decompress,
    takeover: bool,
    messages: u64,
    received: u64,
    sent: u64,
}

impl Connection {
    fn open(options: &Options, index: usize) -> Outcome<Self> {
        let socket = TcpStream::connect(&options.address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_secs(20)))?;
        let alone = "; server_no_context_takeover; client_no_context_takeover";
        let offer = if options.takeover { "" } else { alone };
        let mut socket = BufReader::with_capacity(64 << 10, socket);
        socket.get_mut().write_all(
            format!(
                "GET /ws HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
                 Sec-WebSocket-Extensions: permessage-deflate{offer}\r\n\r\n",
                options.address
            )
            .as_bytes(),
        )?;
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            socket.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        let head = String::from_utf8(head)?.to_ascii_lowercase();
        if !head.starts_with("http/1.1 101") || !head.contains("permessage-deflate") {
            return Err(format!("not what was offered: {head}").into());
        }
        let keeps = |side| !head.contains(&format!("{side}_no_context_takeover"));
        if options.takeover != (keeps("server") && keeps("client")) {
            return Err(format!("not the mode that is measured: {head}").into());
        }
        Ok(Self {
            socket,
            writing: Content::new(index, options.is_json),
            deflate: Compress::new(Compression::new(6), false),
            inflate: Decompress::new(false),
            takeover: options.takeover,
            messages: 0,
            received: 0,
            sent: 0,
        })
    }

    /// Sends `flight` messages in one write, and reads them back.
    fn echo(&mut self, flight: usize) -> Outcome<()> {
        let (mut messages, mut out) = (Vec::new(), Vec::new());
        for _ in 0..flight {
            let message = self.writing.next();
            let data = self.compress(&message);
            frame(0xc1, &data[..data.len() - 4], &mut out);
            messages.push(message);
        }
        self.socket.get_mut().write_all(&out)?;
        self.sent += out.len() as u64;
        for message in messages {
            let came = self.receive()?;
            if came != message {
                return Err("not an echo".into());
            }
            self.messages += 1;
        }
        Ok(())
    }

    /// Sends the first fragment of a message, and no more.
    fn begin(&mut self) -> Outcome<()> {
        let message = [self.writing.next(), self.writing.next()].concat();
        let (data, mut out) = (self.compress(&message), Vec::new());
        frame(0x41, &data, &mut out);
        Ok(self.socket.get_mut().write_all(&out)?)
    }

    /// With the four bytes that a message leaves out.
    fn compress(&mut self, message: &[u8]) -> Vec<u8> {
        if !self.takeover {
            self.deflate.reset();
        }
        let mut out = Vec::with_capacity(message.len() + 1024);
        self.deflate.compress_vec(message, &mut out, FlushCompress::Sync).expect("room");
        assert!(out.ends_with(&[0, 0, 0xff, 0xff]));
        out
    }

    fn receive(&mut self) -> Outcome<Vec<u8>> {
        let (mut data, mut is_compressed) = (Vec::new(), false);
        loop {
            let mut start = [0; 2];
            self.socket.read_exact(&mut start)?;
            let mut len = usize::from(start[1]);
            self.received += 2;
            if len >= 126 {
                let mut bytes = vec![0; if len == 126 { 2 } else { 8 }];
                self.socket.read_exact(&mut bytes)?;
                self.received += bytes.len() as u64;
                len = bytes.iter().fold(0, |len, byte| len << 8 | usize::from(*byte));
            }
            let at = data.len();
            data.resize(at + len, 0);
            self.socket.read_exact(&mut data[at..])?;
            self.received += len as u64;
            match start[0] & 0x0f {
                0 => {}
                1 | 2 => is_compressed = start[0] & 0x40 != 0,
                // A ping waits; nobody runs for so long.
                9 => data.truncate(at),
                other => return Err(Error::other(format!("a frame of opcode {other}")).into()),
            }
            if start[0] & 0x80 != 0 && start[0] & 0x0f <= 2 {
                break;
            }
        }
        if !is_compressed {
            return Ok(data);
        }
        data.extend([0, 0, 0xff, 0xff]);
        self.decompress(&data)
    }

    fn decompress(&mut self, data: &[u8]) -> Outcome<Vec<u8>> {
        let mut out = Vec::with_capacity(128 << 10);
        let before = self.inflate.total_in();
        let status = self.inflate.decompress_vec(data, &mut out, FlushDecompress::Sync)?;
        // Behind a final block nothing is taken over.
        if status == Status::StreamEnd {
            self.inflate.reset(false);
        } else if self.inflate.total_in() - before != data.len() as u64 {
            return Err("a message larger than any that was sent".into());
        }
        Ok(out)
    }
}

/// A masked frame; the mask is zero.
fn frame(first: u8, data: &[u8], out: &mut Vec<u8>) {
    out.push(first);
    match (u8::try_from(data.len()), u16::try_from(data.len())) {
        (Ok(len @ ..126), _) => out.push(0x80 | len),
        (_, Ok(len)) => {
            out.push(0xfe);
            out.extend(len.to_be_bytes());
        }
        _ => {
            out.push(0xff);
            out.extend((data.len() as u64).to_be_bytes());
        }
    }
    out.extend([0; 4]);
    out.extend(data);
}

/// Messages without end, none like the other.
struct Content {
    state: u64,
    words: Vec<String>,
    is_json: bool,
}

impl Content {
    fn new(index: usize, is_json: bool) -> Self {
        // Everybody has the same words, and says something else with them.
        let mut content = Self { state: 1, words: Vec::new(), is_json };
        let syllables = [
            "ba", "cor", "di", "en", "fra", "go", "hel", "is", "ju", "ka", "lo", "men", "ni", "or", "pe",
            "qui",
        ];
        content.words = (0..600)
            .map(|_| (0..1 + content.below(3)).map(|_| syllables[content.below(16)]).collect())
            .collect();
        content.state = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(index as u64 + 2) | 1;
        content
    }

    fn number(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.number() >> 16) as usize % bound
    }

    /// Few words are used often, and many rarely.
    fn word(&mut self) -> &str {
        let bound = 1 + self.below(self.words.len());
        let index = self.below(bound);
        &self.words[index]
    }

    fn next(&mut self) -> Vec<u8> {
        if self.is_json { self.json() } else { self.text(64 << 10) }
    }

    fn text(&mut self, len: usize) -> Vec<u8> {
        let mut text = String::new();
        while text.len() < len {
            let words = 4 + self.below(12);
            for index in 0..words {
                if index > 0 {
                    text.push(' ');
                }
                let word = self.word().to_owned();
                text.push_str(&word);
            }
            text.push_str(". ");
        }
        text.truncate(len);
        text.into_bytes()
    }

    /// 1 KiB of what services tell one another.
    fn json(&mut self) -> Vec<u8> {
        let mut text = format!(
            "{{\"id\":\"{:016x}\",\"type\":\"order.updated\",\"time\":{},\"user\":{{\"id\":{},\"name\":\"{} {}\",\"active\":{}}},\"items\":[",
            self.number(),
            1_700_000_000_000_u64 + self.number() % 100_000_000_000,
            self.below(1_000_000),
            self.word().to_owned(),
            self.word().to_owned(),
            self.below(2) == 0,
        );
        for item in 0..6 {
            let comma = if item > 0 { "," } else { "" };
            text += &format!(
                "{comma}{{\"sku\":\"{:06x}\",\"price\":{}.{:02},\"count\":{},\"tags\":[\"{}\",\"{}\"]}}",
                self.below(1 << 24),
                self.below(500),
                self.below(100),
                1 + self.below(9),
                self.word().to_owned(),
                self.word().to_owned(),
            );
        }
        text += "],\"note\":\"";
        let rest = 1024_usize.saturating_sub(text.len() + "\"}".len());
        let note = self.text(rest);
        text += std::str::from_utf8(&note).unwrap_or_default();
        text += "\"}";
        text.into_bytes()
    }
}
