//! Whom a client speaks to, and whom it does not.

use std::io::{ErrorKind, Read, Write};

use endwell::client::{Connection, Origin};
use endwell::http::StatusCode;
use endwell::tls::rustls::{CertificateError, Error, ServerConfig};
use endwell::ws::{self, ConnectError};
use endwell::{ClientConfig, Exchange};

use crate::authority::{Authority, authority, identity};
use crate::dialling::{Dialling, run};
use crate::peer::{Peer, once_plain, once_with};
use crate::secure::{Secure, connector, origin};
use crate::support::{on_every_runtime, start};

on_every_runtime!(
    certificates_that_are_not_right,
    a_host_that_no_certificate_can_be_for,
    another_protocol,
    a_server_without_tls,
    a_server_that_leaves_within_the_handshake,
    a_server_takes_no_other_protocol,
);

/// Connects to a server with `config`, which the client refuses: why. The server is told too.
fn refused<R: Dialling>(config: ServerConfig) -> std::io::Error {
    let server = once_with(config, |mut peer| {
        let error = peer.shake_hands().and_then(|()| peer.read().map(drop)).unwrap_err();
        assert!(error.to_string().starts_with("received fatal alert: "), "{error}");
    });
    run::<R, _>(async {
        Connection::connect(&connector::<R>(), &origin(server.address), &ClientConfig::default())
            .await
            .unwrap_err()
    })
}

fn certificates_that_are_not_right<R: Dialling>() {
    let names = ["localhost"];
    for (identity, text) in [
        (authority().sign(&["other.example"]), "certificate not valid for name \"localhost\""),
        (Authority::new("another").sign(&names), "UnknownIssuer"),
        (authority().sign_expired(&names), "certificate expired"),
    ] {
        let error = refused::<R>(identity.server());
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        let source = error.get_ref().and_then(|source| source.downcast_ref::<Error>());
        assert!(matches!(source, Some(Error::InvalidCertificate(_))), "{error:?}");
        assert!(error.to_string().starts_with("invalid peer certificate: "), "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
    // And so for a WebSocket.
    let unknown = Authority::new("another").sign(&names).server();
    let server = once_with(unknown, |mut peer| drop(peer.shake_hands().and_then(|()| peer.read().map(drop))));
    let url = format!("wss://localhost:{}/", server.address.port());
    let error = run::<R, _>(async {
        ws::Socket::connect(&connector::<R>(), &url, &ClientConfig::default()).await.unwrap_err()
    });
    assert_eq!(error.to_string(), "cannot connect: invalid peer certificate: UnknownIssuer");
    let ConnectError::Io(error) = error else { panic!("{error}") };
    let source = error.get_ref().and_then(|source| source.downcast_ref::<Error>());
    assert!(matches!(source, Some(Error::InvalidCertificate(CertificateError::UnknownIssuer))));
}

fn a_host_that_no_certificate_can_be_for<R: Dialling>() {
    run::<R, _>(async {
        let origin = Origin::https("no name", 443);
        let error =
            Connection::connect(&connector::<R>(), &origin, &ClientConfig::default()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(
            error.to_string(),
            "expected a name or an address that a certificate can be for, got \"no name\" (RFC 9110 4.3.4)"
        );
    });
}

/// A server that names another protocol speaks another one. It can do so only if it was offered.
fn another_protocol<R: Dialling>() {
    let mut config = identity().server();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let server = once_with(config.clone(), |mut peer| {
        peer.shake_hands().unwrap_err();
    });
    run::<R, _>(async {
        let error = Connection::connect(&connector::<R>(), &origin(server.address), &ClientConfig::default())
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "received fatal alert: NoApplicationProtocol");
    });

    let server = once_with(config, |mut peer| {
        peer.shake_hands().unwrap();
        // The session tickets may lie unread, and then it is a reset.
        peer.rest().1.unwrap_err();
    });
    run::<R, _>(async {
        let mut config = authority().client();
        config.alpn_protocols.push(b"h2".to_vec());
        let connector = endwell::tls::TlsConnector::new(R::CONNECTOR, config);
        let error = Connection::connect(&connector, &origin(server.address), &ClientConfig::default())
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "expected the protocol http/1.1, got \"h2\" (RFC 7301)");
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    });
}

fn a_server_without_tls<R: Dialling>() {
    let server = once_plain(|mut socket| {
        assert!(socket.read(&mut [0; 2000]).unwrap() > 0);
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        // The alert, and the end.
        socket.read_to_end(&mut Vec::new()).unwrap();
    });
    run::<R, _>(async {
        let error = Connection::connect(&connector::<R>(), &origin(server.address), &ClientConfig::default())
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "received corrupt message of type InvalidContentType");
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    });
}

fn a_server_that_leaves_within_the_handshake<R: Dialling>() {
    let server = once_plain(|mut socket| {
        assert!(socket.read(&mut [0; 2000]).unwrap() > 0);
    });
    run::<R, _>(async {
        let error = Connection::connect(&connector::<R>(), &origin(server.address), &ClientConfig::default())
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected a TLS handshake, got the end of the stream within it (RFC 8446 4)"
        );
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    });
}

/// A client that speaks something else only is told so.
fn a_server_takes_no_other_protocol<R: Dialling>() {
    let server = start::<Secure<R>, _, _>(async |exchange: Exchange| exchange.respond(StatusCode::OK, "ok"));
    let mut config = authority().client();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let error = Peer::client_with(server.address, config).shake_hands().unwrap_err();
    assert_eq!(error.to_string(), "received fatal alert: NoApplicationProtocol");
    assert_eq!(
        server.next_end().to_string(),
        "the transport failed: peer doesn't support any known protocol"
    );
}
