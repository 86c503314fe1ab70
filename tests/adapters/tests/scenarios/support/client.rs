//! A client on a blocking socket.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{SockRef, Socket};

use super::{Cut, Response};

/// Longer than anything here takes on a busy machine: who waits for this long waits for ever.
pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) struct Client {
    pub(crate) socket: TcpStream,
    /// What was read and belongs to no response yet.
    pub(super) ahead: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).unwrap())
    }

    /// Connects with socket buffers as small as the system lets them be.
    pub(crate) fn connect_narrow(address: SocketAddr) -> Self {
        Self::connect_with_buffers(address, 4096, 4096)
    }

    /// Connects with socket buffers for so many bytes received and sent.
    pub(crate) fn connect_with_buffers(address: SocketAddr, receive: usize, send: usize) -> Self {
        let socket = Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(receive).unwrap();
        socket.set_send_buffer_size(send).unwrap();
        socket.connect(&address.into()).unwrap();
        Self::over(socket.into())
    }

    fn over(socket: TcpStream) -> Self {
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(LONG)).unwrap();
        socket.set_write_timeout(Some(LONG)).unwrap();
        Self { socket, ahead: Vec::new() }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.socket.write_all(bytes.as_ref()).unwrap();
    }

    /// Sends each byte in a segment of its own.
    pub(crate) fn send_bytewise(&mut self, bytes: impl AsRef<[u8]>) {
        for byte in bytes.as_ref() {
            self.socket.write_all(&[*byte]).unwrap();
        }
    }

    /// Sends whole or byte by byte.
    pub(crate) fn send_as(&mut self, bytewise: bool, bytes: impl AsRef<[u8]>) {
        if bytewise {
            self.send_bytewise(bytes);
        } else {
            self.send(bytes);
        }
    }

    pub(crate) fn end_write(&self) {
        self.socket.shutdown(Shutdown::Write).unwrap();
    }

    /// Ends both sides, also for other threads that hold the socket.
    pub(crate) fn shut_down(&self) {
        // The peer may have been first.
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    /// Resets the connection.
    pub(crate) fn reset(self) {
        SockRef::from(&self.socket).set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// The next response, whole; or how it was cut off.
    pub(crate) fn response(&mut self) -> Result<Response, Cut> {
        Response::read(self, "GET")
    }

    /// The next response, to a request with this method.
    pub(crate) fn response_to(&mut self, method: &str) -> Result<Response, Cut> {
        Response::read(self, method)
    }

    /// Exactly so many bytes.
    pub(crate) fn read_exactly(&mut self, len: usize) -> Vec<u8> {
        while self.ahead.len() < len {
            assert!(self.fill().unwrap() > 0, "the stream ended after {:?}", Text(&self.ahead));
        }
        self.ahead.drain(..len).collect()
    }

    /// Puts back what was read too early.
    pub(crate) fn unread(&mut self, bytes: &[u8]) {
        self.ahead.splice(..0, bytes.iter().copied());
    }

    /// All bytes up to the end of the stream, which must be a clean one.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        while self.fill().expect("no reset") > 0 {}
        std::mem::take(&mut self.ahead)
    }

    /// The connection ends without a further byte, and without a reset.
    pub(crate) fn assert_closed(&mut self) {
        let rest = self.rest();
        assert!(rest.is_empty(), "the end was expected, not {:?}", Text(&rest));
    }

    pub(super) fn fill(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 16 << 10];
        let len = self.socket.read(&mut buffer)?;
        self.ahead.extend_from_slice(&buffer[..len]);
        Ok(len)
    }
}

/// Bytes as a failure shows them.
pub(super) struct Text<'a>(pub(super) &'a [u8]);

impl std::fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = &self.0[..self.0.len().min(300)];
        write!(f, "\"{}\" ({} bytes)", shown.escape_ascii(), self.0.len())
    }
}
