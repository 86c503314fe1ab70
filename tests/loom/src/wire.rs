//! What is on the wire.

/// A frame that the server has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    Text(String),
    Pong(Vec<u8>),
    Close,
}

/// The frames that a server has written, each whole.
pub fn sent(mut bytes: &[u8]) -> Vec<Sent> {
    let mut frames = Vec::new();
    while let [first, len, rest @ ..] = bytes {
        assert!(*len < 126, "a short frame");
        let (payload, rest) = rest.split_at_checked((*len).into()).expect("whole frames");
        frames.push(match first {
            0x81 => Sent::Text(String::from_utf8(payload.to_vec()).unwrap()),
            0x8a => Sent::Pong(payload.to_vec()),
            0x88 => Sent::Close,
            other => panic!("a frame that begins with {other:#x}"),
        });
        bytes = rest;
    }
    assert!(bytes.is_empty(), "whole frames");
    frames
}

/// The texts among what was sent, and the Close behind them.
pub fn texts_before_close(frames: &[Sent]) -> Vec<&str> {
    let Some((Sent::Close, before)) = frames.split_last() else { panic!("no Close at the end: {frames:?}") };
    let texts = before.iter().filter_map(|frame| match frame {
        Sent::Text(text) => Some(text.as_str()),
        Sent::Pong(_) => None,
        Sent::Close => panic!("two Closes: {frames:?}"),
    });
    texts.collect()
}

/// A frame of a client: its first byte and its payload, masked with zeros.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, 0x80 | u8::try_from(payload.len()).unwrap(), 0, 0, 0, 0];
    frame.extend_from_slice(payload);
    frame
}
