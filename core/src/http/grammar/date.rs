//! The value of the Date field, which the caller knows and the core does not.

use core::fmt;

/// A date in the format of the `Date` field (IMF-fixdate, RFC 9110 5.6.7), as in `Sun, 06 Nov 1994 08:49:37 GMT`.
///
/// The core has no clock: a driver formats the date (once a second is enough) and passes it in. A server without a
/// clock passes `None`, and its responses carry no `Date` (RFC 9110 6.6.1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Date([u8; Self::LEN]);

impl Date {
    /// The length of every date in bytes.
    pub const LEN: usize = 29;

    /// Takes a formatted date. `None` if its length or its punctuation is not that of a date.
    pub fn from_imf_fixdate(text: &str) -> Option<Self> {
        let bytes: [u8; Self::LEN] = text.as_bytes().try_into().ok()?;
        let shaped =
            bytes.iter().zip(b"aaa, 00 aaa 0000 00:00:00 GMT").enumerate().all(|(index, (&byte, &shape))| {
                match shape {
                    b'a' => byte.is_ascii_alphabetic(),
                    b'0' => byte.is_ascii_digit(),
                    _ => byte == shape && index >= 3,
                }
            });
        shaped.then_some(Self(bytes))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Date({})", self.0.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_shape_of_a_date_is_taken() {
        assert!(Date::from_imf_fixdate("Sun, 06 Nov 1994 08:49:37 GMT").is_some());
        for bad in [
            "",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:3\r\nGMT",
            "06 Nov 1994 08:49:37 GMT     ",
        ] {
            assert!(Date::from_imf_fixdate(bad).is_none(), "{bad:?}");
        }
    }
}
