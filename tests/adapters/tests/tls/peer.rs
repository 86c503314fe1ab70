//! Peers on blocking sockets, which speak TLS and can break its rules.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use endwell::tls::rustls::pki_types::ServerName;
use endwell::tls::rustls::{ClientConfig, ClientConnection, Connection, ServerConfig, ServerConnection};

use tokio::sync::oneshot;

use crate::authority::{authority, identity};
use crate::support::LONG;

/// One side of a TLS connection.
pub(crate) struct Peer {
    pub(crate) tls: Connection,
    pub(crate) socket: TcpStream,
}

impl Peer {
    /// A client of a server of ours, before the handshake.
    pub(crate) fn client(address: SocketAddr) -> Self {
        Self::client_with(address, authority().client())
    }

    pub(crate) fn client_with(address: SocketAddr, config: ClientConfig) -> Self {
        let name = ServerName::try_from("localhost").unwrap();
        let tls = ClientConnection::new(Arc::new(config), name).unwrap();
        Self { tls: tls.into(), socket: bounded(TcpStream::connect(address).unwrap()) }
    }

    pub(crate) fn server(socket: TcpStream, config: ServerConfig) -> Self {
        Self { tls: ServerConnection::new(Arc::new(config)).unwrap().into(), socket: bounded(socket) }
    }

    /// Shakes hands, or says why not.
    pub(crate) fn shake_hands(&mut self) -> io::Result<()> {
        while self.tls.is_handshaking() || self.tls.wants_write() {
            self.tls.complete_io(&mut self.socket)?;
        }
        Ok(())
    }

    pub(crate) fn send(&mut self, data: impl AsRef<[u8]>) {
        self.tls.writer().write_all(data.as_ref()).unwrap();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.socket).unwrap();
        }
    }

    /// Some bytes; none at the close_notify. An end without one is an error.
    pub(crate) fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut buffer = vec![0; 64 << 10];
        loop {
            match self.tls.reader().read(&mut buffer) {
                Ok(len) => {
                    buffer.truncate(len);
                    return Ok(buffer);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            self.tls.read_tls(&mut self.socket)?;
            self.tls
                .process_new_packets()
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        }
    }

    /// Reads until this has come.
    pub(crate) fn read_until(&mut self, end: &str) -> String {
        let mut read = Vec::new();
        while !read.ends_with(end.as_bytes()) {
            let piece = self.read().unwrap();
            assert!(!piece.is_empty(), "the stream ended after {:?}", read.escape_ascii().to_string());
            read.extend(piece);
        }
        String::from_utf8(read).unwrap()
    }

    /// All up to the end, and whether that was a close_notify.
    pub(crate) fn rest(&mut self) -> (Vec<u8>, io::Result<()>) {
        let mut rest = Vec::new();
        loop {
            match self.read() {
                Ok(piece) if piece.is_empty() => return (rest, Ok(())),
                Ok(piece) => rest.extend(piece),
                Err(error) => return (rest, Err(error)),
            }
        }
    }

    /// Sends close_notify, and nothing below it.
    pub(crate) fn close_notify(&mut self) {
        self.tls.send_close_notify();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.socket).unwrap();
        }
    }

    /// Ends the stream below TLS.
    pub(crate) fn end_write(&self) {
        self.socket.shutdown(Shutdown::Write).unwrap();
    }
}

fn bounded(socket: TcpStream) -> TcpStream {
    socket.set_nodelay(true).unwrap();
    socket.set_read_timeout(Some(LONG)).unwrap();
    socket.set_write_timeout(Some(LONG)).unwrap();
    socket
}

/// A server in a thread of its own. Waited for when dropped.
pub(crate) struct Scripted {
    pub(crate) address: SocketAddr,
    thread: Option<JoinHandle<()>>,
    done: oneshot::Receiver<()>,
}

/// Serves one connection, after the handshake.
pub(crate) fn once(script: impl FnOnce(Peer) + Send + 'static) -> Scripted {
    once_with(identity().server(), |mut peer| {
        peer.shake_hands().unwrap();
        script(peer);
    })
}

/// Serves one connection.
pub(crate) fn once_with(config: ServerConfig, script: impl FnOnce(Peer) + Send + 'static) -> Scripted {
    once_plain(|socket| script(Peer::server(socket, config)))
}

/// Serves one connection that is no TLS.
pub(crate) fn once_plain(script: impl FnOnce(TcpStream) + Send + 'static) -> Scripted {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, done) = oneshot::channel();
    let thread = thread::spawn(move || {
        script(bounded(listener.accept().unwrap().0));
        let _ = tell.send(());
    });
    Scripted { address, thread: Some(thread), done }
}

impl Scripted {
    /// Waits until the script was played, while the client's runtime goes on.
    pub(crate) async fn done(mut self) {
        (&mut self.done).await.expect("a script that is played to its end");
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take().filter(|_| !thread::panicking()) {
            thread.join().unwrap();
        }
    }
}
