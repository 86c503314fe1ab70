//! Bodies in the shapes that other libraries take, in both roles: whole in each, and an error in each if they were cut.

use std::fmt::Display;
use std::future::poll_fn;
use std::io;
use std::net::Shutdown;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use endwell::http::{Field, FieldSection, Framing, StatusCode};
use endwell::{Answered, BodyError, Ended, Exchange, RequestReader};
use futures::{Sink, SinkExt, Stream, StreamExt, TryStreamExt};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use crate::dialling::{Dialling, both, dial, get, head, run};
use crate::server::once;
use crate::support::{Client, Running, Tokio, on_every_runtime, pattern, start, told};

on_every_runtime!(
    a_body_passes_whole_in_each_shape,
    a_body_is_read_behind_the_response,
    a_request_that_is_cut_is_an_error_in_each_shape,
    a_response_that_is_cut_is_an_error_in_each_shape,
    trailers_and_sizes_pass_through_bodies,
    a_body_that_fails_is_cut_off,
    what_a_sink_holds_is_not_forgotten,
    a_writer_takes_nothing_beyond_the_length,
    parts_are_put_together_again
);

const LEN: usize = 300_000;

/// tokio's traits, those of futures-io, those of futures, and that of http-body.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    Tokio,
    FuturesIo,
    Futures,
    HttpBody,
}

const SHAPES: [Shape; 4] = [Shape::Tokio, Shape::FuturesIo, Shape::Futures, Shape::HttpBody];

impl Shape {
    fn of(path: &str) -> Self {
        SHAPES.into_iter().find(|shape| path == format!("/{shape:?}")).unwrap()
    }
}

/// Reads all of a body.
async fn gather<B, E>(shape: Shape, body: &mut B) -> Result<Vec<u8>, String>
where
    B: tokio::io::AsyncRead + smol::io::AsyncRead + Stream<Item = Result<Bytes, E>>,
    B: Body<Data = Bytes, Error = E> + Unpin,
    E: Display,
{
    let mut all = Vec::new();
    match shape {
        Shape::Tokio => drop(tokio::io::copy(body, &mut all).await.map_err(told_as_error)?),
        Shape::FuturesIo => drop(smol::io::copy(body, &mut all).await.map_err(told_as_error)?),
        Shape::Futures => {
            while let Some(piece) = body.next().await {
                all.extend(piece.map_err(|error| error.to_string())?);
            }
        }
        Shape::HttpBody => {
            while let Some(frame) = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
                all.extend(frame.map_err(|error| error.to_string())?.into_data().unwrap());
            }
        }
    }
    Ok(all)
}

/// The error has a cause, and the kind of a stream that ended or failed.
fn told_as_error(error: io::Error) -> String {
    let kinds =
        [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset, io::ErrorKind::ConnectionAborted];
    assert!(error.get_ref().is_some() && kinds.contains(&error.kind()), "{:?}: {error}", error.kind());
    error.to_string()
}

/// Writes all of a body, but for its end.
async fn pour<W>(shape: Shape, mut writer: &mut W, data: &[u8]) -> io::Result<()>
where
    W: tokio::io::AsyncWrite + smol::io::AsyncWrite + Sink<Bytes, Error: Into<io::Error>> + Unpin,
{
    let mut data = data;
    match shape {
        Shape::Tokio => drop(tokio::io::copy(&mut data, &mut writer).await?),
        Shape::FuturesIo => drop(smol::io::copy(&mut data, &mut writer).await?),
        Shape::Futures | Shape::HttpBody => {
            let pieces = data.chunks(70_000).map(Bytes::copy_from_slice).map(Ok);
            futures::stream::iter(pieces).forward(writer).await.map_err(Into::into)?;
        }
    }
    Ok(())
}

/// A body of known pieces.
struct Pieces {
    frames: Vec<Result<Frame<Bytes>, &'static str>>,
    size: SizeHint,
}

impl Pieces {
    fn of(data: &[u8], size: SizeHint) -> Self {
        let mut frames: Vec<_> =
            data.chunks(70_000).map(|p| Ok(Frame::data(Bytes::copy_from_slice(p)))).collect();
        frames.reverse();
        Self { frames, size }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        std::task::Poll::Ready(self.frames.pop())
    }

    fn size_hint(&self) -> SizeHint {
        self.size
    }
}

/// Takes the body in the shape that the path names, and returns it in that shape.
fn mirror<R: Dialling>() -> Running {
    start::<R, _, _>(async |exchange: Exchange| -> io::Result<Answered> {
        let (head, mut body, right) = exchange.into_parts();
        let shape = Shape::of(head.path());
        let all = gather(shape, &mut body).await.map_err(io::Error::other)?;
        if shape == Shape::HttpBody {
            let size = SizeHint::with_exact(LEN as u64);
            return Ok(right.respond_with(StatusCode::OK, Pieces::of(&all, size)).await.unwrap());
        }
        let mut writer = right.start(StatusCode::OK, Framing::Length(LEN as u64));
        pour(shape, &mut writer, &all).await?;
        Ok(writer.finish()?)
    })
}

fn a_body_passes_whole_in_each_shape<R: Dialling>() {
    let server = mirror::<R>();
    run::<R, _>(async {
        let mut connection = dial::<R>(server.address).await;
        for shape in SHAPES {
            for framing in [Framing::Length(LEN as u64), Framing::Chunked] {
                let (mut writer, response) =
                    connection.request(&head("POST", &format!("/{shape:?}")), framing);
                let ((), received) = both(
                    async {
                        if shape == Shape::HttpBody {
                            return writer
                                .send_body(Pieces::of(&pattern(LEN), SizeHint::new()))
                                .await
                                .unwrap();
                        }
                        pour(shape, &mut writer, &pattern(LEN)).await.unwrap();
                        writer.finish().unwrap();
                    },
                    response,
                )
                .await;
                let mut received = received.unwrap();
                assert!(gather(shape, &mut received).await.unwrap() == pattern(LEN), "{shape:?}");
                connection = received.finish().await.expect("a connection that is kept");
            }
        }
    });
}

/// The next request waits for it.
fn a_body_is_read_behind_the_response<R: Dialling>() {
    let (tell, news) = told();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            let (head, mut body, right) = exchange.into_parts();
            let answered = right.respond(StatusCode::OK, "");
            tell.send(gather(Shape::of(head.path()), &mut body).await).unwrap();
            answered
        }
    });
    let mut client = server.connect();
    for shape in SHAPES {
        client.send(format!("POST /{shape:?} HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n"));
        assert_eq!(client.response().unwrap().status, 200);
        client.send(pattern(1000));
        assert_eq!(news.next(), Ok(pattern(1000)), "{shape:?}");
    }
}

/// By the end of the stream, by a reset, and after the response.
fn a_request_that_is_cut_is_an_error_in_each_shape<R: Dialling>() {
    let (tell, news) = told();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            let (head, mut body, right) = exchange.into_parts();
            let shape = Shape::of(head.path());
            let is_early = head.query().is_some();
            let answered = if is_early {
                right.respond(StatusCode::OK, "")
            } else {
                let gathered = gather(shape, &mut body).await;
                tell.send(gathered).unwrap();
                return right.respond(StatusCode::OK, "");
            };
            tell.send(gather(shape, &mut body).await).unwrap();
            answered
        }
    });
    for shape in SHAPES {
        for (query, framing, reset) in [
            ("", "content-length: 300000", false),
            ("", "transfer-encoding: chunked", false),
            ("", "content-length: 300000", true),
            ("?early", "content-length: 300000", false),
            ("?early", "content-length: 300000", true),
        ] {
            let mut client = server.connect();
            client.send(format!(
                "POST /{shape:?}{query} HTTP/1.1\r\nhost: a\r\n{framing}\r\n\r\n5\r\nhello\r\n"
            ));
            if query == "?early" {
                assert_eq!(client.response().unwrap().status, 200);
            }
            let ended: Box<dyn FnOnce(Client)> =
                if reset { Box::new(Client::reset) } else { Box::new(|client: Client| client.shut_down()) };
            ended(client);
            let case = format!("{shape:?} {query} {framing} {reset}");
            let error = news.next().expect_err(&case);
            assert!(!error.is_empty(), "{case}");
        }
    }
}

fn a_response_that_is_cut_is_an_error_in_each_shape<R: Dialling>() {
    for shape in SHAPES {
        for (framing, reset) in [
            ("content-length: 10", false),
            ("transfer-encoding: chunked", false),
            ("content-length: 10", true),
            ("transfer-encoding: chunked", true),
            ("connection: close", true),
        ] {
            let (go, gone) = std::sync::mpsc::channel();
            let server = once(move |mut client| {
                client.head();
                client.send(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n4\r\nhell\r\n"));
                gone.recv().unwrap();
                if reset {
                    client.reset();
                } else {
                    client.0.shutdown(Shutdown::Write).unwrap();
                }
            });
            run::<R, _>(async {
                let mut received = dial::<R>(server.address).await.send(&get("/"), "").await.unwrap();
                go.send(()).unwrap();
                let gathered = gather(shape, &mut received).await;
                assert!(gathered.is_err(), "{shape:?} {framing} {reset}: {gathered:?}");
                // And it stays one: a stream has ended behind it, and a reader reads it again.
                let again = gather(shape, &mut received).await;
                match shape {
                    Shape::Tokio | Shape::FuturesIo => assert!(again.is_err(), "{shape:?}"),
                    Shape::Futures | Shape::HttpBody => assert_eq!(again, Ok(vec![])),
                }
                assert!(received.finish().await.is_none());
            });
        }
    }
}

fn fields() -> FieldSection {
    FieldSection::new().with(Field::from_static("x-sum", "1")).with(Field::from_static("x-sum", "2"))
}

/// All data and the trailers, and what was known of the size before and behind the data.
async fn frames<B: Body<Data = Bytes, Error: Display> + Unpin>(
    body: &mut B,
) -> (Option<u64>, Vec<u8>, Option<HeaderMap>) {
    let size = body.size_hint().exact();
    let (mut all, mut trailers) = (Vec::new(), None);
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
        let frame = frame.unwrap_or_else(|error| panic!("{error}"));
        match frame.into_data() {
            Ok(data) => all.extend(data),
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
        if size.is_some() {
            let rest = body.size_hint().exact();
            assert_eq!(rest.map(|rest| rest + all.len() as u64), size);
        }
    }
    assert!(body.is_end_stream());
    (size, all, trailers)
}

fn trailers_and_sizes_pass_through_bodies<R: Dialling>() {
    let server = start::<R, _, _>(async |exchange: Exchange| -> Result<Answered, BodyError> {
        let (head, mut body, right) = exchange.into_parts();
        if head.path() == "/none" {
            assert!(body.is_end_stream() && Body::size_hint(&body).exact() == Some(0));
        }
        if head.path() == "/echo" {
            return right.respond_with(StatusCode::OK, body).await;
        }
        let (size, all, trailers) = frames(&mut body).await;
        let trailers = trailers.map(|map| map.get_all("x-sum").iter().count());
        Ok(right.respond(StatusCode::OK, format!("{size:?} {} {trailers:?}", all.len())))
    });
    run::<R, _>(async {
        let mut connection = dial::<R>(server.address).await;
        let received = connection.send(&get("/none"), "").await.unwrap();
        connection = received.finish().await.unwrap();
        for (path, framing) in [
            ("/", Framing::Length(1000)),
            ("/", Framing::Chunked),
            ("/echo", Framing::Length(1000)),
            ("/echo", Framing::Chunked),
        ] {
            let (mut writer, response) = connection.request(&head("POST", path).with_trailers(), framing);
            writer.write(pattern(1000)).await.unwrap();
            writer.finish_with(&fields()).unwrap();
            let mut received = response.await.unwrap();
            let (size, all, trailers) = frames(&mut received).await;
            let is_chunked = framing == Framing::Chunked;
            if path == "/echo" {
                assert_eq!((size, all), ((!is_chunked).then_some(1000), pattern(1000)));
                let trailers = trailers.map(|map| map.get_all("x-sum").iter().cloned().collect::<Vec<_>>());
                assert_eq!(trailers, is_chunked.then(|| vec!["1".parse().unwrap(), "2".parse().unwrap()]));
            } else {
                let expected = if is_chunked { "None 1000 Some(2)" } else { "Some(1000) 1000 None" };
                assert_eq!(String::from_utf8(all).unwrap(), expected);
            }
            connection = received.finish().await.unwrap();
        }
    });
}

/// Of a response and of a request: neither looks whole, and the writer is told why.
fn a_body_that_fails_is_cut_off<R: Dialling>() {
    let (tell, news) = told();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            let (head, mut body, right) = exchange.into_parts();
            if head.path() == "/upload" {
                tell.send(gather(Shape::HttpBody, &mut body).await.unwrap_err()).unwrap();
                return Ok(right.respond(StatusCode::OK, ""));
            }
            let mut pieces = Pieces::of(b"hello", SizeHint::new());
            match head.path() {
                "/fails" => pieces.frames.insert(0, Err("out of luck")),
                "/short" => pieces.size = SizeHint::with_exact(6),
                _ => pieces.size = SizeHint::with_exact(4),
            }
            let error = right.respond_with(StatusCode::OK, pieces).await.unwrap_err();
            tell.send(error.to_string()).unwrap();
            Err(error)
        }
    });
    for (path, words) in
        [("/fails", "out of luck"), ("/short", "cut off"), ("/long", "no more content than was announced")]
    {
        let mut client = server.connect();
        client.send(format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n"));
        client.response().expect_err(path);
        let error = news.next();
        assert!(error.contains(words), "{path}: {error}");
    }
    run::<R, _>(async {
        let connection = dial::<R>(server.address).await;
        let (mut writer, response) = connection.request(&head("POST", "/upload"), Framing::Chunked);
        // So that the server sees the request at all.
        writer.flush().await.unwrap();
        let mut pieces = Pieces::of(b"hello", SizeHint::new());
        pieces.frames.insert(0, Err("out of luck"));
        let error = writer.send_body(pieces).await.unwrap_err();
        assert!(matches!(error, BodyError::Source(_)), "{error}");
        drop(response);
    });
    news.next();
}

/// A piece that was given to a sink and not flushed: the body cannot be finished without it.
fn what_a_sink_holds_is_not_forgotten<R: Dialling>() {
    let server = start::<R, _, _>(async |exchange: Exchange| {
        let is_flushed = exchange.path() == "/flushed";
        let (_, mut writer) = exchange.start(StatusCode::OK, Framing::Chunked);
        writer.feed(Bytes::from_static(b"one")).await.unwrap();
        if is_flushed {
            // What is written behind it comes behind it.
            writer.write("two").await.unwrap();
            writer.feed(Bytes::from_static(b"three")).await.unwrap();
            SinkExt::close(&mut writer).await.unwrap();
        }
        writer.finish()
    });
    let mut client = server.connect();
    client.send("GET /flushed HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(client.response().unwrap().body, b"onetwothree");
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    client.response().unwrap_err();
}

fn a_writer_takes_nothing_beyond_the_length<R: Dialling>() {
    let server = start::<R, _, _>(async |exchange: Exchange| {
        let (_, mut writer) = exchange.start(StatusCode::OK, Framing::Length(4));
        let error = tokio::io::copy(&mut &b"hello"[..], &mut writer).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        tokio::io::copy(&mut &b"hell"[..], &mut writer).await.unwrap();
        writer.finish()
    });
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(client.response().unwrap().body, b"hell");
}

/// Also after a piece was read in part; and the body of one exchange does not go with the right of another.
fn parts_are_put_together_again<R: Dialling>() {
    let kept: Arc<Mutex<Option<RequestReader>>> = Arc::default();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let kept = Arc::clone(&kept);
        async move {
            let (head, mut body, right) = exchange.into_parts();
            if head.path() == "/other" {
                *kept.lock().unwrap() = Some(body);
                return Ok(right.respond(StatusCode::OK, ""));
            }
            let mut start = [0; 3];
            tokio::io::AsyncReadExt::read_exact(&mut body, &mut start).await.unwrap();
            let other = kept.lock().unwrap().take().unwrap();
            let Err((head, other, right)) = Exchange::from_parts(head, other, right) else {
                panic!("the body of another exchange")
            };
            drop(other);
            let mut exchange = Exchange::from_parts(head, body, right).unwrap();
            let rest = exchange.read_all(100).await?;
            let again = exchange.into_parts();
            let exchange = Exchange::from_parts(again.0, again.1, again.2).unwrap();
            Ok::<_, Ended>(exchange.respond(StatusCode::OK, [&start[..], &rest].concat()))
        }
    });
    let (mut one, mut other) = (server.connect(), server.connect());
    other.send("POST /other HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\n");
    assert_eq!(other.response().unwrap().status, 200);
    one.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n0123456789");
    assert_eq!(one.response().unwrap().body, b"0123456789");
    // The connection goes on, and the other body held up its own.
    other.send("xPOST /other HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(other.response().unwrap().status, 200);
}

/// A stream of the pieces can be collected like any other.
#[test]
fn a_stream_has_the_combinators() {
    let server = mirror::<Tokio>();
    run::<Tokio, _>(async {
        let (mut writer, response) =
            dial::<Tokio>(server.address).await.request(&head("POST", "/Futures"), Framing::Chunked);
        let mut pieces = pin!(futures::stream::iter([Bytes::from(pattern(LEN))]).map(Ok));
        writer.send_all(&mut pieces).await.unwrap();
        writer.finish().unwrap();
        let received = response.await.unwrap();
        let all = received.try_fold(0, async |all, piece| Ok(all + piece.len())).await.unwrap();
        assert_eq!(all, LEN);
    });
}
