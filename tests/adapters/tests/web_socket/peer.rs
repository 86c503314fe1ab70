//! A WebSocket client on a blocking socket, which knows frames and nothing else: it can break every rule.

use crate::support::{Client, Running};

/// A handshake as browsers send it, without an Origin.
pub(crate) const HANDSHAKE: &str = "GET /chat HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
     sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n";

/// The answer to the key in [`HANDSHAKE`], from RFC 6455 1.3.
pub(crate) const ANSWER: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;
/// The bit of a frame that ends its message.
pub(crate) const FIN: u8 = 0x80;

/// A masked frame with this first byte.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..126 => frame.push(0x80 | len as u8),
        len @ 126..0x1_0000 => {
            frame.push(0x80 + 126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(0x80 + 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

pub(crate) fn text(text: &str) -> Vec<u8> {
    frame(FIN | TEXT, text.as_bytes())
}

pub(crate) fn close(code: u16) -> Vec<u8> {
    frame(FIN | CLOSE, &code.to_be_bytes())
}

/// A frame of the server's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) first: u8,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// The code of a Close.
    pub(crate) fn code(&self) -> u16 {
        assert_eq!(self.first, FIN | CLOSE, "a Close was expected, not {self:?}");
        u16::from_be_bytes([self.payload[0], self.payload[1]])
    }

    pub(crate) fn as_text(&self) -> &str {
        assert_eq!(self.first, FIN | TEXT, "a text message was expected, not {self:?}");
        std::str::from_utf8(&self.payload).unwrap()
    }
}

pub(crate) struct Peer {
    pub(crate) client: Client,
}

impl Peer {
    /// Connects and shakes hands.
    pub(crate) fn connect(server: &Running) -> Self {
        Self::over(server.connect())
    }

    /// Connects with small socket buffers and shakes hands.
    pub(crate) fn connect_narrow(server: &Running) -> Self {
        Self::over(Client::connect_narrow(server.address))
    }

    /// Connects and shakes hands for another path than the usual one.
    pub(crate) fn connect_to(server: &Running, path: &str) -> Self {
        let mut client = server.connect();
        client.send(HANDSHAKE.replace("/chat", path));
        Self::accepted(client)
    }

    /// Shakes hands.
    pub(crate) fn over(mut client: Client) -> Self {
        client.send(HANDSHAKE);
        Self::accepted(client)
    }

    /// The handshake was sent: reads the answer.
    pub(crate) fn accepted(mut client: Client) -> Self {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend(client.read_exactly(1));
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 101 ") && head.contains(ANSWER), "{head}");
        Self { client }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.client.send(bytes);
    }

    /// The next frame. Nothing of the server's may be masked, or longer than it need be.
    pub(crate) fn frame(&mut self) -> Frame {
        let head = self.client.read_exactly(2);
        let len = match head[1] {
            126 => {
                let len = self.client.read_exactly(2);
                let len = usize::from(u16::from_be_bytes([len[0], len[1]]));
                assert!(len >= 126);
                len
            }
            127 => {
                let len = u64::from_be_bytes(self.client.read_exactly(8).try_into().unwrap());
                assert!(len > 0xffff);
                len as usize
            }
            len => {
                assert!(len < 126, "masked");
                usize::from(len)
            }
        };
        Frame { first: head[0], payload: self.client.read_exactly(len) }
    }

    /// The Close is next, and after it nothing but the end of the stream. Its code.
    pub(crate) fn assert_fails(&mut self) -> u16 {
        let code = self.frame().code();
        self.client.assert_closed();
        code
    }

    /// The Close is next; it is answered, and the server ends the stream. Its code.
    pub(crate) fn assert_closes(&mut self) -> u16 {
        let code = self.frame().code();
        self.send(close(code));
        self.client.assert_closed();
        code
    }
}
