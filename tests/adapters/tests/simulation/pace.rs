//! Who is cut off for being slow, and who is not, in minutes that pass in no time. S27 and S42.

mod client;
mod server;
mod web_socket;

use std::io::IoSlice;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use endwell::client::Connection;
use endwell::core::{Bound, Limit};
use endwell::http::{Method, Request};
use endwell::ws::Outcome;
use endwell::{Answered, ClientConfig, Ended, EndedKind, Exchange, ServerConfig, Transport};

use crate::handler::serve_one;
use crate::wire::{Weather, WireEnd, wire};
use crate::world::{Hold, Manners, World};

const SECOND: Duration = Duration::from_secs(1);

const LARGE: usize = 300_000;

/// A reader that pauses does so behind so many bytes.
const PAUSE: usize = 50_000;

fn weather() -> Weather {
    let delay = Duration::from_millis(1);
    Weather { longest: 4096, delay, window: 4096, ..Weather::CALM }
}

/// A server end, a client end, and what runs them.
fn world() -> (World, WireEnd, WireEnd) {
    let world = World::new(1, Manners::default());
    let (_, one, other) = wire(&world, weather());
    (world, one, other)
}

type Slot<T> = Arc<Mutex<Option<T>>>;

/// Runs a task beside others, until all have ended: what it gives, and the second in which that was.
fn outcome<T: Send + 'static>(world: &World, task: impl Future<Output = T> + Send + 'static) -> (T, u64) {
    let slot: Slot<(T, u64)> = Slot::default();
    let (filled, clock) = (Arc::clone(&slot), world.clone());
    world.spawn("task", async move {
        let done = task.await;
        *filled.hold() = Some((done, clock.now().since_epoch().as_secs()));
    });
    world.run();
    slot.hold().take().expect("an outcome")
}

fn get() -> Request {
    Request::new(Method::Get, "h", "/").unwrap()
}

fn post() -> Request {
    Request::new(Method::Post, "h", "/").unwrap()
}

/// Serves `end` with a handler.
fn serve<F>(
    world: &World,
    end: WireEnd,
    config: &ServerConfig,
    handler: impl Fn(Exchange) -> F + Send + Sync + 'static,
) where
    F: Future<Output = Result<Answered, Ended>> + Send + 'static,
{
    let running = serve_one(world, end, config.clone(), handler);
    world.spawn("server", async move {
        running.await;
    });
}

/// A client of `end`, driven.
fn dial(world: &World, end: WireEnd, config: &ClientConfig) -> Connection {
    let (connection, driver) = Connection::over(end, world.clone(), config);
    world.spawn("driver", async move {
        driver.await;
    });
    connection
}

/// What a peer does once a second, until the other end has had enough.
#[derive(Clone, Copy)]
enum Slowly {
    /// Sends a byte, and takes all there is.
    Sends(u8),
    /// Takes a byte.
    Takes,
}

/// Sends `first`, and goes on slowly.
async fn peer(world: World, mut end: WireEnd, first: &'static [u8], slowly: Slowly) {
    let mut sent = 0;
    std::future::poll_fn(|cx| {
        while sent < first.len() {
            match end.poll_write(cx, &[IoSlice::new(&first[sent..])]) {
                Poll::Ready(Ok(len)) => sent += len,
                Poll::Ready(Err(_)) => break,
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
    })
    .await;
    for _ in 0..2000 {
        world.sleep(SECOND).await;
        let goes_on = std::future::poll_fn(|cx| {
            let most = if let Slowly::Takes = slowly { 1 } else { 4096 };
            let read = end.poll_read(cx, &mut vec![0; most]);
            let is_open = !matches!(read, Poll::Ready(Ok(0) | Err(_)));
            let is_written = match slowly {
                Slowly::Sends(byte) => {
                    !matches!(end.poll_write(cx, &[IoSlice::new(&[byte])]), Poll::Ready(Err(_)))
                }
                Slowly::Takes => true,
            };
            Poll::Ready(is_open && is_written)
        });
        if !goes_on.await {
            return;
        }
    }
}

/// The limit that a connection met.
fn met(ended: &Ended) -> (Limit, Bound) {
    match ended.kind() {
        EndedKind::Limit(exceeded) | EndedKind::WebSocket(Outcome::Exceeded(exceeded)) => {
            (exceeded.limit, exceeded.bound)
        }
        other => panic!("{other}"),
    }
}
