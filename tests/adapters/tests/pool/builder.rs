//! Requests that are built from a URL: what is sent, what is not valid, the time for all of it, and other protocols.

use std::future::poll_fn;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use endwell::client::{InvalidUrl, PoolError, RequestError, SendError, SwitchOutcome, TextError, Url};
use endwell::http::{Field, Framing, InvalidField, InvalidRequest, Method, StatusCode};
use endwell::{Limit, Upgraded};
use http_body::{Body, Frame};

use crate::counted::{bounded, pool, settled};
use crate::dialling::{Dialling, run};
use crate::server::{Server, echoing, serving};
use crate::support::{on_every_runtime, told};

on_every_runtime!(
    what_is_sent,
    what_is_not_valid_is_an_error_of_the_call_that_sends,
    text_is_utf_8_and_bounded,
    the_time_covers_the_wait_for_a_place,
    the_time_covers_the_head,
    the_time_covers_the_body_and_what_has_come_is_kept,
    the_time_covers_a_retry,
    the_end_of_the_time_is_not_retried,
    a_body_in_pieces,
    a_body_of_another_library,
    a_body_that_is_still_sent_behind_the_head,
    a_body_that_fails,
    another_protocol_with_what_follows_it,
    another_protocol_that_the_server_does_not_know,
    an_offer_is_sent_again,
);

const SHORT: Duration = Duration::from_millis(500);

fn url(server: &Server, target: &str) -> String {
    format!("http://{}{target}", server.address)
}

/// Answers each request with its head and its body.
fn repeating() -> Server {
    serving(|mut peer| {
        while let Some(head) = peer.head() {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let Some(body) = peer.read(length.map_or(0, |length| length.parse().unwrap())) else { return };
            peer.send(format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{head}",
                head.len() + body.len()
            ));
            peer.send(body);
        }
    })
}

fn what_is_sent<R: Dialling>() {
    let server = repeating();
    run::<R, _>(async {
        let pool = pool::<R>();
        let host = server.address;
        let mut response = pool
            .get(url(&server, "/a?b=c#d"))
            .header("accept", "text/html")
            .with(Field::from_static("x", "y"))
            .send()
            .await
            .unwrap();
        let expected = format!("GET /a?b=c HTTP/1.1\r\nhost: {host}\r\naccept: text/html\r\nx: y\r\n\r\n");
        assert_eq!(response.text(1000).await.unwrap(), expected);
        drop(response);
        let url = Url::parse(&url(&server, "/")).unwrap();
        for (request, method) in [
            (pool.post(&url), "POST"),
            (pool.put(&url), "PUT"),
            (pool.patch(&url), "PATCH"),
            (pool.delete(&url), "DELETE"),
            (pool.request(Method::Extension("REPORT"), &url), "REPORT"),
        ] {
            let mut response = request.body("some text").send().await.unwrap();
            let expected =
                format!("{method} / HTTP/1.1\r\nhost: {host}\r\ncontent-length: 9\r\n\r\nsome text");
            assert_eq!(response.text(1000).await.unwrap(), expected);
        }
        let uri: http::Uri = url.to_string().parse().unwrap();
        assert!(pool.get(&uri).send().await.unwrap().text(1000).await.unwrap().starts_with("GET / "));
        settled::<R>(&pool, 1, 1).await;
    });
    assert_eq!(server.accepted(), 1);
}

fn what_is_not_valid_is_an_error_of_the_call_that_sends<R: Dialling>() {
    run::<R, _>(async {
        let pool = pool::<R>();
        for (request, expected) in [
            (pool.get("example.com"), InvalidUrl::Scheme),
            (pool.get("ws://example.com"), InvalidUrl::Scheme),
            (pool.get("http://u@example.com"), InvalidUrl::UserInformation),
            (pool.get("http://a b/").header("x", "y").body("z"), InvalidUrl::Head(InvalidRequest::Host)),
        ] {
            let error = request.send().await.unwrap_err();
            assert!(matches!(error, SendError::Url(invalid) if invalid == expected), "{error}");
            assert!(!error.is_safe_to_retry() && error.retries() == 0);
            assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::InvalidInput);
        }
        let invalid = || pool.get("http://a/").header("a b", "c").header("x", "y");
        for (error, expected) in [
            (invalid().send().await.unwrap_err(), InvalidField::Name.into()),
            (invalid().start(Framing::Chunked).await.unwrap_err(), InvalidField::Name.into()),
            (invalid().switch("tcp").await.unwrap_err(), InvalidField::Name.into()),
            (
                pool.get("http://a/").header("connection", "close").send().await.unwrap_err(),
                InvalidField::Reserved.into(),
            ),
            (pool.request(Method::Connect, "http://a/").send().await.unwrap_err(), InvalidRequest::Connect),
            (pool.get("http://a/").switch("a b").await.unwrap_err(), InvalidRequest::Protocol),
        ] {
            assert!(matches!(error, SendError::Head(invalid) if invalid == expected), "{error}");
        }
        settled::<R>(&pool, 0, 0).await;
    });
}

fn text_is_utf_8_and_bounded<R: Dialling>() {
    let server = serving(|mut peer| {
        while let Some(asked) = peer.request() {
            let body: &[u8] = if asked.target == "/latin" { b"\xe9" } else { "caf\u{e9}".as_bytes() };
            peer.send(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()));
            peer.send(body);
        }
    });
    run::<R, _>(async {
        let pool = pool::<R>();
        let mut response = pool.get(url(&server, "/")).send().await.unwrap();
        assert_eq!(response.text(5).await.unwrap(), "caf\u{e9}");
        let error = pool.get(url(&server, "/latin")).send().await.unwrap().text(5).await.unwrap_err();
        assert!(matches!(&error, TextError::NotUtf8(body) if body == &b"\xe9"[..]), "{error}");
        let error = pool.get(url(&server, "/")).send().await.unwrap().text(4).await.unwrap_err();
        let TextError::Incomplete(error) = error else { panic!("{error}") };
        assert_eq!(error.ended.exceeded().unwrap().limit, Limit::BodyBytes);
    });
}

fn the_time_covers_the_wait_for_a_place<R: Dialling>() {
    let server = echoing();
    run::<R, _>(async {
        let pool = bounded::<R>(1, 1);
        let kept = pool.connection(&server.origin()).await.unwrap();
        let error = pool.post(url(&server, "/")).timeout(SHORT).send().await.unwrap_err();
        assert!(error.is_safe_to_retry(), "nothing was sent");
        let SendError::NoConnection { error: PoolError::Timeout(SHORT), retries: 0 } = error else {
            panic!("{error}")
        };
        assert_eq!(pool.occupancy().waiting, 0);
        drop(kept);
        let mut response = pool.get(url(&server, "/")).timeout(crate::support::LONG).send().await.unwrap();
        assert_eq!(response.text(100).await.unwrap(), "GET /");
    });
}

fn the_time_covers_the_head<R: Dialling>() {
    let server = serving(|mut peer| {
        let Some(asked) = peer.request() else { return };
        if asked.target == "/begun" {
            peer.send("HTTP/1.1 2");
        }
        peer.until_left();
    });
    run::<R, _>(async {
        let pool = pool::<R>();
        for (method, target, is_safe) in
            [(Method::Get, "/", true), (Method::Post, "/", false), (Method::Get, "/begun", false)]
        {
            let request = pool.request(method, url(&server, target)).timeout(SHORT);
            let error = request.send().await.unwrap_err();
            assert_eq!(error.is_safe_to_retry(), is_safe, "{method} {target}");
            let SendError::Failed { failure, retries: 0, .. } = error else { panic!("{error}") };
            assert_eq!(matches!(failure, RequestError::Failed(_)), target == "/begun", "{failure}");
            assert_eq!(failure.ended().exceeded().unwrap().limit, Limit::RequestTime);
            settled::<R>(&pool, 0, 0).await;
        }
    });
}

fn the_time_covers_the_body_and_what_has_come_is_kept<R: Dialling>() {
    let server = serving(|mut peer| {
        peer.request();
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello");
        peer.until_left();
    });
    run::<R, _>(async {
        let pool = pool::<R>();
        let mut response = pool.get(url(&server, "/")).timeout(SHORT).send().await.unwrap();
        // The time runs on while nothing is read.
        R::sleep(2 * SHORT).await;
        assert_eq!(response.read().await.unwrap().unwrap(), "hello");
        for _ in 0..2 {
            let error = response.read().await.unwrap_err();
            assert_eq!((error.received, error.announced), (5, Some(10)));
            assert_eq!(error.ended.exceeded().unwrap().limit, Limit::RequestTime);
        }
        assert!(response.finish().await.is_none());
        settled::<R>(&pool, 0, 0).await;
    });
}

/// A connection that is closed is not the end of the time, nor its beginning.
fn the_time_covers_a_retry<R: Dialling>() {
    let server = serving(|mut peer| {
        if peer.number == 1 {
            let asked = peer.request().unwrap();
            peer.answer(&asked);
            peer.request();
            return;
        }
        peer.until_left();
    });
    run::<R, _>(async {
        let pool = bounded::<R>(1, 1);
        drop(pool.get(url(&server, "/")).send().await.unwrap());
        settled::<R>(&pool, 1, 1).await;
        let error = pool.get(url(&server, "/")).timeout(SHORT).send().await.unwrap_err();
        let SendError::Failed { failure, retries: 1, is_safe_to_retry: true } = error else {
            panic!("{error}")
        };
        assert_eq!(failure.ended().exceeded().unwrap().limit, Limit::RequestTime);
    });
}

/// A kept connection without an answer may be one that the server has closed, but the time is over.
fn the_end_of_the_time_is_not_retried<R: Dialling>() {
    let server = serving(|mut peer| {
        let asked = peer.request().unwrap();
        peer.answer(&asked);
        peer.until_left();
    });
    run::<R, _>(async {
        let pool = bounded::<R>(1, 1);
        drop(pool.get(url(&server, "/")).send().await.unwrap());
        settled::<R>(&pool, 1, 1).await;
        let error = pool.get(url(&server, "/")).timeout(SHORT).send().await.unwrap_err();
        assert!(matches!(error, SendError::Failed { retries: 0, is_safe_to_retry: true, .. }), "{error}");
    });
    assert_eq!(server.accepted(), 1);
}

fn a_body_in_pieces<R: Dialling>() {
    let server = repeating();
    run::<R, _>(async {
        let pool = pool::<R>();
        let (mut body, response) = pool.put(url(&server, "/")).start(Framing::Length(6)).await.unwrap();
        body.write("one").await.unwrap();
        body.write("two").await.unwrap();
        body.finish().unwrap();
        let text = response.await.unwrap().text(1000).await.unwrap();
        assert!(text.ends_with("content-length: 6\r\n\r\nonetwo"), "{text}");
        // The time is noticed by what waits for the response.
        let request = pool.put(url(&server, "/")).timeout(SHORT).start(Framing::Length(6)).await;
        let (mut body, response) = request.unwrap();
        body.write("one").await.unwrap();
        let error = response.await.unwrap_err();
        assert_eq!(error.ended().exceeded().unwrap().limit, Limit::RequestTime);
        settled::<R>(&pool, 0, 0).await;
    });
}

/// Frames, each ready when it is asked for a second time; then an error, or the end.
struct Frames {
    rest: Vec<&'static str>,
    error: Option<&'static str>,
    hesitates: bool,
}

impl Frames {
    fn new(frames: &[&'static str], error: Option<&'static str>) -> Self {
        Self { rest: frames.iter().rev().copied().collect(), error, hesitates: false }
    }
}

impl Body for Frames {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        let this = self.get_mut();
        this.hesitates = !this.hesitates;
        if this.hesitates {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let frame = this.rest.pop().map(|frame| Ok(Frame::data(frame.into())));
        Poll::Ready(frame.or_else(|| this.error.take().map(Err)))
    }
}

fn a_body_of_another_library<R: Dialling>() {
    let server = serving(|mut peer| {
        while let Some(head) = peer.head() {
            let is_chunked = head.contains("transfer-encoding: chunked\r\n");
            let expected = if is_chunked { "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n" } else { "whole" };
            let body = peer.read(expected.len()).unwrap();
            peer.send(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()));
            peer.send(body);
            if peer.number == 1 {
                // The next is sent again over another connection.
                peer.head();
                return;
            }
        }
    });
    run::<R, _>(async {
        let pool = bounded::<R>(1, 1);
        let request = pool.put(url(&server, "/"));
        let mut response = request.send_with(Frames::new(&["one", "two"], None)).await.unwrap();
        assert_eq!(response.text(100).await.unwrap(), "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
        drop(response);
        // One frame that is ready is a whole body: it can be sent again.
        let mut response = pool.put(url(&server, "/")).send_with("whole".to_owned()).await.unwrap();
        assert_eq!((response.retries(), &*response.text(100).await.unwrap()), (1, "whole"));
    });
}

fn a_body_that_is_still_sent_behind_the_head<R: Dialling>() {
    let (tell, news) = told();
    let server = serving(move |mut peer| {
        peer.head();
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n");
        let body = peer.read("3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n".len());
        peer.send("ok");
        tell.send(body.is_some()).unwrap();
        peer.head();
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n");
        peer.until_left();
    });
    run::<R, _>(async {
        let pool = pool::<R>();
        let (frames, waiting) = futures::channel::mpsc::unbounded();
        let body = Waiting(waiting);
        frames.unbounded_send("one").unwrap();
        let mut response = pool.post(url(&server, "/")).send_with(body).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        frames.unbounded_send("two").unwrap();
        drop(frames);
        assert_eq!(response.text(100).await.unwrap(), "ok");
        assert!(news.next());
        drop(response);
        settled::<R>(&pool, 1, 1).await;

        // The task that sends the rest ends with the connection, though its source does not.
        let (frames, waiting) = futures::channel::mpsc::unbounded::<&str>();
        drop(pool.post(url(&server, "/2")).send_with(Waiting(waiting)).await.unwrap());
        crate::counted::until::<R>(|| frames.is_closed()).await;
    });
}

/// Frames that come when they come.
struct Waiting(futures::channel::mpsc::UnboundedReceiver<&'static str>);

impl Body for Waiting {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = futures::Stream::poll_next(Pin::new(&mut self.get_mut().0), cx);
        frame.map(|frame| frame.map(|frame| Ok(Frame::data(frame.into()))))
    }
}

fn a_body_that_fails<R: Dialling>() {
    let (tell, news) = told();
    let server = serving(move |mut peer| {
        peer.head();
        peer.until_left();
        tell.send(()).unwrap();
    });
    run::<R, _>(async {
        let pool = pool::<R>();
        let request = pool.put(url(&server, "/"));
        let error = request.send_with(Frames::new(&["one"], Some("out of luck"))).await.unwrap_err();
        assert_eq!(error.to_string(), "the body of the request was cut off: out of luck");
        assert!(!error.is_safe_to_retry());
        settled::<R>(&pool, 0, 0).await;
    });
    news.next();
}

async fn write(stream: &mut Upgraded, text: &str) {
    let written = poll_fn(|cx| stream.poll_write(cx, &[IoSlice::new(text.as_bytes())])).await.unwrap();
    assert_eq!(written, text.len());
}

async fn read(stream: &mut Upgraded, len: usize) -> String {
    let mut all = Vec::new();
    while all.len() < len {
        let mut buffer = [0; 3];
        match poll_fn(|cx| stream.poll_read(cx, &mut buffer)).await.unwrap() {
            0 => break,
            read => all.extend(&buffer[..read]),
        }
    }
    String::from_utf8(all).unwrap()
}

/// As Docker's attach and exec: a POST, also with a body.
fn another_protocol_with_what_follows_it<R: Dialling>() {
    let server = serving(|mut peer| {
        let head = peer.head().unwrap();
        assert!(head.starts_with("POST /exec/1/start?stream=1 HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("connection: upgrade\r\nupgrade: tcp\r\n"), "{head}");
        assert!(head.contains("content-length: 12\r\n"), "{head}");
        assert_eq!(peer.read(12).unwrap(), b"{\"Tty\":true}");
        peer.send("HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n");
        peer.send("Connection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello");
        assert_eq!(peer.read(4).unwrap(), b"ping");
        peer.send("pong");
    });
    run::<R, _>(async {
        let pool = pool::<R>();
        let request = pool.post(url(&server, "/exec/1/start?stream=1")).body("{\"Tty\":true}");
        let outcome = request.timeout(crate::support::LONG).switch("tcp").await.unwrap();
        let SwitchOutcome::Stream { mut stream, head } = outcome else { panic!("{outcome:?}") };
        assert_eq!(head.fields().get_str("content-type"), Some("application/vnd.docker.raw-stream"));
        assert_eq!(read(&mut stream, 5).await, "hello");
        assert_eq!(pool.occupancy().connections, 1, "it keeps its place");
        write(&mut stream, "ping").await;
        assert_eq!(read(&mut stream, 100).await, "pong");
        drop(stream);
        settled::<R>(&pool, 0, 0).await;
    });
}

fn another_protocol_that_the_server_does_not_know<R: Dialling>() {
    let server = echoing();
    run::<R, _>(async {
        let pool = pool::<R>();
        for _ in 0..2 {
            let outcome = pool.post(url(&server, "/attach")).switch("SPDY/3.1").await.unwrap();
            let SwitchOutcome::Response(mut response) = outcome else { panic!("{outcome:?}") };
            assert_eq!(response.text(100).await.unwrap(), "POST /attach");
        }
        settled::<R>(&pool, 1, 1).await;
    });
    assert_eq!(server.accepted(), 1);
}

fn an_offer_is_sent_again<R: Dialling>() {
    let server = serving(|mut peer| {
        let asked = peer.request().unwrap();
        if peer.number == 1 {
            peer.answer(&asked);
            peer.request();
            return;
        }
        peer.send("HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: tool/2\r\n\r\nhi");
    });
    run::<R, _>(async {
        let pool = bounded::<R>(1, 1);
        drop(pool.get(url(&server, "/")).send().await.unwrap());
        settled::<R>(&pool, 1, 1).await;
        let outcome = pool.get(url(&server, "/")).switch("tool/2").await.unwrap();
        let SwitchOutcome::Stream { mut stream, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(read(&mut stream, 100).await, "hi");
    });
}
