//! A message in flight. RFC 6455 5.4.

use super::content::{self, Content, Gathered};
use super::counts::{Counts, Form};
use super::event::Piece;
use super::payload::Rest;
use super::ready::{Part, What};
use super::text::Text;
use crate::time::Clock;
use crate::ws::deflate::{Inflating, Receiving};
use crate::ws::failure::Cause;
use crate::ws::limits::SocketLimits;
use crate::ws::wire::header::Header;
use crate::ws::wire::kind::Kind;
use crate::ws::wire::{mask, utf8};
use crate::{Inbox, convert};

/// A message that has begun and could not be handed out whole from the inbox.
#[derive(Debug)]
pub(in crate::ws) struct Message {
    place: Place,
    taken: Taken,
    /// What decompresses it, if it is compressed.
    inflating: Option<Inflating>,
    /// Content that has left the inbox and was not handed out. In a message in pieces that is not compressed: at most a
    /// split character, and what was gathered before the caller asked for pieces.
    content: Content,
    /// A piece that was handed out; the next call drops it.
    handed_out: Option<Gathered>,
    counts: Counts,
}

/// The receiver's position in the message.
#[derive(Debug)]
enum Place {
    /// After a frame that is continued.
    BetweenFrames,
    /// In the payload of a frame.
    Payload(Rest),
    /// After the last frame.
    End,
}

/// How the message is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ws) enum Taken {
    /// It is reassembled.
    Whole,
    /// It is handed out in pieces, as they arrive.
    Pieces,
    /// It was begun in pieces, and the caller does not want the rest.
    Skipped,
}

/// What the caller asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ws) enum Reception {
    /// Whole messages.
    Whole,
    /// Messages in pieces, as they arrive.
    Pieces,
}

/// How the message continues.
pub(super) enum Step {
    /// The message, or a part of it, is ready.
    Ready(What),
    /// More of the frame must come.
    Nothing,
    /// The header of the next frame comes next.
    Header,
    /// The message was skipped to its end, or handed out.
    Over,
    /// There is more to decompress than is done at once.
    Later,
}

/// The most bytes that are decompressed at once: a quarter of a millisecond of work. A message of 16 MiB would otherwise
/// hold up all other connections of its thread for the time that it takes.
const AT_ONCE: usize = 128 << 10;

impl Message {
    /// Begins a message with its first frame.
    pub(super) fn new(
        kind: Kind,
        taken: Taken,
        inflating: Option<Inflating>,
        (header, limits): (&Header, &SocketLimits),
    ) -> Result<Self, Cause> {
        let (content, counts) = (Content::new(kind), Counts::default());
        let place = Place::BetweenFrames;
        let mut message = Self { place, taken, inflating, content, handed_out: None, counts };
        message.begin_frame(header, limits)?;
        Ok(message)
    }

    /// Begins a frame of this message. Checks the limits before the frame's payload arrives.
    pub(super) fn begin_frame(&mut self, header: &Header, limits: &SocketLimits) -> Result<(), Cause> {
        let form = match &mut self.inflating {
            None => Form::Plain,
            Some(inflating) => {
                inflating.earn(convert::u64_from(header.size));
                Form::Compressed
            }
        };
        self.counts.add(header.len, form, self.taken, limits)?;
        self.place = Place::Payload(Rest::new(header));
        Ok(())
    }

    /// Continues up to what is ready. Asking twice returns the same. `decompressed`: how many bytes were, in this look.
    pub(super) fn advance(
        &mut self,
        reception: Reception,
        inbox: &mut Inbox,
        (clock, limits): (&mut Clock, &SocketLimits),
        decompressed: &mut usize,
    ) -> Result<Step, Cause> {
        self.handed_out = None;
        match (self.taken, reception) {
            (Taken::Whole, Reception::Pieces) => {
                return Ok(Step::Ready(What::Piece(Part::Start(self.content.kind()))));
            }
            (Taken::Pieces, Reception::Whole) => self.skip(),
            (Taken::Whole, Reception::Whole) | (Taken::Pieces, Reception::Pieces) | (Taken::Skipped, _) => {}
        }
        loop {
            if self.taken == Taken::Pieces && self.content.holds_piece() {
                return Ok(Step::Ready(What::Piece(Part::Held)));
            }
            if let Some(inflating) = self.inflating.as_mut().filter(|inflating| !inflating.is_idle()) {
                if *decompressed >= AT_ONCE {
                    return Ok(Step::Later);
                }
                *decompressed += inflating.step(&mut self.content, self.taken, limits)?;
                continue;
            }
            match &mut self.place {
                Place::BetweenFrames => return Ok(Step::Header),
                Place::End => return Ok(self.end()),
                Place::Payload(Rest { len: 0, fin, .. }) => {
                    let fin = *fin;
                    self.end_frame(fin)?;
                }
                Place::Payload(_) if inbox.is_empty() => return Ok(Step::Nothing),
                Place::Payload(rest) => match (&mut self.inflating, self.taken) {
                    (Some(inflating), _) => {
                        let bytes = rest.read(Inflating::room(), inbox);
                        inflating.take(bytes);
                        clock.add(bytes.len());
                    }
                    (None, Taken::Whole) => clock.add(gather(rest, &mut self.content, inbox)?),
                    (None, Taken::Pieces) => match ready(rest, &self.content, inbox) {
                        0 => {
                            // One byte of a split character: its other bytes may come in other frames.
                            self.content.push(rest.read(1, inbox), 1)?;
                            clock.add(1);
                        }
                        ready => return Ok(Step::Ready(What::Piece(Part::Payload(ready)))),
                    },
                    (None, Taken::Skipped) => clock.add(rest.skip(inbox)),
                },
            }
        }
    }

    fn end_frame(&mut self, fin: bool) -> Result<(), Cause> {
        if fin {
            if let Some(inflating) = &mut self.inflating {
                inflating.end()?;
            }
            self.content.check_end()?;
        }
        self.place = if fin { Place::End } else { Place::BetweenFrames };
        Ok(())
    }

    fn end(&self) -> Step {
        match self.taken {
            Taken::Whole => Step::Ready(What::Gathered),
            Taken::Pieces => Step::Ready(What::Piece(Part::End)),
            Taken::Skipped => Step::Over,
        }
    }

    /// Skips the rest, so it is not checked for UTF-8. It is still decompressed: the next message may refer to it.
    fn skip(&mut self) {
        self.taken = Taken::Skipped;
        self.content = Content::new(Kind::Binary);
    }

    /// Hands the message out in pieces from now on. The first piece is the part that was gathered.
    pub(super) fn hand_out_in_pieces(&mut self) {
        self.taken = Taken::Pieces;
        if let Some(inflating) = &mut self.inflating {
            inflating.keep(&self.content);
        }
    }

    /// Hands out the bytes that have left the inbox.
    pub(super) fn hand_out(&mut self) -> Piece<'_> {
        self.handed_out.insert(self.content.take_piece()).piece()
    }

    /// Hands out the next `len` bytes of payload, which are in the inbox. In text, they end between characters. `None`
    /// outside a payload.
    pub(super) fn hand_out_payload<'a>(
        &mut self,
        len: usize,
        inbox: &'a mut Inbox,
    ) -> Option<Result<Piece<'a>, Cause>> {
        let Place::Payload(rest) = &mut self.place else { return None };
        let len = len.min(rest.here(inbox));
        let (behind, count) = rest.unmasked(len, inbox);
        let key = rest.passed(len);
        Some(match self.content.kind() {
            Kind::Text => {
                let bytes = inbox.read(0, len);
                mask::apply(key, bytes);
                utf8::check(bytes).map(|text| Piece::Text(Text::arrived(text))).map_err(|found| {
                    // The first invalid byte may be just after these.
                    let found = found.before(behind.get(..count).unwrap_or_default());
                    Cause::NotText(content::not_text(found))
                })
            }
            Kind::Binary => {
                let mut payload = inbox.payload(len);
                mask::apply(key, payload.as_mut());
                Ok(Piece::Binary(payload))
            }
        })
    }

    /// Takes what was gathered.
    pub(super) fn gathered(&mut self) -> Gathered {
        self.content.take_piece()
    }

    /// Ends the message. Returns the state for decompression if it was compressed.
    pub(super) fn into_receiving(self) -> Option<Receiving> {
        self.inflating.map(Inflating::into_receiving)
    }

    pub(super) fn is_compressed(&self) -> bool {
        self.inflating.is_some()
    }

    /// True if the message does not end with the frame that came last.
    pub(super) fn is_continued(&self) -> bool {
        match &self.place {
            Place::BetweenFrames => true,
            Place::Payload(rest) => !rest.fin,
            Place::End => false,
        }
    }

    /// The bytes of the frame's payload that have not left the inbox.
    pub(super) fn rest_of_frame(&self) -> u64 {
        match &self.place {
            Place::Payload(rest) => rest.len,
            Place::BetweenFrames | Place::End => 0,
        }
    }

    /// The memory held, in bytes.
    pub(super) fn held_bytes(&self) -> usize {
        let handed_out = self.handed_out.as_ref().map_or(0, Gathered::capacity);
        let inflating = self.inflating.as_ref().map_or(0, Inflating::held_bytes);
        self.content.capacity().saturating_add(handed_out).saturating_add(inflating)
    }
}

/// Moves what has arrived of a frame to the content. Returns the number of bytes.
fn gather(rest: &mut Rest, content: &mut Content, inbox: &mut Inbox) -> Result<usize, Cause> {
    let ahead = convert::usize_from(rest.len);
    let bytes = rest.read(ahead, inbox);
    content.push(bytes, ahead)?;
    Ok(bytes.len())
}

/// The bytes of a frame that can be handed out from the inbox: in text, they are complete characters.
fn ready(rest: &Rest, content: &Content, inbox: &Inbox) -> usize {
    match content {
        Content::Binary(_) => rest.here(inbox),
        Content::Text(_, cut) if cut.is_none() => rest.characters(inbox),
        Content::Text(..) => 0,
    }
}
