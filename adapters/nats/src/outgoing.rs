//! What waits for the client of NATS.

use std::collections::VecDeque;

use endwell::Bytes;
use endwell::hub::{Publication, Refused};

/// The most messages that wait: 1,024, some ms of work. The hub keeps the others, and knows which they are.
const MOST: usize = 1024;

/// The most bytes of those, but for one message that has more: 1 MiB, four of the largest.
const MOST_BYTES: usize = 1024 * 1024;

/// A message for NATS, without the prefix.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) subject: String,
    pub(crate) header: Option<String>,
    pub(crate) payload: Bytes,
}

impl Message {
    fn bytes(&self) -> usize {
        self.subject.len() + self.header.as_ref().map_or(0, String::len) + self.payload.len()
    }
}

/// A bounded queue.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    waiting: VecDeque<Message>,
    bytes: usize,
    /// The messages that were taken so far.
    taken: u64,
    /// It refused one, and has not said yet that there is room.
    has_refused: bool,
}

impl Outgoing {
    pub(crate) fn push(&mut self, publication: Publication<'_>) -> Result<(), Refused> {
        let Publication { subject, header, payload } = publication;
        let message =
            Message { subject: subject.into(), header: header.map(Into::into), payload: payload.clone() };
        let bytes = message.bytes();
        let has_room = self.waiting.len() < MOST && self.bytes + bytes <= MOST_BYTES;
        if !has_room && !self.waiting.is_empty() {
            self.has_refused = true;
            return Err(Refused);
        }
        self.bytes += bytes;
        self.waiting.push_back(message);
        self.taken += 1;
        Ok(())
    }

    /// Takes the next one. The second value is true if one was refused before and there is room now: once, when the queue
    /// is half empty.
    pub(crate) fn pop(&mut self) -> (Option<Message>, bool) {
        let message = self.waiting.pop_front();
        self.bytes -= message.as_ref().map_or(0, Message::bytes);
        let has_room = self.waiting.len() <= MOST / 2 && self.bytes <= MOST_BYTES / 2;
        let is_news = has_room && std::mem::take(&mut self.has_refused);
        (message, is_news)
    }

    /// The number of the last message that was taken.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// Drops what waits.
    pub(crate) fn clear(&mut self) {
        self.waiting = VecDeque::new();
        self.bytes = 0;
        self.has_refused = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(outgoing: &mut Outgoing, payload: &Bytes) -> Result<(), Refused> {
        outgoing.push(Publication { subject: "m.all", header: Some("1"), payload })
    }

    fn pushed(outgoing: &mut Outgoing, payload: &Bytes) -> usize {
        std::iter::from_fn(|| push(outgoing, payload).ok()).count()
    }

    #[test]
    fn it_is_bounded_by_number_and_by_bytes() {
        let mut outgoing = Outgoing::default();
        assert_eq!(pushed(&mut outgoing, &Bytes::from_static(b"x")), MOST);
        outgoing.clear();
        assert_eq!(pushed(&mut outgoing, &Bytes::from(vec![0; 256 * 1024 - 6])), 4);
        outgoing.clear();
        // A larger one goes alone.
        assert_eq!(pushed(&mut outgoing, &Bytes::from(vec![0; 2 * MOST_BYTES])), 1);
        assert_eq!(outgoing.taken(), u64::try_from(MOST).unwrap() + 5);
    }

    #[test]
    fn one_that_refused_says_once_that_there_is_room() {
        let mut outgoing = Outgoing::default();
        pushed(&mut outgoing, &Bytes::from_static(b"x"));
        let news = std::iter::from_fn(|| {
            let (message, is_news) = outgoing.pop();
            message.map(|_| is_news)
        });
        let news: Vec<bool> = news.collect();
        let at: Vec<usize> = news.iter().enumerate().filter(|(_, is)| **is).map(|(at, _)| at).collect();
        assert_eq!(at, [MOST / 2 - 1]);
        // Nothing was refused since.
        push(&mut outgoing, &Bytes::new()).unwrap();
        assert!(!outgoing.pop().1);
    }
}
