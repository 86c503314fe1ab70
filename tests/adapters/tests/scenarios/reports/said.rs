//! What a report says, and the reports of a server.

use std::sync::mpsc;

use endwell::{Ended, ExchangeReport, HandlerEnd, Limit, RequestId, ServerConfig};

use crate::support::LONG;

/// What a report says.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) id: RequestId,
    pub(super) line: String,
    pub(super) status: Option<u16>,
    pub(super) bytes: (u64, u64),
    pub(super) is_whole: bool,
    pub(super) is_upgraded: bool,
    pub(super) messages: Option<(u64, u64)>,
    pub(super) cause: Option<Ended>,
    pub(super) end: Option<HandlerEnd>,
}

impl From<&ExchangeReport> for Said {
    fn from(report: &ExchangeReport) -> Self {
        assert!(report.time_to_response().is_none_or(|time| time <= report.time()), "{report:?}");
        assert_eq!(report.time_to_response().is_some(), report.status().is_some(), "{report:?}");
        let age = report.began_at().elapsed().unwrap();
        assert!(age >= report.time() && age < LONG, "{report:?}");
        assert_eq!(report.peer_address().ip(), report.local_address().ip());
        Self {
            id: report.id(),
            line: report.request_line().to_string(),
            status: report.status(),
            bytes: (report.received_bytes(), report.sent_bytes()),
            is_whole: report.is_whole(),
            is_upgraded: report.is_upgraded(),
            messages: report.messages().map(|counts| (counts.received, counts.sent)),
            cause: report.cause().cloned(),
            end: report.handler_end().cloned(),
        }
    }
}

impl Said {
    /// Of a request that no handler saw.
    #[track_caller]
    pub(super) fn assert_refused(&self, line: &str, status: u16, sent: usize) {
        assert_eq!((&*self.line, self.status), (line, Some(status)), "{self:?}");
        assert_eq!((self.bytes, self.is_whole), ((0, sent as u64), true), "{self:?}");
        assert!(self.cause.is_some() && self.end.is_none(), "{self:?}");
    }

    #[track_caller]
    pub(super) fn assert_limit(&self, limit: Limit) {
        assert_eq!(self.cause.as_ref().unwrap().exceeded().unwrap().limit, limit, "{self:?}");
    }
}

/// The reports of a server, in order.
pub(super) struct Reports(pub(super) mpsc::Receiver<Said>);

impl Reports {
    /// Adds the callback to a configuration.
    pub(super) fn of(config: ServerConfig) -> (ServerConfig, Self) {
        let (tell, heard) = mpsc::channel();
        (config.on_exchange(move |report| tell.send(report.into()).unwrap()), Self(heard))
    }

    #[track_caller]
    pub(super) fn next(&self) -> Said {
        self.0.recv_timeout(LONG).expect("a report")
    }

    /// Nothing was reported twice.
    #[track_caller]
    pub(super) fn assert_over<S>(self, server: S) {
        drop(server);
        assert!(self.0.recv().is_err());
    }
}
