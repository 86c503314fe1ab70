//! S19: a reader and a writer in two tasks, both busy, with small socket buffers: no wake-up is lost.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use endwell::core::Pace;
use endwell::ws::{CloseCode, Content};
use endwell::{Answered, Exchange, ServerConfig};

use crate::peer::{BINARY, CLOSE, FIN, Peer, close, frame, text};
use crate::service::{accept, spawn};
use crate::support::{Client, Runtime, on_every_runtime, pattern, server, told};

on_every_runtime!(
    both_ways_for_a_second,
    #[ignore = "the long run"]
    both_ways_for_ten_seconds,
);

/// So long nothing comes only if a wake-up was lost. Nothing else here would wake anybody.
const LOST: Duration = Duration::from_secs(5);

/// Small, so that both sides wait all the time. In 4 KiB of receive buffer Linux itself loses window updates now and then
/// while data flows the other way: all is read, and the sender waits for seconds.
const RECEIVE: usize = 32 << 10;
const SEND: usize = 4096;

fn both_ways_for_a_second<R: Runtime>() {
    both_ways::<R>(Duration::from_secs(1));
}

fn both_ways_for_ten_seconds<R: Runtime>() {
    both_ways::<R>(Duration::from_secs(10));
}

fn payload(index: usize) -> Vec<u8> {
    let mut payload = pattern(4 + index % 3000);
    payload[..4].copy_from_slice(&(index as u32).to_be_bytes());
    payload
}

fn both_ways<R: Runtime>(time: Duration) {
    let (tell, told) = told();
    let mut config = ServerConfig::default();
    config.ws.ping_interval = None;
    config.ws.message_pace = Pace::UNLIMITED;
    config.output.pace = Pace::UNLIMITED;
    config.output.high_water = 2000;
    let server = server::start_with_buffers::<R, _, _>([RECEIVE, SEND], config, move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            let (mut send, mut recv) = accept(exchange)?.split();
            let done = Arc::new(AtomicBool::new(false));
            let is_done = Arc::clone(&done);
            let reading = spawn::<R, _>(async move {
                let mut received = 0;
                while let Some(message) = recv.receive().await {
                    match message.content() {
                        Content::Binary(data) => assert!(data == payload(received)),
                        Content::Text(_) => {
                            done.store(true, Ordering::Release);
                            continue;
                        }
                        _ => continue,
                    }
                    received += 1;
                }
                received
            });
            let writing = spawn::<R, _>(async move {
                let mut sent = 0;
                while !is_done.load(Ordering::Acquire) {
                    send.send(payload(sent)).await.unwrap();
                    sent += 1;
                }
                (sent, send.close(CloseCode::NORMAL).await)
            });
            let (sent, ended) = writing.await;
            tell.send((sent, reading.await)).unwrap();
            Err::<Answered, _>(ended)
        }
    });
    let mut peer = Peer::over(Client::connect_with_buffers(server.address, RECEIVE, SEND));
    peer.client.socket.set_read_timeout(Some(LOST)).unwrap();
    let mut socket = peer.client.socket.try_clone().unwrap();
    socket.set_write_timeout(Some(LOST)).unwrap();
    let writing = thread::spawn(move || {
        let began = Instant::now();
        let mut sent = 0;
        while began.elapsed() < time {
            socket.write_all(&frame(FIN | BINARY, &payload(sent))).unwrap();
            sent += 1;
        }
        socket.write_all(&text("done")).unwrap();
        sent
    });
    let mut received = 0;
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < time + LOST, "what the peer sends is not read");
        let message = peer.frame();
        if message.first == FIN | CLOSE {
            break assert_eq!(message.code(), 1000);
        }
        assert!(message.first == FIN | BINARY && message.payload == payload(received), "message {received}");
        received += 1;
    }
    let sent = writing.join().unwrap();
    peer.send(close(1000));
    peer.client.assert_closed();
    drop(peer);
    assert_eq!(told.next(), (received, sent));
    println!("S19 {:<17} {time:?}: {received} messages out, {sent} in, none lost", R::NAME);
    assert!(received > 100 && sent > 100);
}
