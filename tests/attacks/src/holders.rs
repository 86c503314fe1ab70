//! Clients that send a part of a large message and then hold on.

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::SockRef;

use crate::Result;
use crate::client::{self, BINARY, Drained};

/// A WebSocket in the middle of a message.
pub struct Holder {
    socket: TcpStream,
    /// Bytes of the message that were sent.
    sent: usize,
    /// What the server has sent.
    got: Vec<u8>,
    end: Option<Drained>,
}

/// A part of every message.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

impl Holder {
    /// Opens a WebSocket and begins a message of `len` bytes.
    pub fn new(address: SocketAddr, len: usize) -> Result<Self> {
        let mut socket = client::open_web_socket(address, "/sink")?;
        // What the client has sent is in the server, and not in the system.
        SockRef::from(&socket).set_send_buffer_size(64 << 10)?;
        socket.write_all(&client::frame_header(BINARY, len))?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, sent: 0, got: Vec::new(), end: None })
    }

    pub fn sent(&self) -> usize {
        self.sent
    }

    fn is_open(&self) -> bool {
        self.end.is_none()
    }

    /// Sends up to `most` bytes of the message, and reads what has come. Returns how many were sent.
    pub fn go_on(&mut self, most: usize) -> usize {
        if self.end.is_some() {
            return 0;
        }
        let got = &mut self.got;
        match client::drain(&self.socket, &mut [0; 4096], |bytes| got.extend_from_slice(bytes)) {
            Drained::Open => {}
            end => {
                self.end = Some(end);
                return 0;
            }
        }
        if most == 0 {
            return 0;
        }
        match self.socket.write(&ZEROS[..most.min(ZEROS.len())]) {
            Ok(len) => {
                self.sent += len;
                len
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(error) => {
                self.end = Some(Drained::Failed(error.kind()));
                0
            }
        }
    }

    /// What became of this client, in a few words.
    pub fn fate(&self, target: usize) -> String {
        let closed = self.close_code().map(|code| format!("closed with {code}"));
        match (&self.end, closed) {
            (_, Some(closed)) => closed,
            (None, None) if self.sent < target => "open, not read to the end".to_owned(),
            (None, None) => "open".to_owned(),
            (Some(Drained::Failed(kind)), None) => format!("{kind:?}"),
            (Some(_), None) => "ended without a Close".to_owned(),
        }
    }

    /// The code of the server's Close. It sends only control frames.
    fn close_code(&self) -> Option<u16> {
        let mut frames = &self.got[..];
        while let [first, len, rest @ ..] = frames {
            let (payload, behind) = rest.split_at_checked(usize::from(*len))?;
            if *first == 0x88 {
                return payload.first_chunk().map(|code| u16::from_be_bytes(*code));
            }
            frames = behind;
        }
        None
    }
}

/// Lets all of them send up to `target` bytes. Returns when they have, or when none gets on for as long as `patience`.
pub fn fill(holders: &mut [Holder], target: usize, patience: Duration) -> Result<()> {
    let mut last = Instant::now();
    while last.elapsed() < patience && holders.iter().any(|holder| holder.is_open() && holder.sent < target) {
        let open = holders.iter().filter(|holder| holder.is_open() && holder.sent < target);
        let mut waiting: Vec<PollFd<'_>> =
            open.map(|holder| PollFd::new(&holder.socket, PollFlags::IN | PollFlags::OUT)).collect();
        poll(&mut waiting, Some(&Timespec { tv_sec: 0, tv_nsec: 100_000_000 }))?;
        for holder in holders.iter_mut() {
            let most = target.saturating_sub(holder.sent);
            if most > 0 && holder.go_on(most) > 0 {
                last = Instant::now();
            }
        }
    }
    Ok(())
}
