//! Whether a message is compressed.

/// Whether a message is compressed, where compression was agreed on. A message that would grow is sent plain, whatever is
/// said here.
///
/// What is compressed together can be told apart by its length: whoever can choose a part of a message, and see how long
/// it is on the wire, learns about the rest (as CRIME and BREACH did), and with context takeover about the messages before
/// it. A secret beside such text is sent plain: [`Never`](Self::Never).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Compression {
    /// From [`Deflate::least`](super::Deflate::least) bytes on.
    #[default]
    BySize,
    /// However short it is.
    Always,
    /// It is sent plain.
    Never,
}
