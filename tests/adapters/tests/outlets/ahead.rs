//! What the connection's task receives ahead.

use endwell::ServerConfig;
use endwell::ws::CloseCode;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::pair::{Pair, pair};

/// The application comes when its peer has closed and left.
#[tokio::test]
async fn it_outlives_the_peer() {
    let Pair { mut server, mut client, server_task } = pair(&ServerConfig::default(), 4096);
    for index in 0..10 {
        client.send(format!("{index}")).await.unwrap();
    }
    // The Close behind the messages is answered.
    println!("{}", client.close(CloseCode::NORMAL).await);
    assert!(server.send("too late").await.is_err());
    for index in 0..10 {
        assert_eq!(server.receive().await.unwrap().as_text(), Some(&*format!("{index}")));
    }
    assert!(!server.receive().await.unwrap().is_data());
    assert!(server.receive().await.is_none());
    println!("{}", server_task.await.unwrap());
}

/// It waits for the application no longer than for any peer that has ended its side.
#[tokio::test]
async fn it_does_not_outlive_its_time() {
    let mut config = ServerConfig::default();
    config.half_closed = Some(std::time::Duration::from_millis(50));
    let Pair { server: mut unread, mut client, server_task } = pair(&config, 4096);
    client.send("unread").await.unwrap();
    let ended = client.close(CloseCode::NORMAL).await;
    println!("{ended}, {}", server_task.await.unwrap());
    assert!(unread.receive().await.is_none());
}

/// Our Close ends what we send, and not what we receive.
#[tokio::test]
async fn what_comes_after_our_close_is_received() {
    let (client, mut raw) = crate::pair::with_raw_server();
    let outlet = client.outlet();
    outlet.send("accepted before").await.unwrap();
    let mut rest = client.close_writing(CloseCode::NORMAL);
    assert!(outlet.send("too late").await.is_err());
    // A frame of 15 bytes and a Close, both masked.
    let mut sent = [0; 6 + 15 + 6 + 2];
    raw.read_exact(&mut sent).await.unwrap();
    assert_eq!((sent[0], sent[21]), (0x81, 0x88));
    for text in ["one", "two"] {
        raw.write_all(&[&[0x81, 3], text.as_bytes()].concat()).await.unwrap();
        assert_eq!(rest.receive().await.unwrap().as_text(), Some(text));
    }
    raw.write_all(b"\x88\0").await.unwrap();
    assert!(!rest.receive().await.unwrap().is_data());
    assert!(rest.receive().await.is_none());
    drop(raw);
    println!("{}", rest.closed().await);
}
