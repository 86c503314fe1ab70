//! The limits that can be met, and their values.

use core::fmt;
use core::time::Duration;

use crate::convert;
use crate::time::pace::Total;

/// A limit that was met, and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    /// Which limit.
    pub limit: Limit,
    /// The value of that limit.
    pub bound: Bound,
}

impl Exceeded {
    pub(crate) fn bytes(limit: Limit, bound: usize) -> Self {
        Self { limit, bound: Bound::Bytes(convert::u64_from(bound)) }
    }

    pub(crate) fn count(limit: Limit, bound: usize) -> Self {
        Self { limit, bound: Bound::Count(convert::u64_from(bound)) }
    }

    pub(crate) fn time(limit: Limit, bound: Duration) -> Self {
        Self { limit, bound: Bound::Time(bound) }
    }
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.limit.describe();
        match self.bound {
            Bound::Bytes(bound) => write!(f, "{what}: the limit is {bound} bytes"),
            Bound::Count(bound) => write!(f, "{what}: the limit is {bound}"),
            Bound::Time(bound) => write!(f, "{what}: the limit is {bound:?}"),
            Bound::Silence(bound) => write!(f, "{what}: the longest silence is {bound:?}"),
            Bound::Total(bound) => write!(f, "{what}: the time for all of it is {bound}"),
        }
    }
}

impl core::error::Error for Exceeded {}

/// The value of a limit, with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// A number of bytes.
    Bytes(u64),
    /// A number of items.
    Count(u64),
    /// A duration.
    Time(Duration),
    /// The longest time without a byte.
    Silence(Duration),
    /// The longest time for all the bytes.
    Total(Total),
}

/// The limits that can be met. Each is the reason for an error or for a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// No byte came after the connection was made.
    FirstByteTime,
    /// A head was not complete in time.
    HeadTime,
    /// Nothing came between two requests.
    IdleTime,
    /// The response did not begin in time.
    ResponseTime,
    /// A request and its response were not complete in the time for both. No state of this crate judges it: it is for a
    /// driver.
    RequestTime,
    /// The time to wait for 100 Continue has passed. A reason for a deadline, never for an error.
    ContinueTime,
    /// There were too many interim responses.
    InterimCount,
    /// A body came too slowly.
    BodyProgress,
    /// The peer took our output too slowly.
    WriteProgress,
    /// The peer had ended its side and took nothing more. No state of this crate judges it: it is for a driver.
    HalfClosedTime,
    /// The peer did not close after our last byte.
    LingerTime,
    /// A head is too large.
    HeadBytes,
    /// A request target is too long.
    TargetBytes,
    /// A head or a trailer section has too many fields.
    FieldCount,
    /// A trailer section is too large.
    TrailerBytes,
    /// The chunk extensions of a body are too large together.
    ChunkExtensionBytes,
    /// A body is too large.
    BodyBytes,
    /// A WebSocket frame is too large.
    FrameBytes,
    /// A WebSocket message is too large.
    MessageBytes,
    /// A WebSocket message that is received in pieces is too large.
    StreamedBytes,
    /// A WebSocket message has too many frames.
    FragmentCount,
    /// Compressed WebSocket messages have too many final blocks within them.
    FinalBlocks,
    /// A WebSocket message came too slowly.
    MessageProgress,
    /// A keep-alive ping is due. A reason for a deadline, never for an error.
    PingInterval,
    /// Nothing came after a keep-alive ping.
    PongTime,
    /// The peer did not answer our Close, or did not end the stream after it.
    CloseTime,
    /// Connections held too much together, and this one most. No state of this crate judges it: it is for a driver.
    HeldBytes,
    /// There were too many connections, and this one made room. No state of this crate judges it: it is for a driver.
    Connections,
}

impl Limit {
    fn describe(self) -> &'static str {
        match self {
            Self::FirstByteTime => "no byte came after the connection was made",
            Self::HeadTime => "the head was not complete in time",
            Self::IdleTime => "nothing came between two requests",
            Self::ResponseTime => "the response was not begun in time",
            Self::RequestTime => "the request and its response were not complete in time",
            Self::ContinueTime => "no 100 Continue came in time",
            Self::InterimCount => "there are too many interim responses",
            Self::BodyProgress => "the body came too slowly",
            Self::WriteProgress => "the peer took our output too slowly",
            Self::HalfClosedTime => "the peer had ended its side, and took nothing more",
            Self::LingerTime => "the peer did not close after our last byte",
            Self::HeadBytes => "the head is too large",
            Self::TargetBytes => "the request target is too long",
            Self::FieldCount => "there are too many fields",
            Self::TrailerBytes => "the trailer section is too large",
            Self::ChunkExtensionBytes => "the chunk extensions are too large",
            Self::BodyBytes => "the body is too large",
            Self::FrameBytes => "the frame is too large",
            Self::MessageBytes => "the message is too large",
            Self::StreamedBytes => "the message in pieces is too large",
            Self::FragmentCount => "the message has too many frames",
            Self::FinalBlocks => "there are too many final blocks within compressed messages",
            Self::MessageProgress => "the message came too slowly",
            Self::PingInterval => "a keep-alive ping is due",
            Self::PongTime => "nothing came after a keep-alive ping",
            Self::CloseTime => "our Close was not answered in time",
            Self::HeldBytes => "all connections held too much, and this one most",
            Self::Connections => "there were too many connections, and this one made room",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.describe())
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_limit_says_its_value() {
        let text = Exceeded::bytes(Limit::HeadBytes, 32_768).to_string();
        assert_eq!(text, "the head is too large: the limit is 32768 bytes");
        let bound = Bound::Silence(Duration::from_secs(30));
        let text = Exceeded { limit: Limit::BodyProgress, bound }.to_string();
        assert_eq!(text, "the body came too slowly: the longest silence is 30s");
        let bound = Bound::Total(Total { base: Duration::from_secs(60), bytes_per_second: 500 });
        let text = Exceeded { limit: Limit::WriteProgress, bound }.to_string();
        let expected = "the time for all of it is 60s and 1s for every 500 bytes";
        assert_eq!(text, alloc::format!("the peer took our output too slowly: {expected}"));
    }
}
