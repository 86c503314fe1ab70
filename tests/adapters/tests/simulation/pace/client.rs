//! The paces that a client asks of its server.

use endwell::client::{Connection, RequestWriter, ResponseFuture, ResponseReader};
use endwell::core::{Bound, Limit, Pace};
use endwell::http::{Connect, Framing, Method, Request, StatusCode};
use endwell::{ClientConfig, Ended, ServerConfig};

use super::{LARGE, PAUSE, SECOND, Slowly, dial, get, met, outcome, peer, post, serve, world};
use crate::ledger::content;
use crate::world::World;

/// Either end reads only now and then, and time that it does not read for is nobody's silence.
#[test]
fn a_reader_may_pause() {
    let (world, one, other) = world();
    let mut config = ClientConfig::default();
    config.http.response_time = None;
    let sleeping = world.clone();
    serve(&world, one, &ServerConfig::default(), move |mut exchange| {
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

/// The server of a client takes a byte a second, or sends one.
fn slow_server(first: &'static [u8], slowly: Slowly) -> (World, Connection) {
    let (world, one, other) = world();
    let connection = dial(&world, other, &ClientConfig::default());
    world.spawn("peer", peer(world.clone(), one, first, slowly));
    (world, connection)
}

async fn upload(mut body: RequestWriter) -> Ended {
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
        let mut received: ResponseReader = response.await.unwrap();
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
        let (body, mut response): (_, ResponseFuture) = connection.request(&post(), Framing::Length(0));
        body.finish().unwrap();
        response.set_response_time(time);
        let (failure, second) = outcome(&world, async { response.await.unwrap_err() });
        assert!((seconds..=seconds + 1).contains(&second), "{failure} at {second}");

        let (world, connection) = slow_server(b"", Slowly::Takes);
        let offer = connection.offer("h", "/").unwrap();
        let mut upgrade = connection.upgrade(offer);
        upgrade.set_response_time(time);
        let (error, second) = outcome(&world, async { upgrade.await.unwrap_err() });
        assert!((seconds..=seconds + 1).contains(&second), "{error} at {second}");

        let (world, connection) = slow_server(b"", Slowly::Takes);
        let mut tunnel = connection.tunnel(&Connect::new("h:1").unwrap());
        tunnel.set_response_time(time);
        let (error, second) = outcome(&world, async { tunnel.await.unwrap_err() });
        assert!((seconds..=seconds + 1).contains(&second), "{error} at {second}");
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

/// The next request has the pace of the limits again.
#[test]
fn the_pace_of_one_upload_ends_with_it() {
    let (world, one, other) = world();
    let sleeping = world.clone();
    serve(&world, one, &ServerConfig::default(), move |mut exchange| {
        let sleeping = sleeping.clone();
        async move {
            sleeping.sleep(SECOND * 4).await;
            if exchange.head().path() == "/slow" {
                sleeping.sleep(SECOND * 26).await;
            }
            let body = exchange.read_all(LARGE).await?;
            Ok(exchange.respond(StatusCode::OK, body))
        }
    });
    let connection = dial(&world, other, &ClientConfig::default());
    let (echoed, second) = outcome(&world, async move {
        let (mut body, response) = connection.request(&post(), Framing::Length(5));
        body.set_output_pace(Pace::silence(SECOND * 5));
        body.write("first").await.unwrap();
        body.finish().unwrap();
        let mut received = response.await.unwrap();
        assert_eq!(received.read_all(LARGE).await.unwrap(), "first");
        let connection = received.finish().await.unwrap();
        let head = Request::new(Method::Post, "h", "/slow").unwrap();
        let (mut body, response) = connection.request(&head, Framing::Length(LARGE as u64));
        body.write(content((0, 0), LARGE)).await.unwrap();
        body.finish().unwrap();
        response.await.unwrap().read_all(LARGE).await.unwrap()
    });
    assert!(echoed == content((0, 0), LARGE) && second >= 34, "{second}");
}

/// The time of the response begins when the request is out, however long that takes.
#[test]
fn a_slow_upload_does_not_use_up_the_time_for_the_response() {
    let (world, one, other) = world();
    let sleeping = world.clone();
    serve(&world, one, &ServerConfig::default(), move |mut exchange| {
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
        dial(&world, other, &ClientConfig::default()).request(&post(), Framing::Length(4 * LARGE as u64));
    let (status, second) = outcome(&world, async move {
        body.write(content((0, 0), 4 * LARGE)).await.unwrap();
        body.finish().unwrap();
        response.await.unwrap().status()
    });
    assert!(status == StatusCode::OK && second > 300, "{second}");
}

/// A task that runs the driver beside what reads: neither wakes the other without a reason.
#[test]
fn a_reader_in_the_drivers_task_waits_in_peace() {
    let (world, one, other) = world();
    world.spawn("peer", peer(world.clone(), one, ENDLESS, Slowly::Sends(b'x')));
    let (connection, driver) = Connection::over(other, world.clone(), &ClientConfig::default());
    let response = connection.send(&get(), "");
    let (polls, _) = outcome(&world, async move {
        let mut driver = std::pin::pin!(driver);
        let reading = async {
            let mut received = response.await.unwrap();
            let mut read = 0;
            while read < 100 {
                read += received.read().await.unwrap().map_or(100, |piece| piece.len());
            }
        };
        let mut reading = std::pin::pin!(reading);
        let mut polls = 0;
        std::future::poll_fn(|cx| {
            polls += 1;
            assert!(polls < 10_000, "they wake each other");
            let _ = driver.as_mut().poll(cx);
            reading.as_mut().poll(cx)
        })
        .await;
        polls
    });
    assert!(polls < 1000, "{polls} polls for 100 bytes");
}
