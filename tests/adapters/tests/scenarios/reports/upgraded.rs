//! Exchanges that became a WebSocket or another protocol are reported at the end of their connection.

use endwell::http::FieldSection;
use endwell::ws::Close;
use endwell::{Answered, EndedKind, Exchange, HandlerEnd, ServerConfig};

use super::said::Reports;
use crate::support::{Runtime, on_every_runtime, start_with};

on_every_runtime!(a_web_socket, other_protocols);

fn a_web_socket<R: Runtime>() {
    let (config, reports) = Reports::of(ServerConfig::default());
    let server = start_with::<R, _, _>(config, async |exchange: Exchange| {
        let acceptance = exchange.acceptance();
        let Ok(mut socket) = exchange.accept(acceptance) else { panic!("a handshake") };
        let message = socket.receive().await.unwrap();
        socket.send(message).await?;
        let mut pieces = socket.send_pieces(endwell::ws::Kind::Text);
        pieces.write("and").await.unwrap();
        pieces.write(" more").await.unwrap();
        pieces.finish().await?;
        let mut count = 0;
        socket
            .for_each(|event, mut reply| {
                if let endwell::ws::Event::Text(_) = event {
                    count += 1;
                    if count == 2 {
                        reply.text("two").unwrap();
                    }
                }
            })
            .await;
        Err::<Answered, _>(socket.close(Close::EMPTY).await)
    });
    let mut client = server.connect();
    client.send(
        "GET /chat HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n",
    );
    assert_eq!(client.response().unwrap().status, 101);
    client.send([HELLO, b"\x89\x80\0\0\0\0", HELLO, HELLO].concat());
    // The pieces are two frames and an empty one.
    let sent = client.read_exactly((2 + 5) + (2 + 3 + 2 + 5 + 2) + 2 + (2 + 3));
    client.send(b"\x88\x80\0\0\0\0");
    assert_eq!(client.rest(), b"\x88\0");
    drop(client);
    let said = reports.next();
    assert_eq!((&*said.line, said.status), ("GET /chat HTTP/1.1", Some(101)));
    assert_eq!(said.bytes, (3 * HELLO.len() as u64 + 6 + 6, sent.len() as u64 + 2), "{said:?}");
    assert_eq!(said.messages, Some((3, 3)));
    assert!(said.is_upgraded && said.is_whole, "{said:?}");
    assert!(said.cause.as_ref().unwrap().web_socket().is_some(), "{said:?}");
    assert!(matches!(said.end, Some(HandlerEnd::Ended(_))), "{said:?}");
    reports.assert_over(server);
}

fn other_protocols<R: Runtime>() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let (config, reports) = Reports::of(ServerConfig::default());
    let server = start_with::<R, _, _>(config, async |exchange: Exchange| {
        let here = exchange.query().is_none();
        let fields = FieldSection::new();
        let switched = match exchange.method().as_str() {
            "CONNECT" => exchange.tunnel(&fields),
            _ => exchange.switch("other", &fields),
        };
        let Ok((mut stream, answered)) = switched else { panic!("a switch") };
        let talk = async move {
            let mut buffer = [0; 6];
            stream.read_exact(&mut buffer).await.unwrap();
            stream.write_all(b"before ").await.unwrap();
            stream.write_all(&buffer).await.unwrap();
        };
        if here {
            talk.await;
        } else {
            R::spawn(talk);
        }
        answered
    });
    for (request, status) in [
        ("GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n", 101),
        ("GET /?elsewhere HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n", 101),
        ("CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n", 200),
    ] {
        for (ahead, behind) in [("", "behind"), ("beh", "ind")] {
            let mut client = server.connect();
            client.send(format!("{request}{ahead}"));
            let head = client.read_exactly(12);
            assert_eq!(head, format!("HTTP/1.1 {status}").as_bytes());
            client.send(behind);
            let rest = client.rest();
            assert!(rest.ends_with(b"before behind"));
            drop(client);
            let said = reports.next();
            assert_eq!((said.status, said.bytes), (Some(status), (6, 13)), "{said:?}");
            assert!(said.is_upgraded && said.is_whole && said.messages.is_none(), "{said:?}");
            assert!(matches!(said.cause.unwrap().kind(), EndedKind::Upgraded));
        }
    }
    reports.assert_over(server);
}

const HELLO: &[u8] = b"\x81\x85\0\0\0\0hello";
