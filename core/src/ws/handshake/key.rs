//! The key of a handshake and its answer. RFC 6455 4.1 and 4.2.2.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

/// The value of Sec-WebSocket-Key: sixteen bytes in base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ws) struct Key([u8; 24]);

impl Key {
    /// Encodes these bytes as a key. They must be unpredictable (RFC 6455 4.1).
    pub(in crate::ws) fn new(nonce: [u8; 16]) -> Self {
        let mut value = [0; 24];
        let encoded = STANDARD.encode_slice(nonce, &mut value);
        debug_assert_eq!(encoded, Ok(value.len()), "sixteen bytes have 24 digits");
        Self(value)
    }

    /// Reads a key. `None` if the text is not sixteen bytes in base64.
    pub(in crate::ws) fn parse(text: &[u8]) -> Option<Self> {
        // Base64 holds three bytes in four characters: the decoder needs room for eighteen.
        let mut nonce = [0; 18];
        let valid = STANDARD.decode_slice(text, &mut nonce) == Ok(16);
        text.try_into().ok().filter(|_| valid).map(Self)
    }

    pub(in crate::ws) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The value of Sec-WebSocket-Accept. RFC 6455 4.2.2, 5.4.
    pub(in crate::ws) fn accept(&self) -> Accept {
        let digest = Sha1::new().chain_update(self.0).chain_update(GUID).finalize();
        let mut value = [0; 28];
        let encoded = STANDARD.encode_slice(digest, &mut value);
        debug_assert_eq!(encoded, Ok(value.len()), "twenty bytes have 28 digits");
        Accept(value)
    }
}

/// The value of Sec-WebSocket-Accept: 20 bytes in base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ws) struct Accept([u8; 28]);

impl Accept {
    pub(in crate::ws) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// RFC 6455 1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The value of a field that occurs exactly once.
pub(in crate::ws) fn only<'a>(mut lines: impl Iterator<Item = &'a [u8]>) -> Option<&'a [u8]> {
    let first = lines.next()?;
    lines.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc() {
        let key = Key::new(*b"the sample nonce");
        assert_eq!(key.as_bytes(), b"dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(Key::parse(key.as_bytes()), Some(key));
        assert_eq!(key.accept().as_bytes(), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn a_key_is_sixteen_bytes_in_base64() {
        for key in [
            "",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZR==",
            "dGhlIHNhbXBsZSBub25jZQo=",
            "dGhlIHNhbXBsZSBub25j!Q==",
        ] {
            assert_eq!(Key::parse(key.as_bytes()), None, "{key}");
        }
    }
}
