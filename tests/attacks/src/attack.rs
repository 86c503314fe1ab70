//! The process of the attackers: a few clients on one thread, each as fast as the server takes what it sends.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use flate2::{Compress, Compression, FlushCompress};
use rustix::event::{PollFd, PollFlags, poll};

use crate::Result;
use crate::client::{self, BINARY, COMPRESSED, Drained, PING, TEXT};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Pings,
    Bombs,
    Tiny,
    Pipeline,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Pings, Self::Bombs, Self::Tiny, Self::Pipeline];

    pub fn name(self) -> &'static str {
        match self {
            Self::Pings => "pings",
            Self::Bombs => "bombs",
            Self::Tiny => "tiny",
            Self::Pipeline => "pipeline",
        }
    }

    pub fn meaning(self) -> &'static str {
        match self {
            Self::Pings => "empty WebSocket pings",
            Self::Bombs => "compressed messages of 16 KB that are 16 MiB decompressed",
            Self::Tiny => "compressed messages of one letter",
            Self::Pipeline => "pipelined requests whose handler computes for 50 us",
        }
    }

    /// What is sent again and again, and how many units of the attack it holds.
    fn block(self) -> Result<(Vec<u8>, u64)> {
        let (unit, times) = match self {
            Self::Pings => (client::frame(PING, b""), 8192),
            Self::Bombs => (client::frame(BINARY | COMPRESSED, &deflated(&vec![0; 16 << 20])?), 1),
            Self::Tiny => (client::frame(TEXT | COMPRESSED, &deflated(b"a")?), 4096),
            Self::Pipeline => (client::get("/work").into_bytes(), 512),
        };
        Ok((unit.repeat(times), u64::try_from(times)?))
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| format!("there is no attack named {name}"))
    }
}

/// The payload of a compressed message: RFC 7692 7.2.1.
fn deflated(data: &[u8]) -> Result<Vec<u8>> {
    let mut compress = Compress::new(Compression::best(), false);
    let mut out = Vec::with_capacity(64 << 10);
    compress.compress_vec(data, &mut out, FlushCompress::Sync)?;
    if out.ends_with(&[0, 0, 0xff, 0xff]) {
        out.truncate(out.len() - 4);
        return Ok(out);
    }
    Err("data that do not compress".into())
}

struct Attacker {
    socket: TcpStream,
    /// How much of the block was sent since its last start.
    offset: usize,
    sent: u64,
    is_open: bool,
}

static STOP: AtomicBool = AtomicBool::new(false);

/// Attacks until its input ends. Prints a line when all have connected, and what was sent at the end.
pub fn run(kind: Kind, address: SocketAddr, clients: usize) -> Result<()> {
    let (block, units) = kind.block()?;
    let mut attackers = Vec::new();
    for _ in 0..clients {
        let socket = match kind {
            Kind::Pipeline => client::connect(address)?,
            _ => client::open_web_socket(address, "/sink")?,
        };
        socket.set_nonblocking(true)?;
        attackers.push(Attacker { socket, offset: 0, sent: 0, is_open: true });
    }
    println!("ready");
    thread::spawn(|| {
        let _ = io::stdin().read(&mut [0]);
        STOP.store(true, Ordering::Relaxed);
    });
    let mut buffer = vec![0; 256 << 10];
    while !STOP.load(Ordering::Relaxed) && attackers.iter().any(|attacker| attacker.is_open) {
        let mut waiting: Vec<PollFd<'_>> = Vec::new();
        for attacker in attackers.iter().filter(|attacker| attacker.is_open) {
            waiting.push(PollFd::new(&attacker.socket, PollFlags::IN | PollFlags::OUT));
        }
        let second = rustix::event::Timespec { tv_sec: 1, tv_nsec: 0 };
        poll(&mut waiting, Some(&second))?;
        for attacker in &mut attackers {
            attacker.turn(&block, &mut buffer);
        }
    }
    let bytes: u64 = attackers.iter().map(|attacker| attacker.sent).sum();
    let open = attackers.iter().filter(|attacker| attacker.is_open).count();
    println!("{} {open}", bytes * units / u64::try_from(block.len())?);
    Ok(())
}

impl Attacker {
    fn turn(&mut self, block: &[u8], buffer: &mut [u8]) {
        if !self.is_open {
            return;
        }
        self.is_open = client::drain(&self.socket, buffer, |_| {}) == Drained::Open;
        loop {
            match self.socket.write(&block[self.offset..]) {
                Ok(len) => {
                    self.sent += len as u64;
                    self.offset = (self.offset + len) % block.len();
                    // The others, and the answers, have their turn.
                    if len < block.len() {
                        return;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => {
                    self.is_open = false;
                    return;
                }
            }
        }
    }
}
