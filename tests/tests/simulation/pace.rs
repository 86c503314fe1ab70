//! Who is cut off for being slow, and who is not, in minutes that pass in no time. S27 and S42.

use std::io::IoSlice;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use endwell::client::{Body, Connection, Received, Response};
use endwell::core::ws::{Ended as WsEnded, Masks, Role, WebSocket};
use endwell::core::{Bound, Limit, Pace};
use endwell::http::{Framing, Method, RequestHead, StatusCode};
use endwell::ws::{CloseCode, Jitter, Kind, Limits, Socket};
use endwell::{Answered, Bytes, Config, Ended, Exchange, Server, Transport};

use crate::ledger::content;
use crate::wire::{Weather, WireEnd, wire};
use crate::world::{Hold, Manners, World, race};

const SECOND: Duration = Duration::from_secs(1);
const LARGE: usize = 300_000;

/// A reader that pauses does so behind so many bytes.
const PAUSE: usize = 50_000;

fn weather() -> Weather {
    let delay = Duration::from_millis(1);
    Weather { longest: 4096, delay, window: 4096, ..Weather::CALM }
}

/// A server end, a client end, and what runs them.
fn world() -> (World, WireEnd, WireEnd) {
    let world = World::new(1, Manners::default());
    let (_, one, other) = wire(&world, weather());
    (world, one, other)
}

type Slot<T> = Arc<Mutex<Option<T>>>;

/// Runs a task beside others, until all have ended: what it gives, and the second in which that was.
fn outcome<T: Send + 'static>(world: &World, task: impl Future<Output = T> + Send + 'static) -> (T, u64) {
    let slot: Slot<(T, u64)> = Slot::default();
    let (filled, clock) = (Arc::clone(&slot), world.clone());
    world.spawn("task", async move {
        let done = task.await;
        *filled.hold() = Some((done, clock.now().since_epoch().as_secs()));
    });
    world.run();
    slot.hold().take().expect("an outcome")
}

fn get() -> RequestHead {
    RequestHead::new(Method::Get, "h", "/").unwrap()
}

fn post() -> RequestHead {
    RequestHead::new(Method::Post, "h", "/").unwrap()
}

/// Serves `end` with a handler.
fn serve<F>(world: &World, end: WireEnd, config: &Config, handler: impl Fn(Exchange) -> F + Send + 'static)
where
    F: Future<Output = Result<Answered, Ended>> + Send + 'static,
{
    let running = Server::new(end, config).run(handler);
    world.spawn("server", async move {
        running.await;
    });
}

/// A client of `end`, driven.
fn dial(world: &World, end: WireEnd, config: &Config) -> Connection {
    let (connection, driver) = Connection::over(end, config);
    world.spawn("driver", async move {
        driver.await;
    });
    connection
}

fn sockets(world: &World, config: &Config, limits: &Limits) -> (Socket, Socket) {
    let (_, one, other) = wire(world, weather());
    let over = |end, role| {
        let web_socket =
            WebSocket::from_parts(role, Bytes::new(), limits.clone().into(), Jitter::default(), None);
        let (socket, driver) = Socket::over(end, web_socket, config);
        world.spawn("driver", async move {
            driver.await;
        });
        socket
    };
    (over(one, Role::Server), over(other, Role::Client(Masks::new(|| [1, 2, 3, 4]))))
}

/// What a peer does once a second, until the other end has had enough.
#[derive(Clone, Copy)]
enum Slowly {
    /// Sends a byte, and takes all there is.
    Sends(u8),
    /// Takes a byte.
    Takes,
}

/// Sends `first`, and goes on slowly.
async fn peer(world: World, mut end: WireEnd, first: &'static [u8], slowly: Slowly) {
    let mut sent = 0;
    std::future::poll_fn(|cx| {
        while sent < first.len() {
            match end.poll_write(cx, &[IoSlice::new(&first[sent..])]) {
                Poll::Ready(Ok(len)) => sent += len,
                Poll::Ready(Err(_)) => break,
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
    })
    .await;
    for _ in 0..2000 {
        world.sleep(SECOND).await;
        let goes_on = std::future::poll_fn(|cx| {
            let most = if let Slowly::Takes = slowly { 1 } else { 4096 };
            let read = end.poll_read(cx, &mut vec![0; most]);
            let is_open = !matches!(read, Poll::Ready(Ok(0) | Err(_)));
            let is_written = match slowly {
                Slowly::Sends(byte) => {
                    !matches!(end.poll_write(cx, &[IoSlice::new(&[byte])]), Poll::Ready(Err(_)))
                }
                Slowly::Takes => true,
            };
            Poll::Ready(is_open && is_written)
        });
        if !goes_on.await {
            return;
        }
    }
}

/// The limit that a connection met.
fn met(ended: &Ended) -> (Limit, Bound) {
    match ended {
        Ended::Limit(exceeded) | Ended::WebSocket(WsEnded::Exceeded(exceeded)) => {
            (exceeded.limit, exceeded.bound)
        }
        other => panic!("{other}"),
    }
}

#[test]
fn an_event_every_20_s_comes_whole_however_long_the_stream_is() {
    for (pause, events) in [(20, 60), (299, 10)] {
        let (world, one, other) = world();
        let sleeping = world.clone();
        serve(&world, one, &Config::default(), move |exchange| {
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
        let response = dial(&world, other, &Config::default()).send(&get(), "");
        let (body, second) =
            outcome(&world, async move { response.await.unwrap().read_all(LARGE).await.unwrap() });
        assert_eq!(body.len(), events * 9);
        assert!(second >= u64::from(pause) * u64::try_from(events).unwrap(), "{second}");
    }
}

#[test]
fn an_upload_may_pause() {
    let (world, one, other) = world();
    serve(&world, one, &Config::default(), async |mut exchange: Exchange| {
        let body = exchange.read_all(LARGE).await?;
        Ok(exchange.respond(StatusCode::OK, body))
    });
    let (mut body, response) = dial(&world, other, &Config::default()).request(&post(), Framing::Chunked);
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

/// Either end reads only now and then, and time that it does not read for is nobody's silence.
#[test]
fn a_reader_may_pause() {
    let (world, one, other) = world();
    let mut config = Config::default();
    config.http.response_time = None;
    let sleeping = world.clone();
    serve(&world, one, &Config::default(), move |mut exchange| {
        let sleeping = sleeping.clone();
        async move {
            let mut body = Vec::new();
            while let Some(piece) = exchange.read().await? {
                let pauses = (body.len() + piece.len()) / PAUSE > body.len() / PAUSE;
                body.extend(piece);
                if pauses {
                    sleeping.sleep(SECOND * 15).await;
                }
            }
            Ok(exchange.respond(StatusCode::OK, body))
        }
    });
    let (mut body, response) = dial(&world, other, &config).request(&post(), Framing::Length(LARGE as u64));
    let sleeping = world.clone();
    let (echoed, second) = outcome(&world, async move {
        body.write(content((0, 0), LARGE)).await.unwrap();
        body.finish().unwrap();
        let mut received = response.await.unwrap();
        let mut echoed = Vec::new();
        while let Some(piece) = received.read().await.unwrap() {
            let pauses = (echoed.len() + piece.len()) / PAUSE > echoed.len() / PAUSE;
            echoed.extend(piece);
            if pauses {
                sleeping.sleep(SECOND * 15).await;
            }
        }
        echoed
    });
    assert!(echoed == content((0, 0), LARGE) && second >= 150, "{} bytes in {second} s", echoed.len());
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
        let running = Server::new(one, &Config::default()).run(move |mut exchange: Exchange| {
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

/// The server of a client takes a byte a second, or sends one.
fn slow_server(first: &'static [u8], slowly: Slowly) -> (World, Connection) {
    let (world, one, other) = world();
    let connection = dial(&world, other, &Config::default());
    world.spawn("peer", peer(world.clone(), one, first, slowly));
    (world, connection)
}

async fn upload(mut body: Body) -> Ended {
    loop {
        if let Err(error) = body.write(vec![0; 8192]).await {
            return error.into();
        }
    }
}

#[test]
fn one_byte_a_second_is_ended_by_a_client_where_it_can_be_told() {
    let (world, connection) = slow_server(b"HT", Slowly::Sends(b'x'));
    let response = connection.send(&get(), "");
    let (failure, second) = outcome(&world, async { response.await.unwrap_err() });
    assert!(failure.to_string().len() > 1 && second <= 11, "{failure} at {second}");

    let (world, connection) = slow_server(b"", Slowly::Takes);
    let (body, response) = connection.request(&post(), Framing::Chunked);
    let (ended, second) = outcome(&world, async move {
        let ended = upload(body).await;
        drop(response);
        ended
    });
    assert_eq!(met(&ended).0, Limit::WriteProgress);
    assert!((60..=62).contains(&second), "{second}");
}

const ENDLESS: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";

/// A response is endless, unless a total time is set for it.
#[test]
fn a_client_sets_the_pace_of_one_response() {
    let (world, connection) = slow_server(ENDLESS, Slowly::Sends(b'x'));
    let response = connection.send(&get(), "");
    let (error, second) = outcome(&world, async {
        let mut received: Received = response.await.unwrap();
        received.set_pace(Pace::silence(SECOND * 5).total(SECOND * 40, 500));
        received.read_all(LARGE).await.unwrap_err()
    });
    assert_eq!(
        met(&error.ended),
        (Limit::BodyProgress, Bound::Total(Pace::UNLIMITED.total(SECOND * 40, 500).total.unwrap()))
    );
    assert!((40..=42).contains(&second), "{second}");
}

#[test]
fn a_client_sets_the_time_for_one_response_and_the_pace_of_one_upload() {
    for (time, seconds) in [(Some(SECOND * 5), 5), (Some(SECOND * 200), 200), (None, 2000)] {
        let (world, connection) = slow_server(b"", Slowly::Takes);
        let (body, mut response): (_, Response) = connection.request(&post(), Framing::Length(0));
        body.finish().unwrap();
        response.set_response_time(time);
        let (failure, second) = outcome(&world, async { response.await.unwrap_err() });
        assert!((seconds..=seconds + 1).contains(&second), "{failure} at {second}");
    }
    let (world, connection) = slow_server(b"", Slowly::Takes);
    let (mut body, response) = connection.request(&post(), Framing::Chunked);
    body.set_output_pace(Pace::silence(SECOND * 5).total(SECOND * 300, 500));
    let (ended, second) = outcome(&world, async move {
        let ended = upload(body).await;
        drop(response);
        ended
    });
    assert!(met(&ended).0 == Limit::WriteProgress && (300..=302).contains(&second), "{ended} at {second}");
}

/// The time of the response begins when the request is out, however long that takes.
#[test]
fn a_slow_upload_does_not_use_up_the_time_for_the_response() {
    let (world, one, other) = world();
    let sleeping = world.clone();
    serve(&world, one, &Config::default(), move |mut exchange| {
        let sleeping = sleeping.clone();
        async move {
            for _ in 0..10 {
                let mut taken = 0;
                while taken < PAUSE {
                    taken += exchange.read().await?.map_or(PAUSE, |piece| piece.len());
                }
                sleeping.sleep(SECOND * 30).await;
            }
            exchange.read_all(4 * LARGE).await?;
            sleeping.sleep(SECOND * 59).await;
            Ok(exchange.respond(StatusCode::OK, "done"))
        }
    });
    let (mut body, response) =
        dial(&world, other, &Config::default()).request(&post(), Framing::Length(4 * LARGE as u64));
    let (status, second) = outcome(&world, async move {
        body.write(content((0, 0), 4 * LARGE)).await.unwrap();
        body.finish().unwrap();
        response.await.unwrap().status()
    });
    assert!(status == StatusCode::OK && second > 300, "{second}");
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
            serve(&world, one, &Config::default(), move |mut exchange| {
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

/// The fragments of a message, each `pause` after the one before.
fn fragments(config: &Config, limits: &Limits, pause: u32, pace: Option<Pace>) -> (Option<Vec<u8>>, Ended) {
    let world = World::new(1, Manners::default());
    let (mut server, mut client) = sockets(&world, config, limits);
    let sleeping = world.clone();
    world.spawn("sender", async move {
        let mut message = client.send_fragments(Kind::Text);
        for _ in 0..4 {
            if message.write("some").await.is_err() {
                break;
            }
            sleeping.sleep(SECOND * pause).await;
        }
        let _ = message.finish();
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
    let (config, mut limits) = (Config::default(), Limits::default());
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
    let (config, mut limits) = (Config::default(), Limits::default());
    limits.ping_interval = None;
    let (received, _) = fragments(&config, &limits, 400, Some(Pace::UNLIMITED));
    assert!(received.is_some());
    let (received, ended) = fragments(&config, &limits, 5, Some(Pace::silence(SECOND * 4)));
    assert_eq!((received, met(&ended)), (None, (Limit::MessageProgress, Bound::Silence(SECOND * 4))));
}

/// A message that is half here while the application does something else: that is not the peer's time. Nor is it after a wait
/// that was given up.
#[test]
fn an_application_that_does_not_receive_uses_up_nobodys_time() {
    let mut limits = Limits::default();
    limits.ping_interval = None;
    for gives_up in [false, true] {
        let world = World::new(1, Manners::default());
        let (mut server, mut client) = sockets(&world, &Config::default(), &limits);
        let sleeping = world.clone();
        world.spawn("sender", async move {
            client.send("first").await.unwrap();
            let mut message = client.send_fragments(Kind::Text);
            message.write("some").await.unwrap();
            sleeping.sleep(SECOND * 730).await;
            message.write("more").await.unwrap();
            message.finish().unwrap();
            while client.receive().await.is_some() {}
            client.close(CloseCode::NORMAL).await;
        });
        let clock = world.clone();
        let (received, _) = outcome(&world, async move {
            assert!(server.receive().await.is_some());
            if gives_up {
                assert!(race(server.receive(), clock.sleep(SECOND * 5)).await.is_err());
            }
            clock.sleep(SECOND * 700).await;
            // Something to wait for in the output meanwhile, which has the driver read.
            server.flush().await.unwrap();
            let received = server.receive().await.map(|message| message.into_bytes().to_vec());
            (received, server.close(CloseCode::NORMAL).await)
        });
        assert_eq!(received.0.as_deref(), Some(&b"somemore"[..]), "{}", received.1);
    }
}

#[test]
fn a_socket_sets_the_pace_of_its_output() {
    let mut limits = Limits::default();
    limits.ping_interval = None;
    for (pace, seconds) in
        [(None, 60), (Some(Pace::silence(SECOND * 5)), 5), (Some(Pace::silence(SECOND * 500)), 500)]
    {
        let world = World::new(1, Manners::default());
        let (mut server, client) = sockets(&world, &Config::default(), &limits);
        if let Some(pace) = pace {
            server.set_output_pace(pace);
        }
        let clock = world.clone();
        world.spawn("deaf", async move {
            clock.sleep(SECOND * 1000).await;
            drop(client);
        });
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
