//! What the handlers do while their clients leave or attack: the one place that uses the interface of handlers.

use std::future::pending;
use std::time::{Duration, Instant};

use endwell::http::{FieldSection, Framing, StatusCode};
use endwell::ws::{Close, Socket};
use endwell::{Answered, Ended, Exchange, WriteError};
use smol::future::{or, yield_now};

use super::story::{Story, short, tell};
use crate::runtime::Runtime;

/// Longer than any measurement.
const LONG: Duration = Duration::from_secs(600);
const TICK: Duration = Duration::from_millis(50);

pub async fn handle<R: Runtime>(exchange: Exchange) -> Result<Answered, Ended> {
    match exchange.path() {
        "/hello" => return Ok(exchange.respond(StatusCode::OK, "hello")),
        "/work" => {
            spin(Duration::from_micros(50));
            return Ok(exchange.respond(StatusCode::OK, "done"));
        }
        _ => {}
    }
    // Boxed, so that what is rare costs the others no memory.
    Box::pin(patient::<R>(exchange)).await
}

/// The handlers that take their time.
async fn patient<R: Runtime>(exchange: Exchange) -> Result<Answered, Ended> {
    let story = Story::of(&exchange);
    match exchange.path() {
        "/computes" => computes(exchange, story).await,
        "/sleeps" => sleeps::<R>(exchange, story).await,
        "/long-polls" => long_polls(exchange, story).await,
        "/asks" => asks(exchange, story).await,
        "/streams" => streams::<R>(exchange, story).await,
        "/reads" => reads(exchange, story).await,
        "/upgraded" => upgraded(exchange, story).await,
        "/upgraded-elsewhere" => upgraded_elsewhere::<R>(exchange, story).await,
        "/echo" => echo(open(exchange)?).await,
        "/sink" | "/receives" => receives(open(exchange)?, story).await,
        "/sends-rarely" => sends_rarely(open(exchange)?, story).await,
        "/sends-often" => sends_often::<R>(open(exchange)?, story).await,
        "/outlets" => outlets::<R>(open(exchange)?, story).await,
        _ => Ok(exchange.respond(StatusCode::NOT_FOUND, "")),
    }
}

fn spin(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// Waits for a message on a channel that nobody sends to, as a long poll does.
async fn never() {
    let (sender, receiver) = smol::channel::bounded::<()>(1);
    let _ = receiver.recv().await;
    drop(sender);
}

fn open(exchange: Exchange) -> Result<Socket, Ended> {
    let acceptance = exchange.acceptance();
    exchange.accept(acceptance).map_err(|(reason, exchange)| {
        let _ = exchange.respond(reason.head(), reason.to_string());
        Ended::from(WriteError::Overrun("".into()))
    })
}

/// Computes for long, and lets others have their turn 5,000 times a second.
async fn computes(exchange: Exchange, story: Story) -> Result<Answered, Ended> {
    let start = Instant::now();
    while start.elapsed() < LONG {
        spin(Duration::from_micros(200));
        yield_now().await;
    }
    story.told("nothing");
    Ok(exchange.respond(StatusCode::OK, "done"))
}

async fn sleeps<R: Runtime>(exchange: Exchange, story: Story) -> Result<Answered, Ended> {
    R::sleep(LONG).await;
    story.told("nothing");
    Ok(exchange.respond(StatusCode::OK, "done"))
}

async fn long_polls(exchange: Exchange, story: Story) -> Result<Answered, Ended> {
    never().await;
    story.told("nothing");
    Ok(exchange.respond(StatusCode::OK, "news"))
}

/// Long-polls, and asks whether the client has ended its side, and whether it is gone.
async fn asks(exchange: Exchange, story: Story) -> Result<Answered, Ended> {
    let news = async {
        never().await;
        None
    };
    let gone = async {
        let half_closed = async {
            exchange.half_closed().await;
            None
        };
        // The end is also news of the first kind.
        let ended = or(async { Some(exchange.gone().await) }, half_closed).await;
        if ended.is_none() {
            tell(story.port(), "half-closed");
        }
        Some(match ended {
            Some(ended) => ended,
            None => exchange.gone().await,
        })
    };
    let gone = or(news, gone).await;
    match gone {
        Some(ended) => {
            story.told(&format!("gone {}", short(&ended)));
            Err(ended)
        }
        None => Ok(exchange.respond(StatusCode::OK, "news")),
    }
}

/// Streams events, 20 a second.
async fn streams<R: Runtime>(exchange: Exchange, story: Story) -> Result<Answered, Ended> {
    let (_request, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
    loop {
        if let Err(error) = response.write("data: tick\n\n").await {
            let ended = Ended::from(error);
            story.told(&format!("write {}", short(&ended)));
            return Err(ended);
        }
        R::sleep(TICK).await;
    }
}

/// Reads a body that does not come.
async fn reads(mut exchange: Exchange, story: Story) -> Result<Answered, Ended> {
    loop {
        match exchange.read().await {
            Ok(Some(_)) => {}
            Ok(None) => {
                story.told("read the end");
                return Ok(exchange.respond(StatusCode::OK, "read"));
            }
            Err(ended) => {
                story.told(&format!("read {}", short(&ended)));
                return Err(ended);
            }
        }
    }
}

/// Holds the raw stream, and does nothing with it.
async fn upgraded(exchange: Exchange, story: Story) -> Result<Answered, Ended> {
    let (upgraded, answered) = switch(exchange)?;
    never().await;
    story.told("nothing");
    drop(upgraded);
    Ok(answered)
}

/// Gives the raw stream to another task, which does nothing with it, and returns.
async fn upgraded_elsewhere<R: Runtime>(exchange: Exchange, story: Story) -> Result<Answered, Ended> {
    let (upgraded, answered) = switch(exchange)?;
    R::spawn(async move {
        never().await;
        drop(upgraded);
    });
    story.told("nothing");
    Ok(answered)
}

fn switch(exchange: Exchange) -> Result<(endwell::Upgraded, Answered), Ended> {
    let switched = exchange.switch("echo", &FieldSection::new());
    let (mut upgraded, answered) = switched.map_err(|(_, exchange)| {
        let _ = exchange.respond(StatusCode::BAD_REQUEST, "");
        Ended::from(WriteError::Overrun("".into()))
    })?;
    // Longer than the others take to begin on a busy machine.
    upgraded.set_idle_time(Some(Duration::from_secs(3)));
    Ok((upgraded, answered))
}

async fn echo(mut socket: Socket) -> Result<Answered, Ended> {
    while let Some(message) = socket.receive().await {
        if message.is_data() {
            socket.send(message).await?;
        }
    }
    Err(socket.close(Close::EMPTY).await)
}

async fn receives(mut socket: Socket, story: Story) -> Result<Answered, Ended> {
    while socket.receive().await.is_some() {}
    let ended = socket.close(Close::EMPTY).await;
    story.told(&format!("received the end, closed {}", short(&ended)));
    Err(ended)
}

/// Has nothing to send for now, and receives nothing.
async fn sends_rarely(mut socket: Socket, story: Story) -> Result<Answered, Ended> {
    socket.send("welcome").await?;
    never().await;
    story.told("nothing");
    Err(socket.close(Close::EMPTY).await)
}

/// Sends 20 messages a second, and receives nothing.
async fn sends_often<R: Runtime>(mut socket: Socket, story: Story) -> Result<Answered, Ended> {
    loop {
        if let Err(not_sent) = socket.send("tick").await {
            let ended = Ended::from(not_sent);
            story.told(&format!("send {}", short(&ended)));
            return Err(ended);
        }
        R::sleep(TICK).await;
    }
}

/// Gives an outlet to another task, which waits for the end, and does nothing else.
async fn outlets<R: Runtime>(mut socket: Socket, story: Story) -> Result<Answered, Ended> {
    let (outlet, port) = (socket.outlet(), story.port());
    R::spawn(async move {
        let ended = outlet.closed().await;
        tell(port, &format!("outlet {}", short(&ended)));
    });
    socket.send("welcome").await?;
    pending::<()>().await;
    story.told("nothing");
    Err(socket.close(Close::EMPTY).await)
}
