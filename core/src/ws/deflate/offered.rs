//! A client's offer, and its check of the answer. RFC 7692 5.2 and 7.1.

use alloc::string::String;
use alloc::sync::Arc;

use super::agreement::{Agreement, number, parameter};
use super::extensions;
use super::parameters::{
    CLIENT_MAX_WINDOW_BITS, CLIENT_NO_CONTEXT_TAKEOVER, NAME, Parameters, SERVER_MAX_WINDOW_BITS,
    SERVER_NO_CONTEXT_TAKEOVER,
};
use super::settings::Deflate;
use super::window::WindowBits;
use crate::Violation;

impl Deflate {
    /// The value of Sec-WebSocket-Extensions that a client sends.
    pub fn offer(&self) -> String {
        let mut field = self.one_offer(self.received_context);
        if self.received_context.is_some_and(|most| most < WindowBits::MOST) {
            // A server that cannot limit its window may at least drop its context.
            field.push_str(", ");
            field.push_str(&self.one_offer(None));
        }
        field
    }

    fn one_offer(&self, received_context: Option<WindowBits>) -> String {
        let mut field = String::from(NAME);
        match received_context {
            None => parameter(&mut field, SERVER_NO_CONTEXT_TAKEOVER),
            Some(WindowBits::MOST) => {}
            Some(most) => number(&mut field, SERVER_MAX_WINDOW_BITS, most.bits()),
        }
        if self.sent_context == 0 {
            parameter(&mut field, CLIENT_NO_CONTEXT_TAKEOVER);
        }
        match self.window {
            WindowBits::MOST => parameter(&mut field, CLIENT_MAX_WINDOW_BITS),
            window => number(&mut field, CLIENT_MAX_WINDOW_BITS, window.bits()),
        }
        field
    }

    /// Checks the lines of the server's Sec-WebSocket-Extensions field, as a client. `None`: messages are not
    /// compressed.
    ///
    /// # Errors
    ///
    /// If the server agreed to something that was not offered or is not valid. RFC 6455 4.1, RFC 7692 5.2.
    pub fn confirm<'a>(
        self: &Arc<Self>,
        answer: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Option<Agreement>, Violation> {
        let (mut got, mut count): (&[u8], usize) = (&[], 0);
        let lines = answer.into_iter().inspect(|line| {
            got = line;
            count = count.saturating_add(1);
        });
        let parsed = extensions::parse(lines);
        let wrong = |expected, section| Err(Violation::new(expected, got, section));
        let Ok(extensions) = parsed else {
            return wrong("tokens and their parameters in Sec-WebSocket-Extensions", "RFC 6455 9.1");
        };
        if count > 1 {
            return wrong("one line of Sec-WebSocket-Extensions", "RFC 6455 11.3.2");
        }
        let (extension, others) = match extensions.split_first() {
            None => return Ok(None),
            Some((first, others)) if first.name == NAME.as_bytes() => (first, others),
            Some(_) => return wrong("no extension that was not offered", "RFC 6455 4.1"),
        };
        if !others.is_empty() {
            return wrong("one extension, which was offered", "RFC 6455 4.1");
        }
        match Parameters::of(extension).and_then(|answer| Agreement::confirm(answer, self)) {
            Some(agreement) => Ok(Some(agreement)),
            None => wrong("parameters of permessage-deflate that answer the offer", "RFC 7692 7.1"),
        }
    }
}
