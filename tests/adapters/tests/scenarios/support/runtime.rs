//! The runtimes, as far as a scenario needs them.

use std::net::TcpListener;
use std::thread;
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

/// tokio with one thread, on which the server and all its connections take turns.
pub(crate) struct CurrentThread;

impl Runtime for CurrentThread {
    type Listener = tokio::net::TcpListener;
    const NAME: &'static str = "tokio, one thread";

    fn run<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    fn listen(socket: TcpListener) -> Self::Listener {
        Tokio::listen(socket)
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        Tokio::spawn(task);
    }

    async fn sleep(duration: Duration) {
        Tokio::sleep(duration).await;
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

pub(crate) struct Smol;

impl Runtime for Smol {
    type Listener = smol::net::TcpListener;
    const NAME: &'static str = "smol";

    fn run<F: Future>(future: F) -> F::Output {
        smol::block_on(future)
    }

    fn listen(socket: TcpListener) -> Self::Listener {
        socket.try_into().unwrap()
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        smol::spawn(task).detach();
    }

    async fn sleep(duration: Duration) {
        smol::Timer::after(duration).await;
    }
}

/// A thread for each connection.
pub(crate) struct Blocking;

impl Runtime for Blocking {
    type Listener = TcpListener;
    const NAME: &'static str = "threads";

    fn run<F: Future>(future: F) -> F::Output {
        endwell::blocking::block_on(future)
    }

    fn listen(socket: TcpListener) -> Self::Listener {
        socket
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        thread::spawn(|| endwell::blocking::block_on(task));
    }

    async fn sleep(duration: Duration) {
        smol::Timer::after(duration).await;
    }
}
