//! What clients get.

use std::io::Write;
use std::net::Shutdown;
use std::process::Command;
use std::sync::Arc;
use std::thread;

use endwell_core::ws::CloseCode;
use endwell_core::{End, Outcome};
use socket2::SockRef;

use super::help::{GET, chunks, closes, exact, frame, head, limits, receive, rest, serve};

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
