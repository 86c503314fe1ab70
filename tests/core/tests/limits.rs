//! Bounds of size and count: each is met exactly, and with the status that says so.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use endwell_core::http::HttpLimits;
use endwell_core_tests::plan;
use endwell_core_tests::verdict::{Verdict, within};

fn run(limits: &HttpLimits, input: impl AsRef<[u8]>) -> Verdict {
    within(limits, input.as_ref(), plan::echo)
}

/// One byte within the limit is taken, one beyond it is refused.
fn meets(limits: &HttpLimits, status: u16, why: &str, exact: &str, beyond: &str) {
    let taken = run(limits, exact);
    assert_eq!(taken.heard(&[]).statuses(), [200], "{why}: {:?}", taken.records);
    let refused = run(limits, beyond);
    let (found, reason) = refused.refused().or(refused.failed()).expect(why);
    assert!(found == status && reason.contains(why), "{reason}");
    let heard = refused.heard(&[]);
    assert!(heard.statuses() == [status] && heard.announced_close());
}

#[test]
fn a_head_is_bounded_from_its_first_byte_to_its_last() {
    let mut limits = HttpLimits::default();
    limits.head_bytes = 200;
    let head = |len: usize| {
        let start = "GET / HTTP/1.1\r\nHost: h\r\na: ";
        format!("{start}{}\r\n\r\n", "b".repeat(len - start.len() - 4))
    };
    meets(&limits, 431, "the limit is 200 bytes", &head(200), &head(201));
}

#[test]
fn a_target_is_bounded() {
    let mut limits = HttpLimits::default();
    limits.target_bytes = 100;
    for method in ["GET", "MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM"] {
        let line = |len: usize| format!("{method} /{} HTTP/1.1\r\nHost: h\r\n\r\n", "a".repeat(len - 1));
        meets(&limits, 414, "the limit is 100 bytes", &line(100), &line(101));
        meets(&limits, 414, "the limit is 100 bytes", &line(100), &line(300));
    }
}

#[test]
fn fields_are_counted() {
    let mut limits = HttpLimits::default();
    for count in [2, 64, 70] {
        limits.fields = count;
        let head = |n: usize| format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "a:\r\n".repeat(n - 1));
        meets(&limits, 431, &format!("the limit is {count}"), &head(count), &head(count + 1));
    }
}

#[test]
fn content_is_bounded_by_what_is_announced_and_by_what_comes() {
    let mut limits = HttpLimits::default();
    limits.body_bytes = 10;
    let known = |len: usize| {
        format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {len}\r\n\r\n{}", "b".repeat(len))
    };
    let chunked = |last: usize| {
        let head =
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbbbb\r\n4\r\nbbbb\r\n";
        format!("{head}{last:x}\r\n{}\r\n0\r\n\r\n", "b".repeat(last))
    };
    meets(&limits, 413, "the limit is 10 bytes", &known(10), &known(11));
    meets(&limits, 413, "the limit is 10 bytes", &chunked(2), &chunked(3));
    let huge = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551615\r\n\r\n";
    assert_eq!(run(&limits, huge).refused().unwrap().0, 413);
}

#[test]
fn trailers_and_extensions_are_bounded() {
    let mut limits = HttpLimits::default();
    (limits.trailer_bytes, limits.chunk_extension_bytes, limits.fields) = (50, 50, 3);
    let head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    let trailers = |len: usize| format!("{head}0\r\na: {}\r\n\r\n", "b".repeat(len - 7));
    meets(&limits, 431, "trailer section is too large", &trailers(50), &trailers(51));
    let count = |n: usize| format!("{head}0\r\n{}\r\n", "a:\r\n".repeat(n));
    meets(&limits, 431, "too many fields", &count(3), &count(4));
    // All extensions of a body together.
    let extensions = |len: usize| {
        let half = format!(";{}", "a".repeat(24));
        format!("{head}1{half}\r\nx\r\n0;{}\r\n\r\n", "a".repeat(len - half.len() - 1))
    };
    meets(&limits, 431, "chunk extensions are too large", &extensions(50), &extensions(51));
}

/// Zeros before a chunk's size are thrown away like extensions, and have to end like them.
#[test]
fn zeros_before_a_chunk_size_are_bounded() {
    let mut limits = HttpLimits::default();
    limits.chunk_extension_bytes = 50;
    let head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    let zeros = |n: usize| format!("{head}{}1\r\nx\r\n0\r\n\r\n", "0".repeat(n));
    assert_eq!(run(&limits, zeros(16)).contents(), [b"x"]);
    assert_eq!(run(&limits, zeros(200)).failed().unwrap().0, 431);
}
