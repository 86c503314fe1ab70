//! How a WebSocket that reconnects ends: by the server, by what the application decides, or because it is told to.

use std::future::poll_fn;
use std::net::TcpListener;
use std::pin::pin;
use std::time::Duration;

use endwell::http::StatusCode;
use endwell::ws::{self, CloseCode, ConnectError, LossCause, ReconnectLimits, ReconnectOutlet};
use endwell::{Answered, Exchange};
use futures::StreamExt;

use crate::aborted::aborted;
use crate::dialling::{Dialling, both, run};
use crate::reconnect::{feed, quick, subscribe, until_lost, until_open, url};
use crate::support::{on_every_runtime, start, told};

on_every_runtime!(
    a_refusal_that_is_final,
    what_the_application_decides,
    it_ends_when_it_is_told_to,
    it_is_told_to_end_before_it_is_open,
    dropped_it_closes,
);

/// It ends, and the response can be read.
fn a_refusal_that_is_final<R: Dialling>() {
    let server =
        start::<R, _, _>(async |exchange: Exchange| exchange.respond(StatusCode::FORBIDDEN, "not you"));
    run::<R, _>(async {
        let mut feed = ws::connect(url(&server)).reconnecting(R::CONNECTOR).start();
        let outlet = feed.outlet();
        let (_, loss) = until_lost(&mut feed).await;
        assert_eq!((loss.status(), loss.wait, loss.failures), (Some(StatusCode::FORBIDDEN), None, 1));
        let text = "the server refused to open a WebSocket, with 403 Forbidden; no further attempt";
        assert_eq!(loss.to_string(), text);
        let LossCause::NotOpened(ConnectError::Refused(mut response)) = loss.cause else { panic!() };
        assert_eq!(response.text(100).await.unwrap(), "not you");
        assert!(!outlet.opened().await);
        assert!(feed.receive().await.is_none() && feed.receive().await.is_none());
    });
}

fn what_the_application_decides<R: Dialling>() {
    let server = feed::<R>(1);
    run::<R, _>(async {
        let mut feed = ws::connect(url(&server))
            .reconnecting(R::CONNECTOR)
            .limits(quick())
            .on_open(subscribe)
            .end_if(|loss| loss.close_code() == CloseCode::new(4000).ok() && loss.failures == 2)
            .start();
        assert!(until_lost(&mut feed).await.1.wait.is_some());
        assert!(until_lost(&mut feed).await.1.wait.is_none());
        assert!(feed.receive().await.is_none());
    });
}

/// By its holder, and by a task that sends.
fn it_ends_when_it_is_told_to<R: Dialling>() {
    let (tell, news) = told();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            let acceptance = exchange.acceptance();
            let mut socket = exchange.accept(acceptance).map_err(|_| aborted())?;
            let mut texts = Vec::new();
            while let Some(message) = socket.receive().await {
                texts.extend(message.into_text());
            }
            tell.send(texts).unwrap();
            Err::<Answered, _>(socket.close(CloseCode::NORMAL).await)
        }
    });
    for by_outlet in [false, true] {
        run::<R, _>(async {
            let mut feed = ws::connect(url(&server)).reconnecting(R::CONNECTOR).limits(quick()).start();
            let outlet: ReconnectOutlet = feed.outlet();
            until_open(&mut feed).await;
            for text in ["one", "two"] {
                outlet.send(text).await.unwrap();
            }
            let loss = if by_outlet {
                outlet.close(CloseCode::NORMAL);
                let (_, loss) = until_lost(&mut feed).await;
                assert!(feed.receive().await.is_none());
                loss
            } else {
                feed.close(CloseCode::NORMAL).await.unwrap()
            };
            assert!(loss.wait.is_none() && loss.unsent.is_empty());
            let ended = loss.ended().unwrap().to_string();
            assert!(ended.starts_with("closed by us with 1000"), "{ended}");
            assert!(outlet.send("three").await.is_err() && !outlet.opened().await);
        });
        assert_eq!(news.next(), ["one", "two"], "all that was accepted is sent before the Close");
    }
}

/// While it waits for the next attempt, and while it connects.
fn it_is_told_to_end_before_it_is_open<R: Dialling>() {
    let away = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let addresses = [&away, &silent].map(|listener| listener.local_addr().unwrap());
    drop(away);
    for address in addresses {
        run::<R, _>(async {
            let hour = Duration::from_secs(3600);
            let mut limits = ReconnectLimits::default();
            (limits.first_wait, limits.longest_wait) = (hour, hour);
            let mut feed =
                ws::connect(format!("ws://{address}/")).reconnecting(R::CONNECTOR).limits(limits).start();
            let outlet = feed.outlet();
            let (closed, events) = both(async { !outlet.opened().await }, async {
                let mut receiving = pin!(async {
                    let mut events = 0;
                    while feed.receive().await.is_some() {
                        events += 1;
                    }
                    events
                });
                // Once it waits for the server or for the time.
                let mut timer = pin!(R::sleep(Duration::from_millis(100)));
                poll_fn(|cx| {
                    assert!(receiving.as_mut().poll(cx).is_pending());
                    timer.as_mut().poll(cx)
                })
                .await;
                outlet.close(CloseCode::NORMAL);
                receiving.await
            })
            .await;
            assert!(closed && events <= 1, "{events}");
        });
    }
}

fn dropped_it_closes<R: Dialling>() {
    let (tell, mut news) = futures::channel::mpsc::unbounded();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            let acceptance = exchange.acceptance();
            let mut socket = exchange.accept(acceptance).map_err(|_| aborted())?;
            while socket.receive().await.is_some() {}
            let ended = socket.close(CloseCode::NORMAL).await;
            tell.unbounded_send(ended.to_string()).unwrap();
            Err::<Answered, _>(ended)
        }
    });
    run::<R, _>(async {
        let mut feed = ws::connect(url(&server)).reconnecting(R::CONNECTOR).start();
        let outlet = feed.outlet();
        until_open(&mut feed).await;
        outlet.send("x").await.unwrap();
        drop(feed);
        assert!(!outlet.opened().await);
        // The task of the connection goes on until it has ended.
        let ended = news.next().await.unwrap();
        assert!(ended.contains("1011"), "{ended}");
    });
}
