//! A handler that does everything a handler can do, well or badly.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use endwell::http::{Framing, StatusCode};
use endwell::{Answered, Counters, Ended, Exchange, Info, IntoAnswered, Server, ServerConfig};

use crate::aborted::aborted;
use crate::ledger::content;
use crate::wire::WireEnd;
use crate::world::{GiveUp, World, race, until_pending};

/// What a request asks for. The paths of requests name them.
pub(crate) const KINDS: [&str; 13] = [
    "hello", "all", "echo", "cancels", "stream", "early", "sleeps", "gone", "moved", "drops", "panics",
    "aborts", "short",
];

/// Bytes of an answer that a request asks for by its number.
pub(crate) fn answer(number: usize) -> Vec<u8> {
    content((number, 0), 20 + number % 3 * 700)
}

/// Bytes of a request's body.
pub(crate) fn body(number: usize) -> Vec<u8> {
    content((number, 1), 10 + number % 4 * 400)
}

pub(crate) async fn handle(world: World, mut exchange: Exchange) -> Result<Answered, Ended> {
    let path = exchange.path().to_owned();
    let (kind, number) = path.trim_start_matches('/').split_once('/').unwrap();
    let answer = answer(number.parse().unwrap());
    let time = Duration::from_millis(world.random(|random| random.number() % 500));
    world.trace(|| format!("handles {path}"));
    match kind {
        "all" => {
            let body = exchange.read_all(1 << 16).await?;
            Ok(exchange.respond(StatusCode::OK, body))
        }
        "echo" => {
            let (mut request, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
            while let Some(piece) = request.read().await? {
                response.write(piece).await?;
            }
            response.finish()
        }
        "cancels" => {
            let (mut request, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
            loop {
                let Some(read) = until_pending(request.read(), give_up(&world)).await else { continue };
                let Some(piece) = read? else { break };
                while until_pending(response.ready(), give_up(&world)).await.transpose()?.is_none() {}
                response.write(piece).await?;
                let _ = until_pending(response.flush(), give_up(&world)).await;
            }
            response.finish()
        }
        "stream" => {
            let known = world.random(|random| random.one_in(2));
            let framing = if known { Framing::Length(answer.len() as u64) } else { Framing::Chunked };
            let (_, mut response) = exchange.start(StatusCode::OK, framing);
            for piece in answer.chunks(250) {
                world.sleep(time / 10).await;
                response.write(piece.to_vec()).await?;
            }
            response.finish()
        }
        "sleeps" => {
            world.sleep(time).await;
            Ok(exchange.respond(StatusCode::OK, answer))
        }
        "gone" => match race(exchange.gone(), world.sleep(time)).await {
            Ok(ended) => Err(ended),
            Err(()) => Ok(exchange.respond(StatusCode::OK, answer)),
        },
        "moved" => {
            let sleep = world.sleep(time);
            world.spawn("moved exchange", async move {
                sleep.await;
                let _ = exchange.respond(StatusCode::OK, answer);
            });
            Err(aborted())
        }
        "drops" => {
            let _ = until_pending(exchange.read(), GiveUp::AtOnce(1)).await;
            Err(aborted())
        }
        "panics" => {
            world.fault("handler panics");
            std::panic::resume_unwind(Box::new("as planned"))
        }
        "aborts" => {
            let (_, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
            response.write(answer).await?;
            if world.random(|random| random.one_in(2)) {
                // Nothing is queued any more: what is missing shows only by how it closes.
                response.flush().await?;
                world.sleep(time / 10).await;
            }
            Err(response.abort())
        }
        "short" => {
            let (_, mut response) = exchange.start(StatusCode::OK, Framing::Length(answer.len() as u64 + 1));
            response.write(answer).await?;
            response.finish()
        }
        // "hello", and "early", which leaves a body unread.
        _ => Ok(exchange.respond(StatusCode::OK, answer)),
    }
}

fn give_up(world: &World) -> GiveUp {
    world.fault("future dropped");
    let bound = 1 + world.random(|random| random.below(3));
    if world.random(|random| random.one_in(2)) { GiveUp::AtOnce(bound) } else { GiveUp::Woken(bound) }
}

/// What is reported of one connection: each exchange, in order, and exactly once. Judged when it is dropped, behind the
/// connection.
struct Reports {
    last: Arc<AtomicU64>,
    counters: Arc<Counters>,
}

impl Drop for Reports {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let Self { last, counters } = self;
            let begun = counters.exchanges() + counters.refused() + counters.overloaded();
            assert_eq!(last.load(Ordering::Relaxed), begun, "each exchange is reported");
        }
    }
}

/// Serves one connection. The server goes with it.
pub(crate) fn serve_one<H, F>(
    world: &World,
    end: WireEnd,
    config: ServerConfig,
    handler: H,
) -> impl Future<Output = Ended> + Send + use<H, F>
where
    H: Fn(Exchange) -> F + Send + Sync + 'static,
    F: Future<Output: IntoAnswered> + Send + 'static,
{
    let last = Arc::new(AtomicU64::new(0));
    let before = Arc::clone(&last);
    let config = config.on_exchange(move |report| {
        let number = before.fetch_add(1, Ordering::Relaxed) + 1;
        assert_eq!(report.id().exchange(), number, "exchanges are reported in order");
        assert!(report.is_whole() || report.cause().is_some(), "{report:?}");
    });
    let server = Server::new(config, handler);
    let reports = Reports { last, counters: server.counters() };
    let running = server.connection(end, world.clone(), Info::default());
    async move {
        let reports = reports;
        let ended = running.await;
        drop((server, reports));
        ended
    }
}
