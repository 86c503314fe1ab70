//! Whether a message is compressed.

/// Whether a message is compressed, if compression was agreed on. A message that compression would make larger is sent
/// uncompressed, whatever is set here.
///
/// The length of compressed data reveals its content. An attacker that can choose a part of a message, and see its
/// length on the wire, learns about the rest (as CRIME and BREACH did), and with context takeover about earlier
/// messages. Send a secret beside such text uncompressed: [`Never`](Self::Never).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Compresses from [`Deflate::least`](super::Deflate::least) bytes on.
    #[default]
    BySize,
    /// Compresses a message of any size.
    Always,
    /// Sends the message uncompressed.
    Never,
}
