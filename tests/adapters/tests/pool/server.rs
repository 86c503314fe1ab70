//! A server on blocking sockets, a thread for each connection, whose scripts can break every rule.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use endwell::client::Origin;
use socket2::SockRef;

use crate::support::LONG;

/// A server. Stopped and waited for when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stops: AtomicBool,
    accepted: AtomicUsize,
    sockets: Mutex<HashMap<usize, TcpStream>>,
}

/// A connection that a client has made.
pub(crate) struct Peer {
    socket: TcpStream,
    /// Which of its server's it is, from 1 on.
    pub(crate) number: usize,
    shared: Arc<Shared>,
}

/// What a client asks.
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) body: Vec<u8>,
}

/// Plays `script` with every connection.
pub(crate) fn serving(script: impl Fn(Peer) + Send + Sync + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let shared = Arc::<Shared>::default();
    let accepting = thread::spawn({
        let (shared, script) = (Arc::clone(&shared), Arc::new(script));
        move || {
            let mut threads = Vec::new();
            loop {
                let socket = listener.accept().unwrap().0;
                if shared.stops.load(Ordering::SeqCst) {
                    break;
                }
                socket.set_nodelay(true).unwrap();
                socket.set_read_timeout(Some(LONG)).unwrap();
                let number = shared.accepted.fetch_add(1, Ordering::SeqCst) + 1;
                shared.sockets.lock().unwrap().insert(number, socket.try_clone().unwrap());
                let peer = Peer { socket, number, shared: Arc::clone(&shared) };
                let script = Arc::clone(&script);
                threads.push(thread::spawn(move || script(peer)));
                threads.retain(|thread: &JoinHandle<()>| !thread.is_finished());
            }
            for thread in threads {
                thread.join().unwrap();
            }
        }
    });
    Server { address, shared, accepting: Some(accepting) }
}

/// Answers every request with its method and target.
pub(crate) fn echoing() -> Server {
    serving(|mut peer| {
        while let Some(asked) = peer.request() {
            peer.answer(&asked);
        }
    })
}

impl Server {
    pub(crate) fn origin(&self) -> Origin {
        Origin::http(&self.address.ip().to_string(), self.address.port())
    }

    /// How many connections were made.
    pub(crate) fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stops.store(true, Ordering::SeqCst);
        for socket in self.shared.sockets.lock().unwrap().values() {
            // It may be gone.
            let _ = socket.shutdown(std::net::Shutdown::Both);
        }
        let woken = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take().filter(|_| !thread::panicking() && woken.is_ok()) {
            accepting.join().unwrap();
        }
    }
}

impl Peer {
    /// The head of the next request. `None`: the client has left.
    pub(crate) fn head(&mut self) -> Option<String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut piece = [0; 1];
            match self.socket.read(&mut piece) {
                Ok(1) => head.push(piece[0]),
                Ok(_) | Err(_) => return None,
            }
        }
        Some(String::from_utf8(head).unwrap())
    }

    /// The next request. `None`: the client has left.
    pub(crate) fn request(&mut self) -> Option<Asked> {
        let head = self.head()?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let body = self.read(length.map_or(0, |length| length.parse().unwrap()))?;
        let mut line = head.split(' ').map(str::to_owned);
        Some(Asked { method: line.next().unwrap(), target: line.next().unwrap(), body })
    }

    /// So many bytes. `None`: the client has left.
    pub(crate) fn read(&mut self, len: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; len];
        self.socket.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Sends, unless the client has left.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.socket.write_all(bytes.as_ref());
    }

    /// Answers with method and target.
    pub(crate) fn answer(&mut self, asked: &Asked) {
        self.send(response(asked, ""));
    }

    /// Answers, and announces the close.
    pub(crate) fn answer_last(&mut self, asked: &Asked) {
        self.send(response(asked, "connection: close\r\n"));
    }

    /// Waits until the client has left, whatever it sends before.
    pub(crate) fn until_left(&mut self) {
        while self.socket.read(&mut [0; 4096]).is_ok_and(|len| len > 0) {}
    }

    /// Closes with a reset.
    pub(crate) fn reset(self) {
        SockRef::from(&self.socket).set_linger(Some(Duration::ZERO)).unwrap();
    }
}

impl Drop for Peer {
    /// The socket closes: nobody else has it.
    fn drop(&mut self) {
        self.shared.sockets.lock().unwrap().remove(&self.number);
    }
}

/// A response that says what it answers.
pub(crate) fn response(asked: &Asked, fields: &str) -> String {
    let body = format!("{} {}", asked.method, asked.target);
    format!("HTTP/1.1 200 OK\r\n{fields}content-length: {}\r\n\r\n{body}", body.len())
}
