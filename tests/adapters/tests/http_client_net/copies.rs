//! Bodies that are files.

use std::io;

use endwell::Exchange;
use endwell::client::ResponseReader;
use endwell::http::{Framing, StatusCode};

use crate::dialling::{dial, head, run};
use crate::support::{Tokio, pattern, start};

const LEN: usize = 300_000;

/// `tokio::io::copy` between files and bodies: an upload and a download, at both ends.
#[test]
fn files_are_copied_in_all_four_directions() {
    let folder = std::env::temp_dir().join(format!("endwell-shapes-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str| folder.join(name);
    std::fs::write(file("original"), pattern(LEN)).unwrap();
    let uploaded = file("uploaded");
    let server = start::<Tokio, _, _>(move |exchange: Exchange| {
        let uploaded = uploaded.clone();
        async move {
            let (_, mut body, right) = exchange.into_parts();
            let mut file = tokio::fs::File::create(&uploaded).await?;
            let length = tokio::io::copy(&mut body, &mut file).await?;
            tokio::io::AsyncWriteExt::flush(&mut file).await?;
            let mut file = tokio::fs::File::open(&uploaded).await?;
            let mut writer = right.start(StatusCode::OK, Framing::Length(length));
            tokio::io::copy(&mut file, &mut writer).await?;
            io::Result::Ok(writer.finish()?)
        }
    });
    run::<Tokio, _>(async {
        let connection = dial::<Tokio>(server.address).await;
        let (mut writer, response) = connection.request(&head("PUT", "/"), Framing::Chunked);
        let mut original = tokio::fs::File::open(file("original")).await.unwrap();
        tokio::io::copy(&mut original, &mut writer).await.unwrap();
        writer.finish().unwrap();
        let mut received: ResponseReader = response.await.unwrap();
        let mut downloaded = tokio::fs::File::create(file("downloaded")).await.unwrap();
        assert_eq!(tokio::io::copy(&mut received, &mut downloaded).await.unwrap(), LEN as u64);
        tokio::io::AsyncWriteExt::flush(&mut downloaded).await.unwrap();
    });
    assert!(std::fs::read(file("uploaded")).unwrap() == pattern(LEN));
    assert!(std::fs::read(file("downloaded")).unwrap() == pattern(LEN));
    std::fs::remove_dir_all(folder).unwrap();
}
