//! One request and what comes of it.

use std::future::pending;

use endwell::client::{Pool, PoolError, RequestError, ResponseReader, SendError, Url};
use endwell::core::Limit;
use endwell::http::{Field, Framing, Method, Request};
use endwell::{Bytes, Connector, EndedKind};

use crate::Failed;
use crate::options::Options;
use crate::output::Output;

/// A body from which on the server is asked first whether it wants it. As in curl.
const ASKED: usize = 1 << 20;

/// Gets what `url` leads to.
pub(crate) async fn get<C: Connector>(pool: &Pool<C>, url: &Url, options: &Options) -> Result<(), Failed> {
    let head = head(url, options).map_err(|text| Failed::new(Failed::USAGE, text))?;
    let body = Bytes::from(options.body.clone().unwrap_or_default());
    if body.len() > ASKED {
        if let Some(done) = send_large(pool, url, &head, &body, options).await? {
            return Ok(done);
        }
        // RFC 9110 15.5.18: the expectation was not met, and the request can be repeated without it.
    }
    show(pool.send(&url.origin(), &head, body).await?, options).await
}

/// Sends a request whose body waits until the server asks for it, and shows the response, which may come before the body
/// is sent. `None`: the server does not want to be asked.
async fn send_large<C: Connector>(
    pool: &Pool<C>,
    url: &Url,
    head: &Request,
    body: &Bytes,
    options: &Options,
) -> Result<Option<()>, Failed> {
    let connection = pool.connection(&url.origin()).await?;
    let length = u64::try_from(body.len()).unwrap_or(u64::MAX);
    let (withheld, response) = connection.request_expecting(head, Framing::Length(length));
    let write = async {
        // A body that is not wanted, or not taken: the server may have answered, and if not, the response says why.
        if let Ok(mut writer) = withheld.await {
            if writer.write(body.clone()).await.is_ok() {
                let _ = writer.finish();
            }
        }
        pending().await
    };
    let answer = async {
        let received = response.await?;
        if received.status().as_u16() == 417 {
            return Ok(None);
        }
        show(received, options).await.map(Some)
    };
    smol::future::or(answer, write).await
}

/// Shows a response.
async fn show(mut received: ResponseReader, options: &Options) -> Result<(), Failed> {
    let mut output = Output::new(received.announced(), options.is_silent);
    if options.shows_head {
        output.write(received.head().as_bytes())?;
    }
    let status = received.status();
    if options.fails && status.as_u16() >= 400 {
        return Err(Failed::new(Failed::STATUS, format!("the server answered {status}")));
    }
    while let Some(piece) = received.read().await.map_err(|error| Failed::new(Failed::CUT_OFF, error))? {
        output.write_body(&piece)?;
    }
    if let Some(trailers) = received.trailers().filter(|_| options.shows_head) {
        for (name, value) in trailers.iter() {
            output.write(&[name.as_bytes(), b": ", value, b"\r\n"].concat())?;
        }
    }
    Ok(())
}

/// The head of the request, or what is wrong with what it was to be made of.
fn head(url: &Url, options: &Options) -> Result<Request, String> {
    let has = |name: &str| options.fields.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    let method = match (&options.method, &options.body) {
        (Some(method), _) => method,
        (None, Some(_)) => "POST",
        (None, None) => "GET",
    };
    let host = options.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
    let host = host.map_or(url.authority(), |(_, host)| host);
    let head = Request::new(Method::Extension(method), host, url.target());
    let mut head = head.map_err(|error| error.to_string())?;
    if options.shows_head {
        head = head.with_trailers();
    }
    let mut defaults =
        vec![("user-agent", concat!("endwell-get/", env!("CARGO_PKG_VERSION"))), ("accept", "*/*")];
    if options.body.is_some() {
        defaults.push(("content-type", "application/x-www-form-urlencoded"));
    }
    defaults.retain(|(name, _)| !has(name));
    let given = options.fields.iter().map(|(name, value)| (&**name, &**value));
    for (name, value) in
        defaults.into_iter().chain(given.filter(|(name, _)| !name.eq_ignore_ascii_case("host")))
    {
        let field = Field::new(name, value.as_bytes());
        head = head.with(field.map_err(|error| format!("field {}: {error}", name.escape_default()))?);
    }
    Ok(head)
}

impl From<PoolError> for Failed {
    fn from(error: PoolError) -> Self {
        Self::new(Self::NOT_CONNECTED, error)
    }
}

impl From<SendError> for Failed {
    fn from(error: SendError) -> Self {
        match &error {
            SendError::NoConnection { .. } => Self::new(Self::NOT_CONNECTED, error),
            SendError::Failed { failure, .. } => Self::new(code(failure), error),
            SendError::Url(_) | SendError::Head(_) | _ => Self::new(Self::UNANSWERED, error),
        }
    }
}

/// Whose fault it is that no response came.
fn code(failure: &RequestError) -> u8 {
    let is_stall = matches!(failure.ended().kind(), EndedKind::Limit(exceeded) if exceeded.limit == Limit::WriteProgress);
    if is_stall { Failed::NOT_TAKEN } else { Failed::UNANSWERED }
}

impl From<RequestError> for Failed {
    fn from(failure: RequestError) -> Self {
        Self::new(code(&failure), failure)
    }
}
