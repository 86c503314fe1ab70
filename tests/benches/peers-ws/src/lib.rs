//! What the peers share: the two loops, for those whose sockets are a `Stream` and a `Sink`.

use std::error::Error;

use futures::{FutureExt, Sink, SinkExt, Stream, StreamExt};

#[path = "../../src/lib.rs"]
#[allow(dead_code, reason = "the peers need the options alone")]
mod options;

pub use options::Options;

pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Echoes what `answer` returns: with `is_batch` it flushes only when no message is left to read, otherwise each message.
///
/// # Errors
///
/// Those of the socket.
pub async fn echo<S, M, E>(mut socket: S, is_batch: bool, answer: impl Fn(M) -> Option<M>) -> Outcome<()>
where
    S: Stream<Item = Result<M, E>> + Sink<M, Error = E> + Unpin,
    E: Error + Send + Sync + 'static,
{
    if !is_batch {
        while let Some(message) = socket.next().await {
            if let Some(message) = answer(message?) {
                socket.send(message).await?;
            }
        }
        return Ok(());
    }
    loop {
        let next = match socket.next().now_or_never() {
            Some(next) => next,
            None => {
                socket.flush().await?;
                socket.next().await
            }
        };
        let Some(message) = next else { break };
        if let Some(message) = answer(message?) {
            socket.feed(message).await?;
        }
    }
    // The answer to the peer's Close.
    Ok(socket.close().await?)
}
