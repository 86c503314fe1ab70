//! Frames of a WebSocket.

use bytes::{Bytes, BytesMut};
use endwell_core::OutboxLimits;
use endwell_core::ws::{DataMessage, Event, Jitter, Masks, Role, Socket, SocketLimits};

use crate::{Case, READ, read, write};

pub(crate) const CASES: &[Case] = &[
    ("receive-text-20", |times| receive(&TEXT_20, times)),
    ("receive-text-1k", |times| receive(&TEXT_1K, times)),
    ("receive-text-16k", |times| receive(&TEXT_16K, times)),
    ("receive-chinese-16k", |times| receive(&CHINESE_16K, times)),
    ("receive-binary-20", |times| receive(&BINARY_20, times)),
    ("receive-binary-1k", |times| receive(&BINARY_1K, times)),
    ("receive-binary-16k", |times| receive(&BINARY_16K, times)),
    ("send-20", |times| send(Role::Server, &BINARY_20, times)),
    ("send-1k", |times| send(Role::Server, &BINARY_1K, times)),
    ("send-16k", |times| send(Role::Server, &BINARY_16K, times)),
    ("send-masked-20", |times| send(client(), &BINARY_20, times)),
    ("send-masked-1k", |times| send(client(), &BINARY_1K, times)),
    ("send-masked-16k", |times| send(client(), &BINARY_16K, times)),
    ("echo-text-20", |times| echo(&TEXT_20, times)),
    ("echo-binary-1k", |times| echo(&BINARY_1K, times)),
    ("echo-binary-16k", |times| echo(&BINARY_16K, times)),
    ("echo-owned-text-20", |times| echo_owned(&TEXT_20, times)),
    ("echo-owned-binary-1k", |times| echo_owned(&BINARY_1K, times)),
    ("echo-owned-binary-16k", |times| echo_owned(&BINARY_16K, times)),
];

const TEXT_20: Kind = Kind { first: TEXT, unit: "a", len: 20 };
const TEXT_1K: Kind = Kind { len: 1 << 10, ..TEXT_20 };
const TEXT_16K: Kind = Kind { len: 16 << 10, ..TEXT_20 };
const CHINESE_16K: Kind = Kind { first: TEXT, unit: "\u{4e2d}\u{6587}", len: 16 << 10 };
const BINARY_20: Kind = Kind { first: BINARY, unit: "a", len: 20 };
const BINARY_1K: Kind = Kind { len: 1 << 10, ..BINARY_20 };
const BINARY_16K: Kind = Kind { len: 16 << 10, ..BINARY_20 };

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;

/// A kind of message, of `len` bytes or a little less.
struct Kind {
    first: u8,
    unit: &'static str,
    len: usize,
}

impl Kind {
    fn payload(&self) -> Vec<u8> {
        self.unit.repeat(self.len / self.unit.len()).into_bytes()
    }

    /// As a client sends it.
    fn frame(&self) -> Vec<u8> {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let payload = self.payload();
        let mut frame = vec![self.first];
        match u16::try_from(payload.len()).expect("short") {
            len @ ..=125 => frame.push(0x80 | u8::try_from(len).expect("short")),
            len => {
                frame.push(0x80 | 126);
                frame.extend(len.to_be_bytes());
            }
        }
        frame.extend(key);
        frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        frame
    }

    /// As many as one read takes, up to 64.
    fn segment(&self, times: usize) -> (Vec<u8>, usize) {
        let frame = self.frame();
        let batch = (READ / frame.len()).clamp(1, 64).min(times);
        (frame.repeat(batch), times / batch)
    }
}

fn client() -> Role {
    Role::Client(Masks::new(|| [7, 5, 3, 1]))
}

fn socket(role: Role) -> Socket {
    let limits = SocketLimits::default().into();
    Socket::from_parts(role, Bytes::new(), limits, OutboxLimits::default(), Jitter(0), None)
}

fn receive(kind: &Kind, times: usize) -> usize {
    let (segment, rounds) = kind.segment(times);
    let (mut socket, mut scratch, mut done) = (socket(Role::Server), None, 0);
    for _ in 0..rounds {
        read(socket.io(), &segment, &mut scratch);
        while let Some(event) = socket.event() {
            assert!(matches!(event, Event::Text(_) | Event::Binary(_)));
            done += 1;
        }
        scratch = socket.io().reclaim();
    }
    done
}

fn send(role: Role, kind: &Kind, times: usize) -> usize {
    let payload = kind.payload();
    let mut socket = socket(role);
    for _ in 0..times {
        assert!(socket.writer().binary(&payload).is_ok());
        write(socket.io());
    }
    times
}

fn echo(kind: &Kind, times: usize) -> usize {
    let (segment, rounds) = kind.segment(times);
    let (mut socket, mut scratch, mut done) = (socket(Role::Server), None, 0);
    for _ in 0..rounds {
        read(socket.io(), &segment, &mut scratch);
        loop {
            let written = match socket.split() {
                (Some(Event::Text(text)), mut writer) => writer.text(&text).is_ok(),
                (Some(Event::Binary(data)), mut writer) => writer.binary(&data).is_ok(),
                (None, _) => break,
                (other, _) => panic!("{other:?}"),
            };
            assert!(written);
            done += 1;
        }
        scratch = socket.io().reclaim();
        write(socket.io());
    }
    done
}

/// The event borrows the socket, so what is sent back is owned: a copy, as a handler takes it.
fn echo_owned(kind: &Kind, times: usize) -> usize {
    let (segment, rounds) = kind.segment(times);
    let (mut socket, mut scratch, mut done): (_, Option<BytesMut>, _) = (socket(Role::Server), None, 0);
    for _ in 0..rounds {
        read(socket.io(), &segment, &mut scratch);
        while let Some(event) = socket.event() {
            let message = match event {
                Event::Text(text) => DataMessage::from(text),
                Event::Binary(data) => DataMessage::from(data),
                other => panic!("{other:?}"),
            };
            assert!(socket.writer().message(message).is_ok());
            done += 1;
        }
        scratch = socket.io().reclaim();
        write(socket.io());
    }
    done
}
