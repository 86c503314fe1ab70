//! The character classes of RFC 9110, 9112 and 3986, and the search for a byte.

const TOKEN: u8 = 1;
const VALUE: u8 = 1 << 1;
const PATH: u8 = 1 << 2;
const QUERY: u8 = 1 << 3;
const HOST: u8 = 1 << 4;

/// What each byte may be part of.
const CLASS: [u8; 256] = classes();

#[expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "evaluated when this file is compiled; the number is below 256"
)]
const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        let mut class = 0;
        let unreserved = b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
        let sub_delim =
            matches!(b, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=');
        if b.is_ascii_alphanumeric()
            || matches!(
                b,
                b'!' | b'#'
                    | b'$'
                    | b'%'
                    | b'&'
                    | b'\''
                    | b'*'
                    | b'+'
                    | b'-'
                    | b'.'
                    | b'^'
                    | b'_'
                    | b'`'
                    | b'|'
                    | b'~'
            )
        {
            class |= TOKEN;
        }
        if b == b'\t' || (b >= b' ' && b != 0x7f) {
            class |= VALUE;
        }
        if unreserved || sub_delim {
            class |= HOST;
        }
        // RFC 3986 has fewer; browsers and other clients send the rest unescaped. None of them means anything to a
        // message parser. A fragment is never sent, and browsers read a backslash in a path as a slash, while other
        // clients do not.
        if b > b' ' && b != 0x7f && b != b'#' {
            class |= QUERY;
            if b != b'?' && b != b'\\' {
                class |= PATH;
            }
        }
        table[byte] = class;
        byte += 1;
    }
    table
}

#[expect(clippy::indexing_slicing, clippy::as_conversions, reason = "a table of 256 and an index of 8 bits")]
const fn is(byte: u8, class: u8) -> bool {
    CLASS[byte as usize] & class != 0
}

/// tchar, RFC 9110 5.6.2.
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    is(byte, TOKEN)
}

/// token, RFC 9110 5.6.2.
pub(crate) const fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && all(text, TOKEN)
}

/// The bytes of a field value, RFC 9110 5.5: visible, space, tab, obs-text.
pub(crate) const fn is_field_value(text: &[u8]) -> bool {
    all(text, VALUE)
}

/// The bytes that may stand unescaped in a quoted string, RFC 9110 5.6.4.
pub(crate) const fn is_quoted_text(byte: u8) -> bool {
    is(byte, VALUE) && byte != b'"' && byte != b'\\'
}

/// The bytes that may follow a backslash in a quoted string, RFC 9110 5.6.4.
pub(crate) const fn is_quoted_pair(byte: u8) -> bool {
    is(byte, VALUE)
}

/// How many bytes at the start of `text` are those of a path: RFC 3986 3.3, and those that clients send unescaped.
pub(crate) fn path_len(text: &[u8]) -> usize {
    text.iter().position(|&byte| !is(byte, PATH)).unwrap_or(text.len())
}

/// The bytes of a query, RFC 3986 3.4, and those that clients send unescaped.
pub(crate) const fn is_query(text: &[u8]) -> bool {
    all(text, QUERY)
}

/// A registered name, RFC 3986 3.2.2, with complete percent escapes.
pub(crate) fn is_registered_name(text: &[u8]) -> bool {
    // Most names have no escape.
    if all(text, HOST) {
        return true;
    }
    let mut rest = text.iter();
    while let Some(&byte) = rest.next() {
        let valid = is(byte, HOST) || (byte == b'%' && is_hex(rest.next()) && is_hex(rest.next()));
        if !valid {
            return false;
        }
    }
    true
}

/// The bytes of IPvFuture after its version, RFC 3986 3.2.2.
pub(crate) fn is_future_address(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| is(byte, HOST) || byte == b':')
}

#[expect(clippy::indexing_slicing, reason = "a const fn cannot iterate; the index is below the length")]
const fn all(text: &[u8], class: u8) -> bool {
    let mut index = 0;
    while index < text.len() {
        if !is(text[index], class) {
            return false;
        }
        index += 1;
    }
    true
}

/// Compares two names without regard to case. Most are written in the same.
#[expect(clippy::indexing_slicing, reason = "a const fn cannot iterate; the index is below both lengths")]
pub(crate) const fn is_same_name(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut index = 0;
    while index < a.len() && (a[index] == b[index] || a[index].eq_ignore_ascii_case(&b[index])) {
        index += 1;
    }
    index == a.len()
}

fn is_hex(byte: Option<&u8>) -> bool {
    byte.is_some_and(u8::is_ascii_hexdigit)
}

/// Splits a comma-separated list into its elements, without the white space around them, RFC 9110 5.6.1.
pub(crate) fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(trim)
}

/// Removes the optional white space around `text`, RFC 9110 5.6.3.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let Some(first) = text.iter().position(|byte| !blank(byte)) else { return &[] };
    let last = text.iter().rposition(|byte| !blank(byte)).unwrap_or(first);
    text.get(first..=last).unwrap_or_default()
}

/// Finds the first `needle` in `text`, eight bytes at a time.
pub(crate) fn find(needle: u8, text: &[u8]) -> Option<usize> {
    const LOW: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let pattern = u64::from_ne_bytes([needle; 8]);
    let mut at = 0;
    while let Some(word) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let differs = u64::from_le_bytes(*word) ^ pattern;
        // A byte that does not differ is zero, and only then does the subtraction borrow from its high bit. The borrow
        // carries on after the first such byte, so only the first one is reliable.
        let equal = differs.wrapping_sub(LOW) & !differs & HIGH;
        if equal != 0 {
            return Some(at + crate::convert::usize_from(u64::from(equal.trailing_zeros() / 8)));
        }
        at += 8;
    }
    text.get(at..)?.iter().position(|&byte| byte == needle).map(|found| at + found)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn the_search_agrees_with_a_plain_one() {
        for len in 0..40 {
            for at in 0..=len {
                let mut text = alloc::vec![0x0b_u8; len];
                if let Some(byte) = text.get_mut(at) {
                    *byte = b'\n';
                }
                assert_eq!(find(b'\n', &text), text.iter().position(|&b| b == b'\n'));
            }
        }
        let all: Vec<u8> = (0..=255).collect();
        for needle in 0..=255 {
            assert_eq!(find(needle, &all), Some(usize::from(needle)));
        }
    }

    #[test]
    fn escapes_of_a_host_must_be_whole_and_those_of_a_target_need_not() {
        assert!(is_registered_name(b"a%2Fb") && path_len(b"/%2g?") == 4 && is_query(b"50%"));
        for bad in [&b"%"[..], b"%2", b"%2g", b"a b", b"\xc3\xa9", b"a|b", b"#"] {
            assert!(!is_registered_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn lists_are_trimmed() {
        let elements: Vec<&[u8]> = list(b" a\t,, b c ,").collect();
        assert_eq!(elements, [&b"a"[..], b"", b"b c", b""]);
    }
}
