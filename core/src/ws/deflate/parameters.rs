//! The parameters of permessage-deflate. RFC 7692 7.1.

use super::extensions::{Extension, Parameter};

/// The name of the extension. RFC 7692 7.
pub(super) const NAME: &str = "permessage-deflate";

pub(super) const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
pub(super) const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
pub(super) const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
pub(super) const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// The parameters of one offer, or of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters {
    pub(super) server_no_context_takeover: bool,
    pub(super) client_no_context_takeover: bool,
    /// From 8 to 15.
    pub(super) server_max_window_bits: Option<u8>,
    pub(super) client_max_window_bits: Option<ClientBits>,
}

/// The parameter about the client's window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientBits {
    /// In an offer: the server may set a limit.
    Any,
    /// From 8 to 15.
    AtMost(u8),
}

impl Parameters {
    /// Reads the parameters of an element with the right name. `None` if one is unknown, repeated or has an invalid
    /// value. RFC 7692 7.1: such an offer is declined, and such an answer fails the connection.
    pub(super) fn of(extension: &Extension<'_>) -> Option<Self> {
        let mut all = Self::default();
        for Parameter { name, value } in &extension.parameters {
            let value = value.as_deref();
            let is = |known: &str| *name == known.as_bytes();
            if is(SERVER_NO_CONTEXT_TAKEOVER) {
                flag(&mut all.server_no_context_takeover, value)?;
            } else if is(CLIENT_NO_CONTEXT_TAKEOVER) {
                flag(&mut all.client_no_context_takeover, value)?;
            } else if is(SERVER_MAX_WINDOW_BITS) {
                once(&mut all.server_max_window_bits, bits(value?)?)?;
            } else if is(CLIENT_MAX_WINDOW_BITS) {
                let bits = match value {
                    Some(value) => ClientBits::AtMost(bits(value)?),
                    None => ClientBits::Any,
                };
                once(&mut all.client_max_window_bits, bits)?;
            } else {
                return None;
            }
        }
        Some(all)
    }
}

fn flag(place: &mut bool, value: Option<&[u8]>) -> Option<()> {
    let is_new = !core::mem::replace(place, true);
    (is_new && value.is_none()).then_some(())
}

fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}

/// Reads a decimal number from 8 to 15 without leading zeros. RFC 7692 7.1.2.
fn bits(value: &[u8]) -> Option<u8> {
    match value {
        [digit @ (b'8' | b'9')] => Some(digit - b'0'),
        [b'1', digit @ b'0'..=b'5'] => Some(10 + digit - b'0'),
        _ => None,
    }
}
