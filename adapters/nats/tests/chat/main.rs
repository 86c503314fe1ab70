//! The example `chat-server` as programs: two nodes are one chat, through a restart of NATS, for programs and for browsers.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::indexing_slicing, reason = "JSON that lacks something is null")]

mod browser;
#[path = "../support/mod.rs"]
mod support;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use browser::Browser;
use endwell::tokio::Tcp;
use endwell::ws::{self, CloseCode, Socket};
use serde_json::{Value, json};
use support::{LONG, Server, signal};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A chat server.
struct Node {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: String,
}

impl Node {
    fn start(server: &Server, name: &str) -> Self {
        // Beside the tests: `cargo test` builds it.
        let tests = std::env::current_exe().unwrap();
        let program = tests.parent().unwrap().parent().unwrap().join("examples").join("chat-server");
        let mut command = Command::new(program);
        command.args(["127.0.0.1:0", "--nats", &server.url(), "--node", name]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut address = String::new();
        stdout.read_line(&mut address).unwrap();
        Self { child, stdout, address: address.trim().to_owned() }
    }

    async fn request(&self, head: &str, body: &str) -> Value {
        let mut stream = tokio::net::TcpStream::connect(&self.address).await.unwrap();
        let request = format!("{head} HTTP/1.0\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }

    /// Waits until these are the users who are here, and returns how long that took.
    async fn until_users(&self, users: &[&str]) -> Duration {
        let since = Instant::now();
        loop {
            let here = self.request("GET /users", "").await;
            if here == json!(users) {
                return since.elapsed();
            }
            assert!(since.elapsed() < LONG, "expected {users:?}, got {here}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// A client in the lobby.
async fn enter(node: &Node, name: &str) -> Socket {
    let url = format!("ws://{}/ws?name={name}", node.address);
    let mut socket = ws::connect(url).open(&Tcp).await.unwrap();
    socket.send(json!({ "type": "enter", "rooms": ["lobby"] }).to_string()).await.unwrap();
    until(&mut socket, "entered", |_| true).await;
    socket
}

async fn say(socket: &mut Socket, text: &str) {
    socket.send(json!({ "type": "say", "room": "lobby", "text": text }).to_string()).await.unwrap();
}

/// The next message of a type that is as wanted.
async fn until(socket: &mut Socket, kind: &str, is_right: impl Fn(&Value) -> bool) {
    let wait = async {
        loop {
            let text = socket.receive_data().await.expect("it has ended").into_text().unwrap();
            let message: Value = serde_json::from_str(&text).unwrap();
            if message["type"] == kind && is_right(&message) {
                return;
            }
        }
    };
    tokio::time::timeout(LONG, wait).await.expect(kind);
}

/// The next message in the lobby, which is this one.
async fn hear(socket: &mut Socket, text: &str) {
    until(socket, "said", |said| {
        assert_eq!(said["text"], text);
        true
    })
    .await;
}

#[tokio::test]
async fn two_nodes_are_one_chat_through_a_restart_of_nats() {
    let Some(mut server) = Server::start(&[]) else { return };
    let (mut first, second) = (Node::start(&server, "first"), Node::start(&server, "second"));
    let mut ann = enter(&first, "ann").await;
    let mut bob = enter(&second, "bob").await;
    for node in [&first, &second] {
        node.until_users(&["ann", "bob"]).await;
    }
    say(&mut ann, "hello bob").await;
    hear(&mut bob, "hello bob").await;
    server.kill();
    // Until it shows that there is none, what is sent may be on its way.
    until(&mut bob, "stats", |message| message["stats"]["stale"].is_u64()).await;
    say(&mut ann, "are you there?").await;
    server.restart();
    hear(&mut bob, "are you there?").await;
    second
        .request("POST /send", &json!({ "room": "lobby", "from": "cron", "text": "noon" }).to_string())
        .await;
    hear(&mut ann, "hello bob").await;
    hear(&mut ann, "are you there?").await;
    hear(&mut ann, "noon").await;

    // Ctrl-C closes ann, and the others know at once.
    signal(first.child.id(), "INT");
    while ann.receive_data().await.is_some() {}
    ann.close(CloseCode::NORMAL).await;
    let took = second.until_users(&["bob"]).await;
    assert!(took < Duration::from_secs(3), "{took:?}");
    let mut rest = String::new();
    first.stdout.read_to_string(&mut rest).unwrap();
    assert!(first.child.wait().unwrap().success(), "{rest}");
}

/// With `ENDWELL_SCREENSHOT`, a folder, the two windows are drawn there too.
#[tokio::test]
async fn two_browsers_on_two_nodes_see_each_other_through_a_restart_of_nats() {
    tokio::time::timeout(LONG * 3, two_browsers()).await.expect("the browser does not answer");
}

async fn two_browsers() {
    let Some(mut server) = Server::start(&[]) else { return };
    let Some(browser) = Browser::start() else { return };
    let nodes = [Node::start(&server, "first"), Node::start(&server, "second")];
    let mut alice = browser.open(&format!("http://{}/?name=Alice", nodes[0].address)).await;
    let mut bob = browser.open(&format!("http://{}/?name=Bob", nodes[1].address)).await;
    for window in [&mut alice, &mut bob] {
        window.until("document.querySelectorAll('#users li').length === 2").await;
    }
    let hears = |text: &str| format!("document.querySelector('#log').textContent.includes('{text}')");
    let say = |text: &str| {
        format!(
            "document.querySelector('#text').value = '{text}'; document.querySelector('#say').requestSubmit()"
        )
    };
    alice.run(&say("Hello Bob, are you on the other node?")).await;
    bob.until(&hears("other node?")).await;
    bob.run(&say("I am. Shall we restart NATS?")).await;
    alice.until(&hears("restart NATS?")).await;
    server.kill();
    alice.until("document.querySelector('#node').className === 'stale'").await;
    alice.run(&say("It is away, and you are still listed.")).await;
    alice.until("document.querySelectorAll('#users li').length === 2").await;
    alice.draw("chat-away").await;
    server.restart();
    bob.until(&hears("still listed.")).await;
    bob.run(&say("And it is back. I missed nothing.")).await;
    alice.until(&hears("missed nothing.")).await;
    for window in [&mut alice, &mut bob] {
        window.until("document.querySelector('#node').className === ''").await;
        window.until("document.querySelectorAll('#users li').length === 2").await;
        let lines = window.run("document.querySelectorAll('#log > div').length").await;
        assert_eq!(lines, json!(4), "each message once");
    }
    alice.draw("chat-alice").await;
    bob.draw("chat-bob").await;
}
