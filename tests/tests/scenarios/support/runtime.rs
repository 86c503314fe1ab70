//! The runtimes, as far as a scenario needs them.

use std::net::TcpListener;
use std::time::Duration;

use endwell::Listener;

/// A runtime that servers run on.
pub(crate) trait Runtime: Send + Sync + 'static {
    /// What its TCP connections come from.
    type Listener: Listener + Sync;

    /// What tables call it.
    const NAME: &'static str;

    /// Runs `future` on this thread.
    fn run<F: Future>(future: F) -> F::Output;

    /// Gives a listening socket to the runtime. To be called within it.
    fn listen(socket: TcpListener) -> Self::Listener;

    /// Runs a task of its own.
    fn spawn(task: impl Future<Output = ()> + Send + 'static);

    /// Waits. Only for scenarios in which the time itself is what is tested.
    fn sleep(duration: Duration) -> impl Future<Output = ()> + Send;
}

pub(crate) struct Tokio;

impl Runtime for Tokio {
    type Listener = tokio::net::TcpListener;
    const NAME: &'static str = "tokio";

    fn run<F: Future>(future: F) -> F::Output {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.unwrap().block_on(future)
    }

    fn listen(socket: TcpListener) -> Self::Listener {
        tokio::net::TcpListener::from_std(socket).unwrap()
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(task);
    }

    async fn sleep(duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

pub(crate) struct AsyncStd;

impl Runtime for AsyncStd {
    type Listener = async_std::net::TcpListener;
    const NAME: &'static str = "async-std";

    fn run<F: Future>(future: F) -> F::Output {
        async_std::task::block_on(future)
    }

    fn listen(socket: TcpListener) -> Self::Listener {
        socket.into()
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        async_std::task::spawn(task);
    }

    async fn sleep(duration: Duration) {
        async_std::task::sleep(duration).await;
    }
}
