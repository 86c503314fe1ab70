//! Messages that come in over HTTP and leave over WebSockets.
//!
//! `POST /send`: the body goes to every reader. 200 when the first of them has it on its way, with how many older
//! messages were dropped for it, for readers that are behind; 503 when nobody reads.
//!
//! `GET /receive`: a WebSocket on which every message arrives.
//!
//! Each reader has a queue of its own, so one that stalls is behind alone. Its oldest messages make room for newer ones,
//! until it meets the least progress that a reader must make, and its connection ends. Whoever posts waits for the
//! fastest reader: no queue of one that keeps up is ever longer than there are posts at one time.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use endwell::http::{Method, StatusCode};
use endwell::ws::{Close, Delivery, Outlet, WhenFull, broadcast};
use endwell::{Answered, Ended, Exchange};

/// Bytes of a message.
const MESSAGE: usize = 64 << 10;

/// Those who read.
#[derive(Default)]
pub(crate) struct Relay(Mutex<Readers>);

#[derive(Default)]
struct Readers {
    outlets: BTreeMap<u64, Outlet>,
    joined: u64,
}

/// A reader for as long as this is held.
struct Member {
    relay: Arc<Relay>,
    key: u64,
}

pub(crate) async fn handle(exchange: Exchange, relay: Arc<Relay>) -> Result<Answered, Ended> {
    match (exchange.path(), exchange.method()) {
        ("/send", Method::Post) => send(exchange, &relay).await,
        ("/receive", Method::Get) => receive(exchange, relay).await,
        _ => Ok(exchange.respond(StatusCode::NOT_FOUND, "")),
    }
}

async fn send(mut exchange: Exchange, relay: &Relay) -> Result<Answered, Ended> {
    let body = exchange.read_all(MESSAGE).await?;
    let Ok(text) = String::from_utf8(body.into()) else {
        return Ok(exchange.respond(StatusCode::BAD_REQUEST, "expected text in UTF-8\n"));
    };
    let outlets: Vec<_> = relay.readers().outlets.values().cloned().collect();
    let deliveries = broadcast(text, outlets.iter().map(|outlet| (outlet, WhenFull::DropOldest))).await;
    let (mut dropped, mut accepted) = (0, Vec::new());
    for (outlet, delivery) in outlets.iter().zip(deliveries) {
        match delivery {
            Delivery::Accepted => accepted.push(outlet),
            Delivery::Lagged(older) => {
                dropped += older;
                accepted.push(outlet);
            }
            Delivery::Dropped => dropped += 1,
            Delivery::Closed | Delivery::Ended(_) => {}
        }
    }
    if handed_over(accepted).await {
        Ok(exchange.respond(StatusCode::OK, format!("{dropped}\n")))
    } else {
        Ok(exchange.respond(StatusCode::SERVICE_UNAVAILABLE, "nobody reads\n"))
    }
}

/// Waits until one of them has handed all that it had accepted to its transport. `false`: none will.
async fn handed_over(outlets: Vec<&Outlet>) -> bool {
    let mut flushes: Vec<_> = outlets.into_iter().map(Outlet::flush).collect();
    poll_fn(|cx| {
        let mut is_handed_over = false;
        flushes.retain_mut(|flush| match Pin::new(flush).poll(cx) {
            Poll::Ready(result) => {
                is_handed_over |= result.is_ok();
                false
            }
            Poll::Pending => true,
        });
        if is_handed_over || flushes.is_empty() { Poll::Ready(is_handed_over) } else { Poll::Pending }
    })
    .await
}

async fn receive(exchange: Exchange, relay: Arc<Relay>) -> Result<Answered, Ended> {
    let acceptance = exchange.acceptance();
    let mut socket = match exchange.accept(acceptance) {
        Ok(socket) => socket,
        Err((reason, exchange)) => return Ok(exchange.respond(reason.head(), format!("{reason}\n"))),
    };
    let member = relay.join(socket.outlet());
    // While this waits, pings are sent and answered beside the messages.
    while socket.receive().await.is_some() {}
    drop(member);
    Err(socket.close(Close::EMPTY).await)
}

impl Relay {
    fn join(self: Arc<Self>, outlet: Outlet) -> Member {
        let mut readers = self.readers();
        let key = readers.joined;
        readers.joined += 1;
        readers.outlets.insert(key, outlet);
        drop(readers);
        Member { relay: self, key }
    }

    fn readers(&self) -> MutexGuard<'_, Readers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.relay.readers().outlets.remove(&self.key);
    }
}
