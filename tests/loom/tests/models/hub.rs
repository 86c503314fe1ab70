//! A hub, whose members come, log in and end in any order.

use endwell::hub::{Hub, HubCounts, Login, Notice};
use endwell::ws::WhenFull;
use endwell_loom::{Explore, Pipe, block_on, connect, frame, spawn};

/// The peer closes while a connection joins and logs in. Whoever comes first, the user is not there behind the end.
#[test]
fn a_join_and_a_login_and_the_end() {
    Explore::preemptions("a join and a login, the peer closes, the driver", 2).check(|| {
        let pipe = Pipe::with_peer();
        let (socket, driver) = connect(&pipe);
        let hub = Hub::default();
        let (send, receive) = socket.split();
        drop(receive);
        let joining = spawn({
            let hub = hub.clone();
            move || {
                let member = hub.join(&send);
                let _ = member.login("alice", Login::Replace);
                let _ = member.subscribe("room");
                (member, send)
            }
        });
        let peer = spawn({
            let pipe = pipe.clone();
            move || pipe.feed(&frame(0x88, &[]))
        });
        block_on(driver);
        peer.join().unwrap();
        let (member, send) = joining.join().unwrap();
        assert_eq!(hub.counts(), HubCounts::default(), "the member is held, and its connection has ended");
        assert!(!member.is_here() && member.login("alice", Login::Replace).is_err());
        drop((member, send));
    });
}

/// Two connections log in as one user: one of them stays, and the other is told by whom it was replaced.
#[test]
fn two_logins() {
    Explore::all("2 logins of one user").check(|| {
        let (one_pipe, other_pipe) = (Pipe::new(), Pipe::new());
        let ((one, _one_driver), (other, _other_driver)) = (connect(&one_pipe), connect(&other_pipe));
        let hub = Hub::default();
        let (one, other) = (hub.join(&one), hub.join(&other));
        let logging_in = spawn(move || {
            let _ = one.login("alice", Login::Replace);
            one
        });
        let _ = other.login("alice", Login::Replace);
        let one = logging_in.join().unwrap();
        let present = hub.presence("alice");
        assert_eq!((present.len(), hub.counts().connections), (1, 1));
        let (here, mut gone) = if one.is_here() { (one, other) } else { (other, one) };
        assert_eq!(present[0].key, here.key());
        assert_eq!(block_on(gone.told()), Notice::Replaced { by: here.key() });
        assert_eq!(block_on(gone.told()), Notice::Left);
        // Its drop takes nothing from the other.
        drop(gone);
        assert!(hub.is_online("alice"));
    });
}

/// A member waits to be told something while another replaces it.
#[test]
fn a_wait_and_a_login() {
    Explore::all("a member that waits, a login of its user").check(|| {
        let (one_pipe, other_pipe) = (Pipe::new(), Pipe::new());
        let ((one, _one_driver), (other, _other_driver)) = (connect(&one_pipe), connect(&other_pipe));
        let hub = Hub::default();
        let (mut one, other) = (hub.join(&one), hub.join(&other));
        one.login("alice", Login::Replace).unwrap();
        let waiting = spawn(move || block_on(one.told()));
        other.login("alice", Login::Replace).unwrap();
        assert_eq!(waiting.join().unwrap(), Notice::Replaced { by: other.key() });
    });
}

/// A member leaves while two messages are sent: each is counted for those who were there, and both see one order.
#[test]
fn two_senders_and_one_who_leaves() {
    Explore::preemptions("2 senders, a member that leaves", 2).check(|| {
        let pipes = [Pipe::new(), Pipe::new()];
        let [(one, one_driver), (other, other_driver)] = pipes.each_ref().map(connect);
        let hub = Hub::default();
        let (staying, leaving) = (hub.join(&one), hub.join(&other));
        staying.subscribe("room").unwrap();
        leaving.subscribe("room").unwrap();
        let sending = spawn({
            let hub = hub.clone();
            move || hub.topic("room").send("a", WhenFull::Close).now()
        });
        let going = spawn(move || drop(leaving));
        let second = hub.topic("room").send("b", WhenFull::Close).now();
        let first = sending.join().unwrap();
        going.join().unwrap();
        assert!((1..=2).contains(&first.receivers()) && (1..=2).contains(&second.receivers()));
        // A queue has room for one: the first message is accepted by all, and the second closes those that are left.
        assert_eq!(first.accepted + second.accepted, first.receivers().max(second.receivers()));
        drop((one_driver, other_driver, staying));
    });
}
