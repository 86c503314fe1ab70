//! The thread of the client: one connection after the other.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::ConnectError;
use crate::backoff::Backoff;
use crate::connection::{Target, live};
use crate::shared::Shared;

/// Who waits for the first connection.
type First = oneshot::Sender<Result<(), ConnectError>>;

/// How long the thread goes on without its hub at most: 1 s.
const LAST: Duration = Duration::from_secs(1);

/// Starts the thread. It ends when the hub drops its end, or if the first connection fails and is waited for.
pub(crate) fn start(target: Target, shared: Arc<Shared>, first: Option<First>) -> Result<(), ConnectError> {
    let run = || run(target, shared, first);
    std::thread::Builder::new().name("endwell-nats".into()).spawn(run).map_err(ConnectError::System)?;
    Ok(())
}

fn run(mut target: Target, shared: Arc<Shared>, mut first: Option<First>) {
    let mut backoff = Backoff::new();
    let mut wait = Duration::ZERO;
    loop {
        let runtime = match runtime() {
            Ok(runtime) => runtime,
            Err(error) if first.is_none() => {
                shared.failed(error.to_string());
                std::thread::sleep(Duration::from_secs(1));
                continue;
            }
            Err(error) => {
                answer(&mut first, Err(ConnectError::System(error)));
                return;
            }
        };
        let mut since = None;
        let ended = runtime.block_on(async {
            let connection = async {
                tokio::time::sleep(wait).await;
                live(&mut target, &shared, || {
                    since = Some(Instant::now());
                    answer(&mut first, Ok(()));
                })
                .await
            };
            tokio::select! {
                biased;
                () = finished(&shared) => None,
                ended = connection => Some(ended),
            }
        });
        // With the runtime end the tasks of the client, which would reconnect for ever. A name that is being looked up has
        // a thread that cannot be ended.
        runtime.shutdown_background();
        let Some(ended) = ended else { return };
        if let Err(error) = ended {
            tracing::warn!(%error, "no connection to NATS");
            if first.is_some() {
                answer(&mut first, Err(error));
                return;
            }
            shared.failed(error.to_string());
        }
        if let Some(since) = since {
            backoff.lived(since.elapsed());
        }
        wait = backoff.next();
    }
}

/// Waits until the hub has dropped its end, and the server has what it had given.
async fn finished(shared: &Shared) {
    shared.ended().await;
    // The hub's last words.
    _ = tokio::time::timeout(LAST, std::future::poll_fn(|cx| shared.poll_flush(cx))).await;
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_io().enable_time().build()
}

fn answer(first: &mut Option<First>, connected: Result<(), ConnectError>) {
    if let Some(first) = first.take() {
        // The caller may have gone.
        _ = first.send(connected);
    }
}
