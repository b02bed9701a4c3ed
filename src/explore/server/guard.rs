//! Which requests are let in: those of the page itself.

use axum::extract::{Request, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, HOST, HeaderName, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Nothing from elsewhere, and no script or style within the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The names that the page's address may have.
#[derive(Clone, Debug)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// The names of an address: its own, and `localhost` if it is this machine's.
    pub fn of(address: std::net::SocketAddr) -> Self {
        let port = address.port();
        let mut names = vec![address.to_string()];
        if address.ip().is_loopback() {
            names.extend([format!("localhost:{port}"), format!("127.0.0.1:{port}"), format!("[::1]:{port}")]);
        }
        Self(names)
    }

    /// Whether a request comes from the page: other pages have another origin, and a name that somebody else points at
    /// this machine (DNS rebinding) is no name of ours.
    fn let_in(&self, headers: &HeaderMap) -> bool {
        let is_ours = |name: &str| self.0.iter().any(|own| own.eq_ignore_ascii_case(name));
        let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let from_page = |origin: &str| {
            let uri: Option<Uri> = origin.parse().ok();
            uri.and_then(|uri| Some(is_ours(uri.authority()?.as_str()))).unwrap_or(false)
        };
        text(HOST).is_some_and(is_ours) && text(ORIGIN).is_none_or(from_page)
    }
}

/// Refuses requests that do not come from the page, and tells browsers what the page may do.
pub async fn guard(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    if !hosts.let_in(request.headers()) {
        return (StatusCode::FORBIDDEN, "expected a request of the page itself").into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
