//! Folded field lines: obs-fold, RFC 9112 5.2.

use alloc::vec::Vec;
use bytes::Bytes;

use super::characters;

/// Replaces each fold of `section` after `from`, with the white space around it, by one space. `None` if there is no
/// fold, or one that ends with CR alone.
///
/// Before the first field, a line that begins with white space would have two readings, so it stays. A fold within a name
/// leaves a space in it, so no field line comes of it.
pub(in crate::http) fn unfold(section: &[u8], from: usize) -> Option<Bytes> {
    let (start, lines) = section.split_at_checked(from)?;
    let mut unfolded = Vec::with_capacity(section.len());
    unfolded.extend_from_slice(start);
    let mut folds = false;
    for line in lines.split_inclusive(|&byte| byte == b'\n') {
        if unfolded.len() == from || !is_blank(line.first()) {
            unfolded.extend_from_slice(line);
            continue;
        }
        folds = true;
        let kept = without_end(&unfolded).0.len();
        unfolded.truncate(kept);
        while is_blank(unfolded.last()) {
            unfolded.pop();
        }
        let (text, end) = without_end(line);
        let text = characters::trim(text);
        // CR alone stays what it is, and must not become a part of the line end.
        if text.ends_with(b"\r") {
            return None;
        }
        unfolded.push(b' ');
        unfolded.extend_from_slice(text);
        unfolded.extend_from_slice(end);
    }
    folds.then(|| unfolded.into())
}

fn is_blank(byte: Option<&u8>) -> bool {
    matches!(byte, Some(b' ' | b'\t'))
}

/// Splits a line from its line end.
fn without_end(line: &[u8]) -> (&[u8], &[u8]) {
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    line.split_at(text.strip_suffix(b"\r").unwrap_or(text).len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fold_and_the_white_space_around_it_are_one_space() {
        for (folded, unfolded) in [
            ("a: b\r\n c\r\nd: e\r\n\r\n", "a: b c\r\nd: e\r\n\r\n"),
            ("a: b \t\r\n\t  c\t\r\n  d\r\n\r\n", "a: b c d\r\n\r\n"),
            ("a:\r\n b\r\n\r\n", "a: b\r\n\r\n"),
            ("a: b\r\n \r\n\t\r\n c\r\n\r\n", "a: b c\r\n\r\n"),
            ("a: b\n c\n\n", "a: b c\n\n"),
            ("a: b\r\n c\n\r\n", "a: b c\n\r\n"),
            ("a\r\n : b\r\n\r\n", "a : b\r\n\r\n"),
        ] {
            let head = ["x\r\n", folded].concat();
            let expected = ["x\r\n", unfolded].concat();
            assert_eq!(unfold(head.as_bytes(), 3), Some(Bytes::from(expected)), "{folded:?}");
        }
    }

    #[test]
    fn what_is_no_fold_stays() {
        for text in [
            "",
            "\r\n",
            "a: b\r\n\r\n",
            " a: b\r\n\r\n",
            " \r\na: b\r\n\r\n",
            "a: b\n c\r \n\n",
            "a: b\n c\r\r\n\n",
        ] {
            assert_eq!(unfold(text.as_bytes(), 0), None, "{text:?}");
        }
    }
}
