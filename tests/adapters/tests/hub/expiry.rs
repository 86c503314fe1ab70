//! S21: connections whose peers are dead. Each expires once, by its own pings, and then there is silence.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use endwell::ServerConfig;
use endwell::hub::{Departure, Hub, HubEvent, HubEvents, Login};

use crate::memory::{Still, socket};
use crate::peer::Peer;
use crate::service::{Wakes, handing_over, wait};
use crate::support::{Runtime, on_every_runtime};

on_every_runtime!(each_dead_connection_expires_once);

const DEAD: usize = 20;

fn now(events: &mut HubEvents) -> Option<HubEvent> {
    match pin!(events.next_event()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(event) => Some(event),
        Poll::Pending => None,
    }
}

fn each_dead_connection_expires_once<R: Runtime>() {
    let mut config = ServerConfig::default();
    config.ws.ping_interval = Some(Duration::from_millis(20));
    config.ws.pong_time = Duration::from_millis(20);
    config.ws.close_time = Duration::from_millis(20);
    config.half_closed = Some(Duration::from_millis(20));
    let hub = Hub::default();
    let (server, next) = handing_over::<R>(config);
    let mut events = hub.events();
    // They answer no ping, and the application reads nothing.
    let held: Vec<_> = (0..DEAD)
        .map(|number| {
            let peer = Peer::connect(&server);
            let socket = next();
            let member = hub.join(&socket);
            // It may be dead by now.
            let _ = member.login(&format!("user {number}"), Login::Replace);
            (peer, socket, member)
        })
        .collect();
    let mut expired = BTreeSet::new();
    while expired.len() < DEAD {
        if let HubEvent::Left { key, departure } = wait(events.next_event()) {
            assert_eq!(departure, Departure::Ended);
            assert!(expired.insert(key), "it expired twice");
        }
    }
    for _ in 0..DEAD {
        server.next_end();
    }
    assert_eq!(hub.counts().connections, 0);
    drop(held);
    assert_eq!(now(&mut events), None, "silence");
}

/// The clock jumps by 360 s, as it does when a machine wakes.
#[test]
fn a_clock_that_jumps_expires_each_once() {
    let (hub, clock, config) = (Hub::default(), Still::default(), ServerConfig::default());
    let mut events = hub.events();
    let mut held = Vec::new();
    let mut drivers = Vec::new();
    for _ in 0..DEAD {
        let (socket, driver, far) = socket(clock.clone(), &config);
        let member = hub.join(&socket);
        held.push((member, socket, far));
        drivers.push((driver, Arc::new(Wakes::default())));
    }
    let turn = |drivers: &mut Vec<(endwell::Driver, Arc<Wakes>)>| {
        let before = drivers.len();
        drivers.retain_mut(|(driver, wakes)| wakes.poll(driver).is_pending());
        before - drivers.len()
    };
    assert_eq!(turn(&mut drivers), 0);
    for _ in 0..DEAD {
        assert!(matches!(now(&mut events), Some(HubEvent::Joined { .. })));
    }
    assert_eq!(now(&mut events), None);
    // A ping is due in the first turn, and its pong is missing in the next. The Close is not answered, nor is the end.
    for _ in 0..4 {
        clock.jump(Duration::from_secs(360));
        turn(&mut drivers);
    }
    let mut expired = BTreeSet::new();
    while let Some(event) = now(&mut events) {
        let HubEvent::Left { key, departure: Departure::Ended } = event else { panic!("{event:?}") };
        assert!(expired.insert(key), "it expired twice");
    }
    assert_eq!((expired.len(), hub.counts().connections), (DEAD, 0));
    for _ in 0..10 {
        clock.jump(Duration::from_secs(360));
        turn(&mut drivers);
    }
    drop(held);
    assert_eq!(now(&mut events), None, "silence");
}
