//! A hub on many nodes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::machine::{EndOfHub, Machine};
use super::{HubNode, Nodes};
use crate::hub::cluster::{Backplane, Node, NodeId};
use crate::hub::shared::Shared;
use crate::hub::{Hub, HubConfig, ResumeToken};
use crate::random;
use crate::runtime::Runtime;

impl Hub {
    /// Makes a hub that has its users, topics and messages in common with others: those of the programs that are connected
    /// to the same bus. `runtime` keeps the time, for example [`Tokio`](crate::tokio::Tokio).
    ///
    /// Spawn the [`HubNode`], which talks to the bus. All that is sent through the hub goes to the members of all nodes;
    /// nothing that a program does here waits for the bus.
    ///
    /// ```no_run
    /// # async fn f() {
    /// use endwell::hub::{Hub, HubConfig, InProcessBus};
    /// use endwell::tokio::Tokio;
    /// use endwell::ws::WhenFull;
    ///
    /// let mut config = HubConfig::default();
    /// config.node = "chat-1".into();
    /// let bus = InProcessBus::new(); // or NATS, of the crate `endwell-nats`
    /// let (hub, node) = Hub::over(&Tokio, bus.connect(), config);
    /// tokio::spawn(node);
    ///
    /// let receipt = hub.topic("lobby").send("hello", WhenFull::DropOldest).await;
    /// println!("{receipt}, on the bus: {:?}", receipt.bus);
    /// # }
    /// ```
    pub fn over(runtime: &impl Runtime, backplane: impl Backplane, config: HubConfig) -> (Self, HubNode) {
        let (id, now) = (NodeId::new(random::number()), Instant::now());
        let mut config = config;
        if config.node.is_empty() {
            config.node = id.to_string();
        }
        let node = Node::new(id, &config.node, now);
        let machine = Arc::new(Machine::new(node, now, Box::new(runtime.timer())));
        let nodes = Nodes(Some(Arc::clone(&machine)));
        let shared = Arc::new(Shared::over(&config, nodes, EndOfHub(Arc::clone(&machine))));
        let node = HubNode {
            machine,
            shared: Arc::downgrade(&shared),
            bus: Box::new(backplane),
            timer: Box::pin(runtime.timer()),
            ends_at: None,
        };
        (Self { shared }, node)
    }

    /// The time since what this hub knows of other nodes was last right, if it may be old: since the hub began, or since
    /// the bus was cut off or fell silent. `None` if it is right, or there are no other nodes by design ([`Hub::new`]).
    ///
    /// What is known stays as it is meanwhile: while a node does not hear the others it declares none dead.
    pub fn stale_for(&self) -> Option<Duration> {
        let state = self.shared.nodes.machine()?.state.lock();
        Some(state.now().saturating_duration_since(state.node.stale_since()?))
    }

    /// How far all that is sent has come: a connection that has this token, and was sent it behind everything before,
    /// can [`resume`](crate::hub::Member::resume) from here on any node.
    pub fn token(&self) -> ResumeToken {
        let Some(machine) = self.shared.nodes.machine() else { return ResumeToken::default() };
        // Once what is being handed out has been handed out.
        let _still = machine.still();
        let state = machine.state.lock();
        state.node.token(state.now())
    }
}
