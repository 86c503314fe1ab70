//! Reads a server's output as a strict client does: written from RFC 9112, naive, and without the core's code.

/// What a client sent, as far as it decides how the response is read (RFC 9112 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// A response to HEAD has no content, whatever its fields say.
    pub head: bool,
    /// A 2xx to CONNECT opens a tunnel.
    pub connect: bool,
    /// To HTTP/1.0 neither a 1xx nor a transfer coding is sent.
    pub http10: bool,
}

impl Asked {
    /// Any request of HTTP/1.1 with content in its response.
    pub const GET: Self = Self { head: false, connect: false, http10: false };
    /// HEAD of HTTP/1.1.
    pub const HEAD: Self = Self { head: true, ..Self::GET };
    /// CONNECT of HTTP/1.1.
    pub const CONNECT: Self = Self { connect: true, ..Self::GET };
    /// GET of HTTP/1.0.
    pub const OLD: Self = Self { http10: true, ..Self::GET };
}

/// One response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The interim responses before it.
    pub interim: Vec<u16>,
    /// Its status code.
    pub status: u16,
    /// Its fields: names in lower case, values trimmed.
    pub fields: Vec<(String, String)>,
    /// Its content, as far as it came.
    pub content: Vec<u8>,
    /// Its trailers.
    pub trailers: Vec<(String, String)>,
    /// Whether it is known to be whole. Content until the close is never known to be: see `until_close`.
    pub whole: bool,
    /// Whether only the close ends it.
    pub until_close: bool,
    /// Whether it said that the connection will close.
    pub closes: bool,
}

impl Response {
    /// The value of the first field with this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(found, _)| found == name).map(|(_, value)| &value[..])
    }
}

/// All that a server sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The responses in order. Only the last can be less than whole.
    pub responses: Vec<Response>,
    /// Bytes of another protocol, behind a 101 or a tunnel.
    pub beyond: Option<Vec<u8>>,
}

impl Heard {
    /// The status codes of the final responses.
    pub fn statuses(&self) -> Vec<u16> {
        self.responses.iter().map(|response| response.status).collect()
    }

    /// Whether the last response said that the connection will close.
    pub fn announced_close(&self) -> bool {
        self.responses.last().is_some_and(|response| response.closes)
    }
}

/// Reads `output` as the answer to `asked`, in order. An answer without a request is an error, unless it is the
/// single refusal of what the client did not finish.
///
/// # Errors
///
/// Says what no server may send.
pub fn read(output: &[u8], asked: &[Asked]) -> Result<Heard, String> {
    let mut heard = Heard { responses: Vec::new(), beyond: None };
    let (mut rest, mut asked) = (output, asked.iter());
    while !rest.is_empty() {
        if heard.announced_close() || heard.responses.last().is_some_and(|last| last.until_close) {
            return Err(format!("{} bytes behind the announced end", rest.len()));
        }
        let asked = asked.next().copied().unwrap_or(Asked::GET);
        let mut interim = Vec::new();
        let Some((mut response, length)) = (loop {
            let Some(end) = find(rest, b"\r\n\r\n") else { break None };
            let (status, fields) = head(&rest[..end + 2])?;
            rest = &rest[end + 4..];
            if status == 101 {
                heard.beyond = Some(rest.to_vec());
                interim.push(status);
                let fields = fields.clone();
                break Some((blank(interim, status, fields), Length::Beyond));
            }
            if status >= 200 {
                let length = length(status, &fields, asked)?;
                break Some((blank(interim, status, fields), length));
            }
            if asked.http10 || value(&fields, "content-length").is_some() || is_chunked(&fields) {
                return Err(format!("a {status} to HTTP/1.0 or with a length"));
            }
            interim.push(status);
        }) else {
            check_prefix(rest)?;
            return Ok(heard);
        };
        match length {
            Length::Beyond => {
                heard.beyond = Some(rest.to_vec());
                rest = &[];
                response.whole = true;
            }
            Length::Known(length) => {
                let len = length.min(rest.len());
                response.whole = len == length;
                response.content = rest[..len].to_vec();
                rest = &rest[len..];
            }
            Length::Chunked => rest = chunks(rest, &mut response)?,
            Length::Close => {
                response.content = rest.to_vec();
                response.until_close = true;
                rest = &[];
            }
        }
        heard.responses.push(response);
    }
    Ok(heard)
}

enum Length {
    Known(usize),
    Chunked,
    Close,
    Beyond,
}

fn blank(interim: Vec<u16>, status: u16, fields: Vec<(String, String)>) -> Response {
    let closes = value(&fields, "connection")
        .is_some_and(|value| value.split(',').any(|option| option.trim().eq_ignore_ascii_case("close")));
    let (content, trailers) = (Vec::new(), Vec::new());
    Response { interim, status, fields, content, trailers, whole: false, until_close: false, closes }
}

/// RFC 9112 6.3, in its order.
fn length(status: u16, fields: &[(String, String)], asked: Asked) -> Result<Length, String> {
    let known = value(fields, "content-length");
    if is_chunked(fields) && (known.is_some() || asked.http10) {
        return Err("Transfer-Encoding beside a length or to HTTP/1.0".into());
    }
    if (status == 204 || (asked.connect && status < 300)) && (known.is_some() || is_chunked(fields)) {
        return Err(format!("a length in a {status}"));
    }
    if asked.connect && status < 300 {
        return Ok(Length::Beyond);
    }
    if asked.head || status == 204 || status == 304 {
        return Ok(Length::Known(0));
    }
    match known {
        _ if is_chunked(fields) => Ok(Length::Chunked),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.is_empty() => {
            digits.parse().map(Length::Known).map_err(|error| error.to_string())
        }
        Some(other) => Err(format!("Content-Length: {other:?}")),
        None => Ok(Length::Close),
    }
}

fn is_chunked(fields: &[(String, String)]) -> bool {
    value(fields, "transfer-encoding").is_some()
}

fn value<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(found, _)| found == name).map(|(_, value)| &value[..])
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

/// What stands at the end of a cut output must at least be the start of a response.
fn check_prefix(rest: &[u8]) -> Result<(), String> {
    let len = rest.len().min(9);
    if rest[..len] == b"HTTP/1.1 "[..len] { Ok(()) } else { Err(format!("no status line: {}", shown(rest))) }
}

fn shown(bytes: &[u8]) -> String {
    bytes[..bytes.len().min(60)].escape_ascii().to_string()
}

/// A status line and field lines, each with its CRLF.
fn head(text: &[u8]) -> Result<(u16, Vec<(String, String)>), String> {
    let end = find(text, b"\r\n").ok_or("no line")?;
    let line = core::str::from_utf8(&text[..end]).map_err(|error| error.to_string())?;
    let status = line.strip_prefix("HTTP/1.1 ").ok_or_else(|| format!("status line: {line:?}"))?;
    let (code, reason) = status.split_at_checked(3).ok_or("a status code of three digits")?;
    if !code.bytes().all(|byte| byte.is_ascii_digit()) || !reason.starts_with(' ') {
        return Err(format!("status line: {line:?}"));
    }
    let fields = field_lines(&text[end + 2..])?;
    for name in ["content-length", "transfer-encoding", "connection", "date", "upgrade"] {
        if fields.iter().filter(|(found, _)| found == name).count() > 1 {
            return Err(format!("{name} twice"));
        }
    }
    Ok((code.parse().map_err(|_| "a status code")?, fields))
}

fn field_lines(mut text: &[u8]) -> Result<Vec<(String, String)>, String> {
    let mut fields = Vec::new();
    while !text.is_empty() {
        let end = find(text, b"\r\n").ok_or("a field line without its end")?;
        let line = core::str::from_utf8(&text[..end]).map_err(|error| error.to_string())?;
        let (name, value) = line.split_once(':').ok_or_else(|| format!("no colon: {line:?}"))?;
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) || value.bytes().any(|byte| byte < b' ') {
            return Err(format!("field line: {line:?}"));
        }
        fields.push((name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned()));
        text = &text[end + 2..];
    }
    Ok(fields)
}

/// RFC 9112 7.1. What follows the body, or nothing if it is cut.
fn chunks<'a>(mut rest: &'a [u8], response: &mut Response) -> Result<&'a [u8], String> {
    loop {
        let Some(end) = find(rest, b"\r\n") else { return Ok(&[]) };
        let digits = core::str::from_utf8(&rest[..end]).map_err(|error| error.to_string())?;
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(format!("chunk size: {digits:?}"));
        }
        let size = usize::from_str_radix(digits, 16).map_err(|error| error.to_string())?;
        rest = &rest[end + 2..];
        if size == 0 {
            if let Some(after) = rest.strip_prefix(b"\r\n") {
                response.whole = true;
                return Ok(after);
            }
            let Some(end) = find(rest, b"\r\n\r\n") else { return Ok(&[]) };
            response.trailers = field_lines(&rest[..end + 2])?;
            response.whole = true;
            return Ok(&rest[end + 4..]);
        }
        let len = size.min(rest.len());
        response.content.extend_from_slice(&rest[..len]);
        rest = &rest[len..];
        let line_end = &rest[..rest.len().min(2)];
        if line_end != &b"\r\n"[..line_end.len()] {
            return Err(format!("behind a chunk: {}", shown(rest)));
        }
        if line_end.len() < 2 {
            return Ok(&[]);
        }
        rest = &rest[2..];
    }
}
