//! S18: `receive` and `send` that are dropped before they are ready lose nothing, and send nothing.

use std::pin::pin;
use std::task::Poll;

use endwell::ws::{Close, Message};
use endwell::{Answered, Exchange, ServerConfig};

use crate::aborted::aborted;
use crate::peer::{BINARY, FIN, Peer, close, frame};
use crate::service::accept;
use crate::support::{Gate, Runtime, on_every_runtime, pattern, start, start_narrow, told};

on_every_runtime!(a_dropped_receive_loses_nothing, a_dropped_send_sends_nothing);

/// Polls once, and drops.
async fn once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| {
        Poll::Ready(match future.as_mut().poll(cx) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await
}

/// A frame of 208 bytes arrives byte by byte, and `receive` is begun anew after each, here and in another task.
fn a_dropped_receive_loses_nothing<R: Runtime>() {
    let (gate, (tell, told)) = (Gate::new(), told());
    let waiting = gate.clone();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let (gate, tell) = (waiting.clone(), tell.clone());
        async move {
            let elsewhere = exchange.path() == "/elsewhere";
            let mut socket = accept(exchange)?;
            let work = async move {
                let message = loop {
                    gate.pass().await;
                    let polled = once(socket.receive()).await;
                    tell.send(polled.is_some()).unwrap();
                    if let Some(message) = polled {
                        break message.unwrap();
                    }
                };
                socket.send(message).await?;
                while socket.receive().await.is_some() {}
                Err::<Answered, _>(socket.close(Close::EMPTY).await)
            };
            if !elsewhere {
                return work.await;
            }
            R::spawn(async move { drop(work.await) });
            Err(aborted())
        }
    });
    let payload = pattern(200);
    let bytes = frame(FIN | BINARY, &payload);
    assert_eq!(bytes.len(), 208);
    for path in ["/", "/elsewhere"] {
        let mut peer = Peer::connect_to(&server, path);
        for byte in &bytes {
            // Once before the byte, and once after it.
            gate.open(1);
            assert!(!told.next());
            peer.send([*byte]);
        }
        let mut polls = 0;
        loop {
            gate.open(1);
            polls += 1;
            if told.next() {
                break;
            }
            assert!(polls < 100_000, "the frame is whole, and nothing is received");
        }
        let echoed = peer.frame();
        assert_eq!((echoed.first, echoed.payload), (FIN | BINARY, payload.clone()));
        peer.send(close(1000));
        assert_eq!(peer.assert_fails(), 1000);
    }
}

/// The peer reads nothing until sends have waited: those that were dropped never arrive, the others do, whole.
fn a_dropped_send_sends_nothing<R: Runtime>() {
    let (gate, (tell, told)) = (Gate::new(), told());
    let waiting = gate.clone();
    let server = start_narrow::<R, _, _>(ServerConfig::default(), move |exchange: Exchange| {
        let (gate, tell) = (waiting.clone(), tell.clone());
        async move {
            let mut socket = accept(exchange)?;
            let message = |index: u8| Message::from(vec![index; 30_000]);
            let (mut sent, mut given_back) = (Vec::new(), 0);
            for index in 0..100 {
                match once(socket.send(message(index))).await {
                    Some(result) => {
                        result?;
                        sent.push(index);
                    }
                    None => given_back += 1,
                }
                // One that is kept gives its message back.
                let mut kept = pin!(Some(socket.send(message(200))));
                let polled =
                    once(std::future::poll_fn(|cx| kept.as_mut().as_pin_mut().unwrap().poll(cx))).await;
                match polled {
                    Some(result) => {
                        result?;
                        sent.push(200);
                    }
                    None => assert_eq!(kept.take().unwrap().into_message().unwrap().len(), 30_000),
                }
            }
            tell.send((sent, given_back)).unwrap();
            gate.pass().await;
            socket.send(message(255)).await?;
            Err::<Answered, _>(socket.close(Close::EMPTY).await)
        }
    });
    let mut peer = Peer::connect_narrow(&server);
    let (sent, given_back) = told.next();
    assert!(given_back > 0 && !sent.is_empty(), "{sent:?}");
    gate.open(1);
    for index in sent.into_iter().chain([255]) {
        let message = peer.frame();
        assert_eq!((message.first, message.payload), (FIN | BINARY, vec![index; 30_000]));
    }
    assert!(peer.frame().payload.is_empty());
    peer.send(close(1000));
    peer.client.assert_closed();
}
