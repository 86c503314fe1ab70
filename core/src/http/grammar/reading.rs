//! How strictly a response is read.

/// How strictly a client reads a response. [`HttpLimits::reading`](crate::http::HttpLimits::reading) sets it.
///
/// `Ordinary` accepts what breaks the grammar but has one meaning, read alike by the clients in use. `Strict` accepts
/// only the grammar. Choose it for a proxy or any other program that forwards responses, because the next recipient may
/// read a sloppy response differently. `Ordinary` reads every response that `Strict` accepts in the same way: the same
/// head, fields, body and end.
///
/// Requests are always read strictly.
///
/// | what | RFC | `Ordinary` | `Strict` |
/// |---|---|---|---|
/// | a folded field line, in a head or in trailers | 9112 5.2 | each fold, with the white space around it, is one space | refused |
/// | LF alone as a line end in a head | 9112 2.2 | ends the line | refused |
/// | a status line that ends with the code | 9112 4 | an empty reason phrase | refused |
/// | a status code of three digits outside 100 to 599 | 9110 15 | a final response, like a 5xx; the number stays visible | refused |
/// | the same Content-Length several times, in lines or as a list | 9110 8.6 | that length | refused |
/// | Transfer-Encoding beside a valid Content-Length | 9112 6.3 | the coding decides, and the connection closes after it | refused |
/// | Transfer-Encoding in HTTP/1.0 | 9112 6.1 | the coding decides, and the connection closes after it | refused |
/// | a last transfer coding that is not chunked, including `identity` | 9112 6.3 | the body lasts until the close; codings other than `identity` are not decoded | refused |
/// | `identity` before chunked | 9112 7 | chunked, and the connection closes after it | refused |
/// | spaces and tabs before the CRLF of a chunk line | 9112 7.1 | ignored | refused |
/// | zeros before a chunk size | 9112 7.1 | 16 bytes of zeros and padding a line are free, the rest counts as extension | all count as extension |
///
/// Both refuse what has two readings, or what only some clients accept: CR alone, NUL and other control bytes, a fold
/// before the first field, white space before a field's colon (some clients ignore such a field, and others do not),
/// lengths that differ, a chunk size of more than 64 bits, LF alone at the end of a chunk line, after a chunk or in
/// trailers (RFC 9112 7.1 has no such choice, and Go, Node and nginx refuse it), `chunked` twice or before another
/// coding, any coding but `identity` under chunked, `http/1.1`, `ICY`, and several spaces before the status code.
///
/// ```
/// use endwell_core::http::{HttpLimits, Reading};
///
/// let mut limits = HttpLimits::default();
/// assert_eq!(limits.reading, Reading::Ordinary);
/// limits.reading = Reading::Strict;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reading {
    /// Accepts what clients agree on, even if the grammar does not have it.
    #[default]
    Ordinary,
    /// Accepts only the grammar.
    Strict,
}

/// Which side reads a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Reader {
    /// A server reads a request.
    Server,
    /// A client reads a response.
    Client,
}
