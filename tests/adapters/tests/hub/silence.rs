//! A snapshot tells when each peer was last heard.

use std::time::Duration;

use endwell::ServerConfig;
use endwell::hub::Hub;
use endwell::tokio::Tokio;
use tokio::io::AsyncWriteExt;
use tokio::time::sleep;

use crate::memory::socket;

#[tokio::test(start_paused = true)]
async fn the_time_since_a_peer_sent_something() {
    let hub = Hub::default();
    let (mut socket, driver, mut far) = socket(Tokio, &ServerConfig::default());
    let member = hub.join(&socket);
    let silent_for = || hub.snapshot().connections[0].silent_for;
    // Nothing was read yet.
    assert_eq!(silent_for(), None);
    tokio::spawn(driver);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(silent_for(), Some(Duration::from_secs(5)));
    far.write_all(b"\x81\x82\0\0\0\0hi").await.unwrap();
    let message = socket.receive_data().await.unwrap();
    assert_eq!(message.as_text(), Some("hi"));
    sleep(Duration::from_secs(3)).await;
    assert_eq!(silent_for(), Some(Duration::from_secs(3)));
    // What is sent to it does not count.
    hub.connection(member.key()).send("here", endwell::ws::WhenFull::DropNewest).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(silent_for(), Some(Duration::from_secs(4)));
}
