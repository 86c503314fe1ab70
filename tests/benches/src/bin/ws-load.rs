//! Echoes over WebSockets for as long as it is told, and says how many came back: the load for `ws.sh`.
//!
//!     ws-load --connections 10 --flight 16 --bytes 20 --seconds 3 127.0.0.1:8080

use std::io::{Error, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use lexopt::Arg::{Long, Value};
use lexopt::ValueExt;

const HANDSHAKE: &str = "GET /ws HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
     sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut connections, mut flight, mut bytes, mut seconds, mut address) = (10, 1, 20, 3, String::new());
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("connections") => connections = arguments.value()?.parse()?,
            Long("flight") => flight = arguments.value()?.parse()?,
            Long("bytes") => bytes = arguments.value()?.parse()?,
            Long("seconds") => seconds = arguments.value()?.parse()?,
            Value(value) => address = value.string()?,
            other => return Err(other.unexpected().into()),
        }
    }
    let (stop, echoed) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        let running: Vec<_> =
            (0..connections).map(|_| scope.spawn(|| echo(&address, flight, bytes, &stop, &echoed))).collect();
        thread::sleep(Duration::from_secs(seconds));
        stop.store(true, Ordering::Relaxed);
        running.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
    })?;
    println!("{}", echoed.load(Ordering::Relaxed));
    Ok(())
}

/// Sends `flight` messages in one write and reads as many back, again and again.
fn echo(
    address: &str,
    flight: usize,
    bytes: usize,
    stop: &AtomicBool,
    echoed: &AtomicU64,
) -> Result<(), Error> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    socket.write_all(HANDSHAKE.as_bytes())?;
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", head.escape_ascii());
    let length = match (u8::try_from(bytes), u16::try_from(bytes)) {
        (Ok(len @ ..126), _) => vec![len],
        (_, Ok(len)) => [&[126][..], &len.to_be_bytes()].concat(),
        _ => [&[127][..], &(bytes as u64).to_be_bytes()].concat(),
    };
    let back = [&[0x82][..], &length, &vec![7; bytes]].concat().repeat(flight);
    let mut masked = length;
    masked[0] |= 0x80;
    let there = [&[0x82][..], &masked, &[0; 4], &vec![7; bytes]].concat().repeat(flight);
    let mut received = vec![0; back.len()];
    while !stop.load(Ordering::Relaxed) {
        socket.write_all(&there)?;
        socket.read_exact(&mut received)?;
        assert!(received == back, "not an echo");
        echoed.fetch_add(flight as u64, Ordering::Relaxed);
    }
    Ok(())
}
