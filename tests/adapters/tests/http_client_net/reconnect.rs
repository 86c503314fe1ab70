//! A WebSocket that is opened again when it is lost.

use std::future::poll_fn;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use endwell::http::{Response, StatusCode};
use endwell::ws::{
    self, CloseCode, ConnectError, End, Loss, LossCause, Message, Outcome, ReconnectEvent, ReconnectLimits,
    Reconnecting, Socket, SocketBuilder, TrySendError,
};
use endwell::{Answered, Ended, EndedKind, Exchange, ServerConfig, serve};

use crate::aborted::aborted;
use crate::dialling::{Dialling, both, run};
use crate::server::{accept, serving};
use crate::support::{Running, on_every_runtime, start, told};

on_every_runtime!(
    a_server_that_closes_after_some_messages,
    what_was_accepted_and_not_sent_comes_back,
    without_a_socket_a_message_comes_back_at_once,
    a_server_that_is_away_for_a_while,
    a_refusal_that_asks_for_time,
    an_attempt_is_prepared,
    a_hook_that_fails,
    a_hook_that_takes_too_long,
    a_receiver_that_is_dropped_at_every_wait_loses_nothing,
);

/// Short waits.
pub(crate) fn quick() -> ReconnectLimits {
    let mut limits = ReconnectLimits::default();
    limits.first_wait = Duration::from_millis(2);
    limits.longest_wait = Duration::from_millis(20);
    limits
}

pub(crate) fn url(server: &Running) -> String {
    format!("ws://{}/", server.address)
}

/// The first message says who it is; then come messages, and a Close. Each socket tells its number with them.
pub(crate) fn feed<R: Dialling>(messages: usize) -> Running {
    let number = Arc::new(AtomicUsize::new(0));
    start::<R, _, _>(move |exchange: Exchange| {
        let number = number.fetch_add(1, Ordering::SeqCst) + 1;
        async move {
            let acceptance = exchange.acceptance();
            let mut socket = exchange.accept(acceptance).map_err(|_| aborted())?;
            let name = socket.receive().await.unwrap().into_text().unwrap();
            for index in 0..messages {
                socket.send(format!("{name} {number}.{index}")).await?;
            }
            Err::<Answered, _>(socket.close(CloseCode::new(4000).unwrap()).await)
        }
    })
}

pub(crate) async fn subscribe(
    mut socket: Socket,
) -> Result<Socket, Box<dyn std::error::Error + Send + Sync>> {
    socket.send("EUR").await?;
    Ok(socket)
}

/// The next loss, and the texts before it.
pub(crate) async fn until_lost(feed: &mut Reconnecting) -> (Vec<String>, Loss) {
    let mut texts = Vec::new();
    loop {
        match feed.receive().await.expect("a loss before the end") {
            ReconnectEvent::Message(message) => texts.extend(message.as_text().map(str::to_owned)),
            ReconnectEvent::Lost(loss) => return (texts, loss),
            ReconnectEvent::Open(_) => {}
        }
    }
}

pub(crate) async fn until_open(feed: &mut Reconnecting) {
    while !matches!(feed.receive().await.unwrap(), ReconnectEvent::Open(_)) {}
}

fn a_server_that_closes_after_some_messages<R: Dialling>() {
    let server = feed::<R>(3);
    run::<R, _>(async {
        let reconnecting = ws::connect(url(&server)).reconnecting(R::CONNECTOR).limits(quick());
        let mut feed = reconnecting.on_open(subscribe).start();
        for number in 1..=4 {
            let (texts, loss) = until_lost(&mut feed).await;
            assert_eq!(texts, [0, 1, 2].map(|index| format!("EUR {number}.{index}")));
            assert_eq!((loss.close_code(), loss.failures), (CloseCode::new(4000).ok(), number));
            assert!(loss.unsent.is_empty() && loss.wait.is_some() && !loss.is_final(), "{loss}");
        }
        assert!(feed.close(CloseCode::NORMAL).await.is_none(), "no socket was open");
    });
}

/// The server takes nothing, and resets. To the next socket nothing of it is sent.
fn what_was_accepted_and_not_sent_comes_back<R: Dialling>() {
    let (tell, told) = std::sync::mpsc::channel::<()>();
    let server = serving(move |listener| {
        let mut client = accept(listener);
        let head = client.head();
        client.send(switching(&head));
        told.recv().unwrap();
        socket2::SockRef::from(&client.0).set_linger(Some(Duration::ZERO)).unwrap();
        drop(client);
        let mut client = accept(listener);
        let head = client.head();
        client.send(switching(&head));
        // A masked text of five bytes.
        assert_eq!(client.read(2), [0x81, 0x85]);
    });
    run::<R, _>(async {
        let url = format!("ws://{}/", server.address);
        let mut feed = ws::connect(url).reconnecting(R::CONNECTOR).limits(quick()).start();
        let outlet = feed.outlet();
        until_open(&mut feed).await;
        let text = "x".repeat(100_000);
        let mut accepted = 0;
        // Until the server has had no room for a while.
        let mut full = 0;
        while full < 5 {
            if outlet.try_send(format!("{accepted} {text}")).is_ok() {
                (accepted, full) = (accepted + 1, 0);
            } else {
                full += 1;
                R::sleep(Duration::from_millis(50)).await;
            }
        }
        tell.send(()).unwrap();
        let (_, loss) = until_lost(&mut feed).await;
        assert!(matches!(loss.cause, LossCause::Ended(_)) && loss.close_code().is_none(), "{loss}");
        // They are the last that were accepted, in their order.
        let text = |message: &Message| message.as_text().unwrap().to_owned();
        let numbers =
            loss.unsent.iter().map(|message| text(message).split(' ').next().unwrap().parse().unwrap());
        let numbers: Vec<usize> = numbers.collect();
        assert!(!numbers.is_empty());
        assert_eq!(numbers, (accepted - numbers.len()..accepted).collect::<Vec<_>>());
        assert!(loss.to_string().contains(&format!("{} messages were not sent", numbers.len())), "{loss}");
        until_open(&mut feed).await;
        outlet.send("fresh").await.unwrap();
        drop(feed);
        server.done().await;
    });
}

fn switching(head: &str) -> String {
    let key = head.lines().find_map(|line| line.strip_prefix("sec-websocket-key: ")).unwrap();
    let accept = crate::web_socket::accept_of(key);
    format!(
        "HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: {accept}\r\n\r\n"
    )
}

fn without_a_socket_a_message_comes_back_at_once<R: Dialling>() {
    let server = feed::<R>(1);
    run::<R, _>(async {
        let mut feed = ws::connect(url(&server)).reconnecting(R::CONNECTOR).limits(quick()).start();
        let outlet = feed.outlet();
        let not = outlet.send("early").await.unwrap_err();
        assert_eq!((not.message.as_text(), not.ended.is_none()), (Some("early"), true));
        assert!(matches!(outlet.try_send("early"), Err(TrySendError::NotSent(_))));
        // Another task waits for a socket, and uses it.
        let (other, (texts, _)) = both(
            async {
                assert!(outlet.opened().await);
                outlet.send("USD").await.unwrap();
                "sent"
            },
            until_lost(&mut feed),
        )
        .await;
        assert_eq!((other, &texts[..]), ("sent", &["USD 1.0".to_owned()][..]));
        outlet.send("late").await.unwrap_err();
        drop(feed);
        assert!(!outlet.opened().await, "no further one is opened");
        outlet.send("later").await.unwrap_err();
    });
}

fn a_server_that_is_away_for_a_while<R: Dialling>() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    run::<R, _>(async {
        let mut feed = ws::connect(format!("ws://{address}/"))
            .reconnecting(R::CONNECTOR)
            .limits(quick())
            .on_open(subscribe)
            .start();
        for failures in 1..=5 {
            let (texts, loss) = until_lost(&mut feed).await;
            assert!(matches!(loss.cause, LossCause::NotOpened(ConnectError::Io(_))), "{loss}");
            assert_eq!((texts.len(), loss.failures, loss.status()), (0, failures, None));
        }
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let listener = R::listen(listener);
        let (stop, stopped) = futures::channel::oneshot::channel::<()>();
        let serving = serve(listener, ServerConfig::default(), async |exchange: Exchange| {
            let acceptance = exchange.acceptance();
            let mut socket = exchange.accept(acceptance).map_err(|_| aborted())?;
            let message = socket.receive().await.unwrap();
            socket.send(message).await?;
            Err::<Answered, Ended>(socket.close(CloseCode::NORMAL).await)
        });
        R::spawn(async {
            serving.until(async { stopped.await.unwrap_or_default() }).await;
        });
        let texts = loop {
            let (texts, loss) = until_lost(&mut feed).await;
            if loss.ended().is_some() {
                break texts;
            }
        };
        assert_eq!(texts, ["EUR"]);
        drop(stop);
    });
}

fn a_refusal_that_asks_for_time<R: Dialling>() {
    let asked = AtomicUsize::new(0);
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let number = asked.fetch_add(1, Ordering::SeqCst);
        async move {
            if number == 0 {
                let head = Response::new(StatusCode::SERVICE_UNAVAILABLE).header("retry-after", "1").unwrap();
                return Ok(exchange.respond(head, "later"));
            }
            let acceptance = exchange.acceptance();
            let socket = exchange.accept(acceptance).map_err(|_| aborted())?;
            Err(socket.close(CloseCode::NORMAL).await)
        }
    });
    run::<R, _>(async {
        let mut feed = ws::connect(url(&server)).reconnecting(R::CONNECTOR).limits(quick()).start();
        let (_, loss) = until_lost(&mut feed).await;
        let begun = Instant::now();
        assert_eq!(loss.retry_after(), Some(Duration::from_secs(1)));
        assert!(loss.wait.is_some_and(|wait| (1000..=1002).contains(&wait.as_millis())), "{loss}");
        until_open(&mut feed).await;
        assert!(begun.elapsed() >= Duration::from_secs(1));
    });
}

/// A token that has expired is replaced.
fn an_attempt_is_prepared<R: Dialling>() {
    let server = start::<R, _, _>(async |exchange: Exchange| {
        if exchange.fields().get_str("authorization") != Some("3") {
            return Ok(exchange.respond(StatusCode::UNAUTHORIZED, ""));
        }
        let acceptance = exchange.acceptance();
        let socket = exchange.accept(acceptance).map_err(|_| aborted())?;
        Err(socket.close(CloseCode::NORMAL).await)
    });
    run::<R, _>(async {
        let tokens = Arc::new(AtomicUsize::new(0));
        let mut feed = ws::connect(url(&server))
            .header("authorization", "0")
            .reconnecting(R::CONNECTOR)
            .limits(quick())
            .prepare(move |socket: SocketBuilder| {
                let token = tokens.fetch_add(1, Ordering::SeqCst);
                async move {
                    match token {
                        1 => Err("no token".into()),
                        token => Ok(socket.set_header("authorization", token.to_string())),
                    }
                }
            })
            .end_if(|loss| loss.failures > 10)
            .start();
        let mut causes = Vec::new();
        while let Some(event) = feed.receive().await {
            match event {
                ReconnectEvent::Lost(loss) => causes.push(loss.to_string()),
                ReconnectEvent::Open(_) => break,
                ReconnectEvent::Message(_) => {}
            }
        }
        assert_eq!(causes.len(), 3, "{causes:?}");
        assert!(causes[1].starts_with("cannot prepare a connection: no token; next attempt"), "{causes:?}");
    });
}

fn a_hook_that_fails<R: Dialling>() {
    let (tell, news) = told();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            let acceptance = exchange.acceptance();
            let mut socket = exchange.accept(acceptance).map_err(|_| aborted())?;
            let is_asked = socket.receive().await.and_then(|message| message.into_text().ok());
            let ended = match is_asked.as_deref() {
                Some("who am I?") => socket.close(CloseCode::POLICY_VIOLATION).await,
                _ => socket.close(CloseCode::NORMAL).await,
            };
            tell.send(ended.clone()).unwrap();
            Err::<Answered, _>(ended)
        }
    });
    run::<R, _>(async {
        let count = Arc::new(AtomicUsize::new(0));
        let mut feed = ws::connect(url(&server))
            .reconnecting(R::CONNECTOR)
            .limits(quick())
            .on_open(move |mut socket: Socket| {
                let number = count.fetch_add(1, Ordering::SeqCst);
                async move {
                    if number == 0 {
                        return Err("out of luck".into());
                    }
                    socket.send("who am I?").await?;
                    while socket.receive().await.is_some() {}
                    socket.outlet().send("anybody there?").await?;
                    Ok(socket)
                }
            })
            .start();
        let outlet = feed.outlet();
        // The socket that the hook drops is closed with 1011.
        let (_, loss) = until_lost(&mut feed).await;
        let LossCause::Hook { error, ended: Some(ended) } = &loss.cause else { panic!("{loss}") };
        assert_eq!((error.to_string(), loss.wait.is_some()), ("out of luck".to_owned(), true));
        let EndedKind::WebSocket(Outcome::Closed { first: End::Ours, sent, .. }) = ended.kind() else {
            panic!("{ended}")
        };
        assert_eq!(sent.code().unwrap().number(), 1011);
        assert!(outlet.send("x").await.is_err());
        // The server closed it: that is final with 1008, whatever the hook says.
        let (_, loss) = until_lost(&mut feed).await;
        assert!(matches!(loss.cause, LossCause::Hook { .. }), "{loss}");
        assert_eq!((loss.close_code(), loss.wait), (Some(CloseCode::POLICY_VIOLATION), None));
        assert!(feed.receive().await.is_none());
    });
    news.next();
    news.next();
}

fn a_hook_that_takes_too_long<R: Dialling>() {
    let server = feed::<R>(1);
    run::<R, _>(async {
        let mut limits = quick();
        limits.hook_time = Duration::from_millis(50);
        let mut feed = ws::connect(url(&server))
            .reconnecting(R::CONNECTOR)
            .limits(limits)
            .on_open(async |mut socket: Socket| {
                // The server waits for a message.
                while socket.receive().await.is_some() {}
                Ok(socket)
            })
            .start();
        let (_, loss) = until_lost(&mut feed).await;
        let text = loss.to_string();
        assert!(text.starts_with("cannot begin on the new socket: it was not done within 50ms"), "{text}");
        assert!(loss.wait.is_some());
    });
}

/// Every future that waits is dropped, and a new one made.
fn a_receiver_that_is_dropped_at_every_wait_loses_nothing<R: Dialling>() {
    let server = feed::<R>(20);
    run::<R, _>(async {
        let reconnecting = ws::connect(url(&server)).reconnecting(R::CONNECTOR).limits(quick());
        let mut feed = reconnecting.on_open(subscribe).start();
        let mut texts = Vec::new();
        while texts.len() < 60 {
            let event = poll_fn(|cx| match pin!(feed.receive()).poll(cx) {
                Poll::Ready(event) => Poll::Ready(event),
                Poll::Pending => Poll::Pending,
            });
            if let Some(ReconnectEvent::Message(message)) = event.await {
                texts.extend(message.into_text());
            }
        }
        let expected = (1..=3).flat_map(|number| (0..20).map(move |index| format!("EUR {number}.{index}")));
        assert!(texts.into_iter().eq(expected));
    });
}
