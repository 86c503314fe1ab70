//! Where HTTP messages begin and end, and what their content is: written from RFC 9112 6 and 7 alone, with the whole
//! stream in memory. Shares nothing with the library.

/// A message whose head stands in the stream.
#[derive(Debug)]
pub struct Message {
    /// Where the head ends.
    pub body: usize,
    pub trust: Trust,
    /// All content that came.
    pub content: Vec<u8>,
    /// Field lines in the trailer section.
    pub trailers: usize,
    /// Where the next message begins.
    pub end: Result<usize, Broken>,
}

/// Whether a recipient may refuse a message that has only one reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// It must be understood.
    Sound,
    /// It may be refused.
    Doubtful,
    /// It may be refused, and nothing behind it is a message.
    Last,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It must be refused.
    Invalid,
    /// The stream ends within it.
    Truncated,
}

/// What the rules of RFC 9112 6.3 depend on beside the head.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Request,
    Response { to_head: bool },
}

/// How a body ends.
#[derive(Clone, Copy)]
enum Length {
    Bytes(u64),
    Chunked,
    UntilClose,
}

/// The sections of the RFCs that a refusal for framing names.
pub fn is_about_framing(section: &str) -> bool {
    matches!(section, "RFC 9112 6.1" | "RFC 9112 6.3" | "RFC 9110 8.6" | "RFC 9112 7.1" | "RFC 9112 8")
}

/// The message that begins at `at`. `strict`: without the liberties that a recipient of responses may take.
pub fn message(stream: &[u8], mut at: usize, kind: Kind, strict: bool) -> Result<Message, Broken> {
    // RFC 9112 2.2: empty lines before a request line.
    while matches!(kind, Kind::Request) && stream[at..].starts_with(b"\r\n") {
        at += 2;
    }
    let mut lines = Vec::new();
    let body = loop {
        let len = find(&stream[at..], b"\n").ok_or(Broken::Truncated)?;
        let line = &stream[at..at + len];
        at += len + 1;
        match line.strip_suffix(b"\r") {
            Some(line) => lines.push(line),
            None if strict => return Err(Broken::Invalid),
            None => lines.push(line),
        }
        if lines.last().is_some_and(|line| line.is_empty()) {
            break at;
        }
    };
    // The last line is the empty one.
    let [line, lines @ .., _] = &lines[..] else { return Err(Broken::Invalid) };
    let (length, trust) = length(line, &fields(lines, strict)?, kind)?;
    let (content, trailers, end) = match length {
        Length::Bytes(length) => {
            let rest = &stream[body..];
            let is_whole = length <= rest.len() as u64;
            let content = if is_whole { &rest[..length as usize] } else { rest };
            (content.to_vec(), 0, if is_whole { Ok(body + content.len()) } else { Err(Broken::Truncated) })
        }
        Length::Chunked => {
            let (mut content, mut trailers) = (Vec::new(), 0);
            let end = chunked(stream, body, strict, &mut content, &mut trailers);
            (content, trailers, end)
        }
        Length::UntilClose => (stream[body..].to_vec(), 0, Ok(stream.len())),
    };
    Ok(Message { body, trust, content, trailers, end })
}

/// Names in lower case, and values without the white space around them.
fn fields(lines: &[&[u8]], strict: bool) -> Result<Vec<(String, Vec<u8>)>, Broken> {
    let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
    for line in lines {
        if line.iter().any(|byte| b"\0\r\n".contains(byte)) {
            return Err(Broken::Invalid);
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            // RFC 9112 5.2.
            let (_, value) = fields.last_mut().filter(|_| !strict).ok_or(Broken::Invalid)?;
            value.push(b' ');
            value.extend_from_slice(trim(line));
            continue;
        }
        let colon = find(line, b":").ok_or(Broken::Invalid)?;
        let name = &line[..colon];
        if token(name) != Some(b"") {
            return Err(Broken::Invalid);
        }
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        fields.push((name, trim(&line[colon + 1..]).to_vec()));
    }
    Ok(fields)
}

/// RFC 9112 6.3, rule by rule.
fn length(line: &[u8], fields: &[(String, Vec<u8>)], kind: Kind) -> Result<(Length, Trust), Broken> {
    let is_empty = match kind {
        Kind::Request => false,
        Kind::Response { to_head } => {
            let status = line.get(9..12).ok_or(Broken::Invalid)?;
            to_head || status[0] == b'1' || status == b"204" || status == b"304"
        }
    };
    let announced = announced(line, fields, kind);
    if is_empty {
        // Rule 1: whatever is announced.
        let trust = announced.map_or(Trust::Last, |(_, trust)| trust);
        return Ok((Length::Bytes(0), trust));
    }
    announced
}

fn announced(line: &[u8], fields: &[(String, Vec<u8>)], kind: Kind) -> Result<(Length, Trust), Broken> {
    let list = |name: &str| -> Option<Vec<String>> {
        let values: Vec<String> = fields
            .iter()
            .filter(|(found, _)| found == name)
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            .collect();
        let elements = values.join(",").split(',').map(|e| trim_text(e).to_ascii_lowercase()).collect();
        (!values.is_empty()).then_some(elements)
    };
    let (codings, lengths) = (list("transfer-encoding"), list("content-length"));
    if let Some(codings) = codings {
        // Rule 3: the coding overrides the length, and such a message ought to be handled as an error. RFC 9112 6.1: one
        // of HTTP/1.0 is faulty.
        let is_old = line.starts_with(b"HTTP/1.0") || line.ends_with(b"HTTP/1.0");
        let mut trust = if lengths.is_some() || is_old { Trust::Last } else { Trust::Sound };
        // RFC 9110 5.6.1: empty elements are no elements.
        let named: Vec<&String> = codings.iter().filter(|coding| !coding.is_empty()).collect();
        if named.len() < codings.len() {
            trust = trust.max(Trust::Doubtful);
        }
        if named.len() > 1 {
            trust = Trust::Last;
        }
        // Rule 4.
        let is_chunked =
            |coding: &str| coding.split(';').next().is_some_and(|name| trim_text(name) == "chunked");
        return match (named.last().map(|last| last.as_str()), kind) {
            (None, _) => Err(Broken::Invalid),
            // RFC 9112 7.1: twice is never.
            (Some("chunked"), _) if named.iter().filter(|coding| is_chunked(coding)).count() == 1 => {
                Ok((Length::Chunked, trust))
            }
            (Some(last), _) if is_chunked(last) => Err(Broken::Invalid),
            (Some(_), Kind::Request) => Err(Broken::Invalid),
            (Some(_), Kind::Response { .. }) => Ok((Length::UntilClose, Trust::Last)),
        };
    }
    let Some(lengths) = lengths else {
        // Rules 7 and 8.
        let length = if let Kind::Request = kind { Length::Bytes(0) } else { Length::UntilClose };
        return Ok((length, Trust::Sound));
    };
    // Rule 5, and rule 6: one number, several times at the most.
    let mut numbers = Vec::new();
    for length in &lengths {
        let is_number = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
        numbers.push(length.parse::<u64>().ok().filter(|_| is_number).ok_or(Broken::Invalid)?);
    }
    let trust = if numbers.len() == 1 { Trust::Sound } else { Trust::Doubtful };
    if numbers.iter().any(|&number| number != numbers[0]) {
        return Err(Broken::Invalid);
    }
    Ok((Length::Bytes(numbers[0]), trust))
}

/// RFC 9112 7.1. Returns where the body ends.
fn chunked(
    stream: &[u8],
    mut at: usize,
    strict: bool,
    content: &mut Vec<u8>,
    trailers: &mut usize,
) -> Result<usize, Broken> {
    let line = |at: &mut usize| {
        let len = find(&stream[*at..], b"\r\n").ok_or(Broken::Truncated)?;
        let line = &stream[*at..*at + len];
        *at += len + 2;
        Ok(line)
    };
    loop {
        let size = chunk_size(line(&mut at)?, strict).ok_or(Broken::Invalid)?;
        if size == 0 {
            break;
        }
        let rest = &stream[at..];
        if size > rest.len() as u64 {
            content.extend_from_slice(rest);
            return Err(Broken::Truncated);
        }
        let (data, rest) = rest.split_at(size as usize);
        content.extend_from_slice(data);
        if !rest.starts_with(b"\r\n") {
            return Err(if b"\r\n".starts_with(rest) { Broken::Truncated } else { Broken::Invalid });
        }
        at += data.len() + 2;
    }
    let mut section = Vec::new();
    loop {
        match line(&mut at)? {
            b"" => break,
            line => section.push(line),
        }
    }
    *trailers = fields(&section, strict)?.len();
    Ok(at)
}

/// `chunk-size [ chunk-ext ]`, RFC 9112 7.1 and 7.1.1.
fn chunk_size(line: &[u8], strict: bool) -> Option<u64> {
    let line = if strict { line } else { trim_end(line) };
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (digits, mut rest) = line.split_at(digits);
    let size = u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    while !rest.is_empty() {
        rest = token(blanks(blanks(rest).strip_prefix(b";")?))?;
        if let Some(value) = blanks(rest).strip_prefix(b"=") {
            let value = blanks(value);
            rest = if value.starts_with(b"\"") { quoted(value)? } else { token(value)? };
        }
    }
    Some(size)
}

/// What stands behind a token.
fn token(text: &[u8]) -> Option<&[u8]> {
    let is_token = |byte: &&u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let len = text.iter().take_while(is_token).count();
    (len > 0).then(|| &text[len..])
}

/// What stands behind a quoted string. RFC 9110 5.6.4.
fn quoted(text: &[u8]) -> Option<&[u8]> {
    let mut text = text.strip_prefix(b"\"")?;
    loop {
        text = match text {
            [b'"', rest @ ..] => return Some(rest),
            [b'\\', b'\t' | b' '..=b'~' | 0x80.., rest @ ..] => rest,
            [b'\\', ..] => return None,
            [b'\t' | b' '..=b'~' | 0x80.., rest @ ..] => rest,
            _ => return None,
        }
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

fn blanks(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    text
}

fn trim_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

fn trim(text: &[u8]) -> &[u8] {
    trim_end(blanks(text))
}

fn trim_text(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}
