//! Reads what one end of a WebSocket wrote: from RFC 6455, naive, and without the core's code.

/// What was written, in order.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// Whole data messages, and where in the stream each has ended.
    pub(crate) messages: Vec<(Vec<u8>, usize)>,
    pub(crate) pings: Vec<Vec<u8>>,
    pub(crate) pongs: Vec<Vec<u8>>,
    pub(crate) close: Option<Vec<u8>>,
}

/// Reads a stream that may be cut anywhere.
///
/// # Errors
///
/// Says what may never be written.
pub(crate) fn read(stream: &[u8], masked: bool) -> Result<Written, String> {
    let mut written = Written::default();
    let mut begun: Option<Vec<u8>> = None;
    let mut at = 0;
    while let Some((first, payload, end)) = frame(&stream[at..], masked)? {
        at += end;
        let (last, opcode) = (first & 0x80 != 0, first & 0x0f);
        if written.close.is_some() {
            return Err(format!("a frame {first:#x} behind the Close"));
        }
        if first & 0x70 != 0 || (opcode >= 8 && (!last || payload.len() > 125)) {
            return Err(format!("a frame {first:#x} of {} bytes", payload.len()));
        }
        match (opcode, begun.take()) {
            (0, Some(mut message)) => {
                message.extend(payload);
                if last {
                    written.messages.push((message, at));
                } else {
                    begun = Some(message);
                }
            }
            (1 | 2, None) if last => written.messages.push((payload, at)),
            (1 | 2, None) => begun = Some(payload),
            (8.., message) => {
                begun = message;
                match opcode {
                    8 => written.close = Some(payload),
                    9 => written.pings.push(payload),
                    10 => written.pongs.push(payload),
                    _ => return Err(format!("opcode {opcode}")),
                }
            }
            (_, message) => {
                return Err(format!("opcode {opcode}, message begun: {}", message.is_some()));
            }
        }
    }
    if written.close.is_some() && at < stream.len() {
        return Err(format!("{} bytes behind the Close", stream.len() - at));
    }
    Ok(written)
}

/// The first byte, the payload and the length of a frame, if it is whole.
fn frame(stream: &[u8], masked: bool) -> Result<Option<(u8, Vec<u8>, usize)>, String> {
    let [first, second, ..] = stream else { return Ok(None) };
    if (second & 0x80 != 0) != masked {
        return Err(format!("the mask bit is {}", !masked));
    }
    let (len, head) = match second & 0x7f {
        126 => match stream.get(2..4) {
            Some(len) => (u64::from(u16::from_be_bytes(len.try_into().unwrap())), 4),
            None => return Ok(None),
        },
        127 => match stream.get(2..10) {
            Some(len) => (u64::from_be_bytes(len.try_into().unwrap()), 10),
            None => return Ok(None),
        },
        len => (u64::from(len), 2),
    };
    let start = if masked { head + 4 } else { head };
    let end = start + usize::try_from(len).unwrap();
    let Some(payload) = stream.get(start..end) else { return Ok(None) };
    let mut payload = payload.to_vec();
    if masked {
        let key = &stream[head..start];
        payload.iter_mut().enumerate().for_each(|(index, byte)| *byte ^= key[index % 4]);
    }
    Ok(Some((*first, payload, end)))
}
