//! Producers that are as fast as the wire: the connection's task does the rest of its work all the same.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use endwell::core::Instant;
use endwell::core::ws::{self as core_ws, Role};
use endwell::ws::{Jitter, Kind, Outlet, Socket};
use endwell::{Runtime, ServerConfig, Timer, Transport};
use tokio::sync::oneshot;

use crate::pair::{Pair, pair};

/// Takes everything, and whenever it has, a producer has sent the next message. Its peer has sent one ping.
struct Greedy {
    outlet: Arc<OnceLock<Outlet>>,
    ping: &'static [u8],
    writes: usize,
    ponged: Option<oneshot::Sender<()>>,
}

/// Of a client, with a mask of zeros.
const PING: &[u8] = &[0x89, 0x80, 0, 0, 0, 0];
const PONG: &[u8] = &[0x8a, 0];

impl Transport for Greedy {
    fn poll_read(&mut self, _: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        // It comes after the first write.
        if self.writes == 0 || self.ping.is_empty() {
            return Poll::Pending;
        }
        let len = self.ping.len();
        buffer[..len].copy_from_slice(self.ping);
        self.ping = &[];
        Poll::Ready(Ok(len))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        self.writes += 1;
        assert!(self.writes < 10_000, "it writes and never reads");
        if bytes.windows(2).any(|two| two == PONG) {
            self.ponged.take().unwrap().send(()).unwrap();
        }
        if self.ponged.is_some() {
            self.outlet.get().unwrap().try_send("more").unwrap();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_end_write(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn reset(&mut self) {}
}

/// Time stands still.
#[derive(Clone)]
struct StandStill;

impl Runtime for StandStill {
    type Timer = Self;

    fn timer(&self) -> Self {
        Self
    }

    fn spawn(&self, _: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl Timer for StandStill {
    fn now(&self) -> Instant {
        Instant::from_epoch(std::time::Duration::ZERO)
    }

    fn poll_sleep(self: Pin<&mut Self>, _: &mut Context<'_>, _: Instant) -> Poll<()> {
        Poll::Pending
    }
}

#[tokio::test]
async fn it_reads_while_producers_never_stop() {
    let config = ServerConfig::default();
    let limits = Arc::new(config.ws.clone());
    let (role, leftover) = (Role::Server, bytes::Bytes::new());
    let web_socket =
        core_ws::Socket::from_parts(role, leftover, limits, config.output, Jitter::default(), None);
    let (ponged, pong) = oneshot::channel();
    let outlet = Arc::new(OnceLock::new());
    let transport = Greedy { outlet: Arc::clone(&outlet), ping: PING, writes: 0, ponged: Some(ponged) };
    let (socket, driver) = Socket::over(transport, StandStill, web_socket, &(&config).into());
    outlet.set(socket.outlet()).unwrap();
    outlet.get().unwrap().try_send("first").unwrap();
    let driving = tokio::spawn(driver);
    pong.await.unwrap();
    // What was sent last is not forgotten.
    outlet.get().unwrap().flush().await.unwrap();
    driving.abort();
}

/// Producers that always have more, a wire that takes little, and a half that wants to send as well.
#[tokio::test]
async fn a_half_has_its_turn_beside_producers_that_never_stop() {
    let mut config = ServerConfig::default();
    config.outlet.messages = 16;
    config.output.bytes = 4096;
    config.output.high_water = 1024;
    let Pair { server, mut client, .. } = pair(&config, 256);
    let (mut send, _recv) = server.split();
    let outlet = send.outlet();
    let producing = tokio::spawn(async move { while outlet.send(vec![b'o'; 400]).await.is_ok() {} });
    for _ in 0..100 {
        client.receive().await.unwrap();
    }
    let sending = tokio::spawn(async move {
        for _ in 0..100 {
            send.send("h".repeat(400)).await.unwrap();
        }
        send
    });
    let (mut of_outlets, mut of_half) = (0, 0);
    while of_half < 100 {
        match client.receive().await.unwrap().kind() {
            Some(Kind::Text) => of_half += 1,
            Some(Kind::Binary) => of_outlets += 1,
            None => {}
        }
        assert!(of_outlets < 20_000, "the half sent {of_half} messages and the outlets {of_outlets}");
    }
    println!("the half sent {of_half} messages and the outlets {of_outlets}");
    // Nor does the half leave the outlets none.
    assert!(of_outlets >= 20);
    drop((sending.await.unwrap(), client));
    producing.await.unwrap();
}

/// Also what the connection's task has not come to take yet.
#[tokio::test]
async fn a_flush_of_the_half_is_one_of_the_outlets_too() {
    let Pair { server, mut client, .. } = pair(&ServerConfig::default(), 64);
    let (mut send, _recv) = server.split();
    // Nothing is queued any more.
    send.flush().await.unwrap();
    send.outlet().try_send(vec![b'x'; 1000]).unwrap();
    let mut flush = send.flush();
    let first = std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut flush).poll(cx))).await;
    assert!(first.is_pending());
    let (flushed, message) = tokio::join!(flush, client.receive());
    flushed.unwrap();
    assert_eq!(message.unwrap().len(), 1000);
}
