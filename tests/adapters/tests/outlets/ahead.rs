//! What the connection's task receives ahead.

use endwell::Config;
use endwell::ws::{CloseCode, ReadAhead};
use tokio::time::timeout;

use crate::pair::{LONG, Pair, pair};

/// The application comes when all is over.
#[tokio::test]
async fn it_outlives_the_connection() {
    let Pair { mut server, mut client, server_task } = pair(&Config::default(), 4096);
    server.drive(ReadAhead::default());
    for index in 0..10 {
        client.send(format!("{index}")).await.unwrap();
    }
    client.close(CloseCode::NORMAL).await;
    println!("{}", server_task.await.unwrap());
    for index in 0..10 {
        assert_eq!(server.receive().await.unwrap().as_text(), Some(&*format!("{index}")));
    }
    assert!(!server.receive().await.unwrap().is_data());
    assert!(server.receive().await.is_none());
}

/// Bounds of nothing still let through what is waited for.
#[tokio::test]
async fn one_message_is_received_whatever_the_bounds_are() {
    for (messages, bytes) in [(0, 0), (0, usize::MAX), (usize::MAX, 0), (usize::MAX, usize::MAX)] {
        let Pair { mut server, mut client, .. } = pair(&Config::default(), 4096);
        server.drive(ReadAhead { messages, bytes });
        for index in 0..3 {
            client.send(format!("{index}")).await.unwrap();
            let message = timeout(LONG, server.receive()).await.unwrap().unwrap();
            assert_eq!(message.as_text(), Some(&*format!("{index}")));
        }
    }
}
