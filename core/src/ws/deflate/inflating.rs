//! A compressed message in flight. RFC 7692 7.2.2.

use alloc::boxed::Box;

use super::Progress;
use super::history::History;
use super::inflater::{HELD, Inflater, Window};
use super::receiving::Receiving;
use super::window::WindowBits;
use crate::time;
use crate::ws::failure::Cause;
use crate::ws::limits::Limits;
use crate::ws::receive::reassembly::{Content, Gathered, Place};
use crate::ws::wire::header::Header;
use crate::ws::wire::kind::Kind;
use crate::ws::wire::mask;
use crate::{Bound, Exceeded, Inbox, Limit, convert};

/// A compressed message that has begun. It is decompressed block by block as it arrives, so that the decompressed size
/// meets the limits before it is in memory.
#[derive(Debug)]
pub(in crate::ws) struct Inflating(Box<Message>);

#[derive(Debug)]
struct Message {
    inflater: Inflater,
    kind: Kind,
    /// Decompressed bytes that were not handed out.
    content: Content,
    /// Bytes of this message that it may refer to after a final block, if no context is taken over. While the message
    /// is being reassembled, its content serves instead.
    recent: Option<History>,
    /// Bytes that were handed out; the next call drops them.
    handed_out: Option<Gathered>,
    place: Place,
    delivery: Delivery,
    /// The decompressed size so far, in bytes.
    inflated: u64,
    /// The compressed bytes of all frames that have begun.
    announced: u64,
    frames: usize,
    /// Consecutive empty frames.
    empty_frames: usize,
}

/// What becomes of the decompressed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivery {
    /// They are reassembled.
    Whole,
    /// They are handed out in pieces.
    Pieces,
    /// They are discarded.
    Nobody,
}

impl Inflating {
    /// A message that is reassembled.
    pub(in crate::ws) fn whole(kind: Kind, receiving: &Receiving) -> Self {
        Self::new(kind, Delivery::Whole, receiving)
    }

    /// A message that is handed out in pieces.
    pub(in crate::ws) fn pieces(kind: Kind, receiving: &Receiving) -> Self {
        Self::new(kind, Delivery::Pieces, receiving)
    }

    fn new(kind: Kind, delivery: Delivery, receiving: &Receiving) -> Self {
        let recent = receiving.history().is_none().then(|| History::new(WindowBits::MOST.bytes()));
        Self(Box::new(Message {
            inflater: receiving.inflater(),
            kind,
            content: Content::new(kind),
            recent,
            handed_out: None,
            place: Place::BetweenFrames,
            delivery,
            inflated: 0,
            announced: 0,
            frames: 0,
            empty_frames: 0,
        }))
    }

    /// Text or binary.
    pub(in crate::ws) fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The receiver's position in the message.
    pub(in crate::ws) fn place(&self) -> Place {
        self.0.place
    }

    /// True if the message is reassembled.
    pub(in crate::ws) fn is_gathered(&self) -> bool {
        self.0.delivery == Delivery::Whole
    }

    /// True if the rest of the message is skipped.
    pub(in crate::ws) fn is_skipped(&self) -> bool {
        self.0.delivery == Delivery::Nobody
    }

    /// True if a header comes next.
    pub(in crate::ws) fn is_between_frames(&self) -> bool {
        matches!(self.0.place, Place::BetweenFrames) && !self.0.has_something() && self.0.handed_out.is_none()
    }

    /// Hands the message out in pieces from now on. The first piece is the part that was gathered.
    pub(in crate::ws) fn go_on_in_pieces(&mut self) {
        self.0.delivery = Delivery::Pieces;
        if let Some(recent) = &mut self.0.recent {
            for part in self.0.content.parts() {
                recent.push(part);
            }
        }
    }

    /// Skips the rest of a message that was begun in pieces. It is still decompressed: the next message may refer to
    /// it.
    pub(in crate::ws) fn skip_rest(&mut self) {
        self.0.handed_out = None;
        if self.0.delivery == Delivery::Pieces {
            self.0.delivery = Delivery::Nobody;
            self.0.content = Content::new(Kind::Binary);
        }
    }

    /// Starts a frame of this message. Refuses a frame that cannot be within the limits before its payload arrives; the
    /// decompressed size is checked while it is decompressed.
    pub(in crate::ws) fn start(
        &mut self,
        header: &Header,
        receiving: &mut Receiving,
        limits: &Limits,
    ) -> Result<(), Cause> {
        let message = &mut *self.0;
        receiving.earn(convert::u64_from(header.size));
        message.frames = message.frames.saturating_add(1);
        message.empty_frames = if header.len == 0 { message.empty_frames + 1 } else { 0 };
        let announced = message.announced.saturating_add(header.len);
        match message.delivery {
            Delivery::Whole => {
                if message.frames > limits.fragments {
                    return Err(Exceeded::count(Limit::FragmentCount, limits.fragments).into());
                }
                if header.len > on_the_wire(limits.frame_bytes) {
                    return Err(too_long(Limit::FrameBytes, limits.frame_bytes));
                }
                if announced > on_the_wire(limits.message_bytes) {
                    return Err(too_long(Limit::MessageBytes, limits.message_bytes));
                }
            }
            Delivery::Pieces | Delivery::Nobody => {
                if message.empty_frames > limits.fragments {
                    return Err(Exceeded::count(Limit::FragmentCount, limits.fragments).into());
                }
                if announced > on_the_wire(limits.streamed_bytes) {
                    return Err(too_long(Limit::StreamedBytes, limits.streamed_bytes));
                }
            }
        }
        message.announced = announced;
        message.place = Place::Payload { remaining: header.len, key: header.key, fin: header.fin };
        Ok(())
    }

    /// Decompresses what has arrived.
    pub(in crate::ws) fn advance(
        &mut self,
        inbox: &mut Inbox,
        clock: &mut time::Clock,
        receiving: &mut Receiving,
        limits: &Limits,
    ) -> Result<Progress, Cause> {
        let message = &mut *self.0;
        message.handed_out = None;
        loop {
            if message.delivery == Delivery::Pieces && message.content.holds_piece() {
                return Ok(Progress::Piece);
            }
            if !message.inflater.is_idle() {
                message.step(receiving, limits)?;
                continue;
            }
            match message.place {
                Place::BetweenFrames => return Ok(Progress::Header),
                Place::Whole => return Ok(Progress::Whole),
                Place::Payload { remaining: 0, fin: false, .. } => message.place = Place::BetweenFrames,
                Place::Payload { remaining: 0, fin: true, .. } => {
                    receiving.earn(message.inflater.take_inflated());
                    message.inflater.end(receiving.owner())?;
                    message.content.check_end()?;
                    message.place = Place::Whole;
                }
                Place::Payload { remaining, key, fin } => {
                    let bytes = inbox.read(0, convert::usize_from(remaining).min(Inflater::room()));
                    if bytes.is_empty() {
                        return Ok(Progress::Nothing);
                    }
                    mask::apply(key, bytes);
                    message.inflater.take(bytes);
                    let remaining = remaining.saturating_sub(convert::u64_from(bytes.len()));
                    message.place = Place::Payload { remaining, key: mask::turned(key, bytes.len()), fin };
                    clock.add(bytes.len());
                }
            }
        }
    }

    /// Hands out a piece: the bytes decompressed so far.
    pub(in crate::ws) fn hand_out(&mut self) -> &mut Gathered {
        self.0.handed_out.insert(self.0.content.take_piece())
    }

    /// Ends the message, returns the inflater to the pool, and returns what was gathered.
    pub(in crate::ws) fn into_gathered(mut self, receiving: &Receiving) -> Gathered {
        receiving.pool().give_inflater(self.0.inflater);
        self.0.content.take_piece()
    }

    /// The memory held, in bytes.
    pub(in crate::ws) fn held_bytes(&self) -> usize {
        let handed_out = self.0.handed_out.as_ref().map_or(0, Gathered::len);
        let recent = self.0.recent.as_ref().map_or(0, History::held_bytes);
        HELD.saturating_add(self.0.content.len()).saturating_add(handed_out).saturating_add(recent)
    }
}

impl Message {
    /// True if there is more to do before the next header is read.
    fn has_something(&self) -> bool {
        !self.inflater.is_idle() || (self.delivery == Delivery::Pieces && self.content.holds_piece())
    }

    /// Decompresses at most one block.
    fn step(&mut self, receiving: &mut Receiving, limits: &Limits) -> Result<(), Cause> {
        if self.inflater.restarts() {
            receiving.earn(self.inflater.take_inflated());
            receiving.restart()?;
        }
        let window: Window<'_> = match (receiving.history(), &self.recent) {
            (Some(history), _) => history.parts(),
            (None, Some(recent)) if self.delivery != Delivery::Whole => recent.parts(),
            (None, _) => self.content.parts(),
        };
        let block = self.inflater.step(window)?;
        let (limit, bound) = match self.delivery {
            Delivery::Whole => (Limit::MessageBytes, limits.message_bytes),
            Delivery::Pieces | Delivery::Nobody => (Limit::StreamedBytes, limits.streamed_bytes),
        };
        let ahead = convert::usize_from(bound.saturating_sub(self.inflated));
        // The bytes within the limit are judged first, so that no split of the bytes changes the verdict.
        let (within, beyond) = block.split_at_checked(ahead).unwrap_or((block, &[]));
        self.inflated = self.inflated.saturating_add(convert::u64_from(within.len()));
        let recent = self.recent.as_mut().filter(|_| self.delivery != Delivery::Whole);
        if let Some(history) = receiving.history_mut().or(recent) {
            history.push(within);
        }
        match self.delivery {
            Delivery::Whole => self.content.push(within, ahead)?,
            // A piece is handed out before more is decompressed.
            Delivery::Pieces => self.content.push(within, within.len())?,
            Delivery::Nobody => {}
        }
        if beyond.is_empty() { Ok(()) } else { Err(too_long(limit, bound)) }
    }
}

/// The most that content of `bytes` bytes takes on the wire if a compressor cannot make it smaller: nine bits for each
/// byte (RFC 1951 3.2.6), and what begins and ends blocks.
fn on_the_wire(bytes: u64) -> u64 {
    bytes.saturating_add(bytes / 8).saturating_add(64)
}

#[cold]
fn too_long(limit: Limit, bound: u64) -> Cause {
    Exceeded { limit, bound: Bound::Bytes(bound) }.into()
}
