//! The paces that a server asks of its clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use endwell::core::{Limit, Pace};
use endwell::http::{Framing, StatusCode};
use endwell::{ClientConfig, Ended, Exchange, ServerConfig};

use super::{LARGE, PAUSE, SECOND, Slot, Slowly, dial, get, met, outcome, peer, post, serve, weather, world};
use crate::handler::serve_one;
use crate::ledger::content;
use crate::wire::{Kernel, Weather, wire};
use crate::world::{Hold, Manners, World};

#[test]
fn an_event_every_20_s_comes_whole_however_long_the_stream_is() {
    for (pause, events) in [(20, 60), (299, 10)] {
        let (world, one, other) = world();
        let sleeping = world.clone();
        serve(&world, one, &ServerConfig::default(), move |exchange| {
            let sleeping = sleeping.clone();
            async move {
                let (_, mut stream) = exchange.start(StatusCode::OK, Framing::Chunked);
                for _ in 0..events {
                    sleeping.sleep(SECOND * pause).await;
                    stream.write("data: x\n\n").await?;
                }
                stream.finish()
            }
        });
        let response = dial(&world, other, &ClientConfig::default()).send(&get(), "");
        let (body, second) =
            outcome(&world, async move { response.await.unwrap().read_all(LARGE).await.unwrap() });
        assert_eq!(body.len(), events * 9);
        assert!(second >= u64::from(pause) * u64::try_from(events).unwrap(), "{second}");
    }
}

#[test]
fn an_upload_may_pause() {
    let (world, one, other) = world();
    serve(&world, one, &ServerConfig::default(), async |mut exchange: Exchange| {
        let body = exchange.read_all(LARGE).await?;
        Ok(exchange.respond(StatusCode::OK, body))
    });
    let (mut body, response) =
        dial(&world, other, &ClientConfig::default()).request(&post(), Framing::Chunked);
    let sleeping = world.clone();
    let (echoed, _) = outcome(&world, async move {
        for pause in [15, 29, 15] {
            body.write(content((0, 0), 10_000)).await.unwrap();
            body.flush().await.unwrap();
            sleeping.sleep(SECOND * pause).await;
        }
        body.finish().unwrap();
        response.await.unwrap().read_all(LARGE).await.unwrap()
    });
    assert_eq!(echoed, content((0, 0), 10_000).repeat(3));
}

#[test]
fn one_byte_a_second_is_ended_by_a_server_in_every_direction() {
    const POST: &[u8] = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n";
    const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    for (first, slowly, limit, seconds) in [
        (&b"GE"[..], Slowly::Sends(b'T'), Limit::HeadTime, 10..=13),
        (POST, Slowly::Sends(b'x'), Limit::BodyProgress, 30..=31),
        (GET, Slowly::Takes, Limit::WriteProgress, 60..=62),
    ] {
        let (world, one, other) = world();
        let met_in: Slot<(Limit, u64)> = Slot::default();
        let (meets, clock) = (Arc::clone(&met_in), world.clone());
        let running = serve_one(&world, one, ServerConfig::default(), move |mut exchange: Exchange| {
            let (meets, clock) = (Arc::clone(&meets), clock.clone());
            async move {
                let found = async {
                    exchange.read_all(LARGE).await?;
                    let (_, mut body) = exchange.start(StatusCode::OK, Framing::Chunked);
                    body.write(content((0, 0), LARGE)).await?;
                    body.flush().await?;
                    body.finish()
                };
                let found = found.await;
                let error = found.as_ref().unwrap_err();
                *meets.hold() = Some((met(error).0, clock.now().since_epoch().as_secs()));
                found
            }
        });
        let (ended_in, clock): (Slot<_>, _) = (Slot::default(), world.clone());
        let ends = Arc::clone(&ended_in);
        world.spawn("server", async move {
            let ended = running.await;
            *ends.hold() = Some((ended, clock.now().since_epoch().as_secs()));
        });
        world.spawn("peer", peer(world.clone(), other, first, slowly));
        world.run();
        let (ended, second) = ended_in.hold().take().unwrap();
        let (found, second) = met_in.hold().take().unwrap_or_else(|| (met(&ended).0, second));
        assert!(found == limit && seconds.contains(&second), "{ended} at {second}");
    }
}

#[test]
fn a_server_sets_the_paces_of_one_exchange() {
    for (first, slowly, limit, seconds) in [
        (
            &b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n"[..],
            Slowly::Sends(b'x'),
            Limit::BodyProgress,
            200..=201,
        ),
        (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", Slowly::Takes, Limit::WriteProgress, 400..=402),
    ] {
        for started in [false, true] {
            let (world, one, other) = world();
            let ended_in: Slot<(Ended, u64)> = Slot::default();
            let (ends, clock) = (Arc::clone(&ended_in), world.clone());
            serve(&world, one, &ServerConfig::default(), move |mut exchange| {
                let (ends, clock) = (Arc::clone(&ends), clock.clone());
                let body_pace = Pace::silence(SECOND * 5).total(SECOND * 200, 500);
                let output_pace = Pace::silence(SECOND * 5).total(SECOND * 400, 500);
                async move {
                    if !started {
                        exchange.set_body_pace(body_pace);
                        exchange.set_output_pace(output_pace);
                    }
                    let (mut request, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
                    if started {
                        request.set_pace(body_pace);
                        response.set_output_pace(output_pace);
                    }
                    let reading = async {
                        while request.read().await?.is_some() {}
                        Ok::<_, Ended>(())
                    };
                    let writing = async {
                        reading.await?;
                        response.write(content((0, 0), LARGE)).await?;
                        response.flush().await
                    };
                    let ended = writing.await.unwrap_err();
                    *ends.hold() = Some((ended.clone(), clock.now().since_epoch().as_secs()));
                    Err(ended)
                }
            });
            world.spawn("peer", peer(world.clone(), other, first, slowly));
            world.run();
            let (ended, second) = ended_in.hold().take().unwrap();
            assert!(met(&ended).0 == limit && seconds.contains(&second), "{ended} at {second}");
        }
    }
}

/// The next exchange has the pace of the limits again.
#[test]
fn the_pace_of_one_exchange_ends_with_it() {
    let (world, one, other) = world();
    let is_first = AtomicBool::new(true);
    serve(&world, one, &ServerConfig::default(), move |mut exchange| {
        let is_first = is_first.swap(false, Ordering::Relaxed);
        async move {
            if is_first {
                exchange.set_output_pace(Pace::silence(SECOND * 5));
                return Ok(exchange.respond(StatusCode::OK, "first"));
            }
            Ok(exchange.respond(StatusCode::OK, content((0, 0), LARGE)))
        }
    });
    let connection = dial(&world, other, &ClientConfig::default());
    let sleeping = world.clone();
    let (body, second) = outcome(&world, async move {
        let mut received = connection.send(&get(), "").await.unwrap();
        assert_eq!(received.read_all(LARGE).await.unwrap(), "first");
        let connection = received.finish().await.unwrap();
        let mut received = connection.send(&get(), "").await.unwrap();
        sleeping.sleep(SECOND * 30).await;
        received.read_all(LARGE).await.unwrap()
    });
    assert!(body == content((0, 0), LARGE) && second >= 30, "{second}");
}

/// A response that takes longer to read than a connection may be idle, from our output or from the kernel's; then a further
/// request, and none.
#[test]
fn the_idle_time_begins_when_the_last_response_is_out() {
    let buffered = Weather { kernel: Some(Kernel::as_it_is(LARGE, true)), rate: Some(1500), ..Weather::CALM };
    for (weather, pause) in [(weather(), SECOND * 30), (buffered, Duration::ZERO)] {
        let world = World::new(1, Manners::default());
        let (_, one, other) = wire(&world, weather);
        let running = serve_one(&world, one, ServerConfig::default(), async |exchange: Exchange| {
            Ok::<_, Ended>(exchange.respond(StatusCode::OK, content((0, 0), LARGE)))
        });
        let ended: Slot<(Ended, u64)> = Slot::default();
        let (ends, clock) = (Arc::clone(&ended), world.clone());
        world.spawn("server", async move {
            let ended = running.await;
            *ends.hold() = Some((ended, clock.now().since_epoch().as_secs()));
        });
        let mut connection = dial(&world, other, &ClientConfig::default());
        let clock = world.clone();
        let (read_at, _) = outcome(&world, async move {
            let mut read_at = 0;
            for idle in [10, 200] {
                let mut received = connection.send(&get(), "").await.unwrap();
                let mut read = 0;
                while let Some(piece) = received.read().await.unwrap() {
                    if (read + piece.len()) / PAUSE > read / PAUSE {
                        clock.sleep(pause).await;
                    }
                    read += piece.len();
                }
                assert_eq!(read, LARGE);
                connection = received.finish().await.unwrap();
                read_at = clock.now().since_epoch().as_secs();
                clock.sleep(SECOND * idle).await;
            }
            read_at
        });
        let (ended, second) = ended.hold().take().unwrap();
        assert_eq!(met(&ended).0, Limit::IdleTime);
        // Once while the last of it was on its way, at the most. A piece may be longer than what is read between two pauses.
        assert!(read_at >= 2 * 150 && (read_at..=read_at + 150).contains(&second), "{second}, not {read_at}");
    }
}
