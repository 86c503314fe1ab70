//! Writes the body of a message, for both roles.

use bytes::Bytes;
use core::fmt;

use crate::http::FieldSection;
use crate::{Outbox, convert};

/// How the content of a message is sent.
#[derive(Debug)]
pub(crate) enum Sending {
    Length {
        remaining: u64,
    },
    Chunked,
    /// Only in a response.
    UntilClose,
    /// The message has no content: data is discarded.
    NoContent,
}

/// Data that was not written, handed back.
#[derive(Debug, PartialEq, Eq)]
pub enum NotWritten {
    /// The data exceeds the announced length.
    Overrun(Bytes),
    /// The outbox has no room for the data now.
    Full(Bytes),
}

impl fmt::Display for NotWritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overrun(data) => {
                write!(
                    f,
                    "expected no more content than was announced, got {} bytes (RFC 9110 8.6)",
                    data.len()
                )
            }
            Self::Full(data) => write!(f, "the outbox has no room for {} bytes", data.len()),
        }
    }
}

impl core::error::Error for NotWritten {}

/// Less was written than was announced.
pub(in crate::http) struct Short;

/// The bytes that a chunk needs besides its data, at the most: sixteen digits and two line ends.
const CHUNK_OVERHEAD: usize = 20;

impl Sending {
    /// Writes a piece. An empty piece writes nothing, so it cannot end a body.
    pub(in crate::http) fn write(&mut self, data: Bytes, out: &mut Outbox) -> Result<(), NotWritten> {
        if data.is_empty() {
            return Ok(());
        }
        let len = convert::u64_from(data.len());
        if matches!(self, Self::Length { remaining } if *remaining < len) {
            return Err(NotWritten::Overrun(data));
        }
        if data.len() > self.room(out) {
            return Err(NotWritten::Full(data));
        }
        match self {
            Self::Length { remaining } => {
                *remaining -= len;
                out.put_bytes(data);
            }
            Self::Chunked => {
                out.put_hex(len);
                out.put(b"\r\n");
                out.put_bytes(data);
                out.put(b"\r\n");
            }
            Self::UntilClose => out.put_bytes(data),
            Self::NoContent => {}
        }
        Ok(())
    }

    /// Writes a piece that fits, by copy.
    pub(in crate::http) fn copy(&mut self, data: &[u8], out: &mut Outbox) {
        if data.is_empty() {
            return;
        }
        let len = convert::u64_from(data.len());
        match self {
            Self::Length { remaining } => {
                *remaining = remaining.saturating_sub(len);
                out.put(data);
            }
            Self::Chunked => {
                out.put_hex(len);
                out.put(b"\r\n");
                out.put(data);
                out.put(b"\r\n");
            }
            Self::UntilClose => out.put(data),
            Self::NoContent => {}
        }
    }

    pub(in crate::http) fn room(&self, out: &Outbox) -> usize {
        match self {
            Self::Length { .. } | Self::UntilClose => out.room(),
            Self::Chunked => out.room().saturating_sub(CHUNK_OVERHEAD),
            Self::NoContent => usize::MAX,
        }
    }

    pub(in crate::http) fn remaining(&self) -> Option<u64> {
        match self {
            Self::Length { remaining } => Some(*remaining),
            Self::Chunked | Self::UntilClose | Self::NoContent => None,
        }
    }

    /// Writes the end of the body. Only a chunked body has a place for trailers.
    pub(in crate::http) fn finish(
        &self,
        trailers: Option<&FieldSection>,
        out: &mut Outbox,
    ) -> Result<(), Short> {
        match self {
            Self::Length { remaining: 1.. } => return Err(Short),
            Self::Chunked => {
                out.put(b"0\r\n");
                if let Some(trailers) = trailers {
                    out.put(trailers.as_bytes());
                }
                out.put(b"\r\n");
            }
            Self::Length { .. } | Self::UntilClose | Self::NoContent => {}
        }
        Ok(())
    }
}
