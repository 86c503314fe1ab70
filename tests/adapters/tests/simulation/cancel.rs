//! Every public future, dropped each time it is pending, in turn, over a wire that moves single bytes. What goes on
//! afterwards finds nothing lost, torn or doubled. S18.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use endwell::core::ws::{self as core_ws, Masks, Role};
use endwell::ws::Outcome;
use endwell::ws::{
    CloseCode, Content, Delivery, Event, Jitter, Kind, Message, Socket, SocketLimits, WhenFull, broadcast,
};
use endwell::{Bytes, Driver, Ended, EndedKind, ServerConfig};

use crate::wire::{Line, Weather, WireEnd, wire};
use crate::world::{GiveUp, Hold, Manners, World, until_pending};

/// Single bytes, few of them under way.
pub(crate) fn bytes(longest: usize) -> Weather {
    let delay = Duration::from_millis(1);
    Weather { longest, delay, window: 7 * longest, ..Weather::CALM }
}

/// Runs `scenario` with a future given up at its first wait, its second and so on, until it is done before that: how
/// many places there were. The scenario says whether it was given up.
pub(crate) fn at_every_wait(scenario: impl Fn(GiveUp) -> bool) -> usize {
    let count =
        |when: fn(usize) -> GiveUp| (1..5000).find(|bound| !scenario(when(*bound))).expect("an end") - 1;
    count(GiveUp::AtOnce) + count(GiveUp::Woken)
}

type Received = Arc<Mutex<Vec<Vec<u8>>>>;

/// A server end and a client end, both driven, and what the client receives.
struct Pair {
    world: World,
    line: Arc<Mutex<Line>>,
    received: Received,
    ended: Arc<Mutex<Vec<Ended>>>,
    gave_up: Arc<Mutex<Option<bool>>>,
}

fn narrow() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.output.bytes = 4096;
    config.output.high_water = 300;
    config.outlet.messages = 2;
    config
}

fn over(end: WireEnd, role: Role) -> (Socket, Driver) {
    let limits = Arc::new(SocketLimits::default());
    let config = narrow();
    let (output, jitter) = (config.output, Jitter::default());
    let web_socket = core_ws::Socket::from_parts(role, Bytes::new(), limits, output, jitter, None);
    let world = end.world();
    Socket::over(end, world, web_socket, &(&config).into())
}

fn message(index: usize) -> Vec<u8> {
    crate::ledger::content((index, 0), 208)
}

impl Pair {
    /// The client receives all there is, or sends `sends` messages and closes.
    fn new(sends: usize) -> (Self, Socket) {
        let world = World::new(1, Manners { spurious: Some(3), ..Manners::default() });
        let (line, server, client) = wire(&world, bytes(1));
        let (socket, driver) = over(server, Role::Server);
        let pair =
            Self { world, line, received: Arc::default(), ended: Arc::default(), gave_up: Arc::default() };
        pair.drive("server", driver);
        let (mut peer, driver) = over(client, Role::Client(Masks::new(|| [1, 2, 3, 4])));
        pair.drive("client", driver);
        let received = Arc::clone(&pair.received);
        pair.world.spawn("peer", async move {
            for index in 0..sends {
                peer.send(message(index)).await.unwrap();
            }
            if sends > 0 {
                peer.close(CloseCode::NORMAL).await;
                return;
            }
            while let Some(message) = peer.receive().await {
                if message.is_data() {
                    received.hold().push(message.into_bytes().to_vec());
                }
            }
            peer.close(CloseCode::NORMAL).await;
        });
        (pair, socket)
    }

    fn drive(&self, name: &str, driver: Driver) {
        let ended = Arc::clone(&self.ended);
        self.world.spawn(name, async move {
            let end = driver.await;
            ended.hold().push(end);
        });
    }

    /// Runs a task that says whether its future was given up, and everything to its end.
    fn run(&self, task: impl Future<Output = bool> + Send + 'static) -> bool {
        let gave_up = Arc::clone(&self.gave_up);
        self.world.spawn("task", async move {
            let given_up = task.await;
            *gave_up.hold() = Some(given_up);
        });
        self.world.run();
        assert!((0..2).all(|side| self.line.hold().is_dropped(side)));
        assert_eq!(self.world.kept_wakers(), Vec::<String>::new());
        self.gave_up.hold().take().unwrap()
    }

    fn closes_cleanly(&self) {
        let ended = self.ended.hold();
        assert!(ended.len() == 2, "{ended:?}");
        let clean = |ended: &Ended| matches!(ended.kind(), EndedKind::WebSocket(Outcome::Closed { .. }));
        assert!(ended.iter().all(clean), "{ended:?}");
    }
}

/// How a message is received.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Receiving {
    Receive,
    ForEach,
}

#[test]
fn receive_and_for_each_lose_nothing() {
    for how in [Receiving::Receive, Receiving::ForEach] {
        let places = at_every_wait(|when| {
            let (pair, socket) = Pair::new(2);
            let received = Arc::clone(&pair.received);
            let given_up = pair.run(async move {
                let (send, mut half) = socket.split();
                let mut given_up = false;
                loop {
                    let when = if given_up { GiveUp::Woken(usize::MAX) } else { when };
                    let events = Arc::clone(&received);
                    let more = if how == Receiving::ForEach {
                        let lent = half.for_each(move |event, _| {
                            if let Event::Binary(data) = event {
                                events.hold().push(data.to_vec());
                            }
                        });
                        until_pending(lent, when).await.map(|()| None)
                    } else {
                        until_pending(half.receive(), when).await
                    };
                    match more {
                        None => given_up = true,
                        Some(None) => break,
                        Some(Some(message)) => {
                            if let Content::Binary(data) = message.content() {
                                received.hold().push(data.to_vec());
                            }
                        }
                    }
                }
                drop(send);
                given_up
            });
            assert_eq!(*pair.received.hold(), [message(0), message(1)], "{how:?} {when:?}");
            pair.closes_cleanly();
            given_up
        });
        println!("{how:?}: {places} places");
        assert!(places > 0, "{how:?}: {places}");
    }
}

/// What is dropped while it waits.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sending {
    Send,
    MessageWriter,
    Flush,
    Close,
    Closed,
    OutletSend,
    OutletTimeout,
    OutletFlush,
    OutletClosed,
    Broadcast,
}

const SENDING: [Sending; 10] = [
    Sending::Send,
    Sending::MessageWriter,
    Sending::Flush,
    Sending::Close,
    Sending::Closed,
    Sending::OutletSend,
    Sending::OutletTimeout,
    Sending::OutletFlush,
    Sending::OutletClosed,
    Sending::Broadcast,
];

#[test]
fn what_was_given_up_was_not_sent_and_the_rest_was() {
    for what in SENDING {
        let places = at_every_wait(|when| {
            let (pair, socket) = Pair::new(0);
            let expected: Received = Arc::default();
            let sent = Arc::clone(&expected);
            let given_up = pair.run(async move { send(socket, what, when, &sent).await });
            assert_eq!(*pair.received.hold(), *expected.hold(), "{what:?} {when:?}");
            pair.closes_cleanly();
            given_up
        });
        println!("{what:?}: {places} places");
        assert!(places > 0, "{what:?} never waits");
    }
}

/// Sends a few messages, one of which is given up, and one more. True: it was.
async fn send(socket: Socket, what: Sending, when: GiveUp, sent: &Received) -> bool {
    let outlet = socket.outlet();
    let (mut half, receive) = socket.split();
    let push = |index| sent.hold().push(message(index));
    // By the same way, since the order between the socket and its outlets is not promised.
    let by_outlet = matches!(
        what,
        Sending::OutletSend
            | Sending::OutletTimeout
            | Sending::OutletFlush
            | Sending::OutletClosed
            | Sending::Broadcast
    );
    for index in 0..4 {
        if by_outlet {
            outlet.send(message(index)).await.unwrap();
        } else {
            half.send(message(index)).await.unwrap();
        }
        push(index);
    }
    let long = Duration::from_secs(60);
    let given_up = match what {
        Sending::Send => {
            until_pending(half.send(message(4)), when).await.map(|sent| sent.map(|()| push(4)).unwrap())
        }
        Sending::MessageWriter => {
            let mut fragments = half.send_pieces(Kind::Binary);
            let whole = message(4);
            let mut given_up = false;
            for piece in whole.chunks(52) {
                if until_pending(fragments.write(piece.to_vec()), when).await.is_none() {
                    given_up = true;
                    fragments.write(piece.to_vec()).await.unwrap();
                }
            }
            fragments.finish().await.unwrap();
            push(4);
            (!given_up).then_some(())
        }
        Sending::Flush => until_pending(half.flush(), when).await.map(Result::unwrap),
        Sending::OutletSend => {
            until_pending(outlet.send(message(4)), when).await.map(|sent| sent.map(|()| push(4)).unwrap())
        }
        Sending::OutletTimeout => {
            let sending = outlet.send_timeout(message(4), long);
            until_pending(sending, when).await.map(|sent| sent.map(|()| push(4)).unwrap())
        }
        Sending::OutletFlush => until_pending(outlet.flush(), when).await.map(Result::unwrap),
        Sending::Broadcast => {
            let sending = broadcast(Message::binary(message(4)), [(&outlet, WhenFull::Wait(long))]);
            until_pending(sending, when).await.map(|delivered| {
                assert!(matches!(delivered[..], [Delivery::Accepted]));
                push(4);
            })
        }
        Sending::Close => {
            let closed = until_pending(half.close(CloseCode::NORMAL), when).await;
            drop(receive);
            return closed.is_none();
        }
        Sending::Closed | Sending::OutletClosed => {
            drop(half.close(CloseCode::NORMAL));
            return if what == Sending::Closed {
                until_pending(receive.closed(), when).await.is_none()
            } else {
                until_pending(outlet.closed(), when).await.is_none()
            };
        }
    };
    let last = if by_outlet { outlet.send(message(5)).await } else { half.send(message(5)).await };
    last.unwrap();
    push(5);
    half.close(CloseCode::NORMAL).await;
    given_up.is_none()
}

#[test]
fn a_driver_that_is_dropped_tells_everybody_wherever_it_was() {
    let places = at_every_wait(|when| {
        let world = World::new(1, Manners { spurious: Some(3), ..Manners::default() });
        let (line, server, client) = wire(&world, bytes(20));
        let (socket, driver) = over(server, Role::Server);
        let (mut peer, peers_driver) = over(client, Role::Client(Masks::new(|| [1, 2, 3, 4])));
        let given_up: Arc<Mutex<Option<bool>>> = Arc::default();
        let note = Arc::clone(&given_up);
        world
            .spawn("driver", async move { *note.hold() = Some(until_pending(driver, when).await.is_none()) });
        world.spawn("driver of the peer", async move { drop(peers_driver.await) });
        let outlet = socket.outlet();
        world.spawn("producer", async move { while outlet.send(message(0)).await.is_ok() {} });
        let (mut half, mut receive) = socket.split();
        world.spawn("receiver", async move {
            while receive.receive().await.is_some() {}
            receive.closed().await;
        });
        world.spawn("sender", async move {
            for index in 0..6 {
                if half.send(message(index)).await.is_err() {
                    break;
                }
            }
            half.close(CloseCode::NORMAL).await;
        });
        world.spawn("peer", async move {
            while peer.receive().await.is_some() {}
            peer.close(CloseCode::NORMAL).await;
        });
        world.run();
        assert!((0..2).all(|side| line.hold().is_dropped(side)));
        assert_eq!(world.kept_wakers(), Vec::<String>::new());
        given_up.hold().take().unwrap()
    });
    println!("Driver: {places} places");
    assert!(places > 100, "{places}");
}
