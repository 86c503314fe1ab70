//! The paces of a WebSocket.

use endwell::core::ws::{self as core_ws, Masks, Role};
use endwell::core::{Bound, Limit, Pace};
use endwell::ws::{CloseCode, Jitter, Kind, Socket, SocketLimits};
use endwell::{Bytes, Ended, ServerConfig};

use super::{SECOND, met, outcome, weather};
use crate::ledger::content;
use crate::wire::{WireEnd, wire};
use crate::world::{Manners, World};

fn over(world: &World, end: WireEnd, role: Role, config: &ServerConfig, limits: &SocketLimits) -> Socket {
    let (limits, jitter) = (limits.clone().into(), Jitter::default());
    let web_socket = core_ws::Socket::from_parts(role, Bytes::new(), limits, config.output, jitter, None);
    let (socket, driver) = Socket::over(end, world.clone(), web_socket, &config.into());
    world.spawn("driver", async move {
        driver.await;
    });
    socket
}

fn sockets(world: &World, config: &ServerConfig, limits: &SocketLimits) -> (Socket, Socket) {
    let (_, one, other) = wire(world, weather());
    let client = Role::Client(Masks::new(|| [1, 2, 3, 4]));
    (over(world, one, Role::Server, config, limits), over(world, other, client, config, limits))
}

/// A server, and a peer that never reads.
fn before_a_deaf_peer(world: &World, limits: &SocketLimits) -> Socket {
    let (_, one, other) = wire(world, weather());
    let clock = world.clone();
    world.spawn("deaf", async move {
        clock.sleep(SECOND * 1000).await;
        drop(other);
    });
    over(world, one, Role::Server, &ServerConfig::default(), limits)
}

/// The fragments of a message, each `pause` after the one before.
fn fragments(
    config: &ServerConfig,
    limits: &SocketLimits,
    pause: u32,
    pace: Option<Pace>,
) -> (Option<Vec<u8>>, Ended) {
    let world = World::new(1, Manners::default());
    let (mut server, mut client) = sockets(&world, config, limits);
    let sleeping = world.clone();
    world.spawn("sender", async move {
        let mut message = client.send_pieces(Kind::Text);
        for _ in 0..4 {
            if message.write("some").await.is_err() {
                break;
            }
            sleeping.sleep(SECOND * pause).await;
        }
        let _ = message.finish().await;
        while client.receive().await.is_some() {}
        client.close(CloseCode::NORMAL).await;
    });
    outcome(&world, async move {
        if let Some(pace) = pace {
            server.set_message_pace(pace);
        }
        let mut received = None;
        while let Some(message) = server.receive().await {
            if message.is_data() {
                received = Some(message.into_bytes().to_vec());
                break;
            }
        }
        (received, server.close(CloseCode::NORMAL).await)
    })
    .0
}

#[test]
fn a_fragment_may_come_12_s_after_the_last_and_not_60() {
    let (config, mut limits) = (ServerConfig::default(), SocketLimits::default());
    for pause in [12, 59] {
        let (received, _) = fragments(&config, &limits, pause, None);
        assert_eq!(received.as_deref(), Some(&b"somesomesomesome"[..]), "{pause}");
        // This sender answers no ping while it makes its message.
        limits.ping_interval = None;
    }
    let (received, ended) = fragments(&config, &limits, 61, None);
    assert_eq!((received, met(&ended)), (None, (Limit::MessageProgress, Bound::Silence(SECOND * 60))));
}

#[test]
fn a_socket_sets_the_pace_of_its_messages() {
    let (config, mut limits) = (ServerConfig::default(), SocketLimits::default());
    limits.ping_interval = None;
    let (received, _) = fragments(&config, &limits, 400, Some(Pace::UNLIMITED));
    assert!(received.is_some());
    let (received, ended) = fragments(&config, &limits, 5, Some(Pace::silence(SECOND * 4)));
    assert_eq!((received, met(&ended)), (None, (Limit::MessageProgress, Bound::Silence(SECOND * 4))));
}

/// What has arrived while the application does something else waits for it, and nobody's time passes.
#[test]
fn an_application_that_does_not_receive_uses_up_nobodys_time() {
    let mut limits = SocketLimits::default();
    limits.ping_interval = None;
    let world = World::new(1, Manners::default());
    let (mut server, mut client) = sockets(&world, &ServerConfig::default(), &limits);
    let sleeping = world.clone();
    world.spawn("sender", async move {
        client.send("first").await.unwrap();
        let mut message = client.send_pieces(Kind::Text);
        message.write("some").await.unwrap();
        sleeping.sleep(SECOND * 50).await;
        message.write("more").await.unwrap();
        message.finish().await.unwrap();
        while client.receive().await.is_some() {}
        client.close(CloseCode::NORMAL).await;
    });
    let clock = world.clone();
    let (received, _) = outcome(&world, async move {
        assert!(server.receive().await.is_some());
        clock.sleep(SECOND * 700).await;
        // Something to wait for in the output meanwhile, which has the driver read.
        server.flush().await.unwrap();
        let received = server.receive().await.map(|message| message.into_bytes().to_vec());
        (received, server.close(CloseCode::NORMAL).await)
    });
    assert_eq!(received.0.as_deref(), Some(&b"somemore"[..]), "{}", received.1);
}

#[test]
fn a_socket_sets_the_pace_of_its_output() {
    let mut limits = SocketLimits::default();
    limits.ping_interval = None;
    for (pace, seconds) in
        [(None, 60), (Some(Pace::silence(SECOND * 5)), 5), (Some(Pace::silence(SECOND * 500)), 500)]
    {
        let world = World::new(1, Manners::default());
        let mut server = before_a_deaf_peer(&world, &limits);
        if let Some(pace) = pace {
            server.set_output_pace(pace);
        }
        let clock = world.clone();
        let (second, _) = outcome(&world, async move {
            while server.send(content((0, 0), 60_000)).await.is_ok() {}
            let second = clock.now().since_epoch().as_secs();
            assert_eq!(met(&server.close(CloseCode::NORMAL).await).0, Limit::WriteProgress);
            second
        });
        assert!((seconds..=seconds + 1).contains(&second), "{second} s, not {seconds}");
    }
}

/// The driver sleeps until the bound of the pace that was set before.
#[test]
fn a_pace_that_is_set_within_a_stall_holds_at_once() {
    let mut limits = SocketLimits::default();
    limits.ping_interval = None;
    let world = World::new(1, Manners::default());
    let (mut send, mut recv) = before_a_deaf_peer(&world, &limits).split();
    let clock = world.clone();
    world.spawn("sender", async move {
        send.send(content((0, 0), 60_000)).await.unwrap();
        clock.sleep(SECOND).await;
        send.set_output_pace(Pace::silence(SECOND * 2));
        clock.sleep(SECOND * 1000).await;
    });
    let ((), second) = outcome(&world, async move { while recv.receive().await.is_some() {} });
    // From 1 s on 2 s of silence, and as long again for what the peer had taken at once.
    assert!((3..=5).contains(&second), "{second}");
}
