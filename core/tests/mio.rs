//! The example `mio` over loopback: what each duty of a driver is for.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError::Disconnected;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use endwell_core::ws::CloseCode;
use endwell_core::{End, Exceeded, Limit, Outcome, Pace};
use socket2::SockRef;

#[path = "../examples/mio.rs"]
#[expect(dead_code, reason = "its `main` is not called")]
mod example;
use example::{Driver, Settings};

/// The example, in a thread.
struct Server {
    address: SocketAddr,
    stop: mio::Waker,
    ended: Receiver<io::Result<Outcome>>,
    thread: JoinHandle<io::Result<()>>,
}

fn serve(change: impl FnOnce(&mut Settings)) -> Server {
    let mut settings = Settings::default();
    change(&mut settings);
    let listener = mio::net::TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let (driver, stop) = Driver::new(listener, settings).unwrap();
    let (tell, ended) = channel();
    let thread = thread::spawn(move || driver.run(|outcome| drop(tell.send(outcome))));
    Server { address, stop, ended, thread }
}

fn limits(change: impl FnOnce(&mut endwell_core::http::HttpLimits)) -> Server {
    serve(|settings| change(Arc::make_mut(&mut settings.http)))
}

fn ws_limits(change: impl FnOnce(&mut endwell_core::ws::SocketLimits)) -> Server {
    serve(|settings| change(Arc::make_mut(&mut settings.ws)))
}

impl Server {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream
    }

    /// Sends `bytes` on a new connection.
    fn send(&self, bytes: impl AsRef<[u8]>) -> TcpStream {
        let mut stream = self.connect();
        stream.write_all(bytes.as_ref()).unwrap();
        stream
    }

    fn web_socket(&self) -> TcpStream {
        let mut stream = self.send(
            "GET /ws HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        );
        let head = head(&mut stream);
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(head.contains("\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{head}");
        stream
    }

    /// How the next connection to end did.
    fn ended(&self) -> io::Result<Outcome> {
        self.ended.recv_timeout(LONG).unwrap()
    }

    /// Which limit the next connection to end met.
    fn exceeded(&self) -> Limit {
        match self.ended() {
            Ok(Outcome::Exceeded(Exceeded { limit, .. }) | Outcome::Silent(Exceeded { limit, .. })) => limit,
            other => panic!("{other:?}"),
        }
    }

    fn stop(self) {
        self.stop.wake().unwrap();
        self.stopped();
    }

    fn stopped(self) {
        while self.ended.recv_timeout(LONG).map_err(|error| assert_eq!(error, Disconnected)).is_ok() {}
        self.thread.join().unwrap().unwrap();
    }
}

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(50);

fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

fn exact(stream: &mut TcpStream, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// What comes until the end of the stream.
fn rest(stream: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    String::from_utf8(rest).unwrap()
}

/// The content of chunks.
fn chunks(stream: &mut TcpStream) -> Vec<u8> {
    let mut content = Vec::new();
    loop {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.extend(exact(stream, 1));
        }
        let len = usize::from_str_radix(std::str::from_utf8(&line).unwrap().trim_end(), 16).unwrap();
        content.extend(exact(stream, len));
        assert_eq!(exact(stream, 2), b"\r\n");
        if len == 0 {
            return content;
        }
    }
}

/// A frame of a client. Its key is zero, so the payload is not changed.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..126 => frame.push(0x80 | u8::try_from(len).unwrap()),
        len @ 126..0x1_0000 => {
            frame.push(0xfe);
            frame.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
        len => {
            frame.push(0xff);
            frame.extend(u64::try_from(len).unwrap().to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// The next frame of the server.
fn receive(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let start = exact(stream, 2);
    let len = match start[1] {
        126 => u16::from_be_bytes(exact(stream, 2).try_into().unwrap()).into(),
        127 => u64::from_be_bytes(exact(stream, 8).try_into().unwrap()).try_into().unwrap(),
        len => usize::from(len),
    };
    (start[0], exact(stream, len))
}

fn closes(stream: &mut TcpStream, code: CloseCode) {
    let (first, payload) = receive(stream);
    assert_eq!((first, &payload[..2]), (0x88, &code.number().to_be_bytes()[..]));
}

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

#[test]
fn requests_over_one_connection_one_by_one_and_pipelined() {
    let server = limits(|_| {});
    let mut client = server.connect();
    for requests in [1, 1, 500] {
        client.write_all(GET.repeat(requests).as_bytes()).unwrap();
        for _ in 0..requests {
            let head = head(&mut client);
            assert!(head.starts_with("HTTP/1.1 200 OK\r\ncontent-length: 6\r\ndate: "), "{head}");
            assert!(head.ends_with(" GMT\r\n\r\n"), "{head}");
            assert_eq!(exact(&mut client, 6), b"hello\n");
        }
    }
    client.write_all(b"HEAD /none HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n").unwrap();
    assert!(head(&mut client).starts_with("HTTP/1.1 404 "));
    let rest = rest(&mut client);
    assert!(rest.starts_with("HTTP/1.1 400 ") && rest.contains("\r\nconnection: close\r\n"), "{rest}");
    drop(client);
    assert!(matches!(server.ended(), Ok(Outcome::Violated(_))));
    server.stop();
}

/// Larger than a turn, and each read larger than the output: the driver stops, and goes on.
#[test]
fn an_upload_is_echoed_while_it_arrives() {
    let server = serve(|settings| Arc::make_mut(&mut settings.output).bytes = 10_000);
    let content: Vec<u8> = (0..3_000_000_u32).map(|i| u8::try_from(i % 251).unwrap()).collect();
    let mut client = server.connect();
    for expect in ["", "expect: 100-continue\r\n"] {
        let request = format!("POST /echo HTTP/1.1\r\nhost: a\r\n{expect}content-length: 3000000\r\n\r\n");
        client.write_all(request.as_bytes()).unwrap();
        if !expect.is_empty() {
            assert_eq!(head(&mut client), "HTTP/1.1 100 Continue\r\n\r\n");
        }
        let (mut upload, sent) = (client.try_clone().unwrap(), content.clone());
        let sending = thread::spawn(move || upload.write_all(&sent).unwrap());
        assert!(head(&mut client).contains("\r\ntransfer-encoding: chunked\r\n"));
        assert!(chunks(&mut client) == content);
        sending.join().unwrap();
    }
    drop(client);
    server.stop();
}

#[test]
fn a_client_that_ends_its_side_gets_its_answer() {
    let server = limits(|_| {});
    for (request, answer) in
        [(GET, "\r\n\r\nhello\n"), ("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nwhole", "")]
    {
        let mut client = server.send(request);
        client.shutdown(Shutdown::Write).unwrap();
        let rest = rest(&mut client);
        assert!(rest.starts_with("HTTP/1.1 200 ") && rest.ends_with(answer), "{rest}");
    }
    assert_eq!(server.ended().unwrap(), Outcome::ByPeer);
    drop(server.ended());
    // Within a body, what is echoed is not the whole either.
    let mut client = server.send("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\npart");
    client.shutdown(Shutdown::Write).unwrap();
    assert!(rest(&mut client).ends_with("\r\n\r\n4\r\npart\r\n"));
    drop(client);
    assert_eq!(server.ended().unwrap(), Outcome::Aborted);
    server.stop();
}

#[test]
fn a_web_socket_echoes_answers_and_closes() {
    let server = limits(|_| {});
    let mut client = server.web_socket();
    let large = vec![b'x'; 3_000_000];
    for (sent, received) in [
        (frame(0x81, b"text"), (0x81, &b"text"[..])),
        (frame(0x89, b"ping"), (0x8a, b"ping")),
        ([frame(0x01, b"one "), frame(0x80, b"message")].concat(), (0x81, b"one message")),
        (frame(0x82, &large), (0x82, &large)),
    ] {
        let mut sender = client.try_clone().unwrap();
        let sending = thread::spawn(move || sender.write_all(&sent).unwrap());
        let (first, payload) = receive(&mut client);
        assert!((first, &payload[..]) == received, "{first:x}");
        sending.join().unwrap();
    }
    client.write_all(&frame(0x88, &1000_u16.to_be_bytes())).unwrap();
    closes(&mut client, CloseCode::NORMAL);
    assert_eq!(rest(&mut client), "");
    drop(client);
    assert!(matches!(server.ended(), Ok(Outcome::Closed { first: End::Theirs, .. })));

    let mut client = server.web_socket();
    client.write_all(&frame(0x81, b"\xff")).unwrap();
    closes(&mut client, CloseCode::INVALID_PAYLOAD);
    drop(client);
    assert!(matches!(server.ended(), Ok(Outcome::Violated(_))));
    server.stop();
}

/// Far more than may be queued: the server stops reading, answers pings meanwhile, and loses nothing.
#[test]
fn a_slow_reader_gets_everything() {
    let server = serve(|settings| Arc::make_mut(&mut settings.output).bytes = 10_000);
    let mut client = server.web_socket();
    // The system's buffers must not take all of it.
    SockRef::from(&client).set_recv_buffer_size(64 << 10).unwrap();
    let mut sender = client.try_clone().unwrap();
    let sending = thread::spawn(move || {
        for i in 0..240_u8 {
            sender.write_all(&frame(0x82, &vec![i; 30_000])).unwrap();
            sender.write_all(&frame(0x89, &[i])).unwrap();
        }
    });
    let mut pongs = Vec::new();
    for i in 0..240 {
        loop {
            match receive(&mut client) {
                (0x8a, payload) => pongs.extend(payload),
                message => break assert!(message == (0x82, vec![i; 30_000]), "{i}"),
            }
        }
    }
    sending.join().unwrap();
    assert!(pongs.is_sorted() && !pongs.is_empty(), "{pongs:?}");
    drop(client);
    server.stop();
}

/// It sends faster than its frames are taken, so a turn without a bound would not end.
#[test]
fn a_peer_that_floods_leaves_the_others_their_turn() {
    let server = limits(|_| {});
    let mut flood = server.web_socket();
    let is_over = Arc::new(AtomicBool::new(false));
    let until = Arc::clone(&is_over);
    let flooding = thread::spawn(move || {
        let pongs = frame(0x8a, b"").repeat(100_000);
        while !until.load(Ordering::Relaxed) {
            flood.write_all(&pongs).unwrap();
        }
    });
    for _ in 0..2 {
        assert!(head(&mut server.send(GET)).starts_with("HTTP/1.1 200 "));
    }
    is_over.store(true, Ordering::Relaxed);
    flooding.join().unwrap();
    server.stop();
}

#[test]
fn a_peer_that_takes_nothing_is_reset() {
    let server = serve(|settings| {
        Arc::make_mut(&mut settings.output).pace = Pace::silence(SHORT);
        Arc::make_mut(&mut settings.http).request_pace = Pace::UNLIMITED;
    });
    let mut client = server.send("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 900000000\r\n\r\n");
    let error = loop {
        if let Err(error) = client.write_all(&vec![0; 100_000]) {
            break error;
        }
    };
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
    assert_eq!(server.exceeded(), Limit::WriteProgress);
    server.stop();
}

#[test]
fn every_wait_for_http_has_its_end() {
    let server = limits(|limits| limits.first_byte_time = SHORT);
    assert_eq!(rest(&mut server.connect()), "");
    assert_eq!(server.exceeded(), Limit::FirstByteTime);

    let server = limits(|limits| limits.head_time = SHORT);
    assert!(rest(&mut server.send("GET / HT")).starts_with("HTTP/1.1 408 "));
    assert_eq!(server.exceeded(), Limit::HeadTime);

    let server = limits(|limits| limits.idle_time = SHORT);
    assert!(rest(&mut server.send(GET)).ends_with("\r\n\r\nhello\n"));
    assert_eq!(server.exceeded(), Limit::IdleTime);

    let server = limits(|limits| limits.request_pace = Pace::silence(SHORT));
    let mut client = server.send("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\npart");
    assert!(rest(&mut client).ends_with("\r\n\r\n4\r\npart\r\n"));
    drop(client);
    assert_eq!(server.ended().unwrap(), Outcome::Aborted);

    // It keeps its side open, and so its end of the stream is waited for no longer than this.
    let server = limits(|limits| limits.linger_time = SHORT);
    let mut client = server.send("GET / HTTP/1.0\r\n\r\n");
    assert!(rest(&mut client).ends_with("\r\n\r\nhello\n"));
    assert_eq!(server.ended().unwrap(), Outcome::ByUs);
}

#[test]
fn every_wait_of_a_web_socket_has_its_end() {
    let server = ws_limits(|limits| (limits.ping_interval, limits.pong_time) = (Some(SHORT), LONG));
    let mut client = server.web_socket();
    for _ in 0..2 {
        let (0x89, payload) = receive(&mut client) else { panic!("a ping is due") };
        client.write_all(&frame(0x8a, &payload)).unwrap();
    }
    let server = ws_limits(|limits| (limits.ping_interval, limits.pong_time) = (Some(SHORT), SHORT));
    let mut client = server.web_socket();
    assert_eq!(receive(&mut client).0, 0x89);
    closes(&mut client, CloseCode::POLICY_VIOLATION);
    drop(client);
    assert_eq!(server.exceeded(), Limit::PongTime);

    let server = ws_limits(|limits| limits.message_pace = Pace::silence(SHORT));
    let mut client = server.web_socket();
    client.write_all(&frame(0x01, b"begun")).unwrap();
    closes(&mut client, CloseCode::POLICY_VIOLATION);
    drop(client);
    assert_eq!(server.exceeded(), Limit::MessageProgress);

    // Its Close is not answered.
    let server = ws_limits(|limits| limits.close_time = SHORT);
    let mut client = server.web_socket();
    server.stop.wake().unwrap();
    closes(&mut client, CloseCode::GOING_AWAY);
    assert_eq!(server.exceeded(), Limit::CloseTime);
}

/// It does not ask for the body, and takes longer than the client has for it.
#[test]
fn an_application_that_works_lets_no_time_of_its_peer_run() {
    let server = serve(|settings| {
        settings.later = 4 * SHORT;
        Arc::make_mut(&mut settings.http).request_pace = Pace::silence(SHORT);
    });
    let mut client = server.send("POST /later HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n");
    let head = head(&mut client);
    assert!(head.starts_with("HTTP/1.1 200 ") && !head.contains("\r\nconnection:"), "{head}");
    drop(client);
    server.stop();
}

/// In each state, also while nothing is read because the peer takes nothing.
#[test]
fn a_reset_is_noticed() {
    let server = serve(|settings| {
        settings.later = 2 * LONG;
        Arc::make_mut(&mut settings.output).pace = Pace::UNLIMITED;
        Arc::make_mut(&mut settings.http).request_pace = Pace::UNLIMITED;
    });
    let reset = |client: TcpStream| SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
    let mut idle = server.send(GET);
    head(&mut idle);
    let mut uploads = server.send("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\npart");
    head(&mut uploads);
    let mut reads_nothing =
        server.send("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 900000000\r\n\r\n");
    reads_nothing.set_nonblocking(true).unwrap();
    let mut blocked = 0;
    while blocked < 100 {
        match reads_nothing.write(&vec![0; 100_000]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                blocked += 1;
                thread::yield_now();
            }
            written => blocked = blocked.min(usize::from(written.unwrap() == 0)),
        }
    }
    // No read tells of it: the client has ended its side, or has sent more than fits, while the application works.
    let ended = server.send("GET /later HTTP/1.1\r\nhost: a\r\n\r\n");
    ended.shutdown(Shutdown::Write).unwrap();
    let full = server.send(format!("GET /later HTTP/1.1\r\nhost: a\r\n\r\n{}", GET.repeat(5000)));
    for client in [idle, uploads, server.web_socket(), reads_nothing, ended, full] {
        reset(client);
        let error = server.ended().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
    }
    server.stop();
}

#[test]
fn more_connections_than_are_allowed_wait_in_the_backlog() {
    let server = serve(|settings| settings.connections = 2);
    let [mut first, mut second] = [(); 2].map(|()| server.send(GET));
    for client in [&mut first, &mut second] {
        head(client);
    }
    let mut third = server.send(GET);
    third.set_read_timeout(Some(SHORT)).unwrap();
    assert!(third.read(&mut [0]).is_err(), "it waits");
    drop(first);
    third.set_read_timeout(Some(LONG)).unwrap();
    assert!(head(&mut third).starts_with("HTTP/1.1 200 "));
    drop((second, third));
    server.stop();
}

#[test]
fn above_the_budget_the_one_that_holds_most_ends() {
    let server = serve(|settings| settings.bytes = 1_000_000);
    let mut others = [(); 3].map(|()| server.web_socket());
    for client in &mut others {
        client.write_all(&frame(0x02, &vec![7; 100_000])).unwrap();
    }
    let mut client = server.web_socket();
    client.write_all(&frame(0x02, &vec![7; 900_000])).unwrap();
    closes(&mut client, CloseCode::TRY_AGAIN_LATER);
    for client in &mut others {
        client.write_all(&frame(0x80, b"")).unwrap();
        assert!(receive(client) == (0x82, vec![7; 100_000]));
    }
    drop((client, others));
    server.stop();
}

#[test]
fn a_server_that_stops_ends_in_order() {
    let server = limits(|_| {});
    let mut idle = server.send(GET);
    assert!(head(&mut idle).starts_with("HTTP/1.1 200 "));
    let mut uploads = server.send("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\npart");
    assert!(head(&mut uploads).starts_with("HTTP/1.1 200 "));
    let mut begun = server.send("GET / HT");
    let mut socket = server.web_socket();
    server.stop.wake().unwrap();

    assert_eq!(rest(&mut idle), "hello\n");
    closes(&mut socket, CloseCode::GOING_AWAY);
    assert!(TcpStream::connect(server.address).is_err());
    socket.write_all(&frame(0x88, &1001_u16.to_be_bytes())).unwrap();
    assert_eq!(rest(&mut socket), "");
    begun.write_all(b"TP/1.1\r\nhost: a\r\n\r\n").unwrap();
    let last = rest(&mut begun);
    assert!(last.contains("\r\nconnection: close\r\n") && last.ends_with("hello\n"), "{last}");
    uploads.write_all(b" more").unwrap();
    assert_eq!(rest(&mut uploads), "4\r\npart\r\n5\r\n more\r\n0\r\n\r\n");
    drop((idle, uploads, begun, socket));
    server.stopped();

    // What does not end in time is reset, so that it does not look whole.
    let server = serve(|settings| {
        settings.grace = SHORT;
        Arc::make_mut(&mut settings.http).request_pace = Pace::UNLIMITED;
    });
    let mut uploads = server.send("POST /echo HTTP/1.0\r\ncontent-length: 9\r\n\r\npart");
    head(&mut uploads);
    server.stop();
    assert_eq!(exact(&mut uploads, 4), b"part");
    assert_eq!(uploads.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn curl_is_served() {
    let curl = |arguments: &[&str]| {
        Command::new("curl").args(["-sS", "--max-time", "20", "--noproxy", "*"]).args(arguments).output()
    };
    if curl(&["--version"]).is_err() {
        return println!("SKIPPED: curl is not installed");
    }
    let server = limits(|_| {});
    let url = |path| format!("http://{}{path}", server.address);
    let text = |arguments: &[&str]| {
        let output = curl(arguments).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let (hello, echo) = (url("/"), url("/echo"));
    let connects = ["-w", "%{num_connects} ", &hello, &hello, &url("/none")];
    assert_eq!(text(&connects), "hello\n1 hello\n0 0 ");
    assert_eq!(text(&["-d", "body", &echo]), "body");
    assert_eq!(text(&["-0", "-d", "body", &echo]), "body");
    let large = "x".repeat(2_000_000);
    let file = std::env::temp_dir().join(format!("endwell-mio-{}", std::process::id()));
    std::fs::write(&file, &large).unwrap();
    let upload = file.to_str().unwrap();
    for chunked in ["a: b", "transfer-encoding: chunked"] {
        for expect in ["expect:", "expect: 100-continue"] {
            assert!(
                text(&["-T", upload, "-H", chunked, "-H", expect, &echo]) == large,
                "{chunked}, {expect}"
            );
        }
    }
    assert!(text(&["-T", upload, "--limit-rate", "4m", &echo]) == large);
    std::fs::remove_file(file).unwrap();
    server.stop();
}

/// Each duty that has an example names what is there, and a comment there names the duty.
#[test]
fn the_guide_and_the_example_name_each_other() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = std::fs::read_to_string(folder.join("src/guide.md")).unwrap();
    let names = ["mio.rs", "mio/driver.rs", "mio/connection.rs", "mio/state.rs", "mio/application.rs"];
    let example: String = names
        .iter()
        .inspect(|name| assert!(guide.contains(&format!("| `{name}` | ")), "{name}"))
        .map(|name| std::fs::read_to_string(folder.join("examples").join(name)).unwrap())
        .collect();
    let duties: Vec<&str> = guide.split("\n## ").skip(1).collect();
    for (index, duty) in duties.iter().enumerate() {
        let number = index + 1;
        assert!(duty.starts_with(&format!("{number}. ")), "{duty}");
        let example_of = duty.split_once("Example: ").map(|(_, rest)| rest.split('\n').next().unwrap());
        let is_there = [".", ":"].iter().any(|end| example.contains(&format!("Duty {number}{end}")));
        assert_eq!(example_of.is_some(), is_there, "duty {number}");
        for name in example_of.unwrap_or_default().split('`').skip(1).step_by(2) {
            let name = name.rsplit("::").next().unwrap();
            assert!(example.contains(name), "duty {number}: {name}");
        }
    }
    assert_eq!(duties.len(), 18);
}
