//! What is sent, and what is to come back.

use crate::{Options, Outcome, Speak};

pub(crate) const HANDSHAKE: &[u8] = b"GET /ws HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\n\
    connection: Upgrade\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n";
pub(crate) const GET: &[u8] = b"GET /hello HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// One message as it is sent, and the bytes by which it is answered, unless they can differ.
pub(crate) struct Request {
    pub(crate) there: Vec<u8>,
    pub(crate) back: Vec<u8>,
}

impl Request {
    pub(crate) fn new(options: &Options) -> Outcome<Self> {
        if options.speak == Speak::Http {
            return Ok(Self { there: GET.to_vec(), back: Vec::new() });
        }
        let (first, payload) = match options.text.as_str() {
            "binary" => (0x82, (0..options.bytes).map(|index| (index * 7 + 3) as u8).collect()),
            "ascii" => (0x81, "The quick brown fox. ".bytes().cycle().take(options.bytes).collect()),
            "chinese" => (0x81, chinese(options.bytes)),
            _ => return Err("--text is binary, ascii or chinese".into()),
        };
        let there = frame(first, Some(MASK), &payload);
        let back = if options.speak == Speak::Raw { there.clone() } else { frame(first, None, &payload) };
        Ok(Self { there, back })
    }
}

/// Characters of three bytes, and the rest in ASCII.
fn chinese(bytes: usize) -> Vec<u8> {
    let mut text: Vec<u8> = "天地玄黃宇宙洪荒日月盈昃辰宿列張".bytes().cycle().take(bytes / 3 * 3).collect();
    text.resize(bytes, b'.');
    text
}

pub(crate) fn frame(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let masked = if mask.is_some() { 0x80 } else { 0 };
    let mut frame = vec![first];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(len @ ..126), _) => frame.push(masked | len),
        (_, Ok(len)) => {
            frame.push(masked | 126);
            frame.extend(len.to_be_bytes());
        }
        _ => {
            frame.push(masked | 127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    let mask = mask.inspect(|mask| frame.extend(mask)).unwrap_or_default();
    frame.extend(payload.iter().enumerate().map(|(index, byte)| byte ^ mask[index % 4]));
    frame
}
