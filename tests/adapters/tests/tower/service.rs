//! Services that are no routers, and what they do wrong.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request as AxumRequest;
use axum::http::{self, Request};
use axum::response::Response;
use axum::routing::any;
use axum::{Extension, Router};
use endwell::blocking::block_on;
use endwell::http::RequestHead;
use endwell::{Address, HandlerEnd, Info, RequestReader, ServerConfig, with_service};
use tower_service::Service;

use crate::support::{Cut, Runtime, on_every_runtime, pattern, start, start_with, told};

on_every_runtime!(
    a_service_is_ready_before_it_is_called,
    an_error_is_answered_and_told,
    the_length_is_kept,
    a_head_and_its_connection_are_known,
    the_end_of_a_connection_is_heeded,
    a_body_that_is_not_read_is_left,
    a_body_is_read_behind_the_answer,
);

/// Ready when it was asked a second time, which a call uses up.
struct Hesitant(Arc<AtomicU32>, u32);

impl Clone for Hesitant {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0), 0)
    }
}

impl Service<Request<RequestReader>> for Hesitant {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.1 += 1;
        if self.1 == 1 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<RequestReader>) -> Self::Future {
        assert_eq!(self.1, 2);
        let calls = self.0.fetch_add(1, Ordering::Relaxed);
        ready(Ok(Response::new(format!("call {calls}"))))
    }
}

fn a_service_is_ready_before_it_is_called<R: Runtime>() {
    let server = start::<R, _, _>(with_service(Hesitant(Arc::default(), 0)));
    let mut client = server.connect();
    for call in 0..3 {
        client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        assert_eq!(client.response().unwrap().body, format!("call {call}").as_bytes());
    }
}

#[derive(Clone)]
struct Failing;

impl Service<Request<RequestReader>> for Failing {
    type Response = Response<String>;
    type Error = &'static str;
    type Future = Ready<Result<Response<String>, &'static str>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<RequestReader>) -> Self::Future {
        ready(Err("out of luck"))
    }
}

fn an_error_is_answered_and_told<R: Runtime>() {
    let (tell, news) = told();
    let config = ServerConfig::default().on_exchange(move |report| {
        let Some(HandlerEnd::Failed(error)) = report.handler_end() else { panic!("{report:?}") };
        tell.send(error.to_string()).unwrap();
    });
    let server = start_with::<R, _, _>(config, with_service(Failing));
    let mut client = server.connect();
    for _ in 0..2 {
        client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        assert_eq!(client.response().unwrap().status, 500);
        assert_eq!(news.next(), "out of luck");
    }
}

fn routed(answer: fn(AxumRequest) -> Response) -> Router {
    Router::new().fallback(any(async move |request: AxumRequest| answer(request)))
}

/// What is announced must come: no client takes less for all.
fn the_length_is_kept<R: Runtime>() {
    let server = start::<R, _, _>(with_service(routed(|request| {
        let length = request.uri().path().trim_start_matches('/').to_owned();
        http::Response::builder().header("content-length", length).body(Body::from("hello")).unwrap()
    })));
    let mut client = server.connect();
    client.send("GET /5 HTTP/1.1\r\nhost: a\r\n\r\nHEAD /1000 HTTP/1.1\r\nhost: a\r\n\r\nGET /9 HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(client.response().unwrap().body, b"hello");
    assert_eq!(client.response_to("HEAD").unwrap().field("content-length").as_deref(), Some("1000"));
    assert!(matches!(client.response(), Err(Cut::InBody(_) | Cut::Reset(_))));
    let mut client = server.connect();
    client.send("GET /4 HTTP/1.1\r\nhost: a\r\n\r\n");
    client.response().unwrap_err();
    let mut client = server.connect();
    client.send("GET /x HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(client.response().unwrap().status, 500);
}

fn a_head_and_its_connection_are_known<R: Runtime>() {
    let handler = async |Extension(head): Extension<RequestHead>, Extension(info): Extension<Info>| {
        let names: Vec<_> = head.fields().iter().map(|(name, _)| name.to_owned()).collect();
        assert!(matches!(info.peer, Address::Tcp(_)));
        names.join(" ")
    };
    let server = start::<R, _, _>(with_service(Router::new().fallback(any(handler))));
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nx-two: 2\r\nX-ONE: 3\r\n\r\n");
    assert_eq!(client.response().unwrap().body, b"Host X-One x-two X-ONE");
}

fn the_end_of_a_connection_is_heeded<R: Runtime>() {
    let server = start::<R, _, _>(with_service(routed(|_| {
        let response = http::Response::builder()
            .header("connection", "x-other, Close")
            .header("keep-alive", "timeout=5");
        response
            .header("transfer-encoding", "chunked")
            .header("date", "today")
            .body(Body::from("hello"))
            .unwrap()
    })));
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    let response = client.response().unwrap();
    assert!(response.announces_close() && response.body == b"hello");
    assert_eq!((response.field("keep-alive"), response.field("transfer-encoding")), (None, None));
    assert_ne!(response.field("date").as_deref(), Some("today"));
    client.assert_closed();
}

/// An upload that no handler reads is discarded, and the connection goes on if the rest is small.
fn a_body_that_is_not_read_is_left<R: Runtime>() {
    let server = start::<R, _, _>(with_service(routed(|_| Response::new(Body::from("no, thanks")))));
    let mut client = server.connect();
    for length in [1000, 50_000] {
        client.send(format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n"));
        assert_eq!(client.response().unwrap().body, b"no, thanks");
        client.send(pattern(length));
    }
    client.send("POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 9000000\r\n\r\n");
    assert_eq!(client.response().unwrap().body, b"no, thanks");
}

/// Answers at once, and passes the body on.
#[derive(Clone)]
struct Passing(Sender<RequestReader>);

impl Service<Request<RequestReader>> for Passing {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestReader>) -> Self::Future {
        self.0.send(request.into_body()).unwrap();
        ready(Ok(Response::new(Body::from("accepted"))))
    }
}

/// An answer that is there whole leaves the rest of the request to its reader.
fn a_body_is_read_behind_the_answer<R: Runtime>() {
    let (pass, bodies) = channel();
    let server = start::<R, _, _>(with_service(Passing(pass)));
    let mut client = server.connect();
    for _ in 0..2 {
        client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhe");
        assert_eq!(client.response().unwrap().body, b"accepted");
        client.send("llo");
        let mut body = bodies.recv().unwrap();
        assert_eq!(block_on(body.read_all(5)).unwrap(), "hello");
    }
}
