//! Only a member subscribes: what has not joined has nothing to do it with.
#![allow(unused)]
use endwell::hub::{Hub, SubscribeError};
use endwell::ws::Socket;

fn main() {}

fn f(hub: Hub, socket: Socket) -> Result<bool, SubscribeError> {
    hub.subscribe("lobby") //~ E0599
    //~ twin: hub.join(&socket).subscribe("lobby")
}
