//! A WebSocket echo with endwell's lending loop, `for_each`, and every limit at its default: `--runtime tokio | smol`.

use std::error::Error;
use std::net::{SocketAddr, TcpListener};

use endwell::ws::{Close, Event, Reply};
use endwell::{Answered, Ended, Exchange, ServerConfig, serve};

async fn echo(exchange: Exchange) -> Result<Answered, Ended> {
    let acceptance = exchange.acceptance();
    let mut socket = match exchange.accept(acceptance) {
        Ok(socket) => socket,
        Err((reason, exchange)) => return Ok(exchange.respond(reason.head(), reason.to_string())),
    };
    let mut is_full = false;
    let echo = |event: Event<'_>, mut reply: Reply<'_>| match event {
        Event::Text(text) => is_full |= reply.text(&text).is_err(),
        Event::Binary(data) => is_full |= reply.binary(&data).is_err(),
        _ => {}
    };
    socket.for_each(echo).await;
    assert!(!is_full, "an echo found no room");
    Err(socket.close(Close::EMPTY).await)
}

fn main() -> Result<(), Box<dyn Error>> {
    use lexopt::prelude::*;
    let (mut listen, mut runtime) = (SocketAddr::from(([127, 0, 0, 1], 0)), String::from("tokio"));
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("listen") => listen = arguments.value()?.parse()?,
            Long("runtime") => runtime = arguments.value()?.parse()?,
            other => return Err(other.unexpected().into()),
        }
    }
    let listener = TcpListener::bind(listen)?;
    listener.set_nonblocking(true)?;
    println!("{}", listener.local_addr()?);
    if runtime == "smol" {
        smol::block_on(serve(smol::net::TcpListener::try_from(listener)?, ServerConfig::default(), echo));
    } else {
        tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
            serve(tokio::net::TcpListener::from_std(listener)?, ServerConfig::default(), echo).await;
            std::io::Result::Ok(())
        })?;
    }
    Ok(())
}
