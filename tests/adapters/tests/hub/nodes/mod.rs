//! A hub on several nodes: some hubs of this process over a bus, with real sockets, on every runtime.

mod bus;
mod cuts;
mod ends;
mod messages;
mod presence;
mod resume;
mod time;

use std::future::ready;
use std::sync::{Arc, Mutex};

use endwell::ServerConfig;
use endwell::blocking::Threads;
use endwell::hub::{Hub, HubConfig, HubEvent, HubEvents, HubNode, InProcessBus, Member};
use endwell::ws::Socket;

use crate::peer::{Frame, Peer};
use crate::service::{accept, wait};
use crate::support::{Running, Runtime, start_with, told};
use bus::Line;

/// Nodes with a bus, and a server for the sockets of all of them.
struct Cluster {
    nodes: Vec<Node>,
    server: Running,
    next: Box<dyn Fn() -> Socket>,
}

struct Node {
    hub: Hub,
    events: HubEvents,
    line: Line,
}

/// A client, and its membership in one of the hubs.
struct Client {
    peer: Peer,
    socket: Socket,
    member: Member,
}

impl Cluster {
    /// Starts nodes called `a`, `b` and so on, which know each other when this returns.
    fn start<R: Runtime>(count: u8) -> Self {
        let bus = InProcessBus::new();
        let (nodes, drivers): (Vec<_>, Vec<_>) =
            (0..count).map(|index| Node::new(&bus, &char::from(b'a' + index).to_string())).unzip();
        let drivers = Arc::new(Mutex::new(drivers));
        let (tell, sockets) = told();
        let server = start_with::<R, _, _>(ServerConfig::default(), move |exchange| {
            for driver in drivers.lock().unwrap().drain(..) {
                R::spawn(driver);
            }
            tell.send(accept(exchange).unwrap()).unwrap();
            ready(Err::<endwell::Answered, _>(crate::aborted::aborted()))
        });
        let mut cluster = Self { nodes, server, next: Box::new(move || sockets.next()) };
        // The first connection starts them.
        let first = cluster.client(0);
        for node in &mut cluster.nodes {
            let is_up = |event: &HubEvent| matches!(event, HubEvent::NodeUp { .. });
            (1..count).for_each(|_| _ = node.until(is_up));
        }
        let key = first.member.key();
        drop(first);
        let has_left = |event: &HubEvent| matches!(event, HubEvent::Left { key: left, .. } if left.to_string() == key.to_string());
        cluster.nodes[0].until(has_left);
        cluster
    }

    fn hub(&self, node: usize) -> &Hub {
        &self.nodes[node].hub
    }

    fn client(&self, node: usize) -> Client {
        let peer = Peer::connect(&self.server);
        let socket = (self.next)();
        let member = self.nodes[node].hub.join(&socket);
        Client { peer, socket, member }
    }
}

impl Node {
    fn new(bus: &InProcessBus, name: &str) -> (Self, HubNode) {
        let line = Line::new(bus);
        let mut config = HubConfig::default();
        config.node = name.into();
        config.topic_events = true;
        config.events = 100_000;
        let (hub, driver) = Hub::over(&Threads, line.end(), config);
        let events = hub.events();
        (Self { hub, events, line }, driver)
    }

    /// Reads events up to one.
    fn until(&mut self, is_it: impl Fn(&HubEvent) -> bool) -> HubEvent {
        wait(async {
            loop {
                let event = self.events.next_event().await;
                if is_it(&event) {
                    return event;
                }
            }
        })
    }

    /// Waits until so many connections of other nodes are subscribed to a topic.
    fn subscribed(&mut self, topic: &str, count: usize) {
        while self.hub.topic_presence(topic).iter().filter(|found| !found.key.is_here()).count() != count {
            self.until(|event| {
                matches!(
                    event,
                    HubEvent::Subscribed { .. } | HubEvent::Unsubscribed { .. } | HubEvent::Left { .. }
                )
            });
        }
    }
}

impl Client {
    fn texts(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.peer.frame().as_text().to_owned()).collect()
    }

    fn frame(&mut self) -> Frame {
        self.peer.frame()
    }
}
