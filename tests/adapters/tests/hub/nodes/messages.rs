//! A message goes to its receivers on all nodes, in order, and the receipt says what becomes of it on the bus.

use endwell::hub::{Hub, InProcessBus, Login, OnBus};
use endwell::ws::WhenFull;

use super::{Cluster, Node};
use crate::service::wait;
use crate::support::{Runtime, on_every_runtime};

on_every_runtime!(
    each_goes_to_those_whom_it_is_for,
    all_of_an_origin_are_in_order,
    what_something_else_says_on_the_bus_reaches_the_room,
);

const FULL: WhenFull = WhenFull::DropNewest;

fn each_goes_to_those_whom_it_is_for<R: Runtime>() {
    let mut cluster = Cluster::start::<R>(2);
    let (mut near, mut far, mut other) = (cluster.client(0), cluster.client(1), cluster.client(1));
    for client in [&near, &far] {
        client.member.login("alice", Login::Beside { at_most: 2 }).unwrap();
        client.member.subscribe("room").unwrap();
    }
    cluster.nodes[0].subscribed("room", 1);
    let hub = cluster.hub(0);
    let far_key =
        hub.topic_presence("room").iter().map(|found| found.key).find(|key| !key.is_here()).unwrap();
    let near_key = near.member.key();
    let sent = [
        (hub.topic("room").send("1", FULL), 1, Some(OnBus::Queued)),
        (hub.topic("room").except(near_key).send("2", FULL), 0, Some(OnBus::Queued)),
        (hub.topic("no such room").send("3", FULL), 0, Some(OnBus::Queued)),
        (hub.user("alice").send("4", FULL), 1, Some(OnBus::Queued)),
        (hub.everyone().send("5", FULL), 1, Some(OnBus::Queued)),
        (hub.connection(far_key).send("6", FULL), 0, Some(OnBus::Queued)),
        (hub.connection(near_key).send("7", FULL), 1, None),
        (hub.everyone().here().send("for this node", FULL), 1, None),
        // A connection of another node is not left out.
        (hub.topic("room").except(far_key).send("8", FULL), 1, Some(OnBus::Queued)),
    ];
    for (fanout, receivers, bus) in sent {
        let receipt = wait(fanout);
        assert_eq!((receipt.accepted, receipt.receivers(), receipt.bus), (receivers, receivers, bus));
    }
    // To all, so it is the last of each.
    hub.everyone().send(vec![7, 8], FULL).now();
    let last = |client: &mut super::Client| assert_eq!(client.frame().payload, [7, 8]);
    assert_eq!(near.texts(6), ["1", "4", "5", "7", "for this node", "8"]);
    assert_eq!(far.texts(6), ["1", "2", "4", "5", "6", "8"]);
    assert_eq!(other.texts(1), ["5"]);
    [&mut near, &mut far, &mut other].into_iter().for_each(last);
}

fn all_of_an_origin_are_in_order<R: Runtime>() {
    const COUNT: usize = 300;
    let mut cluster = Cluster::start::<R>(3);
    let mut clients: Vec<_> = (0..3).map(|node| cluster.client(node)).collect();
    for client in &clients {
        client.member.subscribe("room").unwrap();
    }
    for node in &mut cluster.nodes {
        node.subscribed("room", 2);
    }
    std::thread::scope(|scope| {
        for (index, node) in cluster.nodes.iter().enumerate() {
            let hub = &node.hub;
            scope.spawn(move || {
                for number in 0..COUNT {
                    let receipt = hub.topic("room").send(format!("{index} {number}"), FULL).now();
                    assert_eq!((receipt.accepted, receipt.bus), (1, Some(OnBus::Queued)));
                }
            });
        }
    });
    for client in &mut clients {
        let mut next = [0; 3];
        for text in client.texts(3 * COUNT) {
            let (origin, number) = text.split_once(' ').unwrap();
            let next = &mut next[origin.parse::<usize>().unwrap()];
            assert_eq!(number.parse(), Ok(*next), "of {origin}");
            *next += 1;
        }
    }
}

/// As `nats pub chat.m.topic.the%20lobby hello` does.
fn what_something_else_says_on_the_bus_reaches_the_room<R: Runtime>() {
    use endwell::hub::{Backplane, Publication};
    let cluster = Cluster::start::<R>(2);
    let mut client = cluster.client(1);
    client.member.subscribe("the lobby").unwrap();
    let mut shell = cluster.nodes[0].line.end();
    for payload in [&b"hello"[..], &[0xff, 0xfe]] {
        let payload = &payload.to_vec().into();
        shell.try_publish(Publication { subject: "m.topic.the%20lobby", header: None, payload }).unwrap();
        shell.try_publish(Publication { subject: "no subject", header: None, payload }).unwrap();
    }
    // A header that lies: it is no text.
    let header = Some("1 00000000000000aa 1 text drop-oldest");
    let payload = &vec![0xff].into();
    shell.try_publish(Publication { subject: "m.topic.the%20lobby", header, payload }).unwrap();
    assert_eq!(client.texts(1), ["hello"]);
    let frames = [client.frame(), client.frame()].map(|frame| (frame.first & 0xf, frame.payload));
    assert_eq!(frames, [(2, vec![0xff, 0xfe]), (2, vec![0xff])]);
}

#[test]
fn the_receipt_says_what_becomes_of_it_on_the_bus() {
    let bus = InProcessBus::new();
    let ((node, driver), (other, _other)) = (Node::new(&bus, "a"), Node::new(&bus, "b"));
    let send = |hub: &Hub, len| hub.everyone().send(vec![0; len], FULL).now().bus;
    assert_eq!(send(&Hub::default(), 1), None);
    // Before there is a bus.
    assert_eq!(send(&node.hub, 1), Some(OnBus::Cut));
    assert_eq!(send(&node.hub, 256 * 1024 + 1), Some(OnBus::TooLarge));
    let large: Vec<_> = (0..6).map(|_| send(&node.hub, 250 * 1024)).collect();
    assert_eq!(large[..4], [Some(OnBus::Cut); 4]);
    assert_eq!(large[4..], [Some(OnBus::Full); 2]);
    drop(driver);
    assert_eq!(send(&node.hub, 1), Some(OnBus::Left));
    drop(other);
}
