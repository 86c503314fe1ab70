//! A body that is withheld cannot be written.
#![allow(unused, unused_must_use)]
use endwell_core::http::client::*;
use endwell_core::http::{ConnectHead, Framing, RequestHead, server};
use endwell_core::{Outbox, Step};

fn main() {}

fn f(mut body: Withheld, told: Continue, out: &mut Outbox) {
    body.write("early".into(), out); //~ E0599
    //~ twin: body.proceed(told).write("asked for".into(), out);
}
