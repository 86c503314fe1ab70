//! What the application does with a request, written down beforehand.

use endwell_core::http::{FieldSection, Framing, RequestHead, Response, StatusCode};

/// The handler of one request.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whether the body is read before the answer.
    pub reads: bool,
    /// Whether a client that waits for it is told to continue.
    pub proceeds: bool,
    /// How many 103s go first.
    pub hints: usize,
    /// Whether the application asks for the close.
    pub closes: bool,
    /// The answer.
    pub answer: Answer,
}

/// The answer to one request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// 200 with the request's own content.
    Echo,
    /// At once and whole.
    Full(Response, Vec<u8>),
    /// In pieces.
    Pieces(Pieces),
    /// 101.
    Switch(&'static str),
    /// 2xx to CONNECT.
    Tunnel,
}

/// An answer in pieces.
#[derive(Clone, Debug)]
pub struct Pieces {
    /// Its head.
    pub head: Response,
    /// Its framing.
    pub framing: Framing,
    /// Its content.
    pub pieces: Vec<Vec<u8>>,
    /// Its trailers.
    pub trailers: FieldSection,
    /// Whether the producer fails behind the last piece.
    pub fails: bool,
}

impl Plan {
    /// Reads the request and sends its content back.
    pub fn echo() -> Self {
        Self::with(Answer::Echo)
    }

    /// Reads the request, then answers.
    pub fn with(answer: Answer) -> Self {
        Self { reads: true, proceeds: true, hints: 0, closes: false, answer }
    }

    /// Reads the request, then answers with this status and content.
    pub fn full(status: u16, content: &[u8]) -> Self {
        Self::with(Answer::Full(head(status), content.to_vec()))
    }

    /// Reads the request, then answers in pieces.
    pub fn pieces(framing: Framing, pieces: &[&[u8]]) -> Self {
        let pieces = pieces.iter().map(|piece| piece.to_vec()).collect();
        let (head, trailers) = (head(200), FieldSection::new());
        Self::with(Answer::Pieces(Pieces { head, framing, pieces, trailers, fails: false }))
    }

    /// Answers without a look at the request's body.
    #[must_use]
    pub fn unread(self) -> Self {
        Self { reads: false, proceeds: false, ..self }
    }

    /// Fails behind the last piece.
    #[must_use]
    pub fn failing(mut self) -> Self {
        if let Answer::Pieces(pieces) = &mut self.answer {
            pieces.fails = true;
        }
        self
    }

    /// Sends these trailers.
    #[must_use]
    pub fn trailing(mut self, section: FieldSection) -> Self {
        if let Answer::Pieces(pieces) = &mut self.answer {
            pieces.trailers = section;
        }
        self
    }

    /// With another status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        if let Answer::Pieces(Pieces { head, .. }) | Answer::Full(head, _) = &mut self.answer {
            *head = self::head(status);
        }
        self
    }
}

/// The handler that the chapters use unless they say otherwise.
pub fn echo(_: &RequestHead) -> Plan {
    Plan::echo()
}

fn head(status: u16) -> Response {
    Response::new(StatusCode::new(status).unwrap())
}
