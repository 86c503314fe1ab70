//! Receives the chunked transfer coding, RFC 9112 7.1.

use crate::http::grammar::characters;
use crate::http::grammar::lines::LineScan;
use crate::http::grammar::reading::Reader;
use crate::http::{Fields, HttpLimits, Reading};
use crate::{Error, Exceeded, Inbox, Limit, Violation, convert};

/// The receiver's position in a chunked body. Everything but data and trailers is consumed byte by byte as it comes, so
/// the result does not depend on how the bytes were split.
#[derive(Debug)]
pub(in crate::http) struct Chunked {
    state: State,
    extension_bytes: usize,
    body_bytes: u64,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// In the line before a chunk's data.
    Line { size: u64, place: Place, padding: u8 },
    /// In a chunk's data.
    Data { remaining: u64 },
    /// After a chunk's data: CR comes next.
    DataCarriageReturn,
    /// LF comes next.
    DataLineFeed,
    /// After the last chunk.
    Trailers(LineScan),
    /// After the body.
    End,
}

/// The position in a chunk's line. White space is accepted where the grammar has BWS (RFC 9112 7.1.1) and nowhere else.
#[derive(Debug, Clone, Copy)]
enum Place {
    SizeStart,
    Size,
    BeforeSemicolon,
    NameStart,
    Name,
    AfterName,
    ValueStart,
    Value,
    Quoted,
    QuotedPair,
    AfterQuoted,
    LineFeed,
}

/// Zeros and padding that an ordinary reader allows in a line without counting them: as many as a size has digits.
const FREE_PADDING: u8 = 16;

/// What comes next in a chunked body.
pub(in crate::http) enum Found {
    /// The next part has not arrived.
    Nothing,
    /// This many bytes of content.
    Data(usize),
    /// The trailer section, which is consumed.
    Trailers(Fields),
    /// The end of the body.
    End,
}

impl Chunked {
    pub(in crate::http) fn new() -> Self {
        Self { state: State::LINE, extension_bytes: 0, body_bytes: 0 }
    }

    pub(in crate::http) fn is_done(&self) -> bool {
        matches!(self.state, State::End)
    }

    /// True if no byte of the body was consumed.
    pub(in crate::http) fn is_untouched(&self) -> bool {
        matches!(self.state, State::Line { place: Place::SizeStart, .. }) && self.body_bytes == 0
    }

    /// Returns what comes next. Data is not consumed: call [`consumed`](Self::consumed) once it is.
    pub(in crate::http) fn poll(
        &mut self,
        inbox: &mut Inbox,
        limits: &HttpLimits,
        reader: Reader,
    ) -> Result<Found, Error> {
        loop {
            match self.state {
                State::Data { remaining } => {
                    let len = inbox.len().min(convert::usize_from(remaining));
                    return Ok(if len == 0 { Found::Nothing } else { Found::Data(len) });
                }
                State::Trailers(scan) => return self.poll_trailers(scan, inbox, limits, reader),
                State::End => return Ok(Found::End),
                State::Line { .. } | State::DataCarriageReturn | State::DataLineFeed => {
                    let Some(&byte) = inbox.unread().first() else { return Ok(Found::Nothing) };
                    self.state = self.next(byte, limits, reader)?;
                    inbox.consume(1);
                }
            }
        }
    }

    /// The content of all chunks that have begun, in bytes.
    pub(in crate::http) fn announced(&self) -> u64 {
        self.body_bytes
    }

    /// The bytes that remain of the current chunk.
    pub(in crate::http) fn data_remaining(&self) -> u64 {
        match self.state {
            State::Data { remaining } => remaining,
            State::Line { .. }
            | State::DataCarriageReturn
            | State::DataLineFeed
            | State::Trailers(_)
            | State::End => 0,
        }
    }

    pub(in crate::http) fn consumed(&mut self, len: usize) {
        if let State::Data { remaining } = self.state {
            self.state = match remaining.saturating_sub(convert::u64_from(len)) {
                0 => State::DataCarriageReturn,
                remaining => State::Data { remaining },
            };
        }
    }

    fn next(&mut self, byte: u8, limits: &HttpLimits, reader: Reader) -> Result<State, Error> {
        let reading = limits.reading_of(reader);
        match self.state {
            State::Line { size, place: place @ (Place::SizeStart | Place::Size), mut padding }
                if byte.is_ascii_hexdigit() =>
            {
                // Zeros before a size are discarded like extensions, and could go on for ever.
                if matches!((size, place), (0, Place::Size)) {
                    self.count_padding_byte(&mut padding, limits, reading)?;
                }
                let digit = char::from(byte).to_digit(16).map_or(0, u64::from);
                let size = size
                    .checked_mul(16)
                    .and_then(|size| size.checked_add(digit))
                    .ok_or_else(|| Violation::new("a chunk size below 2^64", &[byte], "RFC 9112 7.1"))?;
                Ok(State::Line { size, place: Place::Size, padding })
            }
            State::Line { size, place: Place::LineFeed, .. } if byte == b'\n' => {
                self.start_chunk(size, limits)
            }
            State::Line { size, place, mut padding } => {
                let place = place
                    .next(byte, reading)
                    .ok_or_else(|| Violation::new(place.expected(), &[byte], "RFC 9112 7.1"))?;
                match place {
                    Place::LineFeed => {}
                    Place::BeforeSemicolon => self.count_padding_byte(&mut padding, limits, reading)?,
                    Place::SizeStart
                    | Place::Size
                    | Place::NameStart
                    | Place::Name
                    | Place::AfterName
                    | Place::ValueStart
                    | Place::Value
                    | Place::Quoted
                    | Place::QuotedPair
                    | Place::AfterQuoted => self.count_extension_byte(limits)?,
                }
                Ok(State::Line { size, place, padding })
            }
            State::DataCarriageReturn if byte == b'\r' => Ok(State::DataLineFeed),
            State::DataLineFeed if byte == b'\n' => Ok(State::LINE),
            State::DataCarriageReturn
            | State::DataLineFeed
            | State::Data { .. }
            | State::Trailers(_)
            | State::End => {
                Err(Violation::new("CRLF behind the data of a chunk", &[byte], "RFC 9112 7.1").into())
            }
        }
    }

    fn count_extension_byte(&mut self, limits: &HttpLimits) -> Result<(), Error> {
        self.extension_bytes += 1;
        let limit = limits.chunk_extension_bytes;
        if self.extension_bytes > limit {
            return Err(Exceeded::bytes(Limit::ChunkExtensionBytes, limit).into());
        }
        Ok(())
    }

    /// A size of a fixed width, padded with zeros or spaces, costs an ordinary reader nothing: each line has one.
    fn count_padding_byte(
        &mut self,
        padding: &mut u8,
        limits: &HttpLimits,
        reading: Reading,
    ) -> Result<(), Error> {
        if reading == Reading::Ordinary && *padding < FREE_PADDING {
            *padding += 1;
            return Ok(());
        }
        self.count_extension_byte(limits)
    }

    fn start_chunk(&mut self, size: u64, limits: &HttpLimits) -> Result<State, Error> {
        if size == 0 {
            // Only a head may end its lines with LF alone: RFC 9112 2.2 does not cover what follows it.
            return Ok(State::Trailers(LineScan::new(Reading::Strict)));
        }
        self.body_bytes = self.body_bytes.saturating_add(size);
        if self.body_bytes > limits.body_bytes {
            let bound = crate::Bound::Bytes(limits.body_bytes);
            return Err(Exceeded { limit: Limit::BodyBytes, bound }.into());
        }
        Ok(State::Data { remaining: size })
    }

    fn poll_trailers(
        &mut self,
        mut scan: LineScan,
        inbox: &mut Inbox,
        limits: &HttpLimits,
        reader: Reader,
    ) -> Result<Found, Error> {
        let bound = limits.trailers();
        let unread = inbox.unread();
        let section = unread.get(..bound).unwrap_or(unread);
        loop {
            match scan.next_line(section)? {
                Some(line) if line.is_empty() && line.start == 0 => {
                    inbox.consume(line.next);
                    self.state = State::End;
                    return Ok(Found::End);
                }
                Some(line) if line.is_empty() => {
                    let section = inbox.payload(line.next).take();
                    self.state = State::End;
                    let (fields, reading) = (limits.fields_of(reader), limits.reading_of(reader));
                    let fields = Fields::parse(section, 0, fields, reading).map_err(|(_, error)| error)?;
                    return Ok(Found::Trailers(fields));
                }
                Some(_) => {}
                None if section.len() == bound => {
                    return Err(Exceeded::bytes(Limit::TrailerBytes, bound).into());
                }
                None => {
                    self.state = State::Trailers(scan);
                    return Ok(Found::Nothing);
                }
            }
        }
    }
}

impl State {
    /// Before a chunk.
    const LINE: Self = Self::Line { size: 0, place: Place::SizeStart, padding: 0 };
}

impl Place {
    /// The place after `byte`, or `None` if `byte` is not allowed here.
    fn next(self, byte: u8, reading: Reading) -> Option<Self> {
        let blank = matches!(byte, b' ' | b'\t');
        match (self, byte) {
            (Self::Size | Self::Name | Self::Value | Self::AfterQuoted, b'\r') => Some(Self::LineFeed),
            (Self::BeforeSemicolon | Self::AfterName, b'\r') if reading == Reading::Ordinary => {
                Some(Self::LineFeed)
            }
            (
                Self::Size
                | Self::BeforeSemicolon
                | Self::Name
                | Self::AfterName
                | Self::Value
                | Self::AfterQuoted,
                b';',
            ) => Some(Self::NameStart),
            (Self::Name | Self::AfterName, b'=') => Some(Self::ValueStart),
            (Self::ValueStart, b'"') => Some(Self::Quoted),
            (Self::Quoted, b'"') => Some(Self::AfterQuoted),
            (Self::Quoted, b'\\') => Some(Self::QuotedPair),
            (Self::Quoted, _) if characters::is_quoted_text(byte) => Some(Self::Quoted),
            (Self::QuotedPair, _) if characters::is_quoted_pair(byte) => Some(Self::Quoted),
            (Self::Size | Self::BeforeSemicolon | Self::Value | Self::AfterQuoted, _) if blank => {
                Some(Self::BeforeSemicolon)
            }
            (Self::Name | Self::AfterName, _) if blank => Some(Self::AfterName),
            (Self::NameStart | Self::ValueStart, _) if blank => Some(self),
            (Self::NameStart | Self::Name, _) if characters::is_token_byte(byte) => Some(Self::Name),
            (Self::ValueStart | Self::Value, _) if characters::is_token_byte(byte) => Some(Self::Value),
            _ => None,
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::SizeStart => "a chunk size in hexadecimal",
            Self::Size => "a chunk size in hexadecimal, an extension or CRLF",
            Self::LineFeed => "LF behind the CR of a chunk line",
            Self::BeforeSemicolon => "a semicolon before a chunk extension",
            Self::NameStart | Self::Name | Self::AfterName => "the name of a chunk extension",
            Self::ValueStart | Self::Value => "the value of a chunk extension",
            Self::Quoted | Self::QuotedPair | Self::AfterQuoted => "a quoted string in a chunk extension",
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// The content, or the error, fed in pieces of `step` bytes.
    fn decode(input: &[u8], step: usize) -> Result<(Vec<u8>, Option<Fields>, usize), Error> {
        let limits = HttpLimits::default();
        let mut inbox = Inbox::new(limits.received(Reader::Server));
        let mut chunked = Chunked::new();
        let (mut content, mut trailers) = (Vec::new(), None);
        let mut pieces = input.chunks(step);
        loop {
            match chunked.poll(&mut inbox, &limits, Reader::Server)? {
                Found::Data(len) => {
                    content.extend_from_slice(&inbox.payload(len));
                    chunked.consumed(len);
                }
                Found::Trailers(fields) => trailers = Some(fields),
                Found::End => {
                    let rest = inbox.len() + pieces.map(<[u8]>::len).sum::<usize>();
                    return Ok((content, trailers, rest));
                }
                Found::Nothing => {
                    let piece = pieces.next().expect("the body is not whole");
                    assert_eq!(inbox.feed(piece), piece.len());
                }
            }
        }
    }

    #[test]
    fn every_extension_form_under_every_split() {
        let input = b"3\r\nabc\r\n0A;a\r\n0123456789\r\n1 ; a = \"q;\\\"\r\" \t; b=c;d \t= e\r\nx\r\n000;z\r\nt: u\r\n\r\nnext";
        // A bare CR inside a quoted string is a control byte.
        assert!(decode(input, 1).is_err());
        let input = b"3\r\nabc\r\n0A;a\r\n0123456789\r\n1 ; a = \"q;\\\"\x80\" \t; b=c;d \t= e\r\nx\r\n000;z\r\nt: u\r\n\r\nnext";
        for step in 1..input.len() {
            let (content, trailers, rest) = decode(input, step).unwrap();
            assert_eq!(content, b"abc0123456789x");
            assert_eq!(trailers.unwrap().get("t"), Some(&b"u"[..]));
            assert_eq!(rest, 4);
        }
    }

    #[test]
    fn what_is_refused_is_refused_under_every_split() {
        let bad: [&[u8]; 22] = [
            b"-5\r\n",
            b"+5\r\n",
            b"0x5\r\n",
            b" 5\r\n",
            b"5 \r\n",
            b"5\n",
            b"5\rx",
            b"\r\n",
            b";a\r\n",
            b"g\r\n",
            b"10000000000000000\r\n",
            b"1\r\nab",
            b"1\r\na\n",
            b"1\r\na\rb",
            b"1;\r\n",
            b"1;a=\r\n",
            b"1;a=\"\n",
            b"1;a=\"b\"c\r\n",
            b"1;a b\r\n",
            b"1;\0\r\n",
            b"0\r\nx\n\n",
            b"0\r\n x: y\r\n\r\n",
        ];
        for input in bad {
            for step in 1..=input.len() {
                assert!(matches!(decode(input, step), Err(Error::Protocol(_))), "{:?}", input.escape_ascii());
            }
        }
    }

    #[test]
    fn extensions_and_trailers_are_bounded() {
        let extensions = [b"1;", &[b'a'; 5000][..], b"\r\nx\r\n"].concat();
        let trailers = [b"0\r\na: ", &[b'b'; 9000][..], b"\r\n\r\n"].concat();
        for step in [1, 7, 10_000] {
            for (input, expected) in
                [(&extensions, Limit::ChunkExtensionBytes), (&trailers, Limit::TrailerBytes)]
            {
                let Err(Error::Limit(exceeded)) = decode(input, step) else { panic!("no limit") };
                assert_eq!(exceeded.limit, expected);
            }
        }
    }
}
