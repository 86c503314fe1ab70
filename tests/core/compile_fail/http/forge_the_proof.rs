//! Only a response that was written makes the proof of it.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::*;
use endwell_core::http::{Field, FieldSection, Framing, Head, InterimHead, StatusCode};
use endwell_core::{Instant, Outbox, Step};

fn main() {}

fn f(recv: RequestBody, sent: Finished) {
    let Finished { persistence } = sent; //~ E0451
    //~ twin: let after = recv.after(sent);
}
