//! The example `relay`, in the shape of signal-cli-rest-api: 8 consumers post, everything leaves over one WebSocket with pings
//! beside it, and a second reader stalls.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use endwell::{Exchange, ServerConfig};

use crate::judge::message;
use crate::peer::{CLOSE, FIN, PING, PONG, Peer, TEXT, frame};
use crate::support::{Client, LONG, Running, Runtime, on_every_runtime, start_narrow};

#[path = "../../../../adapters/examples/relay/relay.rs"]
mod example;

on_every_runtime!(
    eight_consumers_one_socket_and_a_reader_that_stalls,
    an_answer_means_that_it_is_with_the_transport,
    nobody_reads,
);

const CONSUMERS: usize = 8;
const EACH: usize = 250;
/// So far behind a reader may be.
const BEHIND: usize = 64;

fn relay<R: Runtime>() -> Running {
    let mut config = ServerConfig::default();
    config.outlet.messages = BEHIND;
    config.ws.ping_interval = Some(Duration::from_millis(20));
    let relay = Arc::new(example::Relay::default());
    start_narrow::<R, _, _>(config, move |exchange: Exchange| example::handle(exchange, Arc::clone(&relay)))
}

/// A reader that has joined: it is read from only then, and so its ping was answered then.
fn join(mut client: Client) -> Peer {
    client.send(crate::peer::HANDSHAKE.replace("/chat", "/receive"));
    let mut peer = Peer::accepted(client);
    peer.send(frame(FIN | PING, b"joined"));
    while peer.frame().first != FIN | PONG {}
    peer
}

/// Posts, and waits for the answer: how many older messages were dropped for this one.
fn post(client: &mut Client, text: &str) -> Result<usize, u16> {
    client.send(format!("POST /send HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{text}", text.len()));
    let response = client.response().unwrap();
    match response.status {
        200 => Ok(String::from_utf8(response.body).unwrap().trim().parse().unwrap()),
        status => Err(status),
    }
}

/// Messages up to the last, in the order of each who posted; how many, and how many pings beside them.
fn read(peer: &mut Peer) -> (usize, usize) {
    let (mut messages, mut pings, mut expected) = (0, 0, [0; CONSUMERS]);
    loop {
        let next = peer.frame();
        if next.first == FIN | PING {
            pings += 1;
            peer.send(frame(FIN | PONG, &next.payload));
            continue;
        }
        assert_eq!(next.first, FIN | TEXT);
        messages += 1;
        let text = next.as_text();
        if text == "over" {
            return (messages, pings);
        }
        let mut words = text.split(' ').map(|word| word.parse().unwrap_or(usize::MAX));
        let (consumer, index) = (words.next().unwrap(), words.next().unwrap());
        assert_eq!(text, message(consumer, index));
        assert!(index >= expected[consumer], "{index} of {consumer} is out of order");
        expected[consumer] = index + 1;
    }
}

fn eight_consumers_one_socket_and_a_reader_that_stalls<R: Runtime>() {
    let server = relay::<R>();
    let mut stalled = join(Client::connect_narrow(server.address));
    let mut reader = join(server.connect());
    // It is kept: a reader that has left has perhaps got nothing.
    let reading = thread::spawn(move || (read(&mut reader), reader));
    let began = Instant::now();
    let consumers: Vec<_> = (0..CONSUMERS)
        .map(|consumer| {
            let mut client = server.connect();
            thread::spawn(move || {
                let (mut dropped, mut slowest) = (0, Duration::ZERO);
                for index in 0..EACH {
                    let posting = Instant::now();
                    dropped += post(&mut client, &message(consumer, index)).unwrap();
                    slowest = slowest.max(posting.elapsed());
                    assert!(slowest < LONG / 5, "it waits for the one that stalls");
                }
                (dropped, slowest)
            })
        })
        .collect();
    let (mut dropped, mut slowest) = (0, Duration::ZERO);
    for consumer in consumers {
        let (more, slow) = consumer.join().unwrap();
        dropped += more;
        slowest = slowest.max(slow);
    }
    let time = began.elapsed();
    dropped += post(&mut server.connect(), "over").unwrap();
    let posted = CONSUMERS * EACH + 1;
    let ((delivered, pings), reader) = reading.join().unwrap();
    drop(reader);
    // It comes back, and gets what is left: what it has missed is what the answers said.
    let (late, _) = read(&mut stalled);
    println!(
        "relay {:<17} {posted} posted in {time:?}, the slowest answered after {slowest:?}; {delivered} delivered, \
         {pings} pings; the stalled reader: {late} delivered, {dropped} dropped",
        R::NAME
    );
    assert_eq!(delivered, posted);
    assert_eq!(late + dropped, posted);
    assert!(dropped > 0 && pings > 0);
}

/// The only reader takes nothing: no more posts are answered than its sockets hold.
fn an_answer_means_that_it_is_with_the_transport<R: Runtime>() {
    const POSTS: usize = 30;
    const LEN: usize = 10_000;
    const SOCKETS: usize = 100_000;
    let server = relay::<R>();
    let mut reader = join(Client::connect_narrow(server.address));
    let mut client = server.connect();
    let (tell, told) = mpsc::channel();
    let posting = thread::spawn(move || {
        for _ in 0..POSTS {
            tell.send(post(&mut client, &"x".repeat(LEN))).unwrap();
        }
    });
    // Until one is not answered for long.
    let mut answered = 0;
    while let Ok(answer) = told.recv_timeout(Duration::from_millis(200)) {
        assert_eq!(answer, Ok(0));
        answered += 1;
    }
    assert!(answered * LEN <= SOCKETS, "{answered} were answered");
    let mut read = 0;
    while read < POSTS {
        read += usize::from(reader.frame().first == FIN | TEXT);
    }
    posting.join().unwrap();
    assert!(told.iter().all(|answer| answer == Ok(0)));
}

fn nobody_reads<R: Runtime>() {
    let server = relay::<R>();
    let mut client = server.connect();
    assert_eq!(post(&mut client, "hello"), Err(503));
    let mut reader = join(server.connect());
    assert_eq!(post(&mut client, "hello"), Ok(0));
    reader.send(crate::peer::close(1000));
    while reader.frame().first != FIN | CLOSE {}
    reader.client.assert_closed();
    drop(reader);
    server.next_end();
    assert_eq!(post(&mut client, "hello"), Err(503));
}
