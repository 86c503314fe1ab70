//! A server that runs while a scenario does.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};

use endwell::{Counters, Ended, Exchange, IntoAnswered, Listener, ServerConfig, serve};
use socket2::{Domain, Socket, Type};
use tokio::sync::oneshot;

use super::{Client, LONG, Runtime};

/// A server in a thread of its own. Stops, and is waited for, when dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) counters: Arc<Counters>,
    ended: mpsc::Receiver<Ended>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    stopped: mpsc::Receiver<()>,
    scenario: Option<oneshot::Sender<()>>,
}

/// Starts a server with the usual bounds.
pub(crate) fn start<R, H, F>(handler: H) -> Running
where
    R: Runtime,
    H: Fn(Exchange) -> F + Send + Sync + 'static,
    F: Future<Output: IntoAnswered> + Send + 'static,
{
    start_with::<R, _, _>(ServerConfig::default(), handler)
}

/// Starts a server with bounds of the scenario's own.
pub(crate) fn start_with<R, H, F>(config: ServerConfig, handler: H) -> Running
where
    R: Runtime,
    H: Fn(Exchange) -> F + Send + Sync + 'static,
    F: Future<Output: IntoAnswered> + Send + 'static,
{
    start_on::<R, _, _>(TcpListener::bind("127.0.0.1:0").unwrap(), config, handler)
}

/// Starts a server whose sockets have buffers as small as the system lets them be.
pub(crate) fn start_narrow<R, H, F>(config: ServerConfig, handler: H) -> Running
where
    R: Runtime,
    H: Fn(Exchange) -> F + Send + Sync + 'static,
    F: Future<Output: IntoAnswered> + Send + 'static,
{
    start_with_buffers::<R, _, _>([4096, 4096], config, handler)
}

/// Starts a server whose sockets have buffers for so many bytes received and sent.
pub(crate) fn start_with_buffers<R, H, F>(
    [receive, send]: [usize; 2],
    config: ServerConfig,
    handler: H,
) -> Running
where
    R: Runtime,
    H: Fn(Exchange) -> F + Send + Sync + 'static,
    F: Future<Output: IntoAnswered> + Send + 'static,
{
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(receive).unwrap();
    socket.set_send_buffer_size(send).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    socket.listen(1024).unwrap();
    start_on::<R, _, _>(socket.into(), config, handler)
}

pub(crate) fn start_on<R, H, F>(socket: TcpListener, config: ServerConfig, handler: H) -> Running
where
    R: Runtime,
    H: Fn(Exchange) -> F + Send + Sync + 'static,
    F: Future<Output: IntoAnswered> + Send + 'static,
{
    start_listening::<R, _, _, _>(socket, R::listen, config, handler)
}

/// Starts a server on what `listen` makes of a socket, within the runtime.
pub(crate) fn start_listening<R, L, H, F>(
    socket: TcpListener,
    listen: impl FnOnce(TcpListener) -> L + Send + 'static,
    mut config: ServerConfig,
    handler: H,
) -> Running
where
    R: Runtime,
    L: Listener + Sync,
    H: Fn(Exchange) -> F + Send + Sync + 'static,
    F: Future<Output: IntoAnswered> + Send + 'static,
{
    socket.set_nonblocking(true).unwrap();
    let address = socket.local_addr().unwrap();
    let (end, ended) = mpsc::channel();
    let end = Mutex::new(end);
    config.on_end = Some(Arc::new(move |_, how| {
        // A scenario need not listen.
        let _ = end.lock().unwrap().send(how.clone());
    }));
    let (stop, stopping) = oneshot::channel::<()>();
    let (tell, told) = mpsc::channel();
    let (done, stopped) = mpsc::channel();
    let (scenario, over) = oneshot::channel::<()>();
    let thread = thread::spawn(move || {
        R::run(async move {
            let serving = serve(listen(socket), config, handler);
            tell.send(serving.counters()).unwrap();
            serving.until(async { stopping.await.unwrap_or(()) }).await;
            let _ = done.send(());
            // Tasks that handlers made live on until the scenario is over.
            let _ = over.await;
        });
    });
    let counters = told.recv_timeout(LONG).unwrap();
    Running {
        address,
        counters,
        ended,
        stop: Some(stop),
        thread: Some(thread),
        stopped,
        scenario: Some(scenario),
    }
}

impl Running {
    /// A client's connection.
    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// How the next connection to end did.
    pub(crate) fn next_end(&self) -> Ended {
        self.ended.recv_timeout(LONG).expect("a connection that ends")
    }

    /// Tells the server to stop, and does not wait for it.
    pub(crate) fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    /// Waits until the server has stopped.
    pub(crate) fn wait(&self) {
        self.stopped.recv_timeout(LONG).expect("a server that stops");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
        drop(self.scenario.take());
        if let Some(thread) = self.thread.take().filter(|_| !thread::panicking()) {
            thread.join().unwrap();
        }
    }
}
