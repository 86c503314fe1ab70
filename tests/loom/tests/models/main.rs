//! The tasks that share one WebSocket, in every order: `cargo test --release -- --nocapture` says how many there were.

mod cancelled;
mod end;
mod everybody;
mod halves;
mod hub;
mod outlets;
mod pool;
mod waits;

use endwell::ws::{Content, Message, NotSent, Outlet};
use endwell_loom::block_on;

/// Sends `text` when there is room. True: it was accepted; otherwise it came back.
fn write(outlet: &Outlet, text: &'static str) -> bool {
    accepted(block_on(outlet.send(text)), text)
}

fn accepted(sent: Result<(), NotSent>, text: &str) -> bool {
    match sent {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(as_text(&error.message), text, "the message comes back");
            false
        }
    }
}

fn as_text(message: &Message) -> &str {
    match message.content() {
        Content::Text(text) => text,
        other => panic!("expected a text, got {other:?}"),
    }
}

/// Those of `texts` that were accepted are what was delivered, each once.
fn assert_delivered(mut delivered: Vec<&str>, texts: impl IntoIterator<Item = (&'static str, bool)>) {
    delivered.sort_unstable();
    let accepted = texts.into_iter().filter_map(|(text, accepted)| accepted.then_some(text));
    assert_eq!(delivered, accepted.collect::<Vec<_>>());
}
