//! No other type ends a handler.
#![allow(unused, unused_must_use)]
use endwell::http::{FieldSection, Framing, StatusCode};
use endwell::ws::{Close, CloseCode, Kind};
use endwell::ws::Socket;
use endwell::{Answered, Conclusion, ServerConfig, Ended, Exchange, ResponseWriter, Upgraded, serve};

fn main() {}

struct Mine;
impl Conclusion for Mine {} //~ E0277
//~ twin:
