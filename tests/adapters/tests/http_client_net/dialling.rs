//! Clients on each runtime.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::Poll;

use endwell::client::{Connection, Origin};
use endwell::http::{Method, Request};
use endwell::{ClientConfig, Connector};

use crate::support::{AsyncStd, Blocking, CurrentThread, LONG, Runtime, Smol, Tokio};

/// A runtime that clients run on.
pub(crate) trait Dialling: Runtime {
    type Connector: Connector;
    const CONNECTOR: Self::Connector;
}

impl Dialling for Tokio {
    type Connector = endwell::tokio::Tcp;
    const CONNECTOR: Self::Connector = endwell::tokio::Tcp;
}

impl Dialling for CurrentThread {
    type Connector = endwell::tokio::Tcp;
    const CONNECTOR: Self::Connector = endwell::tokio::Tcp;
}

impl Dialling for AsyncStd {
    type Connector = endwell::async_std::Tcp;
    const CONNECTOR: Self::Connector = endwell::async_std::Tcp;
}

impl Dialling for Smol {
    type Connector = endwell::smol::Tcp;
    const CONNECTOR: Self::Connector = endwell::smol::Tcp;
}

impl Dialling for Blocking {
    type Connector = endwell::blocking::Tcp;
    const CONNECTOR: Self::Connector = endwell::blocking::Tcp;
}

/// Runs a client, bounded in time.
pub(crate) fn run<R: Dialling, T>(client: impl Future<Output = T>) -> T {
    R::run(async {
        let (mut client, mut timeout) = (pin!(client), pin!(R::sleep(LONG)));
        poll_fn(|cx| match client.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending => timeout.as_mut().poll(cx).map(|()| panic!("the client waits for ever")),
        })
        .await
    })
}

/// Connects with the usual bounds.
pub(crate) async fn dial<R: Dialling>(address: SocketAddr) -> Connection {
    dial_with::<R>(address, &ClientConfig::default()).await
}

pub(crate) async fn dial_with<R: Dialling>(address: SocketAddr, config: &ClientConfig) -> Connection {
    Connection::connect(&R::CONNECTOR, &Origin::http(&address.ip().to_string(), address.port()), config)
        .await
        .unwrap()
}

pub(crate) fn head(method: &str, target: &str) -> Request {
    Request::new(Method::Extension(method), "a", target).unwrap()
}

pub(crate) fn get(target: &str) -> Request {
    head("GET", target)
}

/// Both at once, in one task.
pub(crate) async fn both<A: Future, B: Future>(one: A, other: B) -> (A::Output, B::Output) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (mut first, mut second) = (None, None);
    poll_fn(|cx| {
        step(&mut first, one.as_mut(), cx);
        step(&mut second, other.as_mut(), cx);
        match (first.is_some(), second.is_some()) {
            (true, true) => Poll::Ready((first.take().unwrap(), second.take().unwrap())),
            _ => Poll::Pending,
        }
    })
    .await
}

fn step<F: Future>(done: &mut Option<F::Output>, future: Pin<&mut F>, cx: &mut std::task::Context<'_>) {
    if done.is_none() {
        if let Poll::Ready(output) = future.poll(cx) {
            *done = Some(output);
        }
    }
}

/// Polls once.
pub(crate) async fn is_pending(future: &mut (impl Future + Unpin)) -> bool {
    poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx).is_pending())).await
}
