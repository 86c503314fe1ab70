//! The pool as a service: under layers of tower-http, and by itself.

use std::future::poll_fn;
use std::io::Write;
use std::pin::Pin;
use std::time::Duration;

use axum::body::Body;
use endwell::client::{InvalidUrl, Pool, PoolLimits, SendError};
use endwell::http::{FieldSection, Framing, InvalidRequest, ResponseHead, StatusCode};
use endwell::{Address, Answered, Bytes, ClientConfig, Ended, Exchange, Info, Limit, ServerConfig};
use http::Request;
use http_body::{Body as _, Frame};
use tower::{Service, ServiceBuilder, ServiceExt};
use tower_http::decompression::DecompressionLayer;
use tower_http::follow_redirect::{FollowRedirectLayer, RequestUri};

use crate::dialling::{Dialling, run};
use crate::support::{Running, Runtime, Tokio, on_every_runtime, pattern, start, start_with};

on_every_runtime!(
    redirects_are_followed,
    a_compressed_body_is_decompressed,
    a_compressed_body_that_is_cut_is_an_error,
    fields_that_manage_the_connection_are_heeded_or_left_out,
    whether_to_send_it_again_is_known_under_layers,
    what_cannot_be_sent,
    trailers_and_the_head_as_it_came,
);

fn pool<R: Dialling>() -> Pool<R::Connector> {
    Pool::new(R::CONNECTOR, ClientConfig::default(), PoolLimits::default())
}

fn uri(server: &Running, target: &str) -> String {
    format!("http://{}{target}", server.address)
}

/// All of a body.
async fn whole<B>(body: B) -> Result<Vec<u8>, B::Error>
where
    B: http_body::Body<Data = Bytes>,
{
    let mut body = Box::pin(body);
    let mut all = Vec::new();
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        if let Ok(data) = frame?.into_data() {
            all.extend(data);
        }
    }
    Ok(all)
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

const LEN: usize = 100_000;

/// Redirects, compresses what may be compressed, and answers else with what was sent.
async fn answer(mut exchange: Exchange) -> Result<Answered, Ended> {
    use endwell::http::{Field, Response};
    let redirect = |status| Response::new(status);
    let path = exchange.path().to_owned();
    Ok(match &*path {
        "/moved" => {
            let head = redirect(StatusCode::FOUND).with(Field::from_static("location", "further?a=b"));
            exchange.respond(head, "it is elsewhere")
        }
        "/further" => {
            let head = redirect(StatusCode::SEE_OTHER).with(Field::from_static("location", "/end"));
            exchange.respond(head, "")
        }
        "/packed" | "/cut" => {
            assert!(exchange.fields().list_contains("accept-encoding", "gzip"));
            let head = Response::new(StatusCode::OK).with(Field::from_static("content-encoding", "gzip"));
            let mut packed = gzip(&pattern(LEN));
            if path == "/packed" {
                return Ok(exchange.respond(head, packed));
            }
            packed.truncate(packed.len() / 2);
            let (_, mut body) = exchange.start(head, Framing::Chunked);
            body.write(packed).await?;
            body.flush().await?;
            body.abort();
            return Err(crate::aborted::aborted());
        }
        "/silent" => {
            let ended = exchange.gone().await;
            return Err(ended);
        }
        "/trailers" => {
            let (_, mut body) = exchange.start(StatusCode::OK, Framing::Chunked);
            body.write("some ").await?;
            body.write("text").await?;
            body.finish_with(&FieldSection::new().with(Field::from_static("x-sum", "9")))?
        }
        _ => {
            let body = exchange.read_all(LEN).await?;
            let names: Vec<_> = exchange.fields().iter().map(|(name, _)| name.to_owned()).collect();
            let head = format!("{} {} {}", exchange.method(), exchange.head().target(), names.join(","));
            exchange.respond(StatusCode::OK, [head.as_bytes(), b"\n", &body].concat())
        }
    })
}

fn redirects_are_followed<R: Dialling>() {
    let server = start::<R, _, _>(answer);
    run::<R, _>(async {
        let pool = pool::<R>();
        let client = ServiceBuilder::new().layer(FollowRedirectLayer::new()).service(pool.clone());
        for (method, body) in [("GET", ""), ("POST", "some text")] {
            let request = Request::builder().method(method).uri(uri(&server, "/moved"));
            let request = request.body(Body::from(body)).unwrap();
            let response = client.clone().oneshot(request).await.unwrap();
            assert_eq!(response.extensions().get::<RequestUri>().unwrap().0, *uri(&server, "/end"));
            assert_eq!(whole(response.into_body()).await.unwrap(), b"GET /end host\n");
        }
        // What is redirected is read to its end, or closed.
        assert!(pool.occupancy().connections <= 2, "{pool:?}");
    });
}

fn a_compressed_body_is_decompressed<R: Dialling>() {
    let server = start::<R, _, _>(answer);
    run::<R, _>(async {
        let pool = pool::<R>();
        let client = ServiceBuilder::new().layer(DecompressionLayer::new()).service(pool.clone());
        for _ in 0..3 {
            let request = Request::get(uri(&server, "/packed")).body(Body::empty()).unwrap();
            let response = client.clone().oneshot(request).await.unwrap();
            assert_eq!(response.headers().get("content-encoding"), None);
            assert!(whole(response.into_body()).await.unwrap() == pattern(LEN));
        }
        assert_eq!(pool.occupancy().connections, 1, "the connection is used again");
    });
}

fn a_compressed_body_that_is_cut_is_an_error<R: Dialling>() {
    let server = start::<R, _, _>(answer);
    run::<R, _>(async {
        let client = ServiceBuilder::new().layer(DecompressionLayer::new()).service(pool::<R>());
        let request = Request::get(uri(&server, "/cut")).body(Body::empty()).unwrap();
        let response = client.clone().oneshot(request).await.unwrap();
        assert!(whole(response.into_body()).await.is_err());
    });
}

/// A server that does not wait for a client that has ended its side.
fn quick() -> ServerConfig {
    ServerConfig::default().half_closed(Duration::from_millis(50))
}

/// The time of a layer, which is one of tokio: the connection is closed.
#[test]
fn the_time_of_a_layer_gives_the_request_up() {
    let server = start_with::<Tokio, _, _>(quick(), answer);
    run::<Tokio, _>(async {
        let pool = pool::<Tokio>();
        let layers = ServiceBuilder::new().timeout(Duration::from_millis(100));
        let client = layers.layer(DecompressionLayer::new()).service(pool.clone());
        let request = Request::get(uri(&server, "/silent")).body(Body::empty()).unwrap();
        let error = client.clone().oneshot(request).await.err().unwrap();
        assert!(error.is::<tower::timeout::error::Elapsed>(), "{error}");
        while pool.occupancy().connections > 0 {
            Tokio::sleep(Duration::from_millis(1)).await;
        }
    });
}

fn fields_that_manage_the_connection_are_heeded_or_left_out<R: Dialling>() {
    let server = start::<R, _, _>(answer);
    run::<R, _>(async {
        let mut pool = pool::<R>();
        let request = Request::put(uri(&server, "/"))
            .header("content-length", "9")
            .header("x", "y")
            .header("keep-alive", "timeout=5")
            .header("transfer-encoding", "chunked")
            .header("te", "trailers, gzip")
            .header("connection", "x, Close");
        let response = pool.call(request.body(Body::from("some text")).unwrap()).await.unwrap();
        let body = whole(response.into_body()).await.unwrap();
        let text = "PUT / host,connection,te,content-length,x\nsome text";
        assert_eq!(String::from_utf8(body).unwrap().to_lowercase(), text.to_lowercase());
        let is_closed = async {
            while pool.occupancy().connections > 0 {
                R::sleep(Duration::from_millis(1)).await;
            }
        };
        is_closed.await;
    });
}

fn whether_to_send_it_again_is_known_under_layers<R: Dialling>() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    run::<R, _>(async {
        let layers = ServiceBuilder::new().layer(FollowRedirectLayer::new()).layer(DecompressionLayer::new());
        let client = layers.service(pool::<R>());
        let request = Request::post(format!("http://{gone}/")).body(Body::empty()).unwrap();
        let error: SendError = client.clone().oneshot(request).await.err().unwrap();
        assert!(error.is_safe_to_retry(), "{error}");
        let boxed: Box<dyn std::error::Error + Send + Sync> = error.into();
        assert!(boxed.downcast::<SendError>().unwrap().is_safe_to_retry());
    });
}

fn what_cannot_be_sent<R: Dialling>() {
    let server = start::<R, _, _>(answer);
    run::<R, _>(async {
        let mut pool = pool::<R>();
        for (target, expected) in [("/a", InvalidUrl::Scheme), ("ws://a/", InvalidUrl::Scheme)] {
            let error = pool.call(Request::get(target).body(Body::empty()).unwrap()).await.unwrap_err();
            assert!(matches!(error, SendError::Url(invalid) if invalid == expected), "{error}");
        }
        let request = Request::builder().method("CONNECT").uri(uri(&server, "/"));
        let error = pool.call(request.body(Body::empty()).unwrap()).await.unwrap_err();
        assert!(matches!(error, SendError::Head(InvalidRequest::Connect)), "{error}");
        // A length that is not that of the body: whole, and in frames.
        for length in ["8", "10"] {
            for body in [
                Body::from("some text"),
                Body::from_stream(futures::stream::iter(["some ", "text"].map(Ok::<_, Ended>))),
            ] {
                let request = Request::put(uri(&server, "/")).header("content-length", length);
                let error = pool.call(request.body(body).unwrap()).await.unwrap_err();
                assert!(matches!(error, SendError::Body(_)), "{length}: {error}");
            }
        }
    });
}

fn trailers_and_the_head_as_it_came<R: Dialling>() {
    let server = start::<R, _, _>(answer);
    run::<R, _>(async {
        let mut pool = pool::<R>();
        let request = Request::get(uri(&server, "/trailers")).header("te", "trailers");
        let response = pool.call(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.extensions().get::<ResponseHead>().unwrap().status(), StatusCode::OK);
        assert!(matches!(response.extensions().get::<Info>().unwrap().peer, Address::Tcp(_)));
        let mut body = response.into_body();
        assert_eq!(body.retries(), 0);
        let mut frames = Vec::new();
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            frames.push(frame.unwrap());
        }
        let trailers = frames.pop().map(Frame::into_trailers).unwrap().unwrap();
        assert_eq!(trailers.get("x-sum").unwrap(), "9");
        assert!(frames.iter().all(Frame::is_data));
    });
}

/// The time of the request holds for the body that a layer reads, too.
#[test]
fn the_time_of_a_request_holds_for_its_body() {
    let server = start_with::<Tokio, _, _>(quick(), async |exchange: Exchange| {
        let (_, mut body) = exchange.start(StatusCode::OK, Framing::Length(10));
        body.write("hello").await?;
        Err::<Answered, _>(body.gone().await)
    });
    run::<Tokio, _>(async {
        let pool = pool::<Tokio>();
        let request = pool.get(uri(&server, "/")).timeout(Duration::from_millis(500));
        let error = whole(request.send().await.unwrap()).await.unwrap_err();
        assert_eq!(error.ended.exceeded().unwrap().limit, Limit::RequestTime);
    });
}
