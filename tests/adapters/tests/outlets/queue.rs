//! The queue: its bounds, its order, and what comes back.

use std::time::Duration;

use endwell::ServerConfig;
use endwell::ws::{Close, CloseCode, Content, Control, Delivery, Kind, Outlet, TrySendError, WhenFull};

use crate::pair::{LONG, Pair, pair};

/// A server whose outlets take so many messages, before a wire that takes little.
fn narrow(messages: usize) -> ServerConfig {
    let mut config = ServerConfig::default();
    config.outlet.messages = messages;
    config.output.bytes = 4096;
    config.output.high_water = 1024;
    config
}

/// Sends until nothing more is accepted: how many were.
async fn fill(outlet: &Outlet) -> usize {
    let mut accepted = 0;
    loop {
        match outlet.try_send(vec![b'x'; 1000]) {
            Ok(()) => accepted += 1,
            Err(TrySendError::Full(back)) => {
                assert_eq!(back.len(), 1000);
                // The connection's task may still take some.
                tokio::time::sleep(Duration::from_millis(20)).await;
                if outlet.try_send("last").is_err() {
                    return accepted;
                }
                accepted += 1;
            }
            Err(TrySendError::NotSent(error)) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn eight_producers_and_nothing_is_lost() {
    let Pair { server, mut client, .. } = pair(&narrow(16), 256);
    let outlet = server.outlet();
    let mut producers = tokio::task::JoinSet::new();
    for producer in 0..8 {
        let outlet = outlet.clone();
        producers.spawn(async move {
            for index in 0..1000 {
                outlet.send(format!("{producer} {index}")).await.unwrap();
            }
        });
    }
    let ending = tokio::spawn(async move {
        while producers.join_next().await.is_some() {}
        outlet.flush().await.unwrap();
        server.close(CloseCode::NORMAL).await
    });
    let mut next = [0; 8];
    while let Some(message) = client.receive().await {
        let Some(text) = message.as_text() else { continue };
        let (producer, index) = text.split_once(' ').unwrap();
        let producer: usize = producer.parse().unwrap();
        assert_eq!(index.parse::<usize>().unwrap(), next[producer]);
        next[producer] += 1;
    }
    assert_eq!(next, [1000; 8]);
    println!("{} | {}", client.close(Close::EMPTY).await, ending.await.unwrap());
}

#[tokio::test]
async fn a_full_queue_gives_back_and_waits_in_order() {
    let Pair { server, mut client, .. } = pair(&narrow(4), 256);
    let outlet = server.outlet();
    let accepted = fill(&outlet).await;
    let late = outlet.send_timeout("late", Duration::from_millis(30)).await.unwrap_err();
    assert_eq!(late.into_message().as_text(), Some("late"));
    let waiting: Vec<_> = (0..5)
        .map(|index| {
            let outlet = outlet.clone();
            tokio::spawn(async move { outlet.send(format!("{index}")).await })
        })
        .collect();
    tokio::task::yield_now().await;
    assert!(matches!(outlet.deliver("newest", WhenFull::DropNewest).now(), Delivery::Dropped));
    assert_eq!(outlet.lagged(), 1);
    for _ in 0..accepted {
        assert!(client.receive().await.unwrap().len() >= 4);
    }
    for index in 0..5 {
        assert_eq!(client.receive().await.unwrap().as_text(), Some(&*format!("{index}")));
    }
    for sent in waiting {
        sent.await.unwrap().unwrap();
    }
    drop(server);
}

/// A message that waits for room is accepted when there is some, and dropped after its time.
#[tokio::test]
async fn a_delivery_waits_as_long_as_it_was_told() {
    let Pair { server, mut client, .. } = pair(&narrow(4), 256);
    let outlet = server.outlet();
    let accepted = fill(&outlet).await;
    let late = outlet.deliver("late", WhenFull::Wait(Duration::from_millis(30))).await;
    assert!(matches!(late, Delivery::Dropped), "{late:?}");
    assert!(matches!(outlet.deliver("now", WhenFull::Wait(LONG)).now(), Delivery::Dropped));
    assert_eq!(outlet.lagged(), 2);
    let waiting = tokio::spawn(async move {
        let delivery = outlet.deliver("in time", WhenFull::Wait(LONG)).await;
        (delivery, outlet.lagged())
    });
    tokio::task::yield_now().await;
    for _ in 0..accepted {
        assert!(client.receive().await.unwrap().len() >= 4);
    }
    let (delivery, lagged) = waiting.await.unwrap();
    assert!(matches!(delivery, Delivery::Accepted), "{delivery:?}");
    assert_eq!(lagged, 2);
    assert_eq!(client.receive().await.unwrap().as_text(), Some("in time"));
    drop(server);
}

#[tokio::test]
async fn what_is_dropped_for_newer_ones_is_counted() {
    let Pair { server, mut client, .. } = pair(&narrow(4), 256);
    let outlet = server.outlet();
    let mut lagged = 0;
    for index in 0..10_000 {
        match outlet.deliver(format!("{index}"), WhenFull::DropOldest).now() {
            Delivery::Accepted => {}
            Delivery::Lagged(dropped) => lagged += dropped,
            other @ (Delivery::Dropped | Delivery::Closed | Delivery::Ended(_)) => panic!("{other:?}"),
        }
    }
    assert_eq!(outlet.lagged(), lagged);
    let closing = tokio::spawn(server.close(Close::EMPTY));
    let (mut seen, mut last) = (0, None);
    while let Some(message) = client.receive().await {
        if let Some(text) = message.as_text() {
            let index: u64 = text.parse().unwrap();
            assert!(last.is_none_or(|last| last < index));
            last = Some(index);
            seen += 1;
        }
    }
    assert_eq!((seen + lagged, last), (10_000, Some(9999)));
    drop(client);
    closing.await.unwrap();
}

#[tokio::test]
async fn a_receiver_without_room_is_closed_and_what_it_had_comes_back() {
    let Pair { server, client, .. } = pair(&narrow(4), 256);
    let outlet = server.outlet();
    let accepted = fill(&outlet).await;
    assert!(matches!(outlet.deliver("one more", WhenFull::Close).now(), Delivery::Closed));
    assert!(matches!(outlet.deliver("one more", WhenFull::Close).now(), Delivery::Ended(None)));
    let unsent = outlet.unsent().len();
    assert_eq!(unsent, 4);
    let mut client = client;
    let mut seen = 0;
    let mut closed = None;
    while let Some(message) = client.receive().await {
        if let Content::Close(close) = message.content() {
            closed = close.code();
        } else {
            seen += 1;
        }
    }
    assert_eq!((seen + unsent, closed), (accepted, Some(CloseCode::TRY_AGAIN_LATER)));
    drop(client);
    println!("{}", outlet.closed().await);
    drop(server);
}

#[tokio::test]
async fn a_driver_that_is_dropped_tells_everybody() {
    let Pair { server, mut client, server_task, .. } = pair(&narrow(4), 256);
    let outlet = server.outlet();
    fill(&outlet).await;
    let waiting = outlet.send("waits");
    server_task.abort();
    assert!(waiting.await.is_err());
    assert!(matches!(outlet.closed().await.kind(), endwell::EndedKind::Cancelled));
    assert!(outlet.flush().await.is_err());
    while client.receive().await.is_some() {}
    println!("{}", client.close(Close::EMPTY).await);
}

#[tokio::test]
async fn a_flush_after_the_end_says_what_has_arrived() {
    let Pair { server, mut client, .. } = pair(&ServerConfig::default(), 4096);
    let outlet = server.outlet();
    // Nothing was accepted, so all of it has been handed over.
    outlet.flush().await.unwrap();
    outlet.send("all of it").await.unwrap();
    outlet.flush().await.unwrap();
    assert_eq!(client.receive().await.unwrap().as_text(), Some("all of it"));
    let closing = tokio::spawn(server.close(Close::EMPTY));
    while client.receive().await.is_some() {}
    drop(client);
    closing.await.unwrap();
    outlet.closed().await;
    outlet.flush().await.unwrap();
}

#[tokio::test]
async fn pings_go_between_the_pieces_of_a_message() {
    let Pair { mut server, mut client, .. } = pair(&ServerConfig::default(), 300);
    let sending = tokio::spawn(async move {
        let mut fragments = server.send_pieces(Kind::Binary);
        for index in 0..10 {
            fragments.write(vec![index; 1000]).await.unwrap();
            fragments.ping(Control::new(&[index]).unwrap()).unwrap();
        }
        fragments.finish().await.unwrap();
        server
    });
    let mut pings = Vec::new();
    loop {
        let message = client.receive().await.unwrap();
        match message.content() {
            Content::Ping(payload) => pings.extend_from_slice(payload),
            Content::Binary(data) => {
                assert_eq!(data.len(), 10_000);
                break;
            }
            Content::Text(_) | Content::Pong(_) | Content::Close(_) => panic!("{message:?}"),
        }
    }
    assert_eq!(pings, (0..10).collect::<Vec<u8>>());
    drop(sending.await.unwrap());
}

/// Room that cannot be made is not made at the cost of others.
#[tokio::test]
async fn nothing_is_dropped_in_vain() {
    let mut config = ServerConfig::default();
    config.outlet.bytes = 5000;
    let Pair { server, mut client, .. } = pair(&config, 64);
    let outlet = server.outlet();
    // Nothing is awaited, so the connection's task takes nothing meanwhile.
    outlet.try_send(vec![b'x'; 4800]).unwrap();
    let deliver = |what, len| outlet.deliver(vec![what; len], WhenFull::DropOldest).now();
    assert!(matches!(deliver(b'a', 200), Delivery::Accepted));
    assert!(matches!(deliver(b'b', 201), Delivery::Dropped));
    assert_eq!(outlet.lagged(), 1);
    assert!(matches!(deliver(b'c', 150), Delivery::Lagged(1)));
    assert!(matches!(deliver(b'd', 50), Delivery::Accepted));
    assert!(matches!(deliver(b'e', 151), Delivery::Lagged(2)));
    assert_eq!(outlet.lagged(), 4);
    drop(server);
    let mut received = Vec::new();
    while let Some(message) = client.receive().await {
        received.extend(message.into_bytes().first().copied());
    }
    assert_eq!(received, b"xe");
}
