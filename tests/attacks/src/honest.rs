//! The process of the honest client: one small question at a time, over kept connections, and how long each answer took.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::client::{self, LONG, TEXT};

/// The time between an answer and the next question: the client is no load of its own.
const PAUSE: Duration = Duration::from_millis(2);

/// Asks over HTTP, over a WebSocket, and over plain threads beside the server, each on a thread of its own. Prints the
/// times of each in microseconds, and ends.
pub fn run(server: SocketAddr, floor: SocketAddr, hyper: bool, time: Duration) -> Result<()> {
    let echo = client::frame(TEXT, b"hello");
    let mut asking = vec![
        ("http", client::connect(server)?, client::get("/hello").into_bytes(), &b"\r\n\r\nhello"[..]),
        ("floor", client::connect(floor)?, b"hello".to_vec(), b"hello"),
    ];
    if !hyper {
        asking.push(("ws", client::open_web_socket(server, "/echo")?, echo, b"\x81\x05hello"));
    }
    println!("ready");
    // The parent says when to begin.
    io::stdin().read_line(&mut String::new())?;
    let threads: Vec<_> = asking
        .into_iter()
        .map(|(name, socket, question, answer)| {
            thread::spawn(move || (name, ask(socket, &question, answer, time)))
        })
        .collect();
    for thread in threads {
        let (name, times) = thread.join().map_err(|_| "a client panicked")?;
        let times: Vec<String> = times.iter().map(|time| time.as_micros().to_string()).collect();
        println!("{name} {}", times.join(" "));
    }
    Ok(())
}

/// The times of all answers. The last one may be a question without an answer: it took at least that long.
fn ask(mut socket: TcpStream, question: &[u8], answer: &[u8], time: Duration) -> Vec<Duration> {
    let mut times = Vec::new();
    let start = Instant::now();
    while start.elapsed() < time {
        let asked = Instant::now();
        let answered = exchange(&mut socket, question, answer);
        times.push(if answered { asked.elapsed() } else { LONG });
        if !answered {
            break;
        }
        thread::sleep(PAUSE);
    }
    times
}

fn exchange(socket: &mut TcpStream, question: &[u8], answer: &[u8]) -> bool {
    if socket.write_all(question).is_err() {
        return false;
    }
    let mut got = Vec::new();
    let mut buffer = [0; 1024];
    while !got.ends_with(answer) {
        match socket.read(&mut buffer) {
            Ok(len @ 1..) => got.extend_from_slice(&buffer[..len]),
            _ => return false,
        }
    }
    true
}
