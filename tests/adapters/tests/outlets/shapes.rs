//! The shapes of the ecosystem: streams and sinks, byte streams, and what is copied into a message.

use endwell::ServerConfig;
use endwell::ws::{Close, CloseCode, Content, Kind, Message};
use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::pair::{LONG, Pair, pair};

/// A wire that holds little, so that every wait is met.
const WIRE: usize = 100;

fn pattern(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}

#[tokio::test]
async fn a_stream_and_a_sink() {
    let Pair { server, client, .. } = pair(&ServerConfig::default(), WIRE);
    let echo = tokio::spawn(async move {
        let (sink, stream) = server.into_messages().split();
        let data = stream.filter(|message| std::future::ready(message.is_data()));
        // When the stream ends, the peer has closed: closing the sink finds it clean.
        data.map(Ok).forward(sink).await
    });
    let (mut sink, mut stream) = client.into_messages().split();
    let receiving = tokio::spawn(async move {
        for index in 0..200 {
            let message = stream.next().await.unwrap();
            assert_eq!(message.content(), Content::Binary(&pattern(index)));
        }
        stream
    });
    for index in 0..200 {
        sink.feed(Message::binary(pattern(index))).await.unwrap();
    }
    sink.flush().await.unwrap();
    let mut stream = receiving.await.unwrap();
    sink.close().await.unwrap();
    assert!(sink.send("more".into()).await.is_err());
    assert!(stream.next().await.is_none());
    echo.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_byte_stream_both_ways_at_once() {
    const SIZE: usize = 1 << 20;
    let Pair { server, client, .. } = pair(&ServerConfig::default(), 4096);
    let echo = tokio::spawn(async move {
        let (mut read, mut write) = tokio::io::split(server.into_byte_stream());
        let copied = tokio::io::copy(&mut read, &mut write).await;
        (copied.ok(), write)
    });
    let (mut read, mut write) = tokio::io::split(client.into_byte_stream());
    let writing = tokio::spawn(async move {
        write.write_all(&pattern(SIZE)).await.unwrap();
        write.flush().await.unwrap();
        write
    });
    let mut back = vec![0; SIZE];
    read.read_exact(&mut back).await.unwrap();
    assert!(back == pattern(SIZE));
    writing.await.unwrap().shutdown().await.unwrap();
    let (copied, mut write) = echo.await.unwrap();
    assert_eq!(copied, Some(SIZE.try_into().unwrap()));
    write.shutdown().await.unwrap();
    assert_eq!(read.read(&mut back).await.unwrap(), 0);
}

/// Who reads waits for the end as well, and each is told.
#[tokio::test]
async fn a_byte_stream_is_shut_down_while_it_is_read() {
    let Pair { server, mut client, .. } = pair(&ServerConfig::default(), WIRE);
    let (mut read, mut write) = tokio::io::split(server.into_byte_stream());
    let reading = tokio::spawn(async move { read.read_to_end(&mut Vec::new()).await });
    tokio::task::yield_now().await;
    let shutting_down = tokio::spawn(async move { write.shutdown().await });
    while client.receive().await.is_some() {}
    client.close(Close::EMPTY).await;
    let both = async { (reading.await.unwrap().unwrap(), shutting_down.await.unwrap().unwrap()) };
    assert_eq!(tokio::time::timeout(LONG, both).await.unwrap(), (0, ()));
}

#[tokio::test]
async fn a_byte_stream_that_is_cut_short_is_an_error() {
    for how in ["code", "drop", "text"] {
        let Pair { server, mut client, .. } = pair(&ServerConfig::default(), 4096);
        let mut bytes = server.into_byte_stream();
        client.send(vec![1, 2, 3]).await.unwrap();
        let closing = match how {
            "text" => {
                client.send("text").await.unwrap();
                None
            }
            "code" => Some(client.close(CloseCode::INTERNAL_ERROR)),
            _ => {
                drop(client);
                None
            }
        };
        let mut all = Vec::new();
        let error = bytes.read_to_end(&mut all).await.unwrap_err();
        println!("{how}: {error}");
        assert_eq!(all, [1, 2, 3]);
        if let Some(closing) = closing {
            closing.await;
        }
    }
}

#[tokio::test]
async fn a_message_of_any_size_is_copied_from_a_reader() {
    const SIZE: usize = 4 << 20;
    let Pair { mut server, mut client, .. } = pair(&ServerConfig::default(), 4096);
    let sending = tokio::spawn(async move {
        let mut fragments = server.send_pieces(Kind::Binary);
        let file = pattern(SIZE);
        let copied = tokio::io::copy(&mut &file[..], &mut fragments).await.unwrap();
        fragments.finish().await.unwrap();
        (copied, server.close(Close::EMPTY).await)
    });
    let message = client.receive().await.unwrap();
    assert!(message.into_bytes() == pattern(SIZE));
    assert!(client.receive().await.is_some_and(|close| !close.is_data()));
    drop(client);
    assert_eq!(sending.await.unwrap().0, u64::try_from(SIZE).unwrap());
}
