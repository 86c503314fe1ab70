//! Receives and echoes masked frames in process, for an instruction count:
//!
//! ```text
//! cargo build --release
//! for kind in text binary 1k 16k; do for form in socket owned; do
//!     valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/ws-core-bench $kind $form 10000
//!     valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/ws-core-bench $kind $form 30000
//! done; done
//! ```
//!
//! The difference between the two counts, divided by the difference in frames, is what a frame costs; `./count`
//! does the arithmetic. `none` as the form leaves the protocol out and measures the transport's copy.

use bytes::{Bytes, BytesMut};
use endwell_core::ws::{DataMessage, Jitter, Role, SocketLimits};
use endwell_core::ws::{Event, Socket};
use endwell_core::{Arrived, Instant, Look, OutboxLimits, Wrote};
use std::convert::Infallible;

/// Bytes that one read takes.
const READ: usize = 64 << 10;

fn main() {
    let mut args = std::env::args().skip(1);
    let (kind, form) = (args.next().expect("a kind"), args.next().expect("a form"));
    let frames: usize = args.next().and_then(|count| count.parse().ok()).expect("a count");
    let (first, len) = match kind.as_str() {
        "text" => (0x81, 20),
        "binary" => (0x82, 20),
        "1k" => (0x82, 1 << 10),
        "16k" => (0x82, 16 << 10),
        "text1k" => (0x81, 1 << 10),
        "text16k" => (0x81, 16 << 10),
        other => panic!("{other}: text, binary, 1k, 16k, text1k or text16k"),
    };
    let frame = frame(first, len);
    let batch = (READ / frame.len()).min(64);
    let segment = frame.repeat(batch);
    let rounds = frames / batch;
    println!("{} bytes echoed", run(&form, &segment, rounds));
}

fn frame(first: u8, len: usize) -> Vec<u8> {
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = vec![first];
    match u16::try_from(len).expect("short") {
        len @ ..=125 => frame.push(0x80 | u8::try_from(len).expect("short")),
        len => {
            frame.push(0x80 | 126);
            frame.extend(len.to_be_bytes());
        }
    }
    frame.extend(key);
    frame.extend((0..len).map(|i| b'a' ^ key[i % 4]));
    frame
}

fn run(form: &str, segment: &[u8], rounds: usize) -> usize {
    let limits = SocketLimits::default().into();
    let output = OutboxLimits::default();
    let mut socket = Socket::from_parts(Role::Server, Bytes::new(), limits, output, Jitter(0), None);
    let mut scratch = Some(BytesMut::zeroed(128 << 10));
    let mut echoed = 0;
    match form {
        "none" => {
            let mut scratch = BytesMut::zeroed(128 << 10);
            for _ in 0..rounds {
                scratch[..segment.len()].copy_from_slice(segment);
                echoed += std::hint::black_box(&scratch).len();
            }
        }
        "socket" => {
            for _ in 0..rounds {
                read(&mut socket, segment, &mut scratch);
                loop {
                    let written = match socket.split() {
                        (Some(Event::Text(text)), mut writer) => writer.text(&text).is_ok(),
                        (Some(Event::Binary(data)), mut writer) => writer.binary(&data).is_ok(),
                        (None, _) => break,
                        (other, _) => panic!("{other:?}"),
                    };
                    assert!(written);
                }
                scratch = socket.io().reclaim();
                echoed += write(&mut socket);
            }
        }
        "owned" => {
            for _ in 0..rounds {
                read(&mut socket, segment, &mut scratch);
                while let Some(event) = socket.event() {
                    // The event borrows the socket, so what is sent back is owned: a copy, as a handler takes it.
                    let message = match event {
                        Event::Text(text) => DataMessage::from(text),
                        Event::Binary(data) => DataMessage::from(data),
                        other => panic!("{other:?}"),
                    };
                    assert!(socket.writer().message(message).is_ok());
                }
                scratch = socket.io().reclaim();
                echoed += write(&mut socket);
            }
        }
        other => panic!("{other}: socket, owned or none"),
    }
    echoed
}

/// What a driver does for one read: lends its buffer, and the kernel copies into it.
fn read(socket: &mut Socket, segment: &[u8], scratch: &mut Option<BytesMut>) {
    let mut io = socket.io();
    io.lend(scratch.take().unwrap_or_else(|| BytesMut::zeroed(128 << 10))).expect("nothing is held");
    let arrived = io.read(Instant::default(), |room| {
        room[..segment.len()].copy_from_slice(segment);
        Ok::<_, Infallible>(Look::Bytes(segment.len()))
    });
    assert_eq!(arrived, Ok(Arrived::Something));
}

fn write(socket: &mut Socket) -> usize {
    let mut io = socket.io();
    let queued = io.queued();
    let wrote = io.write(Instant::default(), |chunks| {
        std::hint::black_box(chunks.next());
        Ok::<_, Infallible>(Some(queued))
    });
    assert_eq!(wrote, Ok(Wrote::Something));
    queued
}
