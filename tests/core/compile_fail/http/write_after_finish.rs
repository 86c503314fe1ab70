//! Nothing is written behind the end of a body.
#![allow(unused, unused_must_use)]
use endwell_core::http::server::*;
use endwell_core::http::{Field, FieldSection, Framing, Head, InterimHead, StatusCode};
use endwell_core::{Instant, Outbox, Step};

fn main() {}

fn f(mut body: ResponseBody, out: &mut Outbox) {
    let sent = body.finish(None, out);
    body.write("more".into(), out); //~ E0382
    //~ twin: drop(sent);
}
