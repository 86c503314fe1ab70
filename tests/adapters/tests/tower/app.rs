//! An application as its authors write it for axum: nothing of it knows who serves it.

use std::collections::BTreeMap;
use std::path::{Path as File, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Json, Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get, post};
use axum::{Router, middleware};
use tower_http::compression::CompressionLayer;
use tower_http::cors::{Any, CorsLayer};
use tower_http::services::ServeDir;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::support::pattern;

pub(crate) type Notes = Arc<Mutex<BTreeMap<u32, String>>>;

/// The application, with files of a folder and a time limit, both of which tower-http has for tokio alone.
pub(crate) fn app_on_tokio(files: &File) -> Router {
    app(Router::new().nest_service("/files", ServeDir::new(files)))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_secs(2)))
}

/// The application, with more routes.
pub(crate) fn app(more: Router<Notes>) -> Router {
    let notes = Notes::default();
    notes.lock().unwrap().extend([(1, "milk".to_owned()), (2, "bread".to_owned())]);
    Router::new()
        .route("/", get(async || "hello"))
        .route("/notes", get(list).post(create))
        .route("/notes/{id}", get(read).put(replace).delete(remove))
        .route("/search", get(search))
        .route("/echo", post(echo))
        .route("/through", post(through))
        .route("/parts", any(parts))
        .route("/big", get(async || "all work and no play ".repeat(10_000)))
        .route("/bytes", get(async || pattern(300_000)))
        .route("/stream", get(stream))
        .route("/empty", get(async || StatusCode::NO_CONTENT))
        .route("/old", get(async || Redirect::permanent("/")))
        .route("/cookies", get(cookies))
        .route("/slow", get(std::future::pending::<()>))
        .merge(more)
        .fallback(async |uri: Uri| (StatusCode::NOT_FOUND, format!("nothing at {uri}")))
        .layer(middleware::map_response(async |mut response: Response| {
            response.headers_mut().append("x-layer", "one".parse().unwrap());
            response
        }))
        .layer(CompressionLayer::new())
        .layer(CorsLayer::new().allow_origin(Any).allow_methods([Method::GET, Method::PUT]))
        .layer(TraceLayer::new_for_http())
        .with_state(notes)
}

/// A folder with files, which is removed when it is dropped.
pub(crate) struct Files(pub(crate) PathBuf);

impl Files {
    pub(crate) fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("endwell-tower-{name}-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("deep")).unwrap();
        std::fs::write(folder.join("index.html"), "<p>index</p>").unwrap();
        std::fs::write(folder.join("deep/data.bin"), pattern(100_000)).unwrap();
        // So that both servers tell the same time.
        let time = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        for file in ["index.html", "deep/data.bin"] {
            std::fs::File::options()
                .append(true)
                .open(folder.join(file))
                .unwrap()
                .set_modified(time)
                .unwrap();
        }
        Self(folder)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn list(State(notes): State<Notes>) -> Json<BTreeMap<u32, String>> {
    Json(notes.lock().unwrap().clone())
}

async fn create(State(notes): State<Notes>, Json(text): Json<String>) -> Response {
    let mut notes = notes.lock().unwrap();
    let id = notes.keys().max().map_or(1, |last| last + 1);
    notes.insert(id, text);
    (StatusCode::CREATED, [(header::LOCATION, format!("/notes/{id}"))], Json(id)).into_response()
}

async fn read(State(notes): State<Notes>, Path(id): Path<u32>) -> Result<String, StatusCode> {
    notes.lock().unwrap().get(&id).cloned().ok_or(StatusCode::NOT_FOUND)
}

async fn replace(State(notes): State<Notes>, Path(id): Path<u32>, body: String) -> StatusCode {
    match notes.lock().unwrap().insert(id, body) {
        Some(_) => StatusCode::NO_CONTENT,
        None => StatusCode::CREATED,
    }
}

async fn remove(State(notes): State<Notes>, Path(id): Path<u32>) -> StatusCode {
    match notes.lock().unwrap().remove(&id) {
        Some(_) => StatusCode::NO_CONTENT,
        None => StatusCode::NOT_FOUND,
    }
}

async fn search(Query(query): Query<BTreeMap<String, String>>) -> String {
    format!("{query:?}")
}

async fn echo(headers: HeaderMap, body: Bytes) -> Response {
    let kind = headers.get(header::CONTENT_TYPE).cloned();
    let mut response = body.into_response();
    if let Some(kind) = kind {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    response
}

/// As it arrives.
async fn through(body: Body) -> Body {
    body
}

async fn parts(method: Method, uri: Uri, headers: HeaderMap) -> String {
    let line =
        |(name, value): (&HeaderName, &HeaderValue)| format!("{name}: {}", value.as_bytes().escape_ascii());
    let lines: Vec<_> = headers.iter().map(line).collect();
    format!("{method} {uri} {lines:?}")
}

/// A body whose length is not known.
async fn stream() -> Body {
    let pieces = (0..20).map(|piece| Ok::<_, std::io::Error>(format!("piece {piece}\n")));
    Body::from_stream(futures::stream::iter(pieces))
}

async fn cookies() -> impl IntoResponse {
    let mut headers = HeaderMap::new();
    for cookie in ["a=1; Path=/", "b=2", "a=3"] {
        headers.append(header::SET_COOKIE, cookie.parse().unwrap());
    }
    (headers, "baked")
}
