//! A reader of frames that shares nothing with the library: byte by byte, after RFC 6455 5.2, and with another inflater.

use flate2::{Decompress, FlushDecompress};

use crate::plan::Context;

/// What was written, understood.
#[derive(Default)]
pub struct Read {
    /// Whole messages: is it text, and the payload.
    pub messages: Vec<(bool, Vec<u8>)>,
    pub pings: Vec<Vec<u8>>,
    pub pongs: Vec<Vec<u8>>,
    pub closes: usize,
    /// The bytes end within a frame.
    pub is_cut: bool,
}

/// Reads what a client wrote, or a server. Panics where it is not WebSocket.
pub fn read(mut bytes: &[u8], by_client: bool, compression: Option<Context>) -> Read {
    let mut read = Read::default();
    let mut open: Option<Message> = None;
    let mut inflater = Decompress::new(false);
    let mut last_key = None;
    while !bytes.is_empty() {
        assert_eq!(read.closes, 0, "something is written behind the Close");
        let Some((first, key, payload, rest)) = frame(bytes) else {
            read.is_cut = true;
            return read;
        };
        bytes = rest;
        assert_eq!(key.is_some(), by_client, "a client masks, and a server does not");
        assert!(key.is_none() || key != last_key, "each frame has a key of its own");
        last_key = key;
        let (fin, opcode) = (first & 0x80 != 0, first & 0x0f);
        let is_compressed = first & 0x40 != 0;
        assert_eq!(first & 0x30, 0, "reserved bits");
        assert!(!is_compressed || (compression.is_some() && matches!(opcode, 1 | 2)), "a bit out of place");
        if opcode >= 8 {
            assert!(fin && payload.len() <= 125, "a control frame is short and whole");
        }
        match opcode {
            0 => {
                let message = open.as_mut().expect("a message that is continued");
                message.add(&payload, fin, &mut inflater);
            }
            1 | 2 => {
                assert!(open.is_none(), "a message in the middle of another");
                if is_compressed && compression == Some(Context::None) {
                    inflater.reset(false);
                }
                let message = open.insert(Message { is_text: opcode == 1, is_compressed, data: vec![] });
                message.add(&payload, fin, &mut inflater);
            }
            8 => {
                check_close(&payload);
                read.closes += 1;
            }
            9 => read.pings.push(payload),
            10 => read.pongs.push(payload),
            other => panic!("opcode {other}"),
        }
        if let (0..=2, Some(message)) = (opcode, &open) {
            assert!(
                !message.is_text || std::str::from_utf8(&message.data).is_ok(),
                "text is UTF-8, and cut between characters"
            );
            if fin {
                read.messages.extend(open.take().map(|message| (message.is_text, message.data)));
            }
        }
    }
    read
}

/// What has come of a message.
struct Message {
    is_text: bool,
    is_compressed: bool,
    data: Vec<u8>,
}

impl Message {
    fn add(&mut self, payload: &[u8], fin: bool, inflater: &mut Decompress) {
        if !self.is_compressed {
            return self.data.extend_from_slice(payload);
        }
        let tail = if fin { &b"\0\0\xff\xff"[..] } else { b"" };
        let bytes = [payload, tail].concat();
        let before = inflater.total_in();
        self.data.reserve(100_000);
        inflater.decompress_vec(&bytes, &mut self.data, FlushDecompress::Sync).expect("well-formed");
        assert_eq!(inflater.total_in() - before, bytes.len() as u64, "it is inflated to its end");
    }
}

type Frame<'a> = (u8, Option<[u8; 4]>, Vec<u8>, &'a [u8]);

fn frame(bytes: &[u8]) -> Option<Frame<'_>> {
    let (&first, bytes) = bytes.split_first()?;
    let (&second, bytes) = bytes.split_first()?;
    let (len, bytes) = match second & 0x7f {
        126 => {
            let (len, bytes) = bytes.split_first_chunk::<2>()?;
            let len = u64::from(u16::from_be_bytes(*len));
            assert!(len > 125, "the shortest length");
            (len, bytes)
        }
        127 => {
            let (len, bytes) = bytes.split_first_chunk::<8>()?;
            let len = u64::from_be_bytes(*len);
            assert!(len > 0xffff && len >> 63 == 0, "the shortest length");
            (len, bytes)
        }
        len => (u64::from(len), bytes),
    };
    let (key, bytes) = if second & 0x80 == 0 {
        (None, bytes)
    } else {
        let (key, bytes) = bytes.split_first_chunk::<4>()?;
        (Some(*key), bytes)
    };
    let (payload, rest) = bytes.split_at_checked(usize::try_from(len).unwrap())?;
    let payload = payload.iter().enumerate().map(|(i, byte)| byte ^ key.unwrap_or_default()[i % 4]).collect();
    Some((first, key, payload, rest))
}

fn check_close(payload: &[u8]) {
    if payload.is_empty() {
        return;
    }
    let code = u16::from_be_bytes([payload[0], payload[1]]);
    assert!(matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999), "close code {code}");
    std::str::from_utf8(&payload[2..]).expect("a reason is text");
}
