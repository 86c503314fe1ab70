//! What a request decides about its response.

use crate::http::received::length::Asked;
use crate::http::received::persistence::Persistence;
use crate::http::{Method, Request};

/// What the request decides about reading its response.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    asked: Asked,
    persistence: Persistence,
}

impl Terms {
    pub(super) fn of(head: &Request) -> Self {
        let asked = if head.method() == Method::Head { Asked::Head } else { Asked::Content };
        Self { asked, persistence: head.persistence }
    }

    pub(super) fn asked(self) -> Asked {
        self.asked
    }

    pub(super) fn persistence(self) -> Persistence {
        self.persistence
    }

    /// The terms of a request that may switch the connection to another protocol, and did not.
    pub(super) const UPGRADE: Self = Self { asked: Asked::Content, persistence: Persistence::Keep };
}
