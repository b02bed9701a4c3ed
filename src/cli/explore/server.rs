//! The page over HTTP, and the engine behind it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use burn_pooling::explore::{Answer, PAGE, Request};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tower_http::timeout::{RequestBodyTimeoutLayer, TimeoutLayer};

use super::guard::{Hosts, guard};
use crate::cli::terminal;

/// What answers requests.
pub type Answerer = Box<dyn FnMut(Request) -> Answer + Send>;

/// The largest request, in bytes: a picture of 12 MB as base64.
const MOST_BYTES: usize = 16 << 20;
/// Requests that wait for the engine at the same time.
const MOST_WAITING: usize = 256;
/// Connections at the same time.
const MOST_CONNECTIONS: usize = 512;
/// How long a client may take to send its request's header, or from one part of its body to the next.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a request may take altogether.
const LONGEST: Duration = Duration::from_secs(60);

#[derive(Clone)]
struct Shared {
    answerer: Arc<Mutex<Answerer>>,
    waiting: Arc<Semaphore>,
}

/// Serves the page until the process is interrupted.
pub fn serve(address: SocketAddr, answerer: Answerer, open_browser: bool) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("{address}: cannot be listened on; try another --port, or --port 0 for any"))?;
        let address = listener.local_addr()?;
        terminal::print(format_args!("page: http://{address}/  (Ctrl-C ends it)"));
        if open_browser && open::that_detached(format!("http://{address}/")).is_err() {
            terminal::print_note("no browser could be opened: open the address yourself");
        }
        let shared =
            Shared { answerer: Arc::new(Mutex::new(answerer)), waiting: Arc::new(Semaphore::new(MOST_WAITING)) };
        tokio::select! {
            result = accept(listener, router(shared, Hosts::of(address))) => result,
            result = tokio::signal::ctrl_c() => result.context("Ctrl-C cannot be waited for"),
        }
    })
}

fn router(shared: Shared, hosts: Hosts) -> Router {
    Router::new()
        .route("/api", post(answer))
        .fallback(get(page))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(RequestBodyTimeoutLayer::new(PATIENCE))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, LONGEST))
        .layer(middleware::from_fn_with_state(hosts, guard))
        .with_state(shared)
}

/// Serves every connection, a limited number at a time.
async fn accept(listener: TcpListener, router: Router) -> anyhow::Result<()> {
    let connections = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let permit = Arc::clone(&connections).acquire_owned().await?;
        // Too many open files, say: others may be closed in a moment.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let mut builder = Builder::new(TokioExecutor::new());
            builder.http1().timer(TokioTimer::new()).header_read_timeout(PATIENCE);
            // A client that went away is no error of ours.
            let _ = builder.http1_only().serve_connection(TokioIo::new(stream), service).await;
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

async fn answer(State(shared): State<Shared>, body: Bytes) -> Response {
    let request: Request = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return failed(StatusCode::BAD_REQUEST, format!("expected a request, found {error}")),
    };
    let Ok(_permit) = shared.waiting.clone().try_acquire_owned() else {
        return failed(StatusCode::SERVICE_UNAVAILABLE, "too many requests at once; try again".to_owned());
    };
    let answerer = Arc::clone(&shared.answerer);
    let work = tokio::task::spawn_blocking(move || {
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

fn failed(status: StatusCode, error: String) -> Response {
    (status, Json(Answer::Failed { error })).into_response()
}
