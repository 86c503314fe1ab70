//! `GET /hello` with hyper, which gathers pipelined answers when it is told to; `--mode plain` does not tell it.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response, StatusCode, body::Incoming};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;

async fn hello(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let found = request.uri().path() == "/hello";
    let mut response = Response::new(Full::new(Bytes::from_static(if found { b"hello" } else { b"" })));
    if !found {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    Ok(response)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = endwell_benches::Options::from_args()?;
    options.runtime()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(options.listen).await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .pipeline_flush(options.mode != "plain")
                    .serve_connection(TokioIo::new(stream), hyper::service::service_fn(hello)),
            );
        }
    })
}
