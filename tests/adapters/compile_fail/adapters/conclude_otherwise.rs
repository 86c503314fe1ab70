//! No other type ends a handler.
#![allow(unused, unused_must_use)]
use endwell::http::{FieldSection, Framing, StatusCode};
use endwell::ws::{Close, CloseCode, Kind};
use endwell::ws::Socket;
use endwell::{Answered, IntoAnswered, ServerConfig, Ended, Exchange, ResponseWriter, Upgraded, serve};

fn main() {}

struct Mine;
impl IntoAnswered for Mine { fn into_handler_end(self) -> endwell::HandlerEnd { endwell::HandlerEnd::Answered } } //~ E0277
//~ twin:
