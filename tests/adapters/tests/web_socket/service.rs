//! What the handlers of these scenarios do.

use crate::aborted::aborted;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use endwell::ws::{Close, Socket};
use endwell::{Ended, Exchange, ServerConfig};

/// Accepts, or refuses as the library proposes.
pub(crate) fn accept(exchange: Exchange) -> Result<Socket, Ended> {
    let acceptance = exchange.acceptance();
    accept_as(exchange, acceptance)
}

pub(crate) fn accept_as(exchange: Exchange, acceptance: endwell::ws::Acceptance) -> Result<Socket, Ended> {
    exchange.accept(acceptance).map_err(|(reason, exchange)| {
        drop(exchange.respond(reason.head(), reason.to_string()));
        aborted()
    })
}

/// Sends back what comes until nothing more does.
pub(crate) async fn echo(socket: &mut Socket) {
    while let Some(message) = socket.receive().await {
        if message.is_data() && socket.send(message).await.is_err() {
            return;
        }
    }
}

/// Echoes, closes, and tells how it ended.
pub(crate) async fn echo_to_the_end(exchange: Exchange, tell: SyncSender<Ended>) -> Ended {
    let mut socket = match accept(exchange) {
        Ok(socket) => socket,
        Err(ended) => return ended,
    };
    echo(&mut socket).await;
    let ended = socket.close(Close::EMPTY).await;
    // A scenario need not listen.
    let _ = tell.try_send(ended.clone());
    ended
}

/// The usual bounds, with a short time for the close.
pub(crate) fn closing_within(time: Duration) -> ServerConfig {
    let mut config = ServerConfig::default();
    config.ws.close_time = time;
    config
}
