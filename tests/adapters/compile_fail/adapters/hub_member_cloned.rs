//! Membership is one value: leaving twice cannot be written down.
#![allow(unused)]
use endwell::hub::{Hub, Login, Member};

fn main() {}

fn f(hub: Hub, member: Member) {
    let second = member.clone(); //~ E0599
    //~ twin: let second = hub.clone();
}
