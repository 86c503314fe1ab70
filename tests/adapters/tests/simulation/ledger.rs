//! What the tasks of one end have done: the laws are judged by it.

use std::sync::{Arc, Mutex, MutexGuard};

use endwell::Ended;
use endwell::ws::Message;

use crate::world::Hold;

/// A message, by its producer and its number.
pub(crate) type Id = (usize, usize);

/// Shared by the tasks of one end.
#[derive(Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<Entries>>);

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each stands for itself")]
pub(crate) struct Entries {
    /// Accepted, and whether it must arrive.
    pub(crate) accepted: Vec<(Id, Keep)>,
    /// Bytes of those that must arrive.
    pub(crate) bytes: usize,
    /// Bytes of the longest message that anybody has sent or begun.
    pub(crate) longest: usize,
    /// A message in pieces is begun, and all others wait for its end.
    pub(crate) streams: bool,
    /// What comes is kept for a reader, and not thrown away.
    pub(crate) keeps: bool,
    /// Tasks that wait for room or for the transport.
    pub(crate) waiting: usize,
    /// Asked for and not accepted.
    pub(crate) refused: Vec<Id>,
    /// Refused, and counted as dropped for want of room.
    pub(crate) dropped: u64,
    /// Data messages in the order in which they came.
    pub(crate) received: Vec<Vec<u8>>,
    pub(crate) saw_close: bool,
    /// What was accepted when a flush began, and how much the transport had taken when it said that all is with it.
    pub(crate) flushes: Vec<(Vec<Id>, usize)>,
    /// How the connection ended, for whoever was told.
    pub(crate) ends: Vec<(&'static str, Ended)>,
    /// A policy closed the connection before what was accepted.
    pub(crate) closed_now: bool,
    /// A message in pieces was left unfinished.
    pub(crate) abandoned: bool,
    /// The task that drives it was dropped.
    pub(crate) undriven: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    Always,
    WhileThereIsRoom,
}

impl Ledger {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.hold()
    }

    pub(crate) fn note(&self, id: Id, len: usize, accepted: bool, keep: Keep) {
        let mut entries = self.lock();
        if accepted {
            entries.accepted.push((id, keep));
            entries.bytes += if keep == Keep::Always { len } else { 0 };
        } else {
            entries.refused.push(id);
        }
    }

    pub(crate) fn ended(&self, who: &'static str, ended: Ended) {
        self.lock().ends.push((who, ended));
    }
}

/// Somebody waits for room or for the transport while this lives.
pub(crate) struct Waiting(Ledger);

impl Ledger {
    pub(crate) fn waits(&self) -> Waiting {
        self.lock().waiting += 1;
        Waiting(self.clone())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.lock().waiting -= 1;
    }
}

/// A message that says who sent it and shows any damage.
pub(crate) fn content(id: Id, len: usize) -> Vec<u8> {
    let mut text = format!("{}:{}:", id.0, id.1).into_bytes();
    let start = text.len();
    text.extend((start..len.max(start)).map(|index| b'a' + ((index * 7 + id.1) % 26) as u8));
    text
}

/// A message to send: text or binary, in each of the forms that there are.
pub(crate) fn message(id: Id, len: usize) -> Message {
    let content = content(id, len);
    let text = String::from_utf8(content.clone()).unwrap();
    match (id.0 + id.1) % 4 {
        0 => Message::text(text),
        1 => Message::from(&*text),
        2 => Message::binary(content),
        _ => Message::text(text).shared(),
    }
}

/// Who sent it. Panics if it is not whole.
pub(crate) fn id(received: &[u8]) -> Id {
    let text = std::str::from_utf8(received).expect("text");
    let mut parts = text.splitn(3, ':');
    let mut number = || parts.next().and_then(|part| part.parse().ok());
    let (Some(producer), Some(index)) = (number(), number()) else { panic!("not a message: {text:?}") };
    assert_eq!(content((producer, index), received.len()), received, "an altered message");
    (producer, index)
}
