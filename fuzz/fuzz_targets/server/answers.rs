//! What the server wrote, read back: one response for each request, framed as another reader finds it.

use endwell_core::http::Method;
use endwell_fuzz::framing::{self, Kind, Trust};

/// What must stand in the output, in order.
#[derive(Default)]
pub struct Answers(Vec<Answer>);

struct Answer {
    to_head: bool,
    to_connect: bool,
    form: Form,
}

enum Form {
    /// No response, since the connection was given up.
    Nothing,
    /// A whole response with this content.
    Whole(Vec<u8>),
    /// A response that says why, unless the request was a HEAD.
    Refusal,
    /// A response whose body was cut off.
    Cut,
    /// The head of a response that grants another protocol.
    Head,
}

impl Answers {
    /// A request was taken.
    pub fn begin(&mut self, method: Method<'_>) {
        let (to_head, to_connect) = (method == Method::Head, method == Method::Connect);
        self.0.push(Answer { to_head, to_connect, form: Form::Nothing });
    }

    pub fn refusal(&mut self) {
        self.0.push(Answer { to_head: false, to_connect: false, form: Form::Refusal });
    }

    pub fn whole(&mut self, content: &[u8]) {
        self.set(Form::Whole(content.to_vec()));
    }

    pub fn cut(&mut self) {
        self.set(Form::Cut);
    }

    pub fn head(&mut self) {
        self.set(Form::Head);
    }

    fn set(&mut self, form: Form) {
        self.0.last_mut().expect("a request").form = form;
    }

    pub fn check(&self, sent: &[u8]) {
        let mut at = 0;
        for (index, Answer { to_head, to_connect, form }) in self.0.iter().enumerate() {
            let kind = Kind::Response { to_head: *to_head };
            let read = |at| {
                let message = framing::message(sent, at, kind, true).expect("a head that can be read");
                assert_eq!(message.trust, Trust::Sound, "{}", sent.escape_ascii());
                message
            };
            // Interim responses, unless a 101 is the answer.
            while sent[at..].starts_with(b"HTTP/1.1 10") && !sent[at..].starts_with(b"HTTP/1.1 101") {
                at = read(at).body;
            }
            match form {
                Form::Nothing => {}
                Form::Head => at = read(at).body,
                Form::Cut => {
                    assert!(index + 1 == self.0.len(), "an answer behind one that was cut off");
                    return drop(read(at));
                }
                Form::Refusal => {
                    let message = read(at);
                    at =
                        if message.body == sent.len() { sent.len() } else { message.end.expect("a refusal") };
                }
                Form::Whole(content) => {
                    let message = read(at);
                    // RFC 9110 9.3.6: a success would open a tunnel.
                    let is_refused = *to_connect && sent[at..].starts_with(b"HTTP/1.1 501 ");
                    let content = if *to_head || is_refused { &[][..] } else { content };
                    assert_eq!(message.content, content);
                    at = message.end.expect("a whole response");
                }
            }
        }
        assert_eq!(at, sent.len(), "more is written: {}", sent.escape_ascii());
    }
}
