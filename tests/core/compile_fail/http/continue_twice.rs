//! A client is told to continue once.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::*;
use endwell_core::http::{Field, FieldSection, Framing, Head, InterimHead, StatusCode};
use endwell_core::{Instant, Outbox, Step};

fn main() {}

fn f(send: &mut Responder, wanted: Continue, out: &mut Outbox) {
    send.proceed(wanted, out);
    send.proceed(wanted, out); //~ E0382
    //~ twin: send.interim(&InterimHead::early_hints(), out);
}
