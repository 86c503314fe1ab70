//! A message that is handed out in pieces, as they arrive. RFC 6455 5.4.

use super::ready::Part;
use super::reassembly::{Content, Gathered, Gathering, Place};
use crate::time::Clock;
use crate::ws::failure::Cause;
use crate::ws::limits::Limits;
use crate::ws::wire::header::Header;
use crate::ws::wire::kind::Kind;
use crate::ws::wire::{mask, utf8};
use crate::{Bound, Exceeded, Inbox, Limit, convert};

/// A message whose pieces are handed out from the inbox.
///
/// It holds at most a split character, and what was gathered before the caller asked for pieces.
#[derive(Debug)]
pub(in crate::ws) struct Streaming {
    /// Bytes that have left the inbox and were not handed out.
    content: Content,
    /// Bytes that were handed out; the next call drops them.
    handed_out: Option<Gathered>,
    place: Place,
    /// The payload of all frames that have begun.
    announced: u64,
    /// Consecutive empty frames.
    empty_frames: usize,
}

impl Streaming {
    pub(in crate::ws) fn new(kind: Kind) -> Self {
        Self {
            content: Content::new(kind),
            handed_out: None,
            place: Place::BetweenFrames,
            announced: 0,
            empty_frames: 0,
        }
    }

    /// Starts a frame of this message. Checks the limits before the frame's payload arrives.
    pub(in crate::ws) fn start(&mut self, header: &Header, limits: &Limits) -> Result<(), Cause> {
        self.empty_frames = if header.len == 0 { self.empty_frames + 1 } else { 0 };
        if self.empty_frames > limits.fragments {
            return Err(Exceeded::count(Limit::FragmentCount, limits.fragments).into());
        }
        self.announced = self.announced.saturating_add(header.len);
        if self.announced > limits.streamed_bytes {
            let bound = Bound::Bytes(limits.streamed_bytes);
            return Err(Exceeded { limit: Limit::StreamedBytes, bound }.into());
        }
        self.place = Place::Payload { remaining: header.len, key: header.key, fin: header.fin };
        Ok(())
    }

    /// Returns what comes next of this message. `None` if more must arrive, of this frame or of another.
    pub(in crate::ws) fn advance(
        &mut self,
        inbox: &mut Inbox,
        clock: &mut Clock,
    ) -> Result<Option<Part>, Cause> {
        self.handed_out = None;
        loop {
            if self.content.holds_piece() {
                return Ok(Some(Part::Held));
            }
            let key = match self.place {
                Place::BetweenFrames => return Ok(None),
                Place::Whole => return Ok(Some(Part::End)),
                Place::Payload { remaining: 0, fin, .. } => {
                    self.end_frame(fin)?;
                    continue;
                }
                Place::Payload { key, .. } => key,
            };
            let here = self.here(inbox);
            if here == 0 {
                return Ok(None);
            }
            let payload = inbox.unread().get(..here).unwrap_or_default();
            let ready = match &self.content {
                Content::Binary(_) => here,
                Content::Text(_, cut) if cut.is_none() => here.saturating_sub(cut_at_end(payload, key)),
                Content::Text(..) => 0,
            };
            if ready > 0 {
                return Ok(Some(Part::Payload(ready)));
            }
            // One byte of a split character: its other bytes may come in other frames.
            let byte = inbox.read(0, 1);
            mask::apply(key, byte);
            self.content.push(byte, 1)?;
            self.passed(1);
            clock.add(1);
        }
    }

    /// The receiver's position in the message.
    pub(in crate::ws) fn place(&self) -> Place {
        self.place
    }

    /// True if a header comes next.
    pub(in crate::ws) fn is_between_frames(&self) -> bool {
        matches!(self.place, Place::BetweenFrames) && !self.content.holds_piece() && self.handed_out.is_none()
    }

    /// The bytes of the frame's payload that are in the inbox.
    pub(in crate::ws) fn here(&self, inbox: &Inbox) -> usize {
        match self.place {
            Place::Payload { remaining, .. } => convert::usize_from(remaining).min(inbox.len()),
            Place::BetweenFrames | Place::Whole => 0,
        }
    }

    /// The unmasked bytes after the next `len` bytes of the frame's payload, at most as many as a split character
    /// lacks, and their number.
    pub(in crate::ws) fn behind(&self, len: usize, inbox: &Inbox) -> ([u8; utf8::LONGEST_CUT], usize) {
        let mut behind = [0; utf8::LONGEST_CUT];
        let Place::Payload { key, .. } = self.place else { return (behind, 0) };
        let bytes = inbox.unread().get(len..self.here(inbox)).unwrap_or_default();
        for (place, &byte) in behind.iter_mut().zip(bytes) {
            *place = byte;
        }
        mask::apply(mask::turned(key, len), &mut behind);
        (behind, bytes.len().min(utf8::LONGEST_CUT))
    }

    /// Notes that the next `len` bytes of payload leave the inbox. Returns the key for the first of them.
    pub(in crate::ws) fn passed(&mut self, len: usize) -> [u8; 4] {
        let Place::Payload { remaining, key, .. } = &mut self.place else { return [0; 4] };
        let first = *key;
        *remaining = remaining.saturating_sub(convert::u64_from(len));
        *key = mask::turned(first, len);
        first
    }

    /// Hands out the bytes that have left the inbox.
    pub(in crate::ws) fn hand_out(&mut self) -> &mut Gathered {
        self.handed_out.insert(self.content.take_piece())
    }

    /// The memory held, in bytes, as far as it is used.
    pub(in crate::ws) fn held_bytes(&self) -> usize {
        self.content.len().saturating_add(self.handed_out.as_ref().map_or(0, Gathered::len))
    }

    /// Text or binary.
    pub(in crate::ws) fn kind(&self) -> Kind {
        self.content.kind()
    }

    /// Makes a message whose rest is skipped, so it is not checked for UTF-8.
    pub(in crate::ws) fn skip_rest(&self) -> Self {
        let Self { place, announced, empty_frames, .. } = *self;
        Self { content: Content::new(Kind::Binary), handed_out: None, place, announced, empty_frames }
    }

    fn end_frame(&mut self, fin: bool) -> Result<(), Cause> {
        self.place = if fin {
            self.content.check_end()?;
            Place::Whole
        } else {
            Place::BetweenFrames
        };
        Ok(())
    }
}

impl From<Gathering> for Streaming {
    /// Continues in pieces. The first piece is the part that was gathered.
    fn from(message: Gathering) -> Self {
        let (content, place) = message.into_parts();
        let ahead = match place {
            Place::Payload { remaining, .. } => remaining,
            Place::BetweenFrames | Place::Whole => 0,
        };
        let announced = convert::u64_from(content.len()).saturating_add(ahead);
        Self { content, handed_out: None, place, announced, empty_frames: 0 }
    }
}

/// The number of bytes at the end of masked text that may belong to a split character.
fn cut_at_end(payload: &[u8], key: [u8; 4]) -> usize {
    let before = payload.len().saturating_sub(utf8::LONGEST_CUT);
    let mut end = [0; utf8::LONGEST_CUT];
    let last = payload.get(before..).unwrap_or_default();
    for (place, &byte) in end.iter_mut().zip(last) {
        *place = byte;
    }
    let end = end.get_mut(..last.len()).unwrap_or_default();
    mask::apply(mask::turned(key, before), end);
    utf8::cut_at_end(end)
}
