//! What happened on a connection, in a form that two runs can be compared by.

use endwell_core::Limit;
use endwell_core::http::{Fields, RequestHead, Version};

/// Names and values, in order.
pub type Lines = Vec<(String, Vec<u8>)>;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A request's head.
    Request(Seen),
    /// The whole content of a request.
    Content(Vec<u8>),
    /// A trailer section.
    Trailers(Lines),
    /// A body that failed: the status for it, and the error in words.
    BodyFailed(u16, String),
    /// A response that was written whole.
    Answered(u16),
    /// A response that was cut off.
    Aborted,
    /// A request that was not taken: the status, and the error in words.
    Refused(u16, String),
    /// The rest of a body was not what was announced, after the response.
    DrainFailed,
    /// The end; nothing follows it.
    Ended(End),
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The peer left between requests.
    ByPeer,
    /// The peer was silent for too long between requests.
    Silent(Limit),
    /// The last word was said, and then the peer closed.
    Lingered,
    /// The last word was said, and the peer did not close in time.
    LingeredOut,
    /// Only a reset could show that a response was cut off.
    Reset,
    /// The peer took our output too slowly.
    Stalled,
    /// Another protocol took over, with these bytes.
    Upgraded(Vec<u8>),
}

/// A request's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// The target, shown.
    pub target: String,
    /// The path of the target.
    pub path: String,
    /// The query of the target.
    pub query: Option<String>,
    /// The host that the request is for.
    pub authority: Option<String>,
    /// 0 or 1.
    pub minor: u8,
    /// The fields.
    pub fields: Lines,
    /// Whether the client waits to be told to continue.
    pub expects: bool,
}

impl Seen {
    /// Notes a head down.
    pub fn of(head: &RequestHead, expects: bool) -> Self {
        Self {
            method: head.method().to_string(),
            target: format!("{:?}", head.target()),
            path: head.path().to_owned(),
            query: head.target().query().map(str::to_owned),
            authority: head.authority().map(str::to_owned),
            minor: u8::from(head.version() == Version::Http11),
            fields: lines(head.fields()),
            expects,
        }
    }

    /// The value of the first field with this name.
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        self.fields.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| &value[..])
    }
}

/// Notes fields down.
pub fn lines(fields: &Fields) -> Lines {
    fields.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect()
}
