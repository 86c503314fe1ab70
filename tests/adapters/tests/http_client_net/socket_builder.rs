//! WebSockets that are built: what is asked for, what is not valid, refusals, and the time for all of it.

use std::future::pending;
use std::io;
use std::time::Duration;

use endwell::client::{InvalidUrl, Origin, RequestError};
use endwell::http::{Field, InvalidField, InvalidRequest, StatusCode};
use endwell::ws::{self, CloseCode, ConnectError, Deflate, InvalidSubprotocol, Origins, Subprotocol};
use endwell::{ClientConfig, Connector, Exchange, Info, Limit};

use crate::aborted::aborted;
use crate::dialling::{Dialling, run};
use crate::server::once;
use crate::support::{on_every_runtime, start_with};

on_every_runtime!(
    what_is_asked_for,
    what_is_not_valid_is_an_error_of_the_call_that_connects,
    a_refusal_is_read_within_a_bound_and_a_time,
    the_time_covers_the_connection_and_the_answer,
);

const SHORT: Duration = Duration::from_millis(500);

fn what_is_asked_for<R: Dialling>() {
    let config = endwell::ServerConfig::default().deflate(Deflate::default());
    let server = start_with::<R, _, _>(config, async |exchange: Exchange| {
        let offered = Subprotocol::offered(exchange.head());
        let chosen = offered.into_iter().find(|name| name.as_str() == "chat.v1").unwrap();
        let acceptance = exchange.acceptance().subprotocol(chosen).origins(Origins::Any);
        let fields = ["origin", "x", "cookie"].map(|name| {
            let values: Vec<_> = exchange.fields().get_all(name).map(<[u8]>::to_owned).collect();
            values.into_iter().map(|value| String::from_utf8(value).unwrap()).collect::<Vec<_>>().join("+")
        });
        let text = format!("{} {}", exchange.head().target(), fields.join(" "));
        let mut socket = exchange.accept(acceptance).map_err(|_| aborted())?;
        socket.send(text).await?;
        while socket.receive().await.is_some() {}
        Err::<endwell::Answered, _>(socket.close(CloseCode::NORMAL).await)
    });
    run::<R, _>(async {
        let builder = ws::connect(format!("ws://{}/chat?room=1", server.address))
            .subprotocol("chat.v2")
            .subprotocol("chat.v1")
            .origin("https://other")
            .origin("https://example.com")
            .header("x", "1")
            .with(Field::from_static("x", "2"))
            .header("cookie", "a=b")
            .deflate(Deflate::default())
            .timeout(crate::support::LONG);
        assert!(!format!("{builder:?}").contains("a=b"), "it may be a secret");
        for _ in 0..2 {
            let mut socket = builder.clone().open(&R::CONNECTOR).await.unwrap();
            assert_eq!(socket.subprotocol(), Some("chat.v1"));
            assert!(socket.deflates());
            let message = socket.receive().await.unwrap();
            assert_eq!(message.as_text(), Some("/chat?room=1 https://example.com 1+2 a=b"));
            socket.close(CloseCode::NORMAL).await;
        }
        let set = builder.set_header("cookie", "c=d").open(&R::CONNECTOR).await.unwrap().receive().await;
        assert_eq!(set.unwrap().as_text(), Some("/chat?room=1 https://example.com 1+2 c=d"));
    });
}

fn what_is_not_valid_is_an_error_of_the_call_that_connects<R: Dialling>() {
    run::<R, _>(async {
        for (url, expected) in [
            ("example.com", InvalidUrl::Scheme),
            ("http://example.com/", InvalidUrl::Scheme),
            ("ws://a b/", InvalidUrl::Head(InvalidRequest::Host)),
        ] {
            let error = ws::connect(url).header("x", "y").open(&R::CONNECTOR).await.unwrap_err();
            assert!(matches!(error, ConnectError::Url(invalid) if invalid == expected), "{error}");
        }
        let builder = || ws::connect("ws://a/");
        for (builder, expected) in [
            (builder().header("a b", "c").header("x", "y"), InvalidField::Name),
            (builder().origin("a\r\nb"), InvalidField::Value),
            (builder().header("Sec-WebSocket-Key", "x"), InvalidField::Reserved),
        ] {
            let error = builder.open(&R::CONNECTOR).await.unwrap_err();
            assert!(matches!(error, ConnectError::Field(invalid) if invalid == expected), "{error}");
            assert_eq!(io::Error::from(error).kind(), io::ErrorKind::InvalidInput);
        }
        for (builder, expected) in [
            (builder().subprotocol("a b"), InvalidSubprotocol::Name),
            (builder().subprotocol("a").subprotocol("a"), InvalidSubprotocol::Repeated),
        ] {
            let error = builder.open(&R::CONNECTOR).await.unwrap_err();
            assert!(matches!(error, ConnectError::Subprotocol(invalid) if invalid == expected), "{error}");
        }
    });
}

fn a_refusal_is_read_within_a_bound_and_a_time<R: Dialling>() {
    for (limit, rest) in [(9, "text"), (8, "text"), (9, "")] {
        let server = once(move |mut client| {
            client.head();
            client.send("HTTP/1.1 403 no\r\nx: y\r\ncontent-length: 9\r\n\r\nsome ");
            client.send(rest);
            client.until_left();
        });
        run::<R, _>(async {
            let builder = ws::connect(format!("ws://{}/", server.address)).timeout(SHORT);
            let error = builder.open(&R::CONNECTOR).await.unwrap_err();
            assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));
            let ConnectError::Refused(mut response) = error else { panic!("{error}") };
            assert_eq!(response.fields().get_str("x"), Some("y"));
            match response.read_all(limit).await {
                Ok(body) => assert_eq!((&body[..], rest, limit), (&b"some text"[..], "text", 9)),
                Err(error) => {
                    let expected = if limit == 8 { Limit::BodyBytes } else { Limit::RequestTime };
                    assert_eq!(error.ended.exceeded().unwrap().limit, expected);
                }
            }
            drop(response);
            server.done().await;
        });
    }
}

/// Never connects.
struct Never<C>(C);

impl<C: Connector> Connector for Never<C> {
    type Transport = C::Transport;
    type Runtime = C::Runtime;

    async fn connect(&self, _: &Origin) -> io::Result<(C::Transport, Info)> {
        pending().await
    }

    fn runtime(&self) -> C::Runtime {
        self.0.runtime()
    }
}

fn the_time_covers_the_connection_and_the_answer<R: Dialling>() {
    let server = once(|mut client| {
        client.head();
        client.until_left();
    });
    run::<R, _>(async {
        let builder = ws::connect(format!("ws://{}/", server.address)).timeout(SHORT);
        let error = builder.clone().open(&Never(R::CONNECTOR)).await.unwrap_err();
        assert!(
            matches!(&error, ConnectError::Io(error) if error.kind() == io::ErrorKind::TimedOut),
            "{error}"
        );
        let error = builder.clone().open(&R::CONNECTOR).await.unwrap_err();
        let ConnectError::Failed(RequestError::Unanswered(ended)) = error else { panic!("{error}") };
        assert_eq!(ended.exceeded().unwrap().limit, Limit::RequestTime);
        server.done().await;
        // Without one, the limit of the configuration holds.
        let config = ClientConfig::default().connect_time(SHORT);
        let error = ws::connect("ws://a/").config(config).open(&Never(R::CONNECTOR)).await.unwrap_err();
        assert!(matches!(error, ConnectError::Io(_)), "{error}");
    });
}
