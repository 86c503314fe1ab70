//! Seeds that have failed once, and what they showed as a world of its own. A seed means another world as soon as anything
//! else is drawn by chance; these do not.

use std::io::IoSlice;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use endwell::core::ws::{self as core_ws, Masks, Role};
use endwell::core::{Exceeded, Instant, Limit};
use endwell::http::StatusCode;
use endwell::ws::Outcome;
use endwell::ws::{CloseCode, Control, Jitter, Message, Socket, SocketLimits};
use endwell::{Bytes, Driver, Ended, EndedKind, Exchange, ServerConfig, Transport};

use crate::client::{Request, Then};
use crate::handler::serve_one;
use crate::http::{Conversation, fits};
use crate::wire::{Cut, Weather, WireEnd, wire};
use crate::world::{Hold, Manners, World, race};

/// Seeds of the WebSocket's worlds.
///
/// 6389, 10470, 16744, 19146: where a stall ended as the limit was met, bytes moved that the end had not seen go, and the
/// law took the limit for one that was met too early. 6981, 26053: an end had decided and said so before the world stood
/// still, and the law measured from there. 19421, 34301: the law took an end whose Close was held up by a stall for one
/// that waits. 39883: a message in pieces that was not whole yet did not count as read for.
/// 498342: the law took an end that had met a limit, and whose application slept, for one that idles.
/// 12723, 122412, 134304: a client that had answered a Close, and written that after it had looked for the end of the stream,
/// waited for that end without a bound.
pub(crate) const WEB_SOCKET: [u64; 23] = [
    2247, 6389, 6981, 10470, 16744, 19146, 19421, 22899, 26053, 34301, 39883, 61470, 136_486, 143_286,
    171_610, 183_425, 231_972, 443_108, 498_342, 509_407, 12723, 122_412, 134_304,
];

/// Seeds of HTTP's worlds.
///
/// 779912: a layer that held something back for a peer that was gone could be flushed for ever.
pub(crate) const HTTP: [u64; 2] = [20738, 779_912];

/// Seeds of the worlds of those who leave.
///
/// 145616: what the peer took between the driver's question and its leaving counted from the next question.
pub(crate) const LEAVING: [u64; 1] = [145_616];

fn weather(window: usize) -> Weather {
    let delay = Duration::from_millis(1);
    Weather { longest: 5000, delay, window, ..Weather::CALM }
}

fn over(end: WireEnd, role: Role) -> (Socket, Driver) {
    let limits = Arc::new(SocketLimits::default());
    let config = ServerConfig::default();
    let (output, jitter) = (config.output, Jitter::default());
    let web_socket = core_ws::Socket::from_parts(role, Bytes::new(), limits, output, jitter, None);
    let world = end.world();
    Socket::over(end, world, web_socket, &(&config).into())
}

/// How long a flush took that met a stall of 8 s, and what a layer above the wire still held back then.
fn flush_within_a_stall(holds: Option<usize>) -> (Duration, usize) {
    let world = World::new(1, Manners::default());
    // Of the last of 102 bytes.
    let stall = Some((0, 101, Duration::from_secs(8)));
    let (line, server, client) = wire(&world, Weather { longest: 1, holds, stall, ..weather(1000) });
    let (mut socket, driver) = over(server, Role::Server);
    let (mut peer, peers_driver) = over(client, Role::Client(Masks::new(|| [1, 2, 3, 4])));
    world.spawn("driver", async move { drop(driver.await) });
    world.spawn("driver of the peer", async move { drop(peers_driver.await) });
    world.spawn("peer", async move {
        while peer.receive().await.is_some() {}
        peer.close(CloseCode::NORMAL).await;
    });
    let flushed: Arc<Mutex<Option<(Instant, usize)>>> = Arc::default();
    let (note, sharing) = (Arc::clone(&flushed), world.clone());
    let before = world.now();
    world.spawn("application", async move {
        socket.send(Message::binary(vec![7; 100])).await.unwrap();
        socket.flush().await.unwrap();
        *note.hold() = Some((sharing.now(), line.hold().held(0)));
        socket.close(CloseCode::NORMAL).await;
    });
    world.run();
    let (now, held) = flushed.hold().take().unwrap();
    (now.saturating_since(before), held)
}

/// 22899: what the stall kept on the wire was taken for what a layer above it holds back.
#[test]
fn a_flush_waits_for_the_layer_above_the_wire_and_not_for_the_wire() {
    assert_eq!(flush_within_a_stall(None), (Duration::ZERO, 0));
    let (time, held) = flush_within_a_stall(Some(1024));
    assert!(time >= Duration::from_secs(8) && held == 0, "{time:?} {held}");
}

/// How a close ended that met a stall of 8 s below a layer that holds its Close back, and when.
fn close_within_a_stall(answers: bool) -> (Ended, Duration) {
    let world = World::new(1, Manners::default());
    let stall = Some((0, 3, Duration::from_secs(8)));
    let (_, server, client) = wire(&world, Weather { holds: Some(1024), stall, ..weather(1000) });
    let (socket, driver) = over(server, Role::Server);
    let (mut peer, peers_driver) = over(client, Role::Client(Masks::new(|| [1, 2, 3, 4])));
    world.spawn("driver", async move { drop(driver.await) });
    let sharing = world.clone();
    world.spawn("driver of the peer", async move {
        if answers {
            peers_driver.await;
        } else {
            sharing.sleep(Duration::from_secs(100)).await;
        }
    });
    world.spawn("peer", async move {
        while peer.receive().await.is_some() {}
        peer.close(CloseCode::NORMAL).await;
    });
    let closed: Arc<Mutex<Option<(Ended, Instant)>>> = Arc::default();
    let (note, sharing) = (Arc::clone(&closed), world.clone());
    let before = world.now();
    world.spawn("application", async move {
        let ended = socket.close(CloseCode::NORMAL).await;
        *note.hold() = Some((ended, sharing.now()));
    });
    world.run();
    let (ended, now) = closed.hold().take().unwrap();
    (ended, now.saturating_since(before))
}

/// 231972: a Close that a layer held back was taken for one that the peer had not answered in time.
#[test]
fn the_time_for_an_answer_to_a_close_begins_when_no_layer_holds_it_back() {
    let (ended, time) = close_within_a_stall(true);
    assert!(matches!(ended.kind(), EndedKind::WebSocket(Outcome::Closed { .. })), "{ended} after {time:?}");
    assert!((8..9).contains(&time.as_secs()), "{time:?}");
    let (ended, time) = close_within_a_stall(false);
    let EndedKind::WebSocket(Outcome::Exceeded(Exceeded { limit: Limit::CloseTime, .. })) = ended.kind()
    else {
        panic!("{ended} after {time:?}");
    };
    assert!((13..14).contains(&time.as_secs()), "{time:?}");
}

/// 443108, 509407: an answer to the peer's Close that a layer still held back was told as sent when the peer went.
#[test]
fn a_close_that_a_layer_holds_back_as_the_peer_goes_is_not_told_as_sent() {
    for resets in [true, false] {
        let ended = answer_within_a_stall(resets);
        assert!(matches!(ended.kind(), EndedKind::Transport(_)), "{ended}");
    }
}

/// How a connection ended whose peer has sent its Close and goes while a layer holds the answer back.
fn answer_within_a_stall(resets: bool) -> Ended {
    let world = World::new(1, Manners::default());
    let stall = Some((0, 0, Duration::from_secs(8)));
    let (_, server, mut client) = wire(&world, Weather { holds: Some(1024), stall, ..weather(1000) });
    let (mut socket, driver) = over(server, Role::Server);
    world.spawn("driver", async move { drop(driver.await) });
    let sharing = world.clone();
    world.spawn("peer", async move {
        let close = [0x88, 0x80, 0, 0, 0, 0];
        let mut sent = 0;
        std::future::poll_fn(|cx| {
            while sent < close.len() {
                let slices = [IoSlice::new(&close[sent..])];
                sent += std::task::ready!(client.poll_write(cx, &slices)).unwrap();
            }
            client.poll_flush(cx)
        })
        .await
        .unwrap();
        sharing.sleep(Duration::from_secs(1)).await;
        if resets {
            client.reset();
        }
    });
    let told: Arc<Mutex<Option<Ended>>> = Arc::default();
    let note = Arc::clone(&told);
    world.spawn("application", async move {
        while socket.receive().await.is_some() {}
        let ended = socket.close(CloseCode::NORMAL).await;
        *note.hold() = Some(ended);
    });
    world.run();
    told.hold().take().unwrap()
}

/// 20738: the client saw the end of the stream and went while a layer of its own still held the rest of its request,
/// and the law knew only of requests that the network cuts.
#[test]
fn a_client_that_goes_before_its_layer_has_passed_on_all_cuts_its_request() {
    let world = World::new(1, Manners::default());
    let weather = Weather { holds: Some(1024), ..weather(30) };
    let (line, mut one, other) = wire(&world, weather.clone());
    let requests = vec![Request::post(b"body")];
    let input = requests[0].bytes().to_vec();
    world.spawn("client", async move {
        std::future::poll_fn(|cx| {
            let mut sent = 0;
            while sent < input.len() {
                let Poll::Ready(written) = one.poll_write(cx, &[IoSlice::new(&input[sent..])]) else {
                    panic!()
                };
                sent += written.unwrap();
            }
            assert!(one.poll_flush(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        drop(one);
    });
    let handler = async |exchange: Exchange| exchange.respond(StatusCode::OK, "hello");
    let running = serve_one(&world, other, ServerConfig::default(), handler);
    let ended: Arc<Mutex<Option<Ended>>> = Arc::default();
    let note = Arc::clone(&ended);
    world.spawn("server", async move {
        let end = running.await;
        *note.hold() = Some(end);
    });
    world.run();
    assert_eq!(line.hold().moved(0), 30);
    let conversation = Conversation { requests, then: Then::Wait, line, heard: Arc::default() };
    let ended = ended.hold().take().unwrap();
    assert!(matches!(ended.kind(), EndedKind::Protocol(_)), "{ended}");
    fits(&ended, false, !weather.is_calm(), &[conversation]);
}

/// 61470, 171610: a socket whose input nobody wants could not be written to any more, and went through the pings that had arrived
/// behind the first that it could not answer. So its outlets were asked for more, and kept the connection's task.
#[test]
fn an_outlet_keeps_no_task_of_a_connection_that_fails_among_pings() {
    let world = World::new(1, Manners::default());
    let (_, server, client) = wire(&world, Weather { cut: Some((0, 2, Cut::End)), ..weather(1000) });
    let (socket, driver) = over(server, Role::Server);
    let (mut peer, peers_driver) = over(client, Role::Client(Masks::new(|| [1, 2, 3, 4])));
    let kept = socket.outlet();
    let outlet = kept.clone();
    let (sends, receives) = socket.split();
    drop(receives);
    world.spawn("driver", async move { drop(driver.await) });
    world.spawn("driver of the peer", async move { drop(peers_driver.await) });
    world.spawn("peer", async move {
        for _ in 0..20 {
            peer.ping(Control::new(b"").unwrap()).unwrap();
        }
        peer.close(CloseCode::NORMAL).await;
    });
    world.spawn("application", async move {
        outlet.closed().await;
        drop(sends);
    });
    world.run();
    assert_eq!(world.kept_wakers(), Vec::<String>::new());
    drop(kept);
}

/// 136486, 143286, 183425: a reader that came after the connection had failed found a violation in what had arrived before, and who
/// asked then was told of that, and the others of the failure.
#[test]
fn how_a_connection_ended_is_told_alike_whatever_is_found_afterwards() {
    let world = World::new(1, Manners::default());
    let (_, server, mut client) = wire(&world, Weather { cut: Some((0, 1, Cut::Reset)), ..weather(1000) });
    let (socket, mut driver) = over(server, Role::Server);
    let outlet = socket.outlet();
    let sharing = world.clone();
    world.spawn("peer", async move {
        // A text, and a frame that is not masked.
        let frames = [0x81, 0x81, 0, 0, 0, 0, b'a', 0x81, 1, b'b'];
        let mut sent = 0;
        std::future::poll_fn(|cx| {
            while sent < frames.len() {
                let slices = [IoSlice::new(&frames[sent..])];
                sent += std::task::ready!(client.poll_write(cx, &slices)).unwrap();
            }
            Poll::Ready(())
        })
        .await;
        sharing.sleep(Duration::from_secs(1)).await;
    });
    let sharing = world.clone();
    world.spawn("driver and application", async move {
        sharing.sleep(Duration::from_millis(10)).await;
        let (mut sends, mut receives) = socket.split();
        let mut drive = async |polls: usize| {
            let mut polls = 0..polls;
            std::future::poll_fn(|cx| match Pin::new(&mut driver).poll(cx) {
                Poll::Pending if polls.next().is_none() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
                Poll::Ready(ended) => Poll::Ready(Some(ended)),
            })
            .await
        };
        let first = race(receives.receive(), drive(usize::MAX)).await;
        assert!(matches!(first, Ok(Some(message)) if message.is_data()));
        sends.send("c").await.unwrap();
        let ended = drive(0).await.unwrap();
        assert!(receives.receive().await.is_none());
        assert!(matches!(ended.kind(), EndedKind::Transport(_)), "{ended}");
        for told in [outlet.closed().await, receives.closed().await, sends.close(CloseCode::NORMAL).await] {
            assert_eq!(format!("{told:?}"), format!("{ended:?}"));
        }
    });
    world.run();
}

/// 12723: a client whose reader is gone answered a Close in a turn in which it had looked already.
#[test]
fn a_client_that_answers_a_close_waits_for_the_end_of_the_stream_for_a_bounded_time() {
    for holds in [None, Some(1024)] {
        let world = World::new(1, Manners::default());
        let (_, mut server, client) = wire(&world, Weather { holds, ..weather(1000) });
        let (socket, driver) = over(client, Role::Client(Masks::new(|| [1, 2, 3, 4])));
        let (sends, receives) = socket.split();
        drop(receives);
        let sharing = world.clone();
        world.spawn("peer", async move {
            std::future::poll_fn(|cx| server.poll_write(cx, &[IoSlice::new(&[0x88])])).await.unwrap();
            std::future::poll_fn(|cx| server.poll_write(cx, &[IoSlice::new(&[0])])).await.unwrap();
            std::future::poll_fn(|cx| server.poll_flush(cx)).await.unwrap();
            sharing.sleep(Duration::from_secs(1000)).await;
            drop(sends);
        });
        let ended: Arc<Mutex<Option<(Ended, Instant)>>> = Arc::default();
        let (note, sharing, before) = (Arc::clone(&ended), world.clone(), world.now());
        world.spawn("driver", async move {
            let end = driver.await;
            *note.hold() = Some((end, sharing.now()));
        });
        world.run();
        let (ended, now) = ended.hold().take().unwrap();
        let time = now.saturating_since(before);
        assert!((5..11).contains(&time.as_secs()), "{ended} after {time:?}");
    }
}
