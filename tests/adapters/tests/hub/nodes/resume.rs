//! A connection that comes back, on the same node or another one, gets what it missed.

use std::collections::HashMap;
use std::thread;

use endwell::hub::{Hub, InProcessBus, Login, Resume, ResumeToken, SubscribeError};
use endwell::ws::{OutletLimits, WhenFull};

use super::{Cluster, Node};
use crate::peer::Peer;
use crate::service::{fill, handing_over_narrow};
use crate::support::{Runtime, on_every_runtime};

on_every_runtime!(
    it_gets_what_it_missed_on_the_same_node,
    it_gets_what_it_missed_on_another_node,
    nothing_is_missed_or_comes_twice_while_others_send,
    what_cannot_be_given_is_a_gap,
);

const FULL: WhenFull = WhenFull::DropNewest;

fn it_gets_what_it_missed_on_the_same_node<R: Runtime>() {
    resumes_on::<R>(0);
}

fn it_gets_what_it_missed_on_another_node<R: Runtime>() {
    resumes_on::<R>(1);
}

fn resumes_on<R: Runtime>(node: usize) {
    let mut cluster = Cluster::start::<R>(2);
    let mut watchers = [cluster.client(0), cluster.client(1)];
    for client in &watchers {
        client.member.subscribe("room").unwrap();
    }
    cluster.nodes.iter_mut().for_each(|node| node.subscribed("room", 1));
    let mut first = cluster.client(0);
    first.member.login("alice", Login::Replace).unwrap();
    first.member.subscribe("room").unwrap();
    cluster.hub(0).topic("room").send("seen", FULL).now();
    assert_eq!(first.texts(1), ["seen"]);
    let token: ResumeToken = cluster.hub(0).token().to_string().parse().unwrap();
    drop(first);
    // Each is known to both nodes before the next is sent.
    let mut say = |cluster: &Cluster, by: usize, text: &str| {
        cluster.hub(by).topic("room").send(text, FULL).now();
        for client in &mut watchers {
            while client.texts(1)[0] != text {}
        }
    };
    say(&cluster, 0, "1");
    cluster.hub(0).user("alice").send("2, for alice", FULL).now();
    cluster.hub(0).user("bob").send("for bob", FULL).now();
    say(&cluster, 0, "3");
    say(&cluster, 1, "4");
    cluster.hub(1).topic("another").send("for another room", FULL).now();
    say(&cluster, 1, "5");

    let hub = cluster.hub(node);
    let mut client = cluster.client(node);
    hub.everyone().send("6, for everyone", FULL).now();
    client.member.login("alice", Login::Replace).unwrap();
    hub.user("alice").send("7, for alice", FULL).now();
    client.member.subscribe("third").unwrap();
    hub.topic("third").send("8", FULL).now();
    let missed = client.member.resume(&token, &["room", "third"]);
    hub.topic("room").send("9", FULL).now();
    assert_eq!(missed, Ok(Resume::Resumed(5)));
    let expected = ["6, for everyone", "7, for alice", "8", "1", "2, for alice", "3", "4", "5", "9"];
    assert_eq!(client.texts(9), expected);
}

fn nothing_is_missed_or_comes_twice_while_others_send<R: Runtime>() {
    const ROUNDS: usize = 20;
    const EACH: usize = 20;
    let mut cluster = Cluster::start::<R>(2);
    let mut watchers = [cluster.client(0), cluster.client(1)];
    for client in &watchers {
        client.member.subscribe("mark").unwrap();
    }
    cluster.nodes.iter_mut().for_each(|node| node.subscribed("mark", 1));
    let mut token = cluster.hub(0).token();
    // The number of the next message of each origin, at the latest.
    let mut next = HashMap::from([("0".to_owned(), 0), ("1".to_owned(), 0)]);
    let mut resumed = 0;
    for round in 0..ROUNDS {
        let node = round % 2;
        let mut client = cluster.client(node);
        thread::scope(|scope| {
            for index in 0..2 {
                let hub = cluster.hub(index);
                scope.spawn(move || {
                    for number in round * EACH..(round + 1) * EACH {
                        let receipt = hub.topic("room").send(format!("{index} {number}"), FULL).now();
                        assert_eq!(receipt.receivers(), receipt.accepted);
                    }
                });
            }
            // Somewhere among those.
            let missed = client.member.resume(&token, &["room"]).unwrap();
            let Resume::Resumed(count) = missed else { panic!("a gap") };
            resumed += count;
            token = cluster.hub(node).token();
        });
        // All of it is known to both nodes, behind this.
        for index in 0..2 {
            cluster.hub(index).topic("mark").send("mark", FULL).now();
        }
        for watcher in &mut watchers {
            assert_eq!(watcher.texts(2), ["mark"; 2]);
        }
        client.member.unsubscribe("room");
        cluster.hub(node).connection(client.member.key()).send("end", FULL).now();
        let mut here: HashMap<String, usize> = HashMap::new();
        loop {
            let text = client.texts(1).remove(0);
            let Some((origin, number)) = text.split_once(' ') else { break };
            let number: usize = number.parse().unwrap();
            let first = next[origin];
            match here.get(origin) {
                Some(expected) => assert_eq!(number, *expected, "of {origin}, in round {round}"),
                // What came behind the last token comes again.
                None => assert!(number <= first, "of {origin}: {first} to {number} are missed"),
            }
            here.insert(origin.to_owned(), number + 1);
        }
        let end = (round + 1) * EACH;
        assert_eq!(here, HashMap::from([("0".to_owned(), end), ("1".to_owned(), end)]));
        next = here;
    }
    assert!(resumed > 0);
}

fn what_cannot_be_given_is_a_gap<R: Runtime>() {
    // Without a bus nothing is kept.
    let hub = Hub::default();
    let mut config = endwell::ServerConfig::default();
    let limits = OutletLimits { messages: 3, ..OutletLimits::default() };
    config.outlet = limits;
    let (server, next) = handing_over_narrow::<R>(config);
    let peer = Peer::connect_narrow(&server);
    let socket = next();
    let member = hub.join(&socket);
    assert_eq!(member.resume(&hub.token(), &["room"]), Ok(Resume::Gap));
    assert_eq!(hub.topic_presence("room").len(), 1);

    let (node, driver) = Node::new(&InProcessBus::new(), "a");
    let hub = &node.hub;
    let outlet = socket.outlet();
    let resume = |token: &ResumeToken, topics: &[&str]| hub.join(outlet.clone()).resume(token, topics);
    let token = hub.token();
    assert_eq!(resume(&token, &["room"]), Ok(Resume::Resumed(0)));
    // It is of a cluster that this node knows nothing of.
    let foreign = "1.00000000000000aa.7".parse().unwrap();
    assert_eq!(resume(&foreign, &["room"]), Ok(Resume::Gap));
    hub.topic("room").send("1", FULL).now();
    hub.topic("room").send("2", FULL).now();
    assert_eq!(resume(&token, &["room"]), Ok(Resume::Resumed(2)));
    // More than is kept.
    let later = hub.token();
    (0..5).for_each(|_| _ = hub.topic("another").send(vec![0; 250 * 1024], FULL).now());
    assert_eq!(resume(&token, &["room"]), Ok(Resume::Gap));
    // The first of the five is no longer kept either, whoever it was for.
    assert_eq!(resume(&later, &["room"]), Ok(Resume::Gap));
    // More than the queue takes: the peer does not read.
    let token = hub.token();
    fill(&outlet, 64 * 1024);
    hub.topic("room").send("3", FULL).now();
    assert_eq!(resume(&token, &["room"]), Ok(Resume::Gap));
    let long = "x".repeat(201);
    assert_eq!(resume(&token, &["room", &long]), Err(SubscribeError::NameTooLong { at_most: 200 }));
    drop((driver, peer));
}
