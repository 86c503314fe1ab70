//! The same requests to axum's own server and to ours: the same answers, on every runtime.

use std::io::Read;
use std::net::{SocketAddr, TcpListener};

use axum::Router;
use endwell::with_service;
use flate2::read::GzDecoder;

use crate::app::{Files, app, app_on_tokio};
use crate::support::{Client, Cut, Response, Runtime, on_every_runtime, pattern, start};

on_every_runtime!(the_same_answers_as_from_axum);

/// Serves the application as axum does, until it is dropped.
struct Theirs {
    address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

fn theirs(files: &Files) -> Theirs {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    let app = app_on_tokio(&files.0);
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        axum::serve(listener, app).await.unwrap();
    });
    Theirs { address, _runtime: runtime }
}

/// Requests without the end of their heads: method, target, fields, body.
fn requests() -> Vec<(String, &'static str, Vec<u8>)> {
    let mut requests = Vec::new();
    let mut add =
        |line: String, fields: &'static str, body: &[u8]| requests.push((line, fields, body.to_vec()));
    let paths = [
        "/",
        "/notes",
        "/notes/1",
        "/notes/2",
        "/notes/9",
        "/notes/x",
        "/search?a=1&b=c+d&%C3%A9=%20",
        "/search?a",
        "/echo",
        "/parts?q",
        "/big",
        "/bytes",
        "/stream",
        "/empty",
        "/old",
        "/cookies",
        "/none/at/all?x",
        "/files/index.html",
        "/files/",
        "/files/deep/data.bin",
        "/files/deep",
        "/files/none",
        "/files/..%2f..%2fetc",
        "/a/%ff",
        "//",
        "/%41?%41",
    ];
    for path in paths {
        for fields in ["", "accept-encoding: gzip\r\n", "origin: http://b.example\r\n"] {
            add(format!("GET {path}"), fields, b"");
        }
        for method in ["HEAD", "DELETE", "PATCH", "X-OTHER"] {
            if !path.starts_with("/notes/") {
                add(format!("{method} {path}"), "", b"");
            }
        }
    }
    for range in [
        "range: bytes=0-99\r\n",
        "range: bytes=-100\r\n",
        "range: bytes=99999-\r\n",
        "range: bytes=5000000-\r\n",
        "range: x\r\n",
        "if-modified-since: Tue, 14 Nov 2023 22:13:20 GMT\r\n",
        "if-modified-since: Tue, 14 Nov 2000 22:13:20 GMT\r\n",
        "range: bytes=0-99\r\naccept-encoding: gzip\r\n",
    ] {
        add("GET /files/deep/data.bin".into(), range, b"");
        add("HEAD /files/deep/data.bin".into(), range, b"");
    }
    add("OPTIONS /notes".into(), "origin: http://b.example\r\naccess-control-request-method: PUT\r\n", b"");
    add("OPTIONS *".into(), "", b"");
    for length in [0, 1, 5000, 300_000] {
        for path in ["/echo", "/through"] {
            add(format!("POST {path}"), "content-type: a/b\r\n", &pattern(length));
        }
    }
    add("POST /notes".into(), "content-type: application/json\r\n", b"\"eggs\"");
    add("POST /notes".into(), "content-type: application/json\r\n", b"{");
    add("POST /notes".into(), "content-type: text/plain\r\n", b"eggs");
    add("PUT /notes/3".into(), "", b"butter");
    add("PUT /notes/7".into(), "", b"\xff");
    add("PUT /notes/7".into(), "x-a: 1\r\nX-A: 2\r\n", b"new");
    add("DELETE /notes/1".into(), "", b"");
    add("DELETE /notes/1".into(), "", b"");
    add("GET /notes".into(), "", b"");
    add("GET /parts".into(), "x-a: 1\r\nx-b: 2\r\nX-A: 3\r\ncookie: a\r\nx-e: \u{e9}\r\n", b"");
    add("GET /slow".into(), "", b"");
    requests
}

type Seen = (u16, Vec<(String, String)>, Vec<u8>);

/// What a client sees of it, apart from its time.
fn seen(response: Result<Response, Cut>) -> Result<Seen, String> {
    let response = response.map_err(|cut| format!("{cut:?}"))?;
    // What compresses a file depends on the pieces in which it was read.
    let is_compressed = response.field("content-encoding").is_some_and(|coding| coding == "gzip");
    let mut body = Vec::new();
    if is_compressed && !response.body.is_empty() {
        GzDecoder::new(&response.body[..]).read_to_end(&mut body).map_err(|error| error.to_string())?;
    } else {
        body = response.body;
    }
    let mut fields = response.fields;
    fields.retain(|(name, _)| match name.as_str() {
        // A HEAD whose GET is chunked may say so (RFC 9112 6.1), and a 204 has no length (RFC 9110 8.6): hyper differs.
        "date" | "transfer-encoding" => false,
        "content-length" => response.status != 204,
        _ => true,
    });
    fields.sort_by(|one, other| one.0.cmp(&other.0));
    Ok((response.status, fields, body))
}

fn the_same_answers_as_from_axum<R: Runtime>() {
    let files = Files::new(R::NAME);
    let theirs = theirs(&files);
    let is_tokio = R::NAME.starts_with("tokio");
    let ours = if is_tokio { app_on_tokio(&files.0) } else { app(Router::new()) };
    let ours = start::<R, _, _>(with_service(ours));
    let (mut theirs, mut ours) = (Client::connect(theirs.address), ours.connect());
    let requests = requests();
    assert!(requests.len() >= 200, "{}", requests.len());
    let mut differ = Vec::new();
    for (line, fields, body) in &requests {
        if !is_tokio && (line.contains("/files/") || line.contains("/slow")) {
            continue;
        }
        let length =
            if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
        let head = format!("{line} HTTP/1.1\r\nhost: a.example\r\n{fields}{length}\r\n");
        let mut clients = [&mut theirs, &mut ours];
        for client in &mut clients {
            client.send([head.as_bytes(), body].concat());
        }
        let method = line.split(' ').next().unwrap();
        let [expected, found] = clients.map(|client| seen(client.response_to(method)));
        assert!(expected.is_ok(), "{line} {fields}: {expected:?}");
        if expected != found {
            differ.push(format!("{line} {fields:?}:\naxum {}\nours {}", short(&expected), short(&found)));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

fn short(seen: &Result<Seen, String>) -> String {
    let words = |(status, fields, body): &Seen| format!("{status} {fields:?} {} bytes", body.len());
    seen.as_ref().map_or_else(Clone::clone, words)
}
