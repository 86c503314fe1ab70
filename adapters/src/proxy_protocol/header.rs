//! The header that a proxy writes before the client's bytes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ::proxy_header::{Error, ParseConfig, Protocol, ProxyHeader as Header};

use super::stream::ProxyStream;
use crate::info::{Address, Info};
use crate::transport::{Transport, of_one_connection};

/// What a proxy tells of a connection beside its addresses: a fact of [`Info`](crate::Info).
///
/// ```
/// # async fn f(exchange: &endwell::Exchange) {
/// use endwell::proxy_protocol::ProxyHeader;
///
/// if let Some(header) = exchange.info::<ProxyHeader>() {
///     println!("{} asks through {}", exchange.peer_address(), header.proxy);
/// }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProxyHeader {
    /// The address of the proxy.
    pub proxy: Address,
    /// The host name that the client asked the proxy for, such as that of TLS. Version 2 only.
    pub authority: Option<String>,
    /// The proxy's name for the connection, at most 128 bytes. Version 2 only.
    pub unique_id: Option<Vec<u8>>,
}

/// A connection whose header has not arrived completely.
pub(super) struct Incoming<T> {
    /// Taken when it has arrived.
    parts: Option<(T, Info)>,
    read: Vec<u8>,
    limit: Duration,
    over: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl<T: Transport> Incoming<T> {
    /// `sleep` waits for `limit`.
    pub(super) fn new(
        transport: T,
        info: Info,
        limit: Duration,
        sleep: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        Self { parts: Some((transport, info)), read: Vec::new(), limit, over: Box::pin(sleep) }
    }

    /// Waits for the header. Not called again once it is ready.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(ProxyStream<T>, Info)>> {
        let Some((transport, info)) = &mut self.parts else { return Poll::Pending };
        let header_len = loop {
            match parse(&self.read, info) {
                Ok(Some(len)) => break len,
                Ok(None) => {}
                Err(error) => return Poll::Ready(Err(of_one_connection(error))),
            }
            let mut room = [0; CHUNK];
            let got = match transport.poll_read(cx, &mut room) {
                Poll::Ready(Ok(got)) => got,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(of_one_connection(error))),
                Poll::Pending => {
                    ready!(self.over.as_mut().poll(cx));
                    let text = format!(
                        "expected a PROXY header within {:?}, got {} bytes",
                        self.limit,
                        self.read.len()
                    );
                    return Poll::Ready(Err(of_one_connection(io::Error::new(
                        io::ErrorKind::TimedOut,
                        text,
                    ))));
                }
            };
            if got == 0 {
                let text = "expected a PROXY header, got the end of the stream";
                let error = io::Error::new(io::ErrorKind::UnexpectedEof, text);
                return Poll::Ready(Err(of_one_connection(error)));
            }
            self.read.extend(room.iter().take(got));
        };
        let Some((transport, info)) = self.parts.take() else { return Poll::Pending };
        let mut rest = std::mem::take(&mut self.read);
        rest.drain(..header_len);
        Poll::Ready(Ok((ProxyStream::new(rest, transport), info)))
    }
}

/// The bytes of a read. A header is one read, as a rule: version 1 has at most 107 bytes, and version 2 with the addresses alone
/// 52.
const CHUNK: usize = 1024;

/// The most bytes of a header. Receivers take at least 536; names of certificates and of hosts seldom add more than a few
/// hundred.
const HEADER_BYTES: usize = 4096;

/// Puts what a whole header tells into `info`, and returns its length. `None` if it is not whole.
fn parse(read: &[u8], info: &mut Info) -> io::Result<Option<usize>> {
    let (header, len) = match Header::parse(read, ParseConfig::default()) {
        Ok(parsed) => parsed,
        Err(Error::BufferTooShort) if read.len() < HEADER_BYTES => return Ok(None),
        Err(Error::BufferTooShort) => {
            return Err(invalid(&format!("a PROXY header of at most {HEADER_BYTES} bytes")));
        }
        Err(_) => return Err(invalid("a PROXY header of version 1 or 2")),
    };
    let fact = ProxyHeader {
        proxy: info.peer.clone(),
        authority: header.authority().map(Into::into),
        unique_id: header.unique_id().map(Into::into),
    };
    // Without addresses the connection is the proxy's own, such as a check of its health.
    if let Some(addresses) = header.proxied_address() {
        if addresses.protocol != Protocol::Stream {
            return Err(invalid("a PROXY header of a stream"));
        }
        info.peer = Address::Tcp(addresses.source);
        info.local = Address::Tcp(addresses.destination);
        info.is_secure |= header.ssl().is_some_and(|ssl| ssl.client_ssl());
    }
    info.insert(fact);
    Ok(Some(len))
}

fn invalid(expected: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("expected {expected} from a trusted proxy, got something else"),
    )
}
