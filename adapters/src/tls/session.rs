//! A rustls connection, over a transport.

use std::io::{self, IoSlice, Read, Write};
use std::mem;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker, ready};

use rustls::Connection;

use super::TlsInfo;
use super::handshake::{Handshake, Side};
use crate::transport::{Transport, Truncated};

/// A rustls connection, over a transport. rustls encrypts and decrypts; this decides when to read and write.
pub(super) struct Session<T: Transport> {
    pub(super) transport: T,
    tls: Connection,
    phase: Phase,
    /// Set at the end of the handshake.
    pub(super) info: Arc<OnceLock<TlsInfo>>,
}

enum Phase {
    /// No data can be read or written yet.
    Handshaking(Handshake),
    Open,
    /// The peer's stream has ended without close_notify.
    Cut,
    /// The connection has failed, or is to be reset: nothing more is sent.
    Over,
}

/// The most plaintext that is encrypted before earlier records are sent: one record. So a peer that does not read
/// cannot make more be held.
const AHEAD: usize = 16 << 10;

impl<T: Transport> Session<T> {
    pub(super) fn new(transport: T, tls: impl Into<Connection>, handshake: Handshake) -> Self {
        let mut tls = tls.into();
        tls.set_buffer_limit(Some(AHEAD));
        Self { transport, tls, phase: Phase::Handshaking(handshake), info: Arc::default() }
    }

    /// Waits for the end of the handshake.
    pub(super) fn poll_open(&mut self, cx: &mut Context<'_>, side: Side) -> Poll<io::Result<()>> {
        let waker = match &self.phase {
            Phase::Open => return Poll::Ready(Ok(())),
            Phase::Cut => return Poll::Ready(Err(Truncated.into())),
            Phase::Over => return Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
            Phase::Handshaking(handshake) => handshake.waker(side, cx),
        };
        let cx = &mut Context::from_waker(&waker);
        let opened = self.poll_shake_hands(cx);
        let Phase::Handshaking(handshake) = &mut self.phase else { return opened };
        let opened = match opened {
            Poll::Ready(opened) => opened,
            Poll::Pending => Err(ready!(handshake.poll_time(cx))),
        };
        if let (Ok(()), Some(info)) = (&opened, TlsInfo::of(&self.tls)) {
            // It is set once: this phase is left here.
            let _ = self.info.set(info);
        }
        let next = if opened.is_ok() { Phase::Open } else { Phase::Over };
        if let Phase::Handshaking(handshake) = mem::replace(&mut self.phase, next) {
            handshake.wake_other(side);
        }
        Poll::Ready(opened)
    }

    fn poll_shake_hands(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            // Both sides may have data to send, and no room for it: reading does not wait for writing.
            let flushed = self.poll_flush(cx)?;
            if !self.tls.is_handshaking() {
                return flushed.map(|()| self.check_protocol());
            }
            if let Phase::Handshaking(handshake) = &mut self.phase {
                if handshake.has_come {
                    ready!(handshake.poll_place(cx));
                    handshake.has_come = false;
                    self.decrypt()?;
                    continue;
                }
            }
            let len = ready!(self.poll_read_records(cx))?;
            if len == 0 {
                return Poll::Ready(Err(ended_early()));
            }
            if let Phase::Handshaking(handshake) = &mut self.phase {
                handshake.has_come = true;
            }
        }
    }

    /// Checks that the inner protocol is HTTP/1.1, whatever a configuration offers.
    fn check_protocol(&self) -> io::Result<()> {
        match self.tls.alpn_protocol() {
            None | Some(super::HTTP_1_1) => Ok(()),
            Some(other) => {
                let text =
                    format!("expected the protocol http/1.1, got \"{}\" (RFC 7301)", other.escape_ascii());
                Err(io::Error::new(io::ErrorKind::InvalidData, text))
            }
        }
    }

    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_open(cx, Side::Read))?;
        loop {
            match self.tls.reader().read(buffer) {
                Ok(len) => return Poll::Ready(Ok(len)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // RFC 8446 6.1 and RFC 9112 9.8: only close_notify distinguishes the end of the data from an attack
                // that truncates it.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    self.phase = Phase::Cut;
                    return Poll::Ready(Err(Truncated.into()));
                }
                Err(error) => {
                    self.phase = Phase::Over;
                    return Poll::Ready(Err(error));
                }
            }
            if let Err(error) = ready!(self.poll_receive(cx)) {
                // TLS within TLS, where the outer one ended without close_notify.
                self.phase = if Truncated::is(&error) { Phase::Cut } else { Phase::Over };
                return Poll::Ready(Err(error));
            }
        }
    }

    /// Reads once, and decrypts complete records. Zero: there is nothing more to read.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let len = ready!(self.poll_read_records(cx))?;
        self.decrypt()?;
        Poll::Ready(Ok(len))
    }

    fn poll_read_records(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        loop {
            match self.tls.read_tls(&mut Polled { transport: &mut self.transport, cx }) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return Poll::Ready(read),
            }
        }
    }

    fn decrypt(&mut self) -> io::Result<()> {
        self.tls.process_new_packets().map(drop).map_err(|error| {
            // The alert tells the peer what was wrong, if there is room for it. It is not waited for.
            let _ = self.poll_flush(&mut Context::from_waker(Waker::noop()));
            io::Error::new(io::ErrorKind::InvalidData, error)
        })
    }

    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_open(cx, Side::Write))?;
        // Encrypted data cannot be withdrawn, so nothing is encrypted before it can be sent.
        ready!(self.poll_write_records(cx))?;
        let len = self.tls.writer().write_vectored(slices)?;
        // What is not sent now is sent with the next write, or the flush, which also reports the error.
        let _ = self.poll_write_records(cx);
        Poll::Ready(Ok(len))
    }

    fn poll_write_records(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut Polled { transport: &mut self.transport, cx }) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write_records(cx))?;
        self.transport.poll_flush(cx)
    }

    pub(super) fn poll_end_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Phase::Handshaking(_) | Phase::Open = self.phase {
            // RFC 8446 6.1: each side signals the end of its data. A second call sends nothing.
            self.tls.send_close_notify();
        }
        ready!(self.poll_flush(cx))?;
        self.transport.poll_end_write(cx)
    }

    pub(super) fn reset(&mut self) {
        self.phase = Phase::Over;
        self.transport.reset();
    }
}

impl<T: Transport> Drop for Session<T> {
    /// Drops the connection. Without a reset this is a clean end, which the peer is told if there is room (RFC 9112
    /// 9.8).
    fn drop(&mut self) {
        if let Phase::Open = self.phase {
            self.tls.send_close_notify();
            let _ = self.poll_flush(&mut Context::from_waker(Waker::noop()));
        }
    }
}

fn ended_early() -> io::Error {
    let text = "expected a TLS handshake, got the end of the stream within it (RFC 8446 4)";
    io::Error::new(io::ErrorKind::UnexpectedEof, text)
}

/// A transport with the interface that rustls expects: pending becomes `WouldBlock`.
struct Polled<'a, 'b, T> {
    transport: &'a mut T,
    cx: &'a mut Context<'b>,
}

fn or_would_block(polled: Poll<io::Result<usize>>) -> io::Result<usize> {
    match polled {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

impl<T: Transport> Read for Polled<'_, '_, T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        or_would_block(self.transport.poll_read(self.cx, buffer))
    }
}

impl<T: Transport> Write for Polled<'_, '_, T> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(data)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        or_would_block(self.transport.poll_write(self.cx, slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
