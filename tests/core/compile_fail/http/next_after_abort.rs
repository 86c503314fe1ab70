//! A cut response opens no next request.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::*;
use endwell_core::http::{Field, FieldSection, Framing, Head, InterimHead, StatusCode};
use endwell_core::{Instant, Outbox, Step};

fn main() {}

fn f(recv: RequestBody, cut: Aborted) {
    let after = recv.after(cut); //~ E0308
    //~ twin: let abandoned = recv.abandon(cut);
}
