//! Certificates that are replaced while the server runs.

use std::net::TcpListener;

use endwell::client::Connection;
use endwell::http::StatusCode;
use endwell::tls::rustls::ClientConfig;
use endwell::tls::rustls::pki_types::CertificateDer;
use endwell::tls::{SharedServerConfig, TlsConnector, TlsInfo, TlsListener};
use endwell::{Exchange, ServerConfig};

use crate::authority::{Authority, authority, identity};
use crate::dialling::{Dialling, get, run};
use crate::secure::origin;
use crate::support::server::start_listening;
use crate::support::{Running, on_every_runtime};

on_every_runtime!(new_connections_get_the_new_certificate, the_old_roots_of_clients_end_with_the_old_one);

fn serve_with<R: Dialling>(config: SharedServerConfig) -> Running {
    let listen = move |socket| TlsListener::new(R::listen(socket), config);
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    start_listening::<R, _, _, _>(socket, listen, ServerConfig::default(), |exchange: Exchange| async {
        exchange.respond(StatusCode::OK, "ok")
    })
}

async fn dial<R: Dialling>(server: &Running, config: &ClientConfig) -> Connection {
    let connector = TlsConnector::new(R::CONNECTOR, config.clone());
    Connection::connect(&connector, &origin(server.address), &endwell::ClientConfig::default()).await.unwrap()
}

fn certificate(connection: &Connection) -> CertificateDer<'static> {
    connection.info::<TlsInfo>().unwrap().peer_certificates[0].clone()
}

async fn asks(connection: Connection) -> Connection {
    let mut response = connection.send(&get("/"), "").await.unwrap();
    assert_eq!(response.read_all(10).await.unwrap(), "ok");
    response.finish().await.unwrap()
}

/// The open connection goes on, and a client that could resume its session makes a whole handshake.
fn new_connections_get_the_new_certificate<R: Dialling>() {
    let config = SharedServerConfig::new(identity().server());
    let server = serve_with::<R>(config.clone());
    run::<R, _>(async {
        let client = authority().client();
        let old = asks(dial::<R>(&server, &client).await).await;
        let renewed = authority().sign(&["localhost"]);
        config.replace(renewed.server());
        let new = asks(dial::<R>(&server, &client).await).await;
        assert_eq!((certificate(&old), certificate(&new)), (identity().der(), renewed.der()));
        drop(asks(old).await);
    });
}

/// A session whose client the new roots refuse is not resumed.
fn the_old_roots_of_clients_end_with_the_old_one<R: Dialling>() {
    let (before, after) = (Authority::new("before"), Authority::new("after"));
    let config = SharedServerConfig::from(identity().mutual_server(&before));
    let server = serve_with::<R>(config.clone());
    run::<R, _>(async {
        let client = authority().client_with(&before.sign(&["client"]));
        drop(asks(dial::<R>(&server, &client).await).await);
        // It can resume.
        drop(asks(dial::<R>(&server, &client).await).await);
        config.replace(identity().mutual_server(&after));
        dial::<R>(&server, &client).await.send(&get("/"), "").await.unwrap_err();
        drop(asks(dial::<R>(&server, &authority().client_with(&after.sign(&["client"]))).await).await);
    });
}
