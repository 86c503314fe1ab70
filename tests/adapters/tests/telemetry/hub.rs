//! What they are told of a hub.

use endwell::hub::{Hub, HubConfig, HubEvent, InProcessBus, Login};
use endwell::ws::{Close, WhenFull};
use endwell::{Answered, Ended, Exchange, ServerConfig};

use crate::counted::{HANDSHAKE, recorder, value};
use crate::support::{Gate, Tokio, start_with, told};
use crate::traced;

/// A socket that is a member, until the client closes.
async fn join(state: (Hub, Gate), exchange: Exchange) -> Result<Answered, Ended> {
    let (hub, gate) = state;
    let acceptance = exchange.acceptance();
    let Ok(mut socket) = exchange.accept(acceptance) else { panic!("a handshake") };
    let member = hub.join(&socket);
    member.login("ann", Login::Replace).unwrap();
    member.subscribe("lobby").unwrap();
    let receipt = hub.topic("lobby").send("hello", WhenFull::DropOldest).await;
    assert_eq!(receipt.accepted, 1);
    gate.pass().await;
    while socket.receive_data().await.is_some() {}
    drop(member);
    Err(socket.close(Close::EMPTY).await)
}

#[test]
fn what_is_told_of_a_hub() {
    traced::subscribe();
    let recorder = recorder();
    let mut config = HubConfig::default();
    config.metrics = true;
    let (hub, gate) = (Hub::new(config), Gate::new());
    // Not counted, since its configuration does not ask for it.
    let other = Hub::new(HubConfig::default());
    let (tell, heard) = told();
    let config = ServerConfig::default().on_exchange(move |_| tell.send(()).unwrap());
    for (hub, expected) in [(&other, None), (&hub, Some(1.0))] {
        let state = (hub.clone(), gate.clone());
        let server = start_with::<Tokio, _, _>(config.clone(), endwell::with_state(state, join));
        let mut client = server.connect();
        client.send(HANDSHAKE);
        assert_eq!(client.response().unwrap().status, 101);
        assert_eq!(client.read_exactly(7), b"\x81\x05hello");
        let text = recorder.render();
        for name in ["connections", "users", "topics"] {
            assert_eq!(value(&text, &format!("endwell_hub_{name}")), expected, "{name}\n{text}");
        }
        gate.open(1);
        client.send(b"\x88\x80\0\0\0\0");
        assert_eq!(client.rest(), b"\x88\0");
        drop(client);
        heard.next();
    }
    let text = recorder.render();
    for (series, expected) in [
        ("connections", 0.0),
        ("users", 0.0),
        ("topics", 0.0),
        (r#"departures{endwell_hub_departure="dropped"}"#, 1.0),
        (r#"messages{endwell_hub_audience="topic"}"#, 1.0),
        (r#"deliveries{endwell_hub_outcome="accepted"}"#, 1.0),
    ] {
        assert_eq!(value(&text, &format!("endwell_hub_{series}")), Some(expected), "{series}\n{text}");
    }
    let log = traced::log();
    for line in ["member joined", "member logged in", "member logged out", "member left"] {
        assert_eq!(log.lines().filter(|known| known.contains(line)).count(), 2, "{line}\n{log}");
    }
    assert!(log.contains("member logged in member=1 user=ann connections=1"), "{log}");

    nodes(&|| recorder.render());
    let log = traced::log();
    assert!(log.contains("node up node=b"), "{log}");
    assert!(log.contains("node ended node=b"), "{log}");
}

/// Two nodes meet, and one ends.
fn nodes(render: &dyn Fn() -> String) {
    let nodes = || value(&render(), "endwell_hub_nodes");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let bus = InProcessBus::new();
        let node = |name: &str, metrics: bool| {
            let mut config = HubConfig::default();
            (config.metrics, config.node) = (metrics, name.to_owned());
            Hub::over(&endwell::tokio::Tokio, bus.connect(), config)
        };
        let (a, a_driver) = node("a", true);
        let mut events = a.events();
        let (b, b_driver) = node("b", false);
        tokio::spawn(a_driver);
        tokio::spawn(b_driver);
        while !matches!(events.next_event().await, HubEvent::NodeUp { .. }) {}
        assert_eq!(nodes(), Some(1.0));
        drop(b);
        while !matches!(events.next_event().await, HubEvent::NodeDown { said_so: true, .. }) {}
        assert_eq!(nodes(), Some(0.0));
    });
}
