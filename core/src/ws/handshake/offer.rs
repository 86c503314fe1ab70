//! What a client offers in its opening handshake. RFC 6455 4.1.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::key::Key;
use crate::http::grammar::characters;
use crate::http::{Field, InvalidRequest, Method, Request};
use crate::ws::limits::SocketLimits;
use crate::ws::receive::keep_alive::Jitter;

/// What a client offers in its opening handshake.
///
/// ```
/// use endwell_core::http::Field;
/// use endwell_core::ws::{SocketLimits, Offer};
///
/// # let from_a_strong_generator = [7; 16];
/// let offer = Offer::new("example.com", "/chat", from_a_strong_generator, SocketLimits::default().into())?
///     .subprotocol("chat.v2")?
///     .subprotocol("chat.v1")?
///     .with(Field::from_static("origin", "https://example.com"));
/// # let _ = offer;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "give it to `Client::upgrade`"]
pub struct Offer {
    head: Request,
    pub(in crate::ws) key: Key,
    pub(in crate::ws) subprotocols: Vec<Box<str>>,
    pub(in crate::ws) limits: Arc<SocketLimits>,
    pub(in crate::ws) jitter: Jitter,
    #[cfg(feature = "deflate")]
    pub(in crate::ws) deflate: Option<Arc<crate::ws::Deflate>>,
}

/// Why text cannot be offered as a subprotocol. RFC 6455 4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidSubprotocol {
    /// The text is not a token.
    Name,
    /// The subprotocol is offered already.
    Repeated,
}

impl fmt::Display for InvalidSubprotocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "expected a token as the subprotocol (RFC 6455 4.1)",
            Self::Repeated => "expected each subprotocol once (RFC 6455 4.1)",
        })
    }
}

impl core::error::Error for InvalidSubprotocol {}

impl Offer {
    /// Offers a WebSocket at `target` of `host`, without a subprotocol.
    ///
    /// `nonce` must be unpredictable and different for each handshake. It shows that the response belongs to this
    /// handshake and does not come from a cache (RFC 6455 1.3). The core has no source of randomness.
    ///
    /// # Errors
    ///
    /// If host or target is invalid, as in [`Request::new`].
    pub fn new(
        host: &str,
        target: &str,
        nonce: [u8; 16],
        limits: Arc<SocketLimits>,
    ) -> Result<Self, InvalidRequest> {
        Ok(Self {
            head: Request::new(Method::Get, host, target)?,
            key: Key::new(nonce),
            subprotocols: Vec::new(),
            limits,
            jitter: Jitter::default(),
            #[cfg(feature = "deflate")]
            deflate: None,
        })
    }

    /// Offers another subprotocol. Earlier ones are preferred.
    ///
    /// # Errors
    ///
    /// If the name is not a token, or is offered already.
    pub fn subprotocol(mut self, name: &str) -> Result<Self, InvalidSubprotocol> {
        if !characters::is_token(name.as_bytes()) {
            return Err(InvalidSubprotocol::Name);
        }
        if self.subprotocols.iter().any(|offered| **offered == *name) {
            return Err(InvalidSubprotocol::Repeated);
        }
        self.subprotocols.push(name.into());
        Ok(self)
    }

    /// Adds a field, for example a cookie or an Origin.
    pub fn with(mut self, field: Field<'_>) -> Self {
        self.head.fields_mut().push(field);
        self
    }

    /// Spreads the keep-alive pings of many connections. Default: `Jitter(0)` for each.
    pub fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// Sets how messages are compressed if the server agrees: permessage-deflate, RFC 7692. By default, and with
    /// `None`, compression is not offered.
    #[cfg(feature = "deflate")]
    pub fn deflate(mut self, deflate: Option<Arc<crate::ws::Deflate>>) -> Self {
        self.deflate = deflate;
        self
    }

    /// The request.
    pub(crate) fn head(&self) -> Request {
        let mut head = self.head.clone();
        let fields = head.fields_mut();
        fields.push(Field::own("connection", b"Upgrade"));
        fields.push(Field::own("upgrade", b"websocket"));
        fields.push(Field::own("sec-websocket-version", b"13"));
        fields.push(Field::own("sec-websocket-key", self.key.as_bytes()));
        let mut list = String::new();
        for name in &self.subprotocols {
            if !list.is_empty() {
                list.push_str(", ");
            }
            list.push_str(name);
        }
        if !list.is_empty() {
            fields.push(Field::own("sec-websocket-protocol", list.as_bytes()));
        }
        #[cfg(feature = "deflate")]
        if let Some(deflate) = &self.deflate {
            fields.push(Field::own("sec-websocket-extensions", deflate.offer().as_bytes()));
        }
        head
    }
}
