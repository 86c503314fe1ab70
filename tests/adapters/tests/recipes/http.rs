//! Recipes of plain HTTP.

use std::sync::mpsc;
use std::time::Duration;

use endwell::client::{Connection, Url};
use endwell::http::{Framing, Method, Request, StatusCode};
use endwell::{ClientConfig, tokio::Tcp};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::{ask, connection_state, events, get, json, start, state, upload};

/// The second request sees what the first has changed, and other methods and paths are told so.
#[tokio::test]
async fn state_is_shared() {
    let address = start(state::run).await;
    assert_eq!(get(address, "/").await.1, "visit 1");
    assert_eq!(get(address, "/").await.1, "visit 2");
    assert_eq!(ask(address, Method::Delete, "/", "").await.0, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(get(address, "/other").await.0, StatusCode::NOT_FOUND);
}

/// Two requests of one connection count on, another one counts for itself; names are taken over if they are words.
#[tokio::test]
async fn state_of_a_connection_and_names_of_requests() {
    let address = start(connection_state::run).await;
    let url = Url::parse(&format!("http://{address}/")).unwrap();
    for _ in 0..2 {
        let mut connection =
            Connection::connect(&Tcp, &url.origin(), &ClientConfig::default()).await.unwrap();
        let mut ours = Vec::new();
        for (number, name) in [(1, "abc-1"), (2, "a\tb"), (3, "")] {
            let head = Request::new(Method::Get, url.authority(), url.target()).unwrap();
            let mut response =
                connection.send(&head.header("x-request-id", name).unwrap(), "").await.unwrap();
            let body = response.read_all(100).await.unwrap();
            assert_eq!(body, format!("request {number} of this connection"));
            let given = response.head().fields().get_str("x-request-id").unwrap().to_owned();
            if number == 1 {
                assert_eq!(given, name);
            } else {
                ours.push(given);
            }
            connection = response.finish().await.unwrap();
        }
        // The number of the connection, and that of the exchange.
        let ours: Vec<_> = ours.iter().map(|name| name.split_once('-').unwrap()).collect();
        assert_eq!((ours[0].0, ours[0].1, ours[1].1), (ours[1].0, "2", "3"));
    }
}

/// A number that does not fit is told with its place, and a body above the bound is refused.
#[tokio::test]
async fn json_is_read_and_written() {
    let address = start(json::run).await;
    let post = async |body: &str| ask(address, Method::Post, "/", body).await;
    let (status, body) = post(r#"{"item":"tea","count":3}"#).await;
    assert_eq!((status, &body[..]), (StatusCode::OK, &br#"{"text":"3 times tea"}"#[..]));
    let (status, body) = post(r#"{"item":"tea","count":-1}"#).await;
    assert!(status == StatusCode::BAD_REQUEST && body.ends_with(b"at line 1 column 24"), "{body:?}");
    let long = format!("\"{}\"", "x".repeat(70_000));
    assert_eq!(post(&long).await.0.as_u16(), 413);
}

/// The first events come, and the server hears that the reader has left long before the next would be written.
#[tokio::test]
async fn events_end_with_their_reader() {
    let (tell, told) = mpsc::channel();
    let address = start(|listener| events::run(listener, move |line| drop(tell.send(line)))).await;
    let mut reader = TcpStream::connect(address).await.unwrap();
    reader.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut text = String::new();
    while !text.contains("data: 2\n\n") {
        let mut piece = [0; 1000];
        let len = reader.read(&mut piece).await.unwrap();
        assert!(len > 0, "{text}");
        text += std::str::from_utf8(&piece[..len]).unwrap();
    }
    assert!(text.contains("content-type: text/event-stream\r\n") && text.contains("data: 0\n\n"), "{text}");
    drop(reader);
    let told = tokio::task::spawn_blocking(move || told.recv_timeout(Duration::from_secs(20)));
    let line = told.await.unwrap().unwrap();
    assert!(line.starts_with("127.0.0.1:"), "{line}");
}

/// A whole upload is kept, one that breaks off is removed, and a name cannot leave the folder.
#[tokio::test]
async fn uploads_become_files() {
    let folder = std::env::temp_dir().join(format!("endwell-recipe-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let address = start(|listener| upload::run(listener, folder.clone())).await;
    let body = "x".repeat(300_000);
    let (status, text) = ask(address, Method::Put, "/whole", &body).await;
    assert_eq!((status, &text[..]), (StatusCode::CREATED, &b"300000 bytes"[..]));
    assert_eq!(std::fs::read(folder.join("whole")).unwrap(), body.as_bytes());
    for name in ["/", "/../x", "/a/b", "/.hidden", "/%2e%2e"] {
        assert_eq!(ask(address, Method::Put, name, "x").await.0, StatusCode::BAD_REQUEST, "{name}");
    }

    let url = Url::parse(&format!("http://{address}/part")).unwrap();
    let connection = Connection::connect(&Tcp, &url.origin(), &ClientConfig::default()).await.unwrap();
    let head = Request::new(Method::Put, url.authority(), url.target()).unwrap();
    let (mut writer, response) = connection.request(&head, Framing::Length(1000));
    writer.write("half").await.unwrap();
    writer.flush().await.unwrap();
    let part = folder.join("part");
    while !part.exists() {
        tokio::task::yield_now().await;
    }
    drop((writer, response));
    while part.exists() {
        tokio::task::yield_now().await;
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
