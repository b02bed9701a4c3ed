//! Which requests are let in: those of the page itself.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{Request, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, HOST, HeaderName, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Nothing from elsewhere, and no script or style within the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The address under which the page is reached.
#[derive(Clone, Copy, Debug)]
pub struct Hosts(pub SocketAddr);

impl Hosts {
    /// Whether a request comes from the page: other pages have another origin, and a name that somebody else points at
    /// this machine (DNS rebinding) is no name of ours.
    fn let_in(&self, headers: &HeaderMap) -> bool {
        let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let from_page = |origin: &str| {
            let uri: Option<Uri> = origin.parse().ok();
            uri.and_then(|uri| Some(self.is_ours(uri.authority()?.as_str()))).unwrap_or(false)
        };
        text(HOST).is_some_and(|host| self.is_ours(host)) && text(ORIGIN).is_none_or(from_page)
    }

    /// Whether a host, such as `localhost:8765`, is this server: by its numbers, or as this machine's own name.
    fn is_ours(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        if authority.port_u16().unwrap_or(80) != self.0.port() {
            return false;
        }
        let ip = self.0.ip();
        match authority.host().trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(found) => found == ip || ip.is_unspecified() || ip.is_loopback() && found.is_loopback(),
            Err(_) => authority.host().eq_ignore_ascii_case("localhost") && (ip.is_loopback() || ip.is_unspecified()),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_knows_its_own_names_and_no_others() {
        for (address, ours, others) in [
            (
                "127.0.0.1:8765",
                "localhost:8765 LOCALHOST:8765 127.0.0.1:8765 [::1]:8765",
                "localhost 127.0.0.1:1 192.168.0.2:8765",
            ),
            ("127.0.0.1:80", "localhost 127.0.0.1:80", "localhost:8765 rebound.example"),
            ("192.168.0.2:8765", "192.168.0.2:8765", "localhost:8765 192.168.0.3:8765 rebound.example:8765"),
            ("0.0.0.0:8765", "localhost:8765 192.168.0.2:8765", "rebound.example:8765 192.168.0.2:80"),
            ("[::]:8765", "[2001:db8::1]:8765 192.168.0.2:8765", "rebound.example:8765 ?"),
        ] {
            let hosts = Hosts(address.parse().unwrap());
            for name in ours.split(' ') {
                assert!(hosts.is_ours(name), "{address}: {name}");
            }
            for name in others.split(' ') {
                assert!(!hosts.is_ours(name), "{address}: {name}");
            }
        }
    }
}
