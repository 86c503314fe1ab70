//! The closure of `for_each` holds its connection: what would wait for itself panics, where it would wait for ever.

use endwell::blocking::block_on;
use endwell::ws::{Close, CloseCode, Content, WhenFull};
use tokio::task::JoinHandle;

use crate::pair::{LONG, Pair, pair};

/// What the task panicked with.
async fn panic_of(task: JoinHandle<()>) -> String {
    let ended = tokio::time::timeout(LONG, task).await.unwrap();
    let panic = ended.unwrap_err().into_panic();
    panic.downcast_ref::<&str>().map(ToString::to_string).or(panic.downcast_ref().cloned()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_half_of_its_own_socket() {
    let Pair { server, mut client, .. } = pair(&endwell::ServerConfig::default(), 4096);
    let (mut send, mut receive) = server.split();
    let task = tokio::spawn(async move {
        receive.for_each(|_, _| drop(send.ping(endwell::ws::Control::EMPTY))).await;
    });
    client.send("event").await.unwrap();
    assert!(panic_of(task).await.contains("used its own socket"));
    // The connection itself goes on to its end.
    let message = client.receive().await.unwrap();
    let Content::Close(close) = message.content() else { panic!("{message:?}") };
    assert_eq!(close.code(), Some(CloseCode::INTERNAL_ERROR));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait() {
    let Pair { mut server, mut client, .. } = pair(&endwell::ServerConfig::default(), 4096);
    let outlet = server.outlet();
    let task = tokio::spawn(async move {
        server.for_each(|_, _| drop(block_on(outlet.send("reply")))).await;
    });
    client.send("event").await.unwrap();
    assert!(panic_of(task).await.contains("must not block"));
}

/// What needs no waiting can be used, and so can the half of another socket.
#[tokio::test]
async fn an_outlet_and_another_socket() {
    let Pair { mut server, mut client, .. } = pair(&endwell::ServerConfig::default(), 4096);
    let Pair { server: other, client: mut other_client, .. } = pair(&endwell::ServerConfig::default(), 4096);
    let (mut other, outlet) = (other, server.outlet());
    let task = tokio::spawn(async move {
        let ping = |_: endwell::ws::Event<'_>, _: endwell::ws::Reply<'_>| {
            let _ = outlet.deliver("reply", WhenFull::DropOldest).now();
            other.ping(endwell::ws::Control::new(b"forwarded").unwrap()).unwrap();
        };
        server.for_each(ping).await;
    });
    client.send("event").await.unwrap();
    assert_eq!(client.receive().await.unwrap().as_text(), Some("reply"));
    let message = other_client.receive().await.unwrap();
    assert!(matches!(message.content(), Content::Ping(b"forwarded")), "{message:?}");
    client.close(Close::EMPTY).await;
    task.await.unwrap();
}
