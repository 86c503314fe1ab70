//! The PROXY protocol: addresses from trusted proxies, and from no one else.

use std::io::Write as _;
use std::net::TcpListener;
use std::time::Duration;

use endwell::http::StatusCode;
use endwell::proxy_protocol::{ProxyHeader, ProxyProtocol};
use endwell::tls::TlsListener;
use endwell::{Address, Exchange, ServerConfig};

use crate::authority::identity;
use crate::dialling::Dialling;
use crate::peer::Peer;
use crate::support::server::start_listening;
use crate::support::{Client, Running, on_every_runtime, pattern};

on_every_runtime!(
    the_address_of_the_client,
    a_header_without_addresses_is_the_proxy_s_own,
    no_client_chooses_its_address,
    what_is_no_header_closes,
    headers_are_waited_for_side_by_side,
    a_header_in_pieces_loses_no_byte,
    below_tls,
);

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const V1: &str = "PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n";

/// A header of version 2.
fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let len = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n", &[0x20 | command, family][..], &len, rest].concat()
}

/// The addresses of version 2 for IPv4.
const FOUR: [u8; 12] = [192, 0, 2, 7, 198, 51, 100, 1, 0x12, 0x67, 1, 0xbb];

/// Answers with what is known of the connection.
async fn tells(exchange: Exchange) -> Result<endwell::Answered, endwell::Ended> {
    let mut exchange = exchange;
    let body = exchange.read_all(1 << 20).await?;
    let header = exchange.info::<ProxyHeader>();
    let (peer, local, secure) = (exchange.peer_address(), exchange.local_address(), exchange.is_secure());
    let extra = header.map_or_else(
        || "direct".to_owned(),
        |header| {
            assert!(matches!(header.proxy, Address::Tcp(address) if address.ip().is_loopback()));
            format!("{:?} {:?}", header.authority, header.unique_id)
        },
    );
    let text = format!("{peer} {local} {secure} {extra} {}", body.len());
    assert!(body == pattern(body.len()));
    Ok(exchange.respond(StatusCode::OK, text))
}

fn proxied<R: Dialling>(
    trusts: bool,
    change: impl FnOnce(ProxyProtocol<R::Listener>) -> ProxyProtocol<R::Listener> + Send + 'static,
) -> Running {
    let listen = move |socket| change(ProxyProtocol::new(R::listen(socket), move |_| trusts));
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    start_listening::<R, _, _, _>(socket, listen, ServerConfig::default(), tells)
}

fn told(server: &Running, header: impl AsRef<[u8]>) -> String {
    let mut client = server.connect();
    client.send([header.as_ref(), GET.as_bytes()].concat());
    String::from_utf8(client.response().unwrap().body).unwrap()
}

fn the_address_of_the_client<R: Dialling>() {
    let server = proxied::<R>(true, |layer| layer);
    assert_eq!(told(&server, V1), "192.0.2.7:4711 198.51.100.1:443 false None None 0");
    let six = "PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n";
    assert_eq!(told(&server, six), "[2001:db8::7]:4711 [2001:db8::1]:443 false None None 0");
    assert_eq!(told(&server, v2(1, 0x11, &FOUR)), "192.0.2.7:4711 198.51.100.1:443 false None None 0");
    // PP2_TYPE_AUTHORITY, PP2_TYPE_UNIQUE_ID, and PP2_TYPE_SSL of a client that used TLS.
    let more = [&FOUR[..], b"\x02\0\x03a.b", b"\x05\0\x02\x01\x02", b"\x20\0\x05\x01\0\0\0\0"].concat();
    let expected = "192.0.2.7:4711 198.51.100.1:443 true Some(\"a.b\") Some([1, 2]) 0";
    assert_eq!(told(&server, v2(1, 0x11, &more)), expected);
}

fn a_header_without_addresses_is_the_proxy_s_own<R: Dialling>() {
    let server = proxied::<R>(true, |layer| layer);
    for header in [b"PROXY UNKNOWN\r\n".to_vec(), v2(0, 0, &[]), v2(0, 0x11, &FOUR)] {
        let told = told(&server, header);
        assert!(told.starts_with("127.0.0.1:") && told.ends_with(" false None None 0"), "{told}");
    }
}

/// Without trust the header is a request, and no request.
fn no_client_chooses_its_address<R: Dialling>() {
    let server = proxied::<R>(false, |layer| layer);
    let direct = told(&server, "");
    assert!(direct.starts_with("127.0.0.1:") && direct.ends_with(" direct 0"), "{direct}");
    for header in [V1.as_bytes().to_vec(), v2(1, 0x11, &FOUR)] {
        let mut client = server.connect();
        client.send([&header, GET.as_bytes()].concat());
        assert_eq!(client.response().unwrap().status, 400);
    }
}

/// Each is closed without a response, and counted; the server goes on.
fn what_is_no_header_closes<R: Dialling>() {
    let server = proxied::<R>(true, |layer| layer.header_time(Duration::from_millis(200)));
    let long = [&v2(1, 0x11, &[0; 5000])[..], &[0; 5000]].concat();
    let wrong = [
        GET.as_bytes().to_vec(),
        b"PROXY TCP4 1.2.3 4.5.6.7 1 2\r\n...".to_vec(),
        [b"PROXY TCP4 ", &[b'1'; 200][..]].concat(),
        v2(3, 0x11, &FOUR),
        v2(1, 0x12, &FOUR),
        long,
        // These are late.
        Vec::new(),
        b"PROXY TCP4 1.2.3.4".to_vec(),
        v2(1, 0x11, &FOUR)[..20].to_vec(),
    ];
    for bytes in &wrong {
        let mut client = server.connect();
        client.send(bytes);
        assert!(client.response().is_err(), "{}", bytes.escape_ascii());
    }
    // The end of the stream within a header.
    let mut client = server.connect();
    client.send("PROXY");
    client.end_write();
    assert!(client.response().is_err());
    assert!(told(&server, V1).starts_with("192.0.2.7:4711"));
    assert_eq!(server.counters.accept_errors(), wrong.len() as u64 + 1);
    assert_eq!(server.counters.exchanges(), 1);
}

/// A proxy that is silent holds up no other connection, until as many as are allowed wait.
fn headers_are_waited_for_side_by_side<R: Dialling>() {
    let server = proxied::<R>(true, |layer| layer.headers(3));
    let mut silent: Vec<Client> = (0..2).map(|_| server.connect()).collect();
    for _ in 0..5 {
        assert!(told(&server, V1).starts_with("192.0.2.7:4711"));
    }
    silent.push(server.connect());
    let mut waits = server.connect();
    waits.send([V1, GET].concat());
    drop(silent);
    assert_eq!(waits.response().unwrap().status, 200);
}

/// Cut anywhere, with a body behind it in the same segments.
fn a_header_in_pieces_loses_no_byte<R: Dialling>() {
    let server = proxied::<R>(true, |layer| layer);
    let body = pattern(5000);
    let request = [b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5000\r\n\r\n", &body[..]].concat();
    for header in [V1.as_bytes().to_vec(), v2(1, 0x11, &FOUR)] {
        let bytes = [&header[..], &request].concat();
        for cut in [1, 8, 14, 15, 16, header.len() - 1, header.len(), header.len() + 1, 900, 1100] {
            let mut client = server.connect();
            client.send(&bytes[..cut]);
            client.send(&bytes[cut..]);
            let told = client.response().unwrap().body;
            assert!(told.ends_with(b" 5000"), "{cut}: {}", told.escape_ascii());
        }
    }
}

/// The header comes before the handshake, as the proxy does not see into it.
fn below_tls<R: Dialling>() {
    let layers =
        |socket| TlsListener::new(ProxyProtocol::new(R::listen(socket), |_| true), identity().server());
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = start_listening::<R, _, _, _>(socket, layers, ServerConfig::default(), tells);
    let mut client = Peer::client(server.address);
    client.socket.write_all(V1.as_bytes()).unwrap();
    client.shake_hands().unwrap();
    client.send(GET);
    client.read_until(" true None None 0");
}
