//! Leaving is done once.
#![allow(unused)]
use endwell::hub::Member;

fn main() {}

fn f(member: Member) {
    member.leave();
    member.leave(); //~ E0382
    //~ twin: ();
}
