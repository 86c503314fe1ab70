//! What has left does not log in.
#![allow(unused)]
use endwell::hub::{Hub, Login, LoginError, Member};

fn main() {}

fn f(member: Member) -> Result<(), LoginError> {
    let key = member.key();
    drop(member);
    member.login("alice", Login::Replace) //~ E0382
    //~ twin: Ok(())
}
