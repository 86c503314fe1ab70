//! A connection, with TLS or without.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::requests::HANDSHAKE;
use crate::{Options, Outcome, Speak};

pub(crate) enum Wire {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// How connections are made.
pub(crate) struct Connector<'a> {
    options: &'a Options,
    tls: Option<Arc<ClientConfig>>,
}

impl<'a> Connector<'a> {
    pub(crate) fn new(options: &'a Options) -> Outcome<Self> {
        let tls = options.tls.as_ref().map(|certificate| -> Outcome<_> {
            let mut roots = RootCertStore::empty();
            roots.add(std::fs::read(certificate)?.into())?;
            Ok(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
        });
        Ok(Self { options, tls: tls.transpose()? })
    }

    /// Connects, and opens a WebSocket if one is spoken. Only then does the connection stop blocking.
    pub(crate) fn connect(&self) -> Outcome<Wire> {
        let stream = TcpStream::connect(self.options.address)?;
        stream.set_nodelay(true)?;
        let mut wire = match &self.tls {
            None => Wire::Plain(stream),
            Some(config) => {
                let client = ClientConnection::new(config.clone(), ServerName::try_from("localhost")?)?;
                Wire::Tls(StreamOwned::new(client, stream).into())
            }
        };
        if self.options.speak == Speak::WebSocket {
            wire.write_all(HANDSHAKE)?;
            let head = wire.read_head()?;
            if !head.starts_with(b"HTTP/1.1 101") {
                return Err(format!("no WebSocket: {}", head.escape_ascii()).into());
            }
        }
        Ok(wire)
    }
}

impl Wire {
    pub(crate) fn stream(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(tls) => tls.get_ref(),
        }
    }

    /// Reads to the end of a head, and no further.
    pub(crate) fn read_head(&mut self) -> io::Result<Vec<u8>> {
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            self.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        Ok(head)
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(data),
            Self::Tls(tls) => tls.write(data),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(tls) => tls.flush(),
        }
    }
}
