//! What a handler does while its peer leaves.

use std::io::IoSlice;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use endwell::http::{FieldSection, Framing, StatusCode};
use endwell::ws::{CloseCode, Kind, Message, Outlet, Socket};
use endwell::{Answered, Ended, Exchange, Upgraded};

use crate::aborted::aborted;
use crate::world::{World, race};

/// Longer than any bound: a handler that waits for so long waits for ever.
pub(super) const FOR_EVER: Duration = Duration::from_secs(6000);

/// What a connection is while its handler goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// An exchange that is not answered.
    Exchange,
    /// An exchange that is answered, and goes on.
    Answered,
    Socket,
    /// Another protocol.
    Raw,
}

/// A handler, by the path that asks for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doing {
    pub(super) path: &'static str,
    pub(super) holds: Holds,
    /// It takes what comes.
    pub(super) reads: bool,
}

const fn kind(path: &'static str, holds: Holds, reads: bool) -> Doing {
    Doing { path, holds, reads }
}

pub(super) const KINDS: [Doing; 29] = [
    kind("computes", Holds::Exchange, false),
    kind("sleeps", Holds::Exchange, false),
    kind("long-polls", Holds::Exchange, false),
    kind("long-polls-gone", Holds::Exchange, false),
    kind("long-polls-half-closed", Holds::Exchange, false),
    kind("streams", Holds::Exchange, false),
    kind("streams-rarely", Holds::Exchange, false),
    kind("streams-nothing", Holds::Exchange, false),
    kind("receives", Holds::Exchange, true),
    kind("receives-slowly", Holds::Exchange, false),
    kind("echoes", Holds::Exchange, true),
    kind("elsewhere", Holds::Exchange, false),
    kind("answers-and-goes-on", Holds::Answered, false),
    kind("answers-and-reads-on", Holds::Answered, false),
    kind("ws-receives", Holds::Socket, true),
    kind("ws-waits", Holds::Socket, false),
    kind("ws-sends", Holds::Socket, false),
    kind("ws-sends-rarely", Holds::Socket, false),
    kind("ws-within", Holds::Socket, false),
    kind("ws-fragments", Holds::Socket, false),
    kind("ws-outlets", Holds::Socket, false),
    kind("ws-discards", Holds::Socket, true),
    kind("ws-halves", Holds::Socket, false),
    kind("ws-elsewhere", Holds::Socket, false),
    kind("ws-receives-on", Holds::Socket, false),
    kind("raw-holds", Holds::Raw, false),
    kind("raw-reads", Holds::Raw, true),
    kind("raw-writes", Holds::Raw, false),
    kind("raw-elsewhere", Holds::Raw, false),
];

/// What the handlers of a world have in common.
#[derive(Clone)]
pub(super) struct Handler {
    pub(super) world: World,
    /// Between two things that it does.
    pub(super) pause: Duration,
    /// What it does at most, if it ends by itself.
    pub(super) time: Duration,
    /// Of one piece that is written.
    pub(super) piece: usize,
    /// The idle time of another protocol.
    pub(super) idle: Option<Duration>,
    pub(super) began: Arc<AtomicBool>,
}

impl Handler {
    pub(super) async fn handle(self, exchange: Exchange) -> Result<Answered, Ended> {
        let path = exchange.path().trim_start_matches('/').to_owned();
        self.world.trace(|| format!("handles {path}"));
        if path != "hello" {
            self.began.store(true, Ordering::Relaxed);
        }
        if path.starts_with("ws-") {
            let acceptance = exchange.acceptance().jitter(endwell::ws::Jitter::default());
            let Ok(socket) = exchange.accept(acceptance) else { return Err(aborted()) };
            return self.socket(&path, socket).await;
        }
        if path.starts_with("raw-") {
            let (mut stream, answered) =
                exchange.switch("raw", &FieldSection::new()).map_err(|_| aborted())?;
            stream.set_idle_time(self.idle);
            self.raw(&path, stream).await;
            return Ok(answered);
        }
        self.http(&path, exchange).await
    }

    async fn http(self, path: &str, mut exchange: Exchange) -> Result<Answered, Ended> {
        let Self { world, pause, time, piece, .. } = self;
        match path {
            "computes" => {
                let until = world.now().saturating_add(time);
                while world.now() < until {
                    for _ in 0..5 {
                        yield_now().await;
                    }
                    world.sleep(Duration::from_millis(300)).await;
                }
            }
            "sleeps" => world.sleep(pause * 3).await,
            "long-polls" => world.sleep(time).await,
            "long-polls-gone" => {
                if let Ok(ended) = race(exchange.gone(), world.sleep(time)).await {
                    return Err(ended);
                }
            }
            "long-polls-half-closed" => {
                let _ = race(exchange.half_closed(), world.sleep(time)).await;
            }
            "streams" | "streams-rarely" | "streams-nothing" => {
                let (_, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
                let until = world.now().saturating_add(time);
                let pause = match path {
                    "streams" => pause,
                    "streams-rarely" => Duration::from_secs(45),
                    _ => time,
                };
                while world.now() < until {
                    response.write(vec![b'x'; piece]).await?;
                    world.sleep(pause).await;
                }
                return response.finish();
            }
            "receives" | "receives-slowly" => {
                while exchange.read().await?.is_some() {
                    if path == "receives-slowly" {
                        world.sleep(pause).await;
                    }
                }
            }
            "echoes" => {
                let (mut request, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
                while let Some(piece) = request.read().await? {
                    response.write(piece).await?;
                }
                return response.finish();
            }
            "elsewhere" => {
                let sleep = world.sleep(time);
                world.spawn("exchange elsewhere", async move {
                    sleep.await;
                    let _ = exchange.respond(StatusCode::OK, "late");
                });
                return Err(aborted());
            }
            "answers-and-goes-on" => {
                let answered = exchange.respond(StatusCode::OK, vec![b'x'; piece]);
                world.sleep(time).await;
                return Ok(answered);
            }
            "answers-and-reads-on" => {
                let (mut request, response) = exchange.start(StatusCode::OK, Framing::Length(0));
                let answered = response.finish()?;
                while request.read().await?.is_some() {}
                world.sleep(time).await;
                return Ok(answered);
            }
            _ => {}
        }
        Ok(exchange.respond(StatusCode::OK, vec![b'x'; piece]))
    }

    async fn socket(self, path: &str, mut socket: Socket) -> Result<Answered, Ended> {
        let Self { world, pause, time, piece, .. } = self;
        let message = || Message::binary(vec![b'x'; piece]);
        let until = world.now().saturating_add(time);
        match path {
            "ws-receives" => while socket.receive().await.is_some() {},
            "ws-sends" | "ws-sends-rarely" => {
                let pause = if path == "ws-sends" { pause } else { Duration::from_secs(45) };
                while world.now() < until && socket.send(message()).await.is_ok() {
                    world.sleep(pause).await;
                }
            }
            "ws-within" | "ws-fragments" => {
                let mut fragments = socket.send_pieces(Kind::Binary);
                let pause = if path == "ws-fragments" { pause } else { time };
                while world.now() < until && fragments.write(vec![b'x'; piece]).await.is_ok() {
                    world.sleep(pause).await;
                }
            }
            "ws-outlets" => {
                world.spawn(
                    "outlet elsewhere",
                    send_through(world.clone(), socket.outlet(), pause, piece, time),
                );
                world.sleep(time).await;
            }
            "ws-discards" => {
                let (half, receive) = socket.split();
                drop(receive);
                world.sleep(time).await;
                return Err(half.close(CloseCode::NORMAL).await);
            }
            "ws-halves" => {
                let (half, mut receive) = socket.split();
                let sleep = world.sleep(time);
                world.spawn("half elsewhere", async move {
                    sleep.await;
                    drop(half);
                });
                race(receive.receive(), world.sleep(pause)).await.ok();
                world.sleep(time).await;
                return Err(receive.closed().await);
            }
            "ws-elsewhere" => {
                let sleep = world.sleep(time);
                world.spawn("socket elsewhere", async move {
                    sleep.await;
                    drop(socket);
                });
                return Err(aborted());
            }
            "ws-receives-on" => {
                world.sleep(pause).await;
                let mut receive = socket.close_writing(CloseCode::NORMAL);
                while receive.receive().await.is_some() {}
                return Err(receive.closed().await);
            }
            _ => world.sleep(time).await,
        }
        Err(socket.close(CloseCode::NORMAL).await)
    }

    async fn raw(self, path: &str, mut stream: Upgraded) {
        let Self { world, pause, time, piece, .. } = self;
        let until = world.now().saturating_add(time);
        match path {
            "raw-reads" => {
                let mut buffer = [0; 100];
                while let Ok(1..) = std::future::poll_fn(|cx| stream.poll_read(cx, &mut buffer)).await {}
            }
            "raw-writes" => {
                let bytes = vec![b'x'; piece];
                while world.now() < until {
                    let slices = [IoSlice::new(&bytes)];
                    let written = std::future::poll_fn(|cx| stream.poll_write(cx, &slices)).await;
                    let flushed = std::future::poll_fn(|cx| stream.poll_flush(cx)).await;
                    if written.is_err() || flushed.is_err() {
                        break;
                    }
                    world.sleep(pause).await;
                }
            }
            "raw-elsewhere" => {
                let sleep = world.sleep(time);
                world.spawn("stream elsewhere", async move {
                    sleep.await;
                    drop(stream);
                });
            }
            _ => world.sleep(time).await,
        }
    }
}

async fn send_through(world: World, outlet: Outlet, pause: Duration, piece: usize, time: Duration) {
    let until = world.now().saturating_add(time);
    while world.now() < until && outlet.send(Message::binary(vec![b'x'; piece])).await.is_ok() {
        world.sleep(pause).await;
    }
}

async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
