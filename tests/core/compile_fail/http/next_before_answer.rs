//! The next request exists only with the proof of a whole response.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::*;
use endwell_core::http::{Field, FieldSection, Framing, Head, InterimHead, StatusCode};
use endwell_core::{Instant, Outbox, Step};

fn main() {}

fn f(recv: RequestBody, send: Responder, sent: Finished) {
    let after = recv.after(send); //~ E0308
    //~ twin: let after = recv.after(sent);
}
