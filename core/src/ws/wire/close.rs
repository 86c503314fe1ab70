//! Close frames: codes and reasons. RFC 6455 5.5.1 and 7.4.

use alloc::boxed::Box;
use core::fmt;
use core::num::NonZeroU16;

use super::utf8;
use crate::Violation;

/// A close code that is allowed on the wire: 1000 to 1003, 1007 to 1014, 3000 to 4999. RFC 6455 7.4.
///
/// 1005, 1006 and 1015 describe a missing Close, so they are never sent; see [`Outcome`](crate::Outcome).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(NonZeroU16);

/// A number that is not allowed on the wire as a close code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCloseCode(u16);

impl fmt::Display for InvalidCloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected 1000 to 1003, 1007 to 1014 or 3000 to 4999, got {} (RFC 6455 7.4)", self.0)
    }
}

impl core::error::Error for InvalidCloseCode {}

macro_rules! close_codes {
    ($($number:literal $name:ident $meaning:literal)*) => {
        impl CloseCode {
            $(
                #[doc = concat!($number, ": ", $meaning)]
                pub const $name: Self = Self(NonZeroU16::MIN.saturating_add($number - 1));
            )*
        }
    };
}

close_codes! {
    1000 NORMAL "the purpose is fulfilled."
    1001 GOING_AWAY "the endpoint goes away: a server shuts down, a page is left."
    1002 PROTOCOL_ERROR "the peer broke the protocol."
    1003 UNSUPPORTED_DATA "a kind of data that is not taken, binary where text is expected."
    1007 INVALID_PAYLOAD "text that is not UTF-8, or content that contradicts its kind."
    1008 POLICY_VIOLATION "the peer went past a rule that no other code names."
    1009 MESSAGE_TOO_BIG "a message that is too big."
    1010 MANDATORY_EXTENSION "a client misses an extension."
    1011 INTERNAL_ERROR "something unexpected keeps the endpoint from going on."
    1012 SERVICE_RESTART "the service restarts."
    1013 TRY_AGAIN_LATER "the service is overloaded."
    1014 BAD_GATEWAY "a gateway got an invalid response."
}

impl CloseCode {
    /// Makes a close code from a number.
    ///
    /// # Errors
    ///
    /// If the number is not allowed on the wire.
    pub const fn new(number: u16) -> Result<Self, InvalidCloseCode> {
        match (number, NonZeroU16::new(number)) {
            (1000..=1003 | 1007..=1014 | 3000..=4999, Some(code)) => Ok(Self(code)),
            _ => Err(InvalidCloseCode(number)),
        }
    }

    /// The number.
    pub const fn number(self) -> u16 {
        self.0.get()
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloseCode({})", self.0)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The content of a Close frame: nothing, a code, or a code and a reason. RFC 6455 5.5.1.
///
/// ```
/// use endwell_core::ws::{Close, CloseCode};
///
/// let close = Close::new(CloseCode::GOING_AWAY, "back in a minute").expect("a short reason");
/// assert_eq!((close.code(), close.reason()), (Some(CloseCode::GOING_AWAY), "back in a minute"));
/// assert_eq!(Close::EMPTY.code(), None);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Close {
    code: Option<CloseCode>,
    /// Empty without a code.
    reason: Option<Box<str>>,
}

/// A reason of more than 123 bytes, too long for a control frame. RFC 6455 5.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReasonTooLong(usize);

impl fmt::Display for ReasonTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected a reason of at most {} bytes, got {} (RFC 6455 5.5)", Close::REASON_BYTES, self.0)
    }
}

impl core::error::Error for ReasonTooLong {}

/// Why the payload of a received Close is refused.
pub(in crate::ws) enum InvalidClose {
    Violation(Violation),
    /// The reason is not UTF-8.
    NotText(Violation),
}

impl Close {
    /// The longest reason in bytes.
    pub const REASON_BYTES: usize = 123;

    /// A Close without a code.
    pub const EMPTY: Self = Self { code: None, reason: None };

    /// Makes a Close with a code and a reason. The reason is UTF-8 text for debugging, not for users.
    ///
    /// # Errors
    ///
    /// If the reason has more than 123 bytes.
    pub fn new(code: CloseCode, reason: &str) -> Result<Self, ReasonTooLong> {
        if reason.len() > Self::REASON_BYTES {
            return Err(ReasonTooLong(reason.len()));
        }
        let reason = Some(reason).filter(|reason| !reason.is_empty()).map(Box::from);
        Ok(Self { code: Some(code), reason })
    }

    /// The code, if present.
    pub fn code(&self) -> Option<CloseCode> {
        self.code
    }

    /// The reason, or an empty string.
    pub fn reason(&self) -> &str {
        self.reason.as_deref().unwrap_or_default()
    }

    /// Reads the payload of a Close frame. RFC 6455 5.5.1 and 7.4.
    pub(in crate::ws) fn parse(payload: &[u8]) -> Result<Self, InvalidClose> {
        let Some((&number, reason)) = payload.split_first_chunk() else {
            if payload.is_empty() {
                return Ok(Self::EMPTY);
            }
            let violation = Violation::new("a close code of two bytes", payload, "RFC 6455 5.5.1");
            return Err(InvalidClose::Violation(violation));
        };
        let code = CloseCode::new(u16::from_be_bytes(number)).map_err(|_| {
            let expected = "a close code that may stand on the wire";
            InvalidClose::Violation(Violation::new(expected, &number, "RFC 6455 7.4"))
        })?;
        let reason = utf8::check(reason).map_err(|_| {
            InvalidClose::NotText(Violation::new("a reason in UTF-8", reason, "RFC 6455 5.5.1"))
        })?;
        let reason = Some(reason).filter(|reason| !reason.is_empty()).map(Box::from);
        Ok(Self { code: Some(code), reason })
    }

    /// Encodes the payload of the frame, and returns its length in the array.
    pub(in crate::ws) fn write(&self) -> ([u8; 125], usize) {
        let mut payload = [0; 125];
        let Some(code) = self.code else { return (payload, 0) };
        let bytes = code.number().to_be_bytes().into_iter().chain(self.reason().bytes());
        let mut len = 0;
        for (place, byte) in payload.iter_mut().zip(bytes) {
            *place = byte;
            len += 1;
        }
        (payload, len)
    }
}

impl From<CloseCode> for Close {
    fn from(code: CloseCode) -> Self {
        Self { code: Some(code), reason: None }
    }
}

impl fmt::Debug for Close {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Close({self})")
    }
}

impl fmt::Display for Close {
    /// The reason comes from the peer: it is escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.reason()) {
            (None, _) => f.write_str("no code"),
            (Some(code), "") => code.fmt(f),
            (Some(code), reason) => write!(f, "{code} \"{}\"", reason.escape_debug()),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn exactly_the_codes_of_the_wire_are_taken() {
        for number in 0..=u16::MAX {
            let valid = matches!(number, 1000..=1003 | 1007..=1014 | 3000..=4999);
            assert_eq!(CloseCode::new(number).is_ok(), valid, "{number}");
            assert_eq!(Close::parse(&number.to_be_bytes()).is_ok(), valid, "{number}");
        }
        assert_eq!(CloseCode::BAD_GATEWAY.number(), 1014);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let longest = "x".repeat(Close::REASON_BYTES);
        let code = CloseCode::NORMAL;
        for close in [Close::EMPTY, code.into(), Close::new(code, &longest).unwrap()] {
            let (payload, len) = close.write();
            assert_eq!(Close::parse(&payload[..len]).ok(), Some(close));
        }
        assert!(Close::new(code, &"x".repeat(124)).is_err());
    }

    #[test]
    fn a_byte_alone_and_a_reason_that_is_no_text_are_refused() {
        assert!(matches!(Close::parse(&[3]), Err(InvalidClose::Violation(_))));
        let payload: Vec<u8> = [&[3, 0xe8][..], b"\xff"].concat();
        assert!(matches!(Close::parse(&payload), Err(InvalidClose::NotText(_))));
    }

    #[test]
    fn a_reason_is_shown_escaped() {
        let close = Close::new(CloseCode::NORMAL, "\u{1b}[2J").unwrap();
        assert_eq!(close.to_string(), r#"1000 "\u{1b}[2J""#);
    }
}
