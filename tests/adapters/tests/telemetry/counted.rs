//! What a recorder is told, read as Prometheus reads it.

use std::sync::OnceLock;

use endwell::http::{Framing, StatusCode};
use endwell::ws::Close;
use endwell::{Answered, Ended, Exchange, ServerConfig};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::support::{Gate, Smol, Tokio, start_with, told};

pub(crate) fn recorder() -> PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    let install = || {
        let recorder = PrometheusBuilder::new().install_recorder().unwrap();
        endwell::metrics::describe();
        recorder
    };
    RECORDER.get_or_init(install).clone()
}

/// The value of a series. `None` if it is not there.
pub(crate) fn value(text: &str, series: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    Some(line.parse().unwrap())
}

async fn handle(gate: Gate, exchange: Exchange) -> Result<Answered, Ended> {
    match exchange.path() {
        "/chat" => {
            let acceptance = exchange.acceptance();
            let Ok(mut socket) = exchange.accept(acceptance) else { panic!("a handshake") };
            let mut count = 0;
            while let Some(message) = socket.receive().await {
                if message.is_data() {
                    count += 1;
                    if count == 2 {
                        socket.send(message).await?;
                    }
                }
            }
            Err(socket.close(Close::EMPTY).await)
        }
        "/panics" => std::panic::resume_unwind(Box::new("as planned")),
        "/stream" => {
            let (_, mut body) = exchange.start(StatusCode::OK, Framing::Length(5));
            body.write("hello").await?;
            gate.pass().await;
            body.finish()
        }
        _ => Ok(exchange.respond(StatusCode::NOT_FOUND, "not here")),
    }
}

pub(crate) const HANDSHAKE: &str = "GET /chat HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
     sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n";

/// One test for all of it: the recorder adds the servers of a process up.
#[test]
fn what_a_recorder_is_told() {
    let recorder = recorder();
    // Not counted, since its configuration does not ask for it.
    let other = start_with::<Smol, _, _>(ServerConfig::default(), async |exchange: Exchange| {
        exchange.respond(StatusCode::OK, "")
    });
    let mut client = other.connect();
    client.send("GET /other HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(client.response().unwrap().status, 200);
    drop((client, other));
    assert!(!recorder.render().contains("http_server"), "{}", recorder.render());

    let (gate, (tell, heard)) = (Gate::new(), told());
    let config = ServerConfig::default().metrics(true).on_exchange(move |_| tell.send(()).unwrap());
    let state = gate.clone();
    let server = start_with::<Tokio, _, _>(config, endwell::with_state(state, handle));

    let mut client = server.connect();
    client.send("POST /no HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc");
    assert_eq!(client.response().unwrap().status, 404);
    heard.next();
    client.send("GET /stream HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(client.response().unwrap().body, b"hello");
    let text = recorder.render();
    let active = r#"http_server_active_requests{http_request_method="GET",url_scheme="http"}"#;
    assert_eq!(value(&text, active), Some(1.0), "{text}");
    assert_eq!(value(&text, "endwell_server_active_connections"), Some(1.0), "{text}");
    gate.open(1);
    heard.next();

    let mut chat = server.connect();
    chat.send(HANDSHAKE);
    assert_eq!(chat.response().unwrap().status, 101);
    let text = recorder.render();
    let upgrades = r#"endwell_server_active_upgrades{network_protocol_name="websocket"}"#;
    assert_eq!((value(&text, upgrades), value(&text, active)), (Some(1.0), Some(0.0)), "{text}");
    chat.send(b"\x81\x85\0\0\0\0hello".repeat(3));
    assert_eq!(chat.read_exactly(7), b"\x81\x05hello");
    chat.send(b"\x88\x80\0\0\0\0");
    assert_eq!(chat.rest(), b"\x88\0");
    drop(chat);
    heard.next();
    server.next_end();

    for request in [
        "GET /panics HTTP/1.1\r\nhost: a\r\n\r\n",
        "nonsense\r\n\r\n",
        "PURGE / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
    ] {
        let mut client = server.connect();
        client.send(request);
        client.response().unwrap();
        drop(client);
        heard.next();
        server.next_end();
    }
    drop(client);
    server.next_end();

    let text = recorder.render();
    println!("{text}");
    let labels = |method: &str, version: bool, status: u16, error: &str| {
        let version = if version { r#"network_protocol_version="1.1","# } else { "" };
        let error = if error.is_empty() { String::new() } else { format!(r#",error_type="{error}""#) };
        format!(
            r#"{{http_request_method="{method}",url_scheme="http",{version}http_response_status_code="{status}"{error}}}"#
        )
    };
    for (method, version, status, error) in [
        ("POST", true, 404, ""),
        ("GET", true, 200, ""),
        ("GET", true, 101, ""),
        ("GET", true, 500, "panic"),
        ("_OTHER", false, 400, "protocol"),
        ("_OTHER", true, 404, ""),
    ] {
        let series = format!("http_server_request_duration_count{}", labels(method, version, status, error));
        assert_eq!(value(&text, &series), Some(1.0), "{series}\n{text}");
    }
    let received = format!("http_server_request_body_size_sum{}", labels("POST", true, 404, ""));
    let sent = format!("http_server_response_body_size_sum{}", labels("GET", true, 200, ""));
    assert_eq!((value(&text, &received), value(&text, &sent)), (Some(3.0), Some(5.0)), "{text}");
    for (direction, messages, bytes) in [("receive", 3.0, 3.0 * 11.0 + 6.0), ("transmit", 1.0, 9.0)] {
        let series = format!(r#"endwell_server_websocket_messages{{network_io_direction="{direction}"}}"#);
        assert_eq!(value(&text, &series), Some(messages), "{text}");
        let series = format!(
            r#"endwell_server_upgrade_io{{network_protocol_name="websocket",network_io_direction="{direction}"}}"#
        );
        assert_eq!(value(&text, &series), Some(bytes), "{text}");
    }
    let durations = r#"endwell_server_upgrade_duration_count{network_protocol_name="websocket"}"#;
    assert_eq!(value(&text, durations), Some(1.0), "{text}");
    for gauge in [active, upgrades, "endwell_server_active_connections"] {
        assert_eq!(value(&text, gauge), Some(0.0), "{gauge}\n{text}");
    }
    let connections =
        |labels: &str| value(&text, &format!("endwell_server_connection_duration_count{labels}"));
    let ends = [r#"{error_type="closed"}"#, r#"{error_type="unanswered"}"#, r#"{error_type="protocol"}"#, ""];
    assert_eq!(ends.map(connections), [Some(1.0), Some(1.0), Some(1.0), Some(2.0)], "{text}");
    assert!(text.contains("# HELP http_server_request_duration Duration of HTTP server requests."), "{text}");
}
