//! The terms that both ends agree on: the server's choice, and the client's check of it. RFC 7692 5 and 7.1.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt::Write as _;

use super::extensions::{self, MalformedExtensions};
use super::parameters::{
    CLIENT_MAX_WINDOW_BITS, CLIENT_NO_CONTEXT_TAKEOVER, ClientBits, NAME, Parameters, SERVER_MAX_WINDOW_BITS,
    SERVER_NO_CONTEXT_TAKEOVER,
};
use super::settings::Deflate;
use super::window::WindowBits;

/// The terms on which both ends of a connection compress messages.
///
/// A handshake of this crate makes its own. A caller that does the handshake elsewhere makes one from the negotiated
/// fields, and passes it to [`Socket::deflate`](super::super::Socket::deflate).
///
/// ```
/// use endwell_core::ws::{Agreement, Deflate};
///
/// let offers = [&b"permessage-deflate; client_max_window_bits, permessage-deflate"[..]];
/// let agreement = Agreement::answer(offers, &Deflate::default().into())?.expect("it is offered");
/// assert_eq!(agreement.field(), "permessage-deflate");
/// # Ok::<(), endwell_core::ws::MalformedExtensions>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "give it to the WebSocket that it is for"]
pub struct Agreement {
    deflate: Arc<Deflate>,
    /// The window of our compressor. `None` if our compressor does not support it, so our messages are sent
    /// uncompressed.
    window: Option<WindowBits>,
    /// Bytes of sent data that the next message may refer to. `None`: no context takeover.
    sent_context: Option<usize>,
    /// Bytes of received data that the next message may refer to. `None`: no context takeover.
    received_context: Option<usize>,
    answer: Parameters,
}

impl Agreement {
    /// Chooses among the offers in the lines of a client's Sec-WebSocket-Extensions field: the first offer of
    /// permessage-deflate that is valid and that we can meet. `None` if no offer is. RFC 7692 5.1.
    ///
    /// # Errors
    ///
    /// If the field is malformed: the handshake must fail (RFC 6455 9.1).
    pub fn answer<'a>(
        offers: impl IntoIterator<Item = &'a [u8]>,
        deflate: &Arc<Deflate>,
    ) -> Result<Option<Self>, MalformedExtensions> {
        let offers = extensions::parse(offers)?;
        let named = offers.iter().filter(|offer| offer.name == NAME.as_bytes());
        Ok(named.filter_map(Parameters::of).find_map(|offer| Self::accept(offer, deflate)))
    }

    /// The value of Sec-WebSocket-Extensions that answers the client.
    pub fn field(&self) -> String {
        let mut field = String::from(NAME);
        let answer = &self.answer;
        if answer.server_no_context_takeover {
            parameter(&mut field, SERVER_NO_CONTEXT_TAKEOVER);
        }
        if answer.client_no_context_takeover {
            parameter(&mut field, CLIENT_NO_CONTEXT_TAKEOVER);
        }
        if let Some(bits) = answer.server_max_window_bits {
            number(&mut field, SERVER_MAX_WINDOW_BITS, bits);
        }
        if let Some(ClientBits::AtMost(bits)) = answer.client_max_window_bits {
            number(&mut field, CLIENT_MAX_WINDOW_BITS, bits);
        }
        field
    }

    /// Answers an offer. `None` if we cannot meet it.
    fn accept(offer: Parameters, deflate: &Arc<Deflate>) -> Option<Self> {
        // 7.1.2.1: a limit that we cannot meet declines the offer. A smaller one may be set unasked.
        let limit = offer.server_max_window_bits.map_or(Some(WindowBits::MOST), WindowBits::new)?;
        let window = deflate.window.min(limit);
        let takes_over = deflate.sent_context > 0 && !offer.server_no_context_takeover;
        let says_window = offer.server_max_window_bits.is_some() || window < WindowBits::MOST;
        let mut answer = Parameters {
            server_no_context_takeover: !takes_over,
            server_max_window_bits: says_window.then_some(window.bits()),
            ..Parameters::default()
        };
        // 7.1.2.2: the client states its largest window, and whether the server may set a smaller one.
        let known = match offer.client_max_window_bits {
            Some(ClientBits::AtMost(bits)) => bits,
            Some(ClientBits::Any) | None => WindowBits::MOST.bits(),
        };
        let received_context = match deflate.received_context {
            _ if offer.client_no_context_takeover => None,
            None => None,
            Some(most) if known <= most.bits() => Some(known),
            Some(_) if offer.client_max_window_bits.is_none() => None,
            Some(most) => {
                answer.client_max_window_bits = Some(ClientBits::AtMost(most.bits()));
                Some(most.bits())
            }
        };
        answer.client_no_context_takeover = received_context.is_none();
        Some(Self::new(deflate, Some(window), takes_over, received_context, answer))
    }

    /// Checks a server's answer, as a client. `None` if it is invalid, or not an answer to our offer.
    pub(super) fn confirm(answer: Parameters, deflate: &Arc<Deflate>) -> Option<Self> {
        // 7.1.2.2: our offer lets the server choose any size up to ours, including 8, and no message has to be
        // compressed (6).
        let window = match answer.client_max_window_bits {
            Some(ClientBits::AtMost(bits)) if bits > deflate.window.bits() => return None,
            Some(ClientBits::AtMost(bits)) => WindowBits::new(bits),
            Some(ClientBits::Any) => return None,
            None => Some(deflate.window),
        };
        let takes_over = deflate.sent_context > 0 && !answer.client_no_context_takeover;
        let bits = answer.server_max_window_bits.unwrap_or(WindowBits::MOST.bits());
        let received_context = if answer.server_no_context_takeover {
            None
        } else {
            // With context takeover we hold what the server sent, and have announced how much.
            Some(bits)
                .filter(|&bits| deflate.received_context.is_some_and(|most| bits <= most.bits()))?
                .into()
        };
        Some(Self::new(deflate, window, takes_over, received_context, answer))
    }

    fn new(
        deflate: &Arc<Deflate>,
        window: Option<WindowBits>,
        takes_over: bool,
        received_bits: Option<u8>,
        answer: Parameters,
    ) -> Self {
        Self {
            deflate: Arc::clone(deflate),
            window,
            sent_context: window
                .filter(|_| takes_over)
                .map(|window| deflate.sent_context.min(window.bytes())),
            // Compressors that are limited to 8 bits use 9, most of them without announcing that.
            received_context: received_bits.map(|bits| 1 << bits.max(WindowBits::LEAST.bits())),
            answer,
        }
    }

    pub(super) fn deflate(&self) -> &Arc<Deflate> {
        &self.deflate
    }

    pub(in crate::ws) fn window(&self) -> Option<WindowBits> {
        self.window
    }

    pub(super) fn sent_context(&self) -> Option<usize> {
        self.sent_context
    }

    pub(super) fn received_context(&self) -> Option<usize> {
        self.received_context
    }
}

pub(super) fn parameter(field: &mut String, name: &str) {
    field.push_str("; ");
    field.push_str(name);
}

pub(super) fn number(field: &mut String, name: &str, number: u8) {
    parameter(field, name);
    // Writing to a string cannot fail.
    let _ = write!(field, "={number}");
}
