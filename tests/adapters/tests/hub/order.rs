//! All members of a topic see one order, whoever sends and whoever comes and goes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use endwell::ServerConfig;
use endwell::hub::Hub;
use endwell::ws::{Message, WhenFull};

use crate::peer::Peer;
use crate::service::{handing_over, wait};
use crate::support::{LONG, Runtime, on_every_runtime};

on_every_runtime!(all_see_one_order);

const SENDERS: usize = 4;
const EACH: usize = 100;
const MEMBERS: usize = 6;

fn all_see_one_order<R: Runtime>() {
    let hub = Hub::default();
    let (server, next) = handing_over::<R>(ServerConfig::default());
    let join = || {
        let peer = Peer::connect(&server);
        let socket = next();
        let member = hub.join(&socket);
        (peer, socket, member)
    };
    let mut staying: Vec<_> = (0..MEMBERS).map(|_| join()).collect();
    let passing = join();
    // Between those that stay there are slots of one that comes and goes.
    for (index, (_, _, member)) in staying.iter().enumerate() {
        if index % 2 == 0 {
            passing.2.subscribe("room").unwrap();
        }
        member.subscribe("room").unwrap();
        passing.2.unsubscribe("room");
    }
    let goes_on = AtomicBool::new(true);
    thread::scope(|scope| {
        scope.spawn(|| {
            while goes_on.load(Ordering::Relaxed) {
                passing.2.subscribe("room").unwrap();
                passing.2.unsubscribe("room");
            }
        });
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let hub = &hub;
                scope.spawn(move || {
                    for index in 0..EACH {
                        let message = Message::from(format!("{sender} {index}"));
                        let receipt = wait(hub.topic("room").send(message, WhenFull::Wait(LONG)));
                        let receivers = receipt.accepted;
                        assert_eq!(receipt.receivers(), receivers, "{receipt}");
                        assert!((MEMBERS as u64..=MEMBERS as u64 + 1).contains(&receivers), "{receipt}");
                    }
                })
            })
            .collect();
        for sender in senders {
            sender.join().unwrap();
        }
        goes_on.store(false, Ordering::Relaxed);
    });
    let mut orders = staying.iter_mut().map(|(peer, _, _)| {
        (0..SENDERS * EACH).map(|_| peer.frame().as_text().to_owned()).collect::<Vec<_>>()
    });
    let first = orders.next().unwrap();
    for order in orders {
        assert_eq!(order, first, "another order");
    }
    for sender in 0..SENDERS {
        let own = first.iter().filter(|text| text.starts_with(&sender.to_string()));
        assert!(own.eq((0..EACH).map(|index| format!("{sender} {index}")).collect::<Vec<_>>().iter()));
    }
}
