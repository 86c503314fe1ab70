//! S12 with many writers: what was accepted before the close is on the wire before the Close, or comes back.

use endwell::ws::{CloseCode, Outlet};
use endwell::{Ended, ServerConfig};

use crate::judge::message;
use crate::peer::{CLOSE, FIN, Peer, close};
use crate::service::{fill, handing_over_narrow, spawn, wait};
use crate::support::{Runtime, on_every_runtime, told};

on_every_runtime!(accepted_is_before_the_close, producers_race_the_close, the_peer_closes_first);

/// More is accepted than the sockets hold, by those who close and by those who only drop what they have.
fn accepted_is_before_the_close<R: Runtime>() {
    enum Way {
        Half,
        Outlet,
        Dropped,
    }
    for (way, code) in [(Way::Half, 1000), (Way::Outlet, 3000), (Way::Dropped, 1011)] {
        let (server, next) = handing_over_narrow::<R>(ServerConfig::default());
        let mut peer = Peer::connect_narrow(&server);
        let (send, recv) = next().split();
        let outlet = send.outlet();
        for index in 0..1000 {
            outlet.try_send(message(0, index)).unwrap();
        }
        let kept = match way {
            Way::Half => {
                drop(send.close(CloseCode::NORMAL));
                None
            }
            Way::Outlet => {
                outlet.clone().close(CloseCode::new(3000).unwrap());
                Some(send)
            }
            Way::Dropped => {
                drop(send);
                None
            }
        };
        let late = outlet.try_send("late").unwrap_err().into_message();
        assert_eq!(late.as_text(), Some("late"));
        for index in 0..1000 {
            assert_eq!(peer.frame().as_text(), message(0, index));
        }
        assert_eq!(peer.assert_closes(), code);
        assert!(outlet.unsent().is_empty());
        drop(peer);
        println!("S12 {:<17} 1000 of 1000 before {code}: {}", R::NAME, wait(recv.closed()));
        drop(kept);
    }
}

/// Sends until the end: how many were accepted.
async fn send_on(producer: usize, outlet: Outlet) -> usize {
    let mut accepted = 0;
    while outlet.send(message(producer, accepted)).await.is_ok() {
        accepted += 1;
    }
    accepted
}

/// Producers send while the socket closes: for each, what was accepted has arrived, and nothing else.
fn producers_race_the_close<R: Runtime>() {
    const ROUNDS: usize = 10;
    let (tell, told) = told();
    let server = crate::support::start::<R, _, _>(move |exchange| {
        let tell = tell.clone();
        async move {
            let (send, recv) = crate::service::accept(exchange)?.split();
            let outlet = send.outlet();
            let producers: Vec<_> =
                (0..4).map(|producer| spawn::<R, _>(send_on(producer, outlet.clone()))).collect();
            outlet.flush().await?;
            let ended = send.close(CloseCode::NORMAL).await;
            let mut accepted = Vec::new();
            for producer in producers {
                accepted.push(producer.await);
            }
            tell.send((accepted, outlet.unsent().len())).unwrap();
            drop(recv);
            Err::<endwell::Answered, Ended>(ended)
        }
    });
    let mut all = 0;
    for _ in 0..ROUNDS {
        let mut peer = Peer::connect(&server);
        let mut arrived = [0; 4];
        let code = receive(&mut peer, &mut arrived);
        peer.send(close(code));
        peer.client.assert_closed();
        drop(peer);
        let (accepted, unsent) = told.next();
        assert_eq!((&arrived[..], unsent), (&accepted[..], 0));
        all += arrived.iter().sum::<usize>();
    }
    println!("S12 {:<17} {ROUNDS} races with the close: {all} accepted, {all} arrived", R::NAME);
}

/// Reads messages up to the Close, whose code it is. What arrived of each producer is added.
fn receive(peer: &mut Peer, arrived: &mut [usize]) -> u16 {
    loop {
        let frame = peer.frame();
        if frame.first == FIN | CLOSE {
            return frame.code();
        }
        let producer = usize::from(frame.payload[0] - b'0');
        assert_eq!(frame.as_text(), message(producer, arrived[producer]));
        arrived[producer] += 1;
    }
}

/// The peer closes while the queue is full: what has not arrived before the answer to its Close comes back.
fn the_peer_closes_first<R: Runtime>() {
    let (server, next) = handing_over_narrow::<R>(ServerConfig::default());
    let mut peer = Peer::connect_narrow(&server);
    let (send, mut recv) = next().split();
    let outlet = send.outlet();
    let accepted = fill(&outlet, 1000);
    peer.send(close(4001));
    // It is read and answered by the connection's task, behind what the output holds.
    let receiving = std::thread::spawn(move || {
        wait(async {
            while recv.receive().await.is_some() {}
            recv.closed().await
        })
    });
    let mut arrived = 0;
    loop {
        let frame = peer.frame();
        if frame.first == FIN | CLOSE {
            break assert_eq!(frame.code(), 4001);
        }
        assert_eq!(frame.payload, [b'x'; 1000]);
        arrived += 1;
    }
    peer.client.assert_closed();
    drop(peer);
    let ended = receiving.join().unwrap();
    let unsent = outlet.unsent().len();
    assert_eq!(arrived + unsent, accepted);
    assert!(unsent > 0);
    println!("S12 {:<17} {accepted} accepted, {arrived} arrived, {unsent} came back: {ended}", R::NAME);
    drop(send);
}
