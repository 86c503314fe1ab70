//! Nothing is written behind a cut, and no clean end.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::*;
use endwell_core::http::{Field, FieldSection, Framing, Head, InterimHead, StatusCode};
use endwell_core::{Instant, Outbox, Step};

fn main() {}

fn f(body: ResponseBody, out: &mut Outbox) {
    let cut = body.abort();
    let sent = body.finish(None, out); //~ E0382
    //~ twin: drop(cut);
}
