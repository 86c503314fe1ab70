//! Whatever is waited for has a deadline, and no time runs for a peer that is not waited for.

use std::io::{self, IoSlice, Read};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use endwell::client::{Connection, RequestError, ResponseReader};
use endwell::core::{Instant, Limit, Pace};
use endwell::http::Framing;
use endwell::{ClientConfig, Ended, EndedKind, Runtime, Timer, Transport};

use crate::dialling::{Dialling, dial_with, get, head, is_pending, run};
use crate::server::{Scripted, once};
use crate::support::on_every_runtime;

on_every_runtime!(
    no_response,
    a_head_that_does_not_end,
    a_body_without_progress,
    an_idle_connection,
    a_server_that_does_not_read,
    a_server_that_answers_and_reads_no_further,
    a_server_that_reads_too_late,
    a_request_that_takes_its_time,
    a_body_that_nobody_reads,
    a_wait_for_a_body_that_was_given_up
);

const SHORT: Duration = Duration::from_millis(100);

/// Every time is long, so that the one that a test makes short must be what ends it.
fn patient() -> ClientConfig {
    let long = Duration::from_secs(1000);
    let mut config = ClientConfig::default();
    config.http.response_time = Some(long);
    config.http.head_time = long;
    config.http.idle_time = long;
    config.http.response_pace = Pace::silence(long);
    config
}

fn is_limit(ended: &Ended, limit: Limit) {
    assert!(matches!(ended.kind(), EndedKind::Limit(exceeded) if exceeded.limit == limit), "{ended}");
}

fn no_response<R: Dialling>() {
    let server = once(|mut client| {
        client.head();
        client.assert_left();
    });
    let mut config = patient();
    config.http.response_time = Some(SHORT);
    run::<R, _>(async {
        let failure = dial_with::<R>(server.address, &config).await.send(&get("/"), "").await.unwrap_err();
        assert!(matches!(failure, RequestError::Failed(_)), "{failure}");
        is_limit(failure.ended(), Limit::ResponseTime);
        server.done().await;
    });
}

fn a_head_that_does_not_end<R: Dialling>() {
    let server = once(|mut client| {
        client.head();
        client.send("HTTP/1.1 200 OK\r\n");
        client.assert_left();
    });
    let mut config = patient();
    config.http.head_time = SHORT;
    run::<R, _>(async {
        let failure = dial_with::<R>(server.address, &config).await.send(&get("/"), "").await.unwrap_err();
        is_limit(failure.ended(), Limit::HeadTime);
        server.done().await;
    });
}

fn a_body_without_progress<R: Dialling>() {
    let server = once(|mut client| {
        client.head();
        client.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello");
        client.assert_left();
    });
    let mut config = patient();
    config.http.response_pace = Pace::silence(SHORT);
    run::<R, _>(async {
        let connection = dial_with::<R>(server.address, &config).await;
        let mut received = connection.send(&get("/"), "").await.unwrap();
        let error = received.read_all(10).await.unwrap_err();
        assert_eq!((error.received, error.announced), (5, Some(10)));
        is_limit(&error.ended, Limit::BodyProgress);
        drop(received);
        server.done().await;
    });
}

fn an_idle_connection<R: Dialling>() {
    let server = once(|mut client| client.assert_left());
    let mut config = patient();
    config.http.idle_time = SHORT;
    run::<R, _>(async {
        let mut connection = dial_with::<R>(server.address, &config).await;
        is_limit(&connection.closed().await, Limit::IdleTime);
        let failure = connection.send(&get("/"), "").await.unwrap_err();
        assert!(matches!(failure, RequestError::NotSent(_)), "{failure}");
        server.done().await;
    });
}

fn a_server_that_does_not_read<R: Dialling>() {
    let (go, gone) = std::sync::mpsc::channel();
    let server = once(move |_client| gone.recv().unwrap());
    let mut config = patient();
    config.output.pace = Pace::silence(SHORT);
    config.http.response_time = Some(Duration::from_millis(300));
    run::<R, _>(async {
        let connection = dial_with::<R>(server.address, &config).await;
        let (mut body, response) = connection.request(&head("POST", "/"), Framing::Chunked);
        let error = loop {
            if let Err(error) = body.write(vec![0; 64 << 10]).await {
                break Ended::from(error);
            }
        };
        is_limit(&error, Limit::WriteProgress);
        // It may have answered before it stopped to read; it has not, and the response says why. The right to write is of
        // no use any more, and holds nothing up.
        is_limit(response.await.unwrap_err().ended(), Limit::WriteProgress);
        drop(body);
        go.send(()).unwrap();
    });
}

/// It may answer before it stops to read, and then the answer counts and not the stall.
fn a_server_that_answers_and_reads_no_further<R: Dialling>() {
    let (go, gone) = std::sync::mpsc::channel();
    let server = once(move |mut client| {
        client.head();
        client.send("HTTP/1.1 413 Content Too Large\r\ncontent-length: 4\r\n\r\nmuch");
        gone.recv().unwrap();
    });
    let mut config = patient();
    config.output.pace = Pace::silence(SHORT);
    run::<R, _>(async {
        let connection = dial_with::<R>(server.address, &config).await;
        let (mut body, response) = connection.request(&head("POST", "/"), Framing::Chunked);
        while body.write(vec![0; 64 << 10]).await.is_ok() {}
        is_limit(&body.finish().unwrap_err(), Limit::WriteProgress);
        let mut response = response.await.unwrap();
        assert_eq!(response.status().as_u16(), 413);
        assert_eq!(response.read_all(10).await.unwrap(), "much");
        go.send(()).unwrap();
    });
}

/// What of a request was thrown away is missing to its end: nothing may end it.
fn a_server_that_reads_too_late<R: Dialling>() {
    let (go, gone) = std::sync::mpsc::channel();
    let server = once(move |mut client| {
        gone.recv().unwrap();
        let mut all = Vec::new();
        // The end, or a reset.
        let _ = client.0.read_to_end(&mut all);
        assert!(!all.ends_with(b"0\r\n\r\n"), "the request looks whole");
    });
    let mut config = patient();
    config.output.pace = Pace::silence(SHORT);
    config.http.response_time = Some(SHORT * 3);
    run::<R, _>(async {
        let connection = dial_with::<R>(server.address, &config).await;
        let (mut body, response) = connection.request(&head("POST", "/"), Framing::Chunked);
        while body.write(vec![0; 64 << 10]).await.is_ok() {}
        is_limit(&body.finish().unwrap_err(), Limit::WriteProgress);
        go.send(()).unwrap();
        is_limit(response.await.unwrap_err().ended(), Limit::WriteProgress);
        server.done().await;
    });
}

/// The server cannot answer what has not come: its time begins with the end of the request.
fn a_request_that_takes_its_time<R: Dialling>() {
    let server = once(|mut client| {
        client.head();
        assert_eq!(client.read(5), b"hello");
        client.send("HTTP/1.1 204 No Content\r\n\r\n");
        client.assert_left();
    });
    let mut config = patient();
    config.http.response_time = Some(SHORT * 3);
    run::<R, _>(async {
        let connection = dial_with::<R>(server.address, &config).await;
        let (mut body, response) = connection.request(&head("POST", "/"), Framing::Length(5));
        R::sleep(SHORT * 6).await;
        body.write("hello").await.unwrap();
        body.finish().unwrap();
        assert_eq!(response.await.unwrap().status().as_u16(), 204);
    });
}

/// Sends a head, `first` and `second`, each when it is told to.
fn in_pieces(first: &'static str, second: &'static str) -> (Scripted, Sender<()>) {
    let (go, gone) = std::sync::mpsc::channel();
    let server = once(move |mut client| {
        client.head();
        client.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n");
        for piece in [first, second] {
            gone.recv().unwrap();
            client.send(piece);
        }
        client.assert_left();
    });
    (server, go)
}

/// The head of a response whose body must make progress.
async fn slow<R: Dialling>(server: &Scripted) -> ResponseReader {
    let mut config = patient();
    config.http.response_pace = Pace::silence(SHORT);
    dial_with::<R>(server.address, &config).await.send(&get("/"), "").await.unwrap()
}

/// The server's time runs while somebody waits for the body, and rests from the piece that was waited for.
fn a_body_that_nobody_reads<R: Dialling>() {
    let (server, go) = in_pieces("hello", "world");
    run::<R, _>(async {
        let mut received = slow::<R>(&server).await;
        let mut read = received.read();
        assert!(is_pending(&mut read).await);
        go.send(()).unwrap();
        assert_eq!(read.await.unwrap().unwrap(), "hello");
        R::sleep(SHORT * 4).await;
        let mut read = received.read();
        assert!(is_pending(&mut read).await);
        go.send(()).unwrap();
        assert_eq!(read.await.unwrap().unwrap(), "world");
    });
}

/// It rests from the moment at which the wait is given up, too.
fn a_wait_for_a_body_that_was_given_up<R: Dialling>() {
    let (server, go) = in_pieces("", "helloworld");
    run::<R, _>(async {
        let mut received = slow::<R>(&server).await;
        assert!(is_pending(&mut received.read()).await);
        R::sleep(SHORT * 4).await;
        go.send(()).unwrap();
        let mut read = received.read();
        assert!(is_pending(&mut read).await);
        go.send(()).unwrap();
        assert_eq!(read.await.unwrap().unwrap(), "helloworld");
    });
}

/// Takes so many bytes, holds them back, and hears nothing.
struct HoldsBack(usize);

impl Transport for HoldsBack {
    fn poll_read(&mut self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_write(&mut self, _: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let len = self.0.min(slices.iter().map(|slice| slice.len()).sum());
        self.0 -= len;
        if len > 0 { Poll::Ready(Ok(len)) } else { Poll::Pending }
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll_end_write(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn reset(&mut self) {}
}

/// A clock that shows the seconds that it is told.
#[derive(Clone)]
struct Seconds(Arc<AtomicU64>);

impl Runtime for Seconds {
    type Timer = Self;

    fn timer(&self) -> Self {
        self.clone()
    }

    fn spawn(&self, _: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl Timer for Seconds {
    fn now(&self) -> Instant {
        Instant::from_epoch(Duration::from_secs(self.0.load(Ordering::Relaxed)))
    }

    fn poll_sleep(self: Pin<&mut Self>, _: &mut Context<'_>, _: Instant) -> Poll<()> {
        Poll::Pending
    }
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Until the server has met the limit neither writing nor flushing is tried without end. Then the stall is the answer.
#[test]
fn a_layer_that_holds_something_back_keeps_nobody_busy() {
    let mut config = patient();
    config.output.pace = Pace::silence(Duration::from_secs(1));
    config.http.response_time = Some(Duration::from_secs(100));
    let seconds = Arc::<AtomicU64>::default();
    let (connection, driver) = Connection::over(HoldsBack(10), Seconds(Arc::clone(&seconds)), &config);
    let response = connection.send(&get("/"), "");
    let (mut driver, mut response) = (pin!(driver), pin!(response));
    let woken = Arc::<Woken>::default();
    let waker = Waker::from(Arc::clone(&woken));
    let cx = &mut Context::from_waker(&waker);
    for second in 0..90 {
        seconds.store(second, Ordering::Relaxed);
        woken.0.store(true, Ordering::Relaxed);
        let mut turns = 0;
        while woken.0.swap(false, Ordering::Relaxed) {
            turns += 1;
            assert!(turns < 10, "busy in second {second}");
            let is_driven = driver.as_mut().poll(cx).is_pending();
            if let Poll::Ready(response) = response.as_mut().poll(cx) {
                return is_limit(response.unwrap_err().ended(), Limit::WriteProgress);
            }
            assert!(is_driven);
        }
    }
    panic!("it does not end");
}
