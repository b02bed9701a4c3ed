//! The page over HTTP, and the engine behind it.
//!
//! ```
//! use burn_pooling::explore::{Answer, Server};
//!
//! let server = Server::bind(([127, 0, 0, 1], 0).into())?;
//! assert!(server.address().ip().is_loopback());
//! let answer = |_| Answer::Failed { error: "nothing to explore".to_owned() }; // or an engine's
//! std::thread::spawn(move || server.run(answer));
//! # Ok::<(), std::io::Error>(())
//! ```

mod guard;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request as HttpRequest, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::runtime::{Builder as RuntimeBuilder, Runtime};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tower_http::timeout::{RequestBodyTimeoutLayer, TimeoutLayer};

use super::{Answer, PAGE, Request};
use guard::{Hosts, guard};

/// What answers requests.
type Answerer = dyn FnMut(Request) -> Answer + Send;

/// The largest request, in bytes: a picture of 12 MB as base64.
const MOST_BYTES: usize = 16 << 20;
/// What requests that are received or wait may take together, in KiB: 256 MiB.
const MOST_WAITING: usize = 256 << 10;
/// Connections at the same time.
const MOST_CONNECTIONS: usize = 512;
/// How long a client may take to send its request's header, or from one part of its body to the next.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long an answer may take, and with it the request that is sent slowly.
const LONGEST: Duration = Duration::from_secs(60);
const LONGEST_EXCHANGE: Duration = Duration::from_secs(80);
/// How long a connection is kept; browsers open another.
const LONGEST_CONNECTION: Duration = Duration::from_secs(600);

/// How long a request that is being answered may take on when the server ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// A server of the page, not yet running.
#[derive(Debug)]
pub struct Server {
    runtime: Runtime,
    listener: TcpListener,
    address: SocketAddr,
}

#[derive(Clone)]
struct Shared {
    answerer: Arc<Mutex<Answerer>>,
    waiting: Arc<Semaphore>,
}

impl Server {
    /// Listens on an address; its port 0 takes any that is free.
    ///
    /// # Errors
    /// If the address cannot be listened on, for example because another server does.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let runtime = RuntimeBuilder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind(address))?;
        let address = listener.local_addr()?;
        Ok(Self { runtime, listener, address })
    }

    /// The address of the page, with the port that was found.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves the page until the process is interrupted. Requests are answered one after the other; if one panics, that is
    /// its answer, and the next is answered.
    ///
    /// # Errors
    /// If interrupts cannot be waited for.
    pub fn run(self, answerer: impl FnMut(Request) -> Answer + Send + 'static) -> io::Result<()> {
        let waiting = Arc::new(Semaphore::new(MOST_WAITING));
        let router = router(Shared { answerer: Arc::new(Mutex::new(answerer)), waiting }, Hosts(self.address));
        let result = self.runtime.block_on(async {
            tokio::select! {
                () = accept(self.listener, router) => Ok(()),
                result = tokio::signal::ctrl_c() => result,
            }
        });
        self.runtime.shutdown_timeout(FAREWELL);
        result
    }
}

fn router(shared: Shared, hosts: Hosts) -> Router {
    Router::new()
        .route("/api", post(answer))
        .fallback(get(page))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(RequestBodyTimeoutLayer::new(PATIENCE))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, LONGEST_EXCHANGE))
        .layer(middleware::from_fn_with_state(hosts, guard))
        .with_state(shared)
}

/// Serves every connection, a limited number at a time.
async fn accept(listener: TcpListener, router: Router) {
    let connections = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&connections).acquire_owned().await else { return };
        // Too many open files, say: others may be closed in a moment.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let mut builder = Builder::new(TokioExecutor::new());
            builder.http1().timer(TokioTimer::new()).header_read_timeout(PATIENCE);
            let builder = builder.http1_only();
            let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
            // A client that went away is no error of ours.
            if timeout(LONGEST_CONNECTION, connection.as_mut()).await.is_err() {
                connection.as_mut().graceful_shutdown();
                let _ = timeout(LONGEST_EXCHANGE, connection).await;
            }
            drop(permit);
        });
    }
}

async fn page(uri: Uri) -> Response {
    let path = match uri.path().trim_start_matches('/') {
        "" => "index.html",
        path => path,
    };
    match PAGE.iter().find(|file| file.path == path) {
        Some(file) => ([(CONTENT_TYPE, file.content_type), (CACHE_CONTROL, "no-cache")], file.content).into_response(),
        None => (StatusCode::NOT_FOUND, "no such file").into_response(),
    }
}

async fn answer(State(shared): State<Shared>, request: HttpRequest) -> Response {
    // Before anything of the body is kept.
    let Ok(permit) = shared.waiting.clone().try_acquire_many_owned(kilobytes(&request)) else {
        return failed(StatusCode::SERVICE_UNAVAILABLE, "too many requests at once; try again".to_owned());
    };
    let body = match Bytes::from_request(request, &()).await {
        Ok(body) => body,
        Err(rejection) => return failed(rejection.status(), rejection.body_text()),
    };
    let request: Request = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return failed(StatusCode::BAD_REQUEST, format!("expected a request, found {error}")),
    };
    let answerer = Arc::clone(&shared.answerer);
    let work = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        // A request that panicked left the networks as they were before or after a step.
        let mut answerer = answerer.lock().unwrap_or_else(PoisonError::into_inner);
        answerer(request)
    });
    match timeout(LONGEST, work).await {
        Ok(Ok(answer)) => Json(answer).into_response(),
        Ok(Err(_)) => failed(StatusCode::INTERNAL_SERVER_ERROR, "the request failed in an unexpected way".to_owned()),
        Err(_) => failed(StatusCode::REQUEST_TIMEOUT, "the request took too long".to_owned()),
    }
}

/// The most KiB that a request's body can have.
fn kilobytes(request: &HttpRequest) -> u32 {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    (length.unwrap_or(MOST_BYTES).min(MOST_BYTES) / 1024) as u32 + 1
}

fn failed(status: StatusCode, error: String) -> Response {
    (status, Json(Answer::Failed { error })).into_response()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn a_request_that_panics_is_answered_and_so_is_the_next() {
        let server = Server::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = server.address();
        let answer = |request| match request {
            Request::Describe => panic!("on purpose"),
            _ => Answer::Measured { microseconds: 1.0 },
        };
        std::thread::spawn(move || server.run(answer));
        let ask = |body: &str| {
            let mut stream = TcpStream::connect(address).unwrap();
            let length = body.len();
            write!(stream, "POST /api HTTP/1.0\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        let panicked = ask(r#"{"request":"describe"}"#);
        assert!(panicked.contains(" 500 ") && panicked.contains(r#"{"answer":"failed","error":"#), "{panicked}");
        let next = ask(r#"{"request":"measure","network":0}"#);
        assert!(next.ends_with(r#"{"answer":"measured","microseconds":1.0}"#), "{next}");
    }
}
