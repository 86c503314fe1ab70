//! Producers that are as fast as the wire: the connection's task does the rest of its work all the same.

use std::io::{self, IoSlice};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use endwell::core::Instant;
use endwell::core::ws::{Role, WebSocket};
use endwell::ws::{Jitter, Outlet, ReadAhead, Socket};
use endwell::{Config, Transport};
use tokio::sync::oneshot;

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

    fn now(&self) -> Instant {
        Instant::from_epoch(std::time::Duration::ZERO)
    }

    fn poll_sleep(&mut self, _: &mut Context<'_>, _: Instant) -> Poll<()> {
        Poll::Pending
    }
}

#[tokio::test]
async fn it_reads_while_producers_never_stop() {
    let config = Config::default();
    let limits = Arc::new(config.ws.clone());
    let web_socket =
        WebSocket::from_parts(Role::Server, bytes::Bytes::new(), limits, Jitter::default(), None);
    let (ponged, pong) = oneshot::channel();
    let outlet = Arc::new(OnceLock::new());
    let transport = Greedy { outlet: Arc::clone(&outlet), ping: PING, writes: 0, ponged: Some(ponged) };
    let (mut socket, driver) = Socket::over(transport, web_socket, &config);
    socket.drive(ReadAhead::default());
    outlet.set(socket.outlet()).unwrap();
    outlet.get().unwrap().try_send("first").unwrap();
    let driving = tokio::spawn(driver);
    pong.await.unwrap();
    // What was sent last is not forgotten.
    outlet.get().unwrap().flush().await.unwrap();
    driving.abort();
}
