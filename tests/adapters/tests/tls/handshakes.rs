//! Handshakes that are slow, many, or none.

use std::future::poll_fn;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use endwell::http::StatusCode;
use endwell::{Address, EndedKind, Exchange, Listener};

use crate::dialling::{Dialling, run};
use crate::peer::Peer;
use crate::secure::Secure;
use crate::support::{LONG, Runtime, on_every_runtime, start};

on_every_runtime!(
    byte_by_byte,
    no_tls,
    leaves_within_it,
    slow_ones_are_ended,
    slow_ones_hold_nobody_up,
    no_more_at_once_than_are_allowed,
    silent_ones_delay_no_handshake,
    accepting_is_given_up_again_and_again,
);

const GET: &str = "GET / HTTP/1.0\r\n\r\n";

async fn ok(exchange: Exchange) -> endwell::Answered {
    exchange.respond(StatusCode::OK, "ok")
}

fn get(client: &mut Peer) {
    client.shake_hands().unwrap();
    client.send(GET);
    let (response, end) = client.rest();
    end.unwrap();
    assert!(response.ends_with(b"\r\n\r\nok"));
}

/// A socket that takes and gives one byte at a time.
struct Bytewise<'a>(&'a TcpStream);

impl Read for Bytewise<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min(1);
        self.0.read(&mut buffer[..len])
    }
}

impl Write for Bytewise<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.write(&data[..data.len().min(1)])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn byte_by_byte<R: Dialling>() {
    let server = start::<Secure<R>, _, _>(ok);
    let mut client = Peer::client(server.address);
    let mut socket = Bytewise(&client.socket);
    while client.tls.is_handshaking() || client.tls.wants_write() {
        client.tls.complete_io(&mut socket).unwrap();
    }
    get(&mut client);
}

/// Somebody speaks HTTP to the port of TLS: an alert, and the end. Nobody else notices.
fn no_tls<R: Dialling>() {
    let server = start::<Secure<R>, _, _>(ok);
    let mut client = TcpStream::connect(server.address).unwrap();
    client.set_read_timeout(Some(LONG)).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    // RFC 8446 5.1 and 6: a record of type alert, which is fatal.
    assert_eq!((answer[0], answer.len(), answer[5]), (21, 7, 2));
    let ended = server.next_end();
    assert_eq!(
        ended.to_string(),
        "the transport failed: received corrupt message of type InvalidContentType"
    );
    get(&mut Peer::client(server.address));
}

fn leaves_within_it<R: Dialling>() {
    let server = start::<Secure<R>, _, _>(ok);
    drop(TcpStream::connect(server.address).unwrap());
    let mut client = Peer::client(server.address);
    client.tls.write_tls(&mut client.socket).unwrap();
    client.end_write();
    for _ in 0..2 {
        let ended = server.next_end();
        let EndedKind::Transport(cause) = ended.kind() else { panic!("{ended}") };
        assert_eq!(cause.kind(), ErrorKind::UnexpectedEof, "{cause}");
    }
    assert_eq!(server.counters.exchanges(), 0);
}

/// Neither silence nor a byte now and then makes the time longer.
fn slow_ones_are_ended<R: Dialling>() {
    let server = start::<Secure<R, 1024, 300>, _, _>(ok);
    let mut silent = TcpStream::connect(server.address).unwrap();
    silent.set_read_timeout(Some(LONG)).unwrap();
    let mut slow = Peer::client(server.address);
    let mut hello = Vec::new();
    slow.tls.write_tls(&mut hello).unwrap();
    for byte in hello.chunks(1).take(hello.len() - 1) {
        if slow.socket.write_all(byte).is_err() {
            break;
        }
        thread::sleep(Duration::from_millis(2));
    }
    for _ in 0..2 {
        let ended = server.next_end();
        let EndedKind::Transport(cause) = ended.kind() else { panic!("{ended}") };
        assert_eq!(cause.kind(), ErrorKind::TimedOut);
        assert_eq!(cause.to_string(), "expected the end of the TLS handshake within 300ms");
    }
    assert!(silent.read(&mut [0]).is_ok_and(|len| len == 0));
    // One that is over in time has no such time any more.
    let mut client = Peer::client(server.address);
    client.shake_hands().unwrap();
    thread::sleep(Duration::from_millis(400));
    get(&mut client);
}

fn slow_ones_hold_nobody_up<R: Dialling>() {
    let server = start::<Secure<R>, _, _>(ok);
    let slow: Vec<_> = (0..50)
        .map(|number| {
            let mut slow = Peer::client(server.address);
            let mut hello = Vec::new();
            slow.tls.write_tls(&mut hello).unwrap();
            slow.socket.write_all(&hello[..number]).unwrap();
            slow
        })
        .collect();
    for _ in 0..5 {
        get(&mut Peer::client(server.address));
    }
    assert_eq!(server.counters.exchanges(), 5);
    drop(slow);
}

/// Two have begun, so others wait in turn; then one of the two leaves.
fn no_more_at_once_than_are_allowed<R: Dialling>() {
    let server = start::<Secure<R, 2>, _, _>(ok);
    // What is over counts no more.
    let mut open: Vec<_> = (0..5).map(|_| Peer::client(server.address)).collect();
    for client in &mut open {
        client.shake_hands().unwrap();
    }
    let mut begun: Vec<_> = (0..2).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    for socket in &mut begun {
        // RFC 8446 5.1: the type of a record, handshake.
        socket.write_all(&[22]).unwrap();
    }
    while server.counters.accepted() < 7 {
        thread::yield_now();
    }
    // The tasks of the two have read it.
    thread::sleep(Duration::from_millis(200));
    let mut waiting: Vec<_> = (0..2).map(|_| Peer::client(server.address)).collect();
    for client in &mut waiting {
        client.tls.write_tls(&mut client.socket).unwrap();
        client.socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let waited = client.socket.read(&mut [0]).unwrap_err().kind();
        assert!(matches!(waited, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{waited}");
        client.socket.set_read_timeout(Some(LONG)).unwrap();
    }
    assert_eq!(server.counters.accepted(), 9);
    drop(begun.pop());
    waiting.iter_mut().for_each(get);
    open.iter_mut().for_each(get);
}

/// They take no place before their first byte.
fn silent_ones_delay_no_handshake<R: Dialling>() {
    let server = start::<Secure<R, 2>, _, _>(ok);
    let silent: Vec<_> = (0..20).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    let began = Instant::now();
    get(&mut Peer::client(server.address));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    drop(silent);
}

/// Whoever accepts may stop to wait at any time, and no connection is lost.
fn accepting_is_given_up_again_and_again<R: Dialling>() {
    const CLIENTS: usize = 20;
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let address = socket.local_addr().unwrap();
    let clients =
        thread::spawn(move || (0..CLIENTS).map(|_| TcpStream::connect(address).unwrap()).collect::<Vec<_>>());
    let accepted = run::<R, _>(async {
        let listener = <Secure<R, CLIENTS> as Runtime>::listen(socket);
        let mut accepted = Vec::new();
        while accepted.len() < CLIENTS {
            let mut accepting = std::pin::pin!(listener.accept());
            match poll_fn(|cx| Poll::Ready(accepting.as_mut().poll(cx))).await {
                Poll::Ready(result) => accepted.push(result.unwrap().1.peer),
                Poll::Pending => R::sleep(Duration::from_millis(1)).await,
            }
        }
        accepted
    });
    for client in clients.join().unwrap() {
        assert!(accepted.contains(&Address::Tcp(client.local_addr().unwrap())));
    }
}
