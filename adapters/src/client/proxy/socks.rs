//! Asks a SOCKS proxy for a connection: RFC 1928, and RFC 1929 for user and password.
//!
//! `tokio-socks` implements the protocol. It needs nothing of tokio for that: bytes in and out, through one small
//! trait.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio_socks::Error;
use tokio_socks::io::AsyncSocket;
use tokio_socks::tcp::Socks5Stream;

use super::error::{Denied, Reason};
use super::location::{Credentials, Proxy};
use crate::client::origin::Authority;
use crate::transport::Transport;

/// Opens a connection. Reads no byte after the response.
pub(super) async fn open<T: Transport>(
    proxy: &Proxy,
    transport: &mut T,
    origin: Authority<'_>,
) -> Result<(), Reason> {
    let Authority { host, port } = origin;
    let socket = Socket { transport, holds_back: false };
    let asked = match proxy.credentials() {
        Some(Credentials { user, password }) => {
            Socks5Stream::connect_with_password_and_socket(socket, (host, port), user, password).await
        }
        None => Socks5Stream::connect_with_socket(socket, (host, port)).await,
    };
    asked.map(drop).map_err(reason)
}

/// A borrowed transport.
struct Socket<'a, T> {
    transport: &'a mut T,
    /// True if a lower layer may still hold back written bytes.
    holds_back: bool,
}

impl<T: Transport> AsyncSocket for Socket<'_, T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.holds_back {
            ready!(self.transport.poll_flush(cx))?;
            self.holds_back = false;
        }
        loop {
            match ready!(self.transport.poll_read(cx, buffer)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return Poll::Ready(read),
            }
        }
    }

    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.holds_back = true;
        loop {
            match ready!(self.transport.poll_write(cx, &[IoSlice::new(data)])) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                written => return Poll::Ready(written),
            }
        }
    }
}

fn reason(error: Error) -> Reason {
    let denied = match error {
        Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Reason::Closed,
        Error::Io(error) => return Reason::Transport(error),
        Error::InvalidTargetAddress("overlong domain") => return Reason::Host,
        Error::AuthorizationRequired
        | Error::NoAcceptableAuthMethods
        | Error::PasswordAuthFailure(_)
        | Error::InvalidAuthValues(_) => return Reason::Credentials,
        Error::GeneralSocksServerFailure => Denied::Failure,
        Error::ConnectionNotAllowedByRuleset => Denied::NotAllowed,
        Error::NetworkUnreachable => Denied::NetworkUnreachable,
        Error::HostUnreachable => Denied::HostUnreachable,
        Error::ConnectionRefused => Denied::ConnectionRefused,
        Error::TtlExpired => Denied::TtlExpired,
        Error::CommandNotSupported => Denied::CommandNotSupported,
        Error::AddressTypeNotSupported => Denied::AddressTypeNotSupported,
        Error::InvalidResponseVersion => return protocol("version 5 of SOCKS, or 1 of its authentication"),
        Error::UnknownAuthMethod => return protocol("a method of authentication and a reply that are known"),
        Error::InvalidReservedByte => return protocol("a reserved byte of zero"),
        Error::InvalidTargetAddress(_) | Error::UnknownAddressType => {
            return protocol("an address of one of the three types");
        }
        // Those of other versions and commands.
        Error::ParseError(_)
        | Error::ProxyServerUnreachable
        | Error::UnknownError
        | Error::IdentdAuthFailure
        | Error::InvalidUserIdAuthFailure => return protocol("an answer of version 5"),
    };
    Reason::Denied(denied)
}

fn protocol(expected: &str) -> Reason {
    Reason::Protocol(format!("expected {expected} (RFC 1928 3 and 6, RFC 1929 2)"))
}
