//! Examples as programs: what they print, and what they end with.
//!
//! They are built by `cargo test`, and by `cargo build --examples` where only this file is run.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs::File;
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// An example, with no variable of the environment that it would heed.
fn program(name: &str) -> Command {
    let tests = std::env::current_exe().unwrap();
    let path: PathBuf = tests.parent().unwrap().parent().unwrap().join("examples").join(name);
    assert!(path.exists(), "expected {}: cargo build --examples", path.display());
    let mut command = Command::new(path);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn get<const N: usize>(arguments: [&str; N]) -> Output {
    program("get").args(arguments).output().unwrap()
}

/// What a program ended with, and what it printed.
fn told(output: &Output) -> (Option<i32>, &str, &str) {
    let text = |bytes| std::str::from_utf8(bytes).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// A server that accepts one connection, and answers each request on it with the next of `answers`. It gives the heads.
fn server(answers: &'static [&'static str]) -> (SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = move || {
        let mut client = listener.accept().unwrap().0;
        client.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut answer = |answer: &&str| {
            let head = head(&mut client);
            client.write_all(answer.as_bytes()).unwrap();
            head
        };
        answers.iter().map(&mut answer).collect()
    };
    (address, thread::spawn(serve))
}

fn head(client: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    String::from_utf8(head).unwrap()
}

#[test]
fn whole_responses_over_one_connection() {
    for runtime in ["tokio", "async-std", "smol", "blocking"] {
        let (address, heads) = server(&[
            "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\none\0\r\n",
            "HTTP/1.1 302 Found\r\nlocation: /\r\ntransfer-encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\nx: y\r\n\r\n",
        ]);
        let [one, two] = ["1", "2#two"].map(|path| format!("http://{address}/{path}"));
        let output = get(["--runtime", runtime, &one, &two]);
        assert_eq!(told(&output), (Some(0), "one\0\r\ntwo", ""), "{runtime}");
        let heads = heads.join().unwrap();
        assert!(heads.iter().zip(["GET /1 ", "GET /2 "]).all(|(head, start)| head.starts_with(start)));
    }
}

#[test]
fn heads_and_trailers_if_they_are_asked_for() {
    let response =
        "HTTP/1.1 200 Fine\r\nA: b\r\ntransfer-encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\nx: y\r\n\r\n";
    let (address, heads) = server(&[
        "HTTP/1.1 200 Fine\r\nA: b\r\ntransfer-encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\nx: y\r\n\r\n",
    ]);
    let output = get(["-i", "-d", "q", "-H", "A: b", &format!("http://{address}")]);
    let (head, _) = response.split_once("3\r\n").unwrap();
    assert_eq!(told(&output), (Some(0), &*format!("{head}twox: y\r\n"), ""));
    let heads = heads.join().unwrap().concat();
    assert!(
        heads.starts_with("POST / HTTP/1.1\r\n") && heads.contains("\r\ncontent-length: 1\r\n"),
        "{heads}"
    );
    assert!(heads.contains("\r\nA: b\r\n") && heads.contains("\r\nte: trailers\r\n"), "{heads}");
}

#[test]
fn a_body_that_is_cut_off() {
    for (answer, expected) in [
        (&["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\npart"][..], "cut off after 4 of 9 bytes"),
        (&["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart\r\n"], "cut off after 4 bytes"),
    ] {
        let (address, _) = server(answer);
        let output = get([&format!("http://{address}/")]);
        let (code, stdout, stderr) = told(&output);
        assert_eq!((code, stdout), (Some(18), "part"), "{stderr}");
        assert!(stderr.starts_with(&format!("get: http://{address}/: the body was ")), "{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
    }
}

#[test]
fn other_failures() {
    let (address, _) = server(&["HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno"]);
    let output = get(["--fail", &format!("http://{address}/")]);
    let expected = format!("get: http://{address}/: the server answered 404 Not Found\n");
    assert_eq!(told(&output), (Some(22), "", &*expected));

    let (address, _) = server(&[""]);
    let output = get([&format!("http://{address}/")]);
    let (code, stdout, _) = told(&output);
    assert_eq!((code, stdout), (Some(52), ""));

    for arguments in [["--nothing", "http://a/"], ["-s", "http://user:hunter2@a/"], ["-s", "http://a b/"]] {
        let output = get(arguments);
        let (code, stdout, stderr) = told(&output);
        assert_eq!((code, stdout), (Some(2), ""), "{stderr}");
        assert!(!stderr.contains("hunter2"), "{stderr}");
    }
    let output = get(["http://user:hunter2@a/"]);
    assert!(told(&output).2.starts_with("get: expected a URL without user:password@"), "{}", told(&output).2);
}

#[test]
fn a_url_is_read_as_curl_reads_it() {
    let (address, heads) = server(&["HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"; 3]);
    let [one, two, three] = [
        format!("http://{address}/a[b]|\"{{}}?50%#/://@"),
        format!("{address}?u=http://b"),
        format!("{address}#top"),
    ];
    assert_eq!(told(&get([&one, &two, &three])), (Some(0), "", ""));
    let heads = heads.join().unwrap();
    for (head, start) in heads.iter().zip(["GET /a[b]|\"{}?50% HTTP", "GET /?u=http://b HTTP", "GET / HTTP"])
    {
        assert!(head.starts_with(start), "{head}");
    }
}

#[test]
fn through_a_proxy() {
    let (address, heads) =
        server(&["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"]);
    let output = get(["-x", &format!("http://user:hunter2@{address}"), "http://a.example/x"]);
    assert_eq!(told(&output), (Some(0), "hi", ""));
    let [connect, request] = <[String; 2]>::try_from(heads.join().unwrap()).unwrap();
    assert!(connect.starts_with("CONNECT a.example:80 HTTP/1.1\r\n"), "{connect}");
    assert!(request.starts_with("GET /x HTTP/1.1\r\n") && !request.contains("authorization"), "{request}");

    let (address, heads) =
        server(&["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"]);
    let output = get(["-x", &format!("http://{address}"), "http://[fe80::1%25eth0]/"]);
    assert_eq!(told(&output), (Some(0), "", ""));
    let [connect, request] = <[String; 2]>::try_from(heads.join().unwrap()).unwrap();
    assert!(connect.starts_with("CONNECT [fe80::1]:80 HTTP/1.1\r\n"), "{connect}");
    assert!(request.contains("\r\nhost: [fe80::1]\r\n"), "{request}");

    let (address, _) = server(&["HTTP/1.1 407 Who\r\ncontent-length: 0\r\n\r\n"]);
    let proxy = format!("http://user:hunter2@{address}");
    let output = program("get").env("all_proxy", proxy).arg("a.example").output().unwrap();
    let (code, stdout, stderr) = told(&output);
    assert_eq!((code, stdout), (Some(7), ""));
    assert!(stderr.contains("does not accept the credentials") && !stderr.contains("hunter2"), "{stderr}");
}

/// A server, until it is dropped.
struct Serve {
    child: Child,
    address: String,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Serve {
    fn start() -> Self {
        Self::start_as("serve", &["--listen", "127.0.0.1:0"])
    }

    fn start_as(name: &str, arguments: &[&str]) -> Self {
        let mut child = program(name).args(arguments).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.next().unwrap().unwrap();
        Self { child, address, lines }
    }

    /// Sends `request`, and returns all that comes back until the close.
    fn ask(&self, request: &str) -> String {
        let mut client = TcpStream::connect(&self.address).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        client.write_all(request.as_bytes()).unwrap();
        let mut response = String::new();
        client.read_to_string(&mut response).unwrap();
        response
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `chat` with a server that sends everything back, after its first message has come back.
fn chatting(server: &Serve) -> (Child, BufReader<ChildStdout>) {
    let mut command = program("chat");
    command.stdin(Stdio::piped()).args(["--linger", "0", &format!("ws://{}/ws", server.address)]);
    let mut chat = command.spawn().unwrap();
    chat.stdin.as_mut().unwrap().write_all("gr\u{fc}n\n".as_bytes()).unwrap();
    let mut lines = BufReader::new(chat.stdout.take().unwrap());
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    assert_eq!(line, "gr\u{fc}n\n");
    (chat, lines)
}

#[test]
fn a_chat_that_ends_well() {
    let server = Serve::start();
    let (mut chat, mut lines) = chatting(&server);
    drop(chat.stdin.take());
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    let expected = "chat: closed by us with 1000, answered with 1000\n";
    assert_eq!((told(&chat.wait_with_output().unwrap()), &*rest), ((Some(0), "", expected), ""));
}

#[test]
fn a_chat_that_does_not() {
    let mut server = Serve::start();
    let (chat, _lines) = chatting(&server);
    server.kill();
    let output = chat.wait_with_output().unwrap();
    let (code, _, stderr) = told(&output);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.starts_with("chat: ") && !stderr.contains("closed by us"), "{stderr}");

    let server = Serve::start();
    let output = program("chat").arg(format!("ws://{}/hello", server.address)).output().unwrap();
    let expected = "chat: the server refused to open a WebSocket, with 200 OK, and says \"hello\"\n";
    assert_eq!(told(&output), (Some(1), "", expected));
}

/// An end that takes nothing: writing there fails, as behind `| head`.
fn closed() -> Stdio {
    let (ours, theirs) = UnixStream::pair().unwrap();
    drop(theirs);
    OwnedFd::from(ours).into()
}

#[test]
fn output_that_nobody_takes_ends_a_program_quietly() {
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    for name in ["get", "chat", "serve"] {
        let output = program(name).arg("--help").stdout(closed()).output().unwrap();
        assert_eq!(told(&output), (Some(0), "", ""), "{name}");
        let output = program(name).arg("--help").stdout(full()).output().unwrap();
        let (code, _, stderr) = told(&output);
        assert_eq!(code, Some(1), "{name}: {stderr}");
        assert!(stderr.starts_with("standard output: ") && stderr.lines().count() == 1, "{name}: {stderr}");
        let output = program(name).arg("--nothing").stderr(closed()).output().unwrap();
        assert_eq!(told(&output), (Some(2), "", ""), "{name}");
    }
    let output = program("serve").args(["--listen", "127.0.0.1:0"]).stdout(closed()).output().unwrap();
    let (code, _, stderr) = told(&output);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.starts_with("serve: standard output: ") && stderr.lines().count() == 1, "{stderr}");

    let (address, _) = server(&["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"]);
    let output = program("get").arg(format!("http://{address}/")).stdout(closed()).output().unwrap();
    let (code, _, stderr) = told(&output);
    assert_eq!(code, Some(23), "{stderr}");
    assert!(stderr.contains("standard output: ") && stderr.lines().count() == 1, "{stderr}");
    let (address, _) = server(&[""]);
    let output = program("get").arg(format!("http://{address}/")).stderr(closed()).output().unwrap();
    assert_eq!(told(&output), (Some(52), "", ""));
}

#[test]
fn an_access_log_has_a_line_for_each_exchange() {
    let mut server = Serve::start_as("access-log", &["127.0.0.1:0"]);
    let close = "host: a\r\nconnection: close\r\n";
    for (request, line, wrong) in [
        (
            format!(
                "GET /?q=\"x HTTP/1.1\r\n{close}referer: http://b/\r\nuser-agent: a \"quoted\"\tone\r\n\r\n"
            ),
            r#""GET /?q=\"x HTTP/1.1" 200 6 "http://b/" "a \"quoted\"\tone""#,
            r#""-""#,
        ),
        (format!("HEAD /no HTTP/1.1\r\n{close}\r\n"), r#""HEAD /no HTTP/1.1" 404 0 "-" "-""#, r#""-""#),
        (
            format!("GET /fails HTTP/1.1\r\n{close}\r\n"),
            r#""GET /fails HTTP/1.1" 500 0 "-" "-""#,
            r#""the database is gone""#,
        ),
        (
            "nonsense\r\n\r\n".into(),
            r#""-" 400 95 "-" "-""#,
            r#""the peer broke the protocol: expected a method, a target and a version with one space between, got \"nonsense\" (RFC 9112 3)""#,
        ),
    ] {
        let response = server.ask(&request);
        assert!(response.starts_with("HTTP/1.1 "), "{response}");
        let logged = server.lines.next().unwrap().unwrap();
        println!("{logged}");
        let (who, what) = logged.split_once("] ").unwrap();
        let date = who.strip_prefix("127.0.0.1 - - [").unwrap();
        assert!(date.ends_with(" +0000") && date.split(['/', ':']).count() == 6, "{logged}");
        let what = what.strip_prefix(line).unwrap_or_else(|| panic!("{logged}"));
        let [name, time, found] = what.trim().splitn(3, ' ').collect::<Vec<_>>().try_into().unwrap();
        assert!(name.ends_with("-1") && time.parse::<f64>().unwrap() < 60.0, "{logged}");
        assert_eq!(found, wrong);
    }
}

#[test]
fn metrics_as_prometheus_reads_them() {
    let server = Serve::start_as("metrics", &["127.0.0.1:0"]);
    // On one connection, on which an exchange is counted before the next begins.
    let mut client = TcpStream::connect(&server.address).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    head(&mut client);
    client.read_exact(&mut [0; 6]).unwrap();
    client.write_all(b"GET /fails HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    head(&mut client);
    client.write_all(b"GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
    let mut response = String::new();
    client.read_to_string(&mut response).unwrap();
    println!("{response}");
    assert!(response.contains("\r\ncontent-type: text/plain; version=0.0.4\r\n"), "{response}");
    for line in [
        "# TYPE http_server_request_duration histogram",
        "http_server_request_duration_bucket{http_request_method=\"GET\",url_scheme=\"http\",\
         network_protocol_version=\"1.1\",http_response_status_code=\"200\",le=\"10\"} 1",
        "http_server_request_duration_count{http_request_method=\"GET\",url_scheme=\"http\",\
         network_protocol_version=\"1.1\",http_response_status_code=\"500\",error_type=\"handler\"} 1",
        "http_server_active_requests{http_request_method=\"GET\",url_scheme=\"http\"} 1",
        "endwell_server_active_connections 1",
    ] {
        assert!(response.lines().any(|found| found == line), "{line}\n{response}");
    }
}

/// A client of `chat-server` that is in the lobby, and a line of what it is told, by its type.
struct Guest(Child, Lines<BufReader<ChildStdout>>);

impl Guest {
    fn enter(server: &Serve, name: &str, token: Option<&str>) -> Self {
        let url = format!("ws://{}/ws?name={name}", server.address);
        let mut chat = program("chat").stdin(Stdio::piped()).arg(url).spawn().unwrap();
        let enter = serde_json::json!({ "type": "enter", "rooms": ["lobby"], "token": token });
        chat.stdin.as_mut().unwrap().write_all(format!("{enter}\n").as_bytes()).unwrap();
        let lines = BufReader::new(chat.stdout.take().unwrap()).lines();
        Self(chat, lines)
    }

    /// The next message of this type.
    fn next(&mut self, kind: &str) -> serde_json::Value {
        let values = self.1.by_ref().map(|line| serde_json::from_str(&line.unwrap()).unwrap());
        values.into_iter().find(|value: &serde_json::Value| value["type"] == kind).unwrap()
    }

    /// A token behind all that it was told. The next one may have been made before that.
    fn token(&mut self) -> String {
        self.next("stats");
        self.next("stats").get("token").and_then(|token| token.as_str()).unwrap().to_owned()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_chat_server_tells_who_is_here_and_what_was_missed() {
    let server = Serve::start_as("chat-server", &["127.0.0.1:0"]);
    let send = |text: &str| {
        let body = format!("{{\"room\":\"lobby\",\"from\":\"a program\",\"text\":\"{text}\"}}");
        let head =
            format!("POST /send HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}", body.len());
        server.ask(&format!("{head}\r\n\r\n{body}"))
    };
    let ask = |path| server.ask(&format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"));
    assert!(ask("/").contains("<title>endwell chat</title>"));

    let mut alice = Guest::enter(&server, "Alice", None);
    assert_eq!(alice.next("entered")["missed"], 0);
    let mut tokens = Vec::new();
    for (text, number) in [("one", 1), ("two", 2)] {
        assert!(send(text).ends_with("{\"delivered\":1}"));
        let said = alice.next("said");
        assert_eq!((&said["text"], &said["number"]), (&text.into(), &number.into()));
        tokens.push(alice.token());
    }
    assert!(ask("/users").ends_with("[\"Alice\"]"));

    // Whoever comes back gets what was said meanwhile, from where it was.
    for (token, missed) in tokens.iter().zip([1, 0]) {
        let mut bob = Guest::enter(&server, "Bob", Some(token));
        if missed == 1 {
            assert_eq!(bob.next("said")["number"], 2);
        }
        let entered = bob.next("entered");
        assert_eq!((&entered["missed"], &entered["gap"]), (&missed.into(), &false.into()));
    }
    // From further than this program is: perhaps that was another one, and not all that was said is here.
    let (node, _) = tokens[1].rsplit_once('.').unwrap();
    let ahead = format!("{node}.99");
    assert_eq!(Guest::enter(&server, "Bob", Some(&ahead)).next("entered")["gap"], true);
    // That Bob has left is told too.
    while alice.next("users")["users"] != serde_json::json!(["Alice"]) {}
    assert!(ask("/stats").contains("\"said\":2"));
}
