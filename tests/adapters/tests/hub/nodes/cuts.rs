//! A node is cut off from the bus, and comes back.

use endwell::hub::{HubEvent, OnBus};
use endwell::ws::WhenFull;

use super::Cluster;
use crate::support::{Runtime, Tokio, on_every_runtime};

on_every_runtime!(a_cut_that_heals_loses_nothing);

const FULL: WhenFull = WhenFull::DropNewest;

fn a_cut_that_heals_loses_nothing<R: Runtime>() {
    const COUNT: usize = 100;
    let mut cluster = Cluster::start::<R>(2);
    let mut clients = [cluster.client(0), cluster.client(1)];
    for client in &clients {
        client.member.subscribe("room").unwrap();
    }
    cluster.nodes.iter_mut().for_each(|node| node.subscribed("room", 1));
    cluster.nodes[1].until(|event| *event == HubEvent::Fresh);
    assert_eq!(cluster.hub(1).stale_for(), None);

    cluster.nodes[1].line.cut();
    cluster.nodes[1].until(|event| *event == HubEvent::Stale);
    assert!(cluster.hub(1).stale_for().is_some());
    // What is known stays.
    assert_eq!(cluster.hub(1).topic_presence("room").len(), 2);
    for (index, bus) in [OnBus::Queued, OnBus::Cut].into_iter().enumerate() {
        for number in 0..COUNT {
            let receipt = cluster.hub(index).topic("room").send(format!("{index} {number}"), FULL).now();
            assert_eq!((receipt.accepted, receipt.bus), (1, Some(bus)));
        }
    }
    cluster.nodes[1].line.heal();
    for client in &mut clients {
        let texts = client.texts(2 * COUNT);
        for index in 0..2 {
            let of = texts.iter().filter_map(|text| text.strip_prefix(&format!("{index} ")));
            assert!(of.eq((0..COUNT).map(|number| number.to_string()).collect::<Vec<_>>()), "{texts:?}");
        }
    }
    cluster.nodes[1].until(|event| *event == HubEvent::Fresh);
    assert_eq!(cluster.hub(1).stale_for(), None);
}

#[test]
fn a_cut_beyond_what_is_kept_is_counted_on_both_sides() {
    let mut cluster = Cluster::start::<Tokio>(2);
    let mut client = cluster.client(1);
    client.member.subscribe("room").unwrap();
    cluster.nodes[0].subscribed("room", 1);
    cluster.nodes[0].until(|event| *event == HubEvent::Fresh);
    cluster.nodes[0].line.cut();
    cluster.nodes[0].until(|event| *event == HubEvent::Stale);
    let mut sent = Vec::new();
    for number in 0..10 {
        let text = format!("{number}{}", "x".repeat(250 * 1024));
        sent.push(cluster.hub(0).topic("room").send(text, FULL).now().bus);
    }
    let fit = sent.iter().take_while(|bus| **bus == Some(OnBus::Cut)).count();
    assert!(fit >= 4 && sent[fit..].iter().all(|bus| *bus == Some(OnBus::Full)), "{sent:?}");
    let lost = 10 - fit;
    cluster.nodes[0].line.heal();
    for number in lost..10 {
        assert!(client.texts(1)[0].starts_with(&number.to_string()));
    }
    let count = u64::try_from(lost).unwrap();
    cluster.nodes[1].until(|event| *event == HubEvent::Lost { node: "a".into(), count });
    cluster.nodes[0].until(|event| *event == HubEvent::Missed { node: "b".into(), count });
}
