//! The server of `explore`: what it serves, whom it lets in, and what it stands.

#![cfg(all(unix, feature = "cli", feature = "flex", feature = "bundled-mnist"))]

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use common::few_images;
use common::place::Place;
use serde_json::{Value, json};

/// A running server.
struct Server {
    child: Child,
    address: SocketAddr,
    _place: Place,
}

impl Server {
    fn start() -> Self {
        Self::start_with(Place::new(600, 40), "")
    }

    fn start_with(place: Place, words: &str) -> Self {
        let mut command = place.command(&format!("explore {words} --no-open --port 0 --data-dir data"));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address =
            line.split("http://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_else(|| panic!("{line}"));
        Self { address: address.parse().unwrap(), child, _place: place }
    }

    fn get(&self, path: &str) -> (u16, String) {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address))
    }

    fn ask(&self, request: &Value) -> Value {
        let (code, body) = self.post(request.to_string().as_bytes(), "");
        assert_eq!(code, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    fn post(&self, body: &[u8], headers: &str) -> (u16, String) {
        let mut text = format!(
            "POST /api HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
            self.address,
            body.len()
        )
        .into_bytes();
        text.extend(body);
        self.send_bytes(&text)
    }

    fn send(&self, text: &str) -> (u16, String) {
        self.send_bytes(text.as_bytes())
    }

    /// Sends a request, and returns the status and what came after the headers.
    fn send_bytes(&self, bytes: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        // A server that refuses a body early closes the connection.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let code = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_default();
        let body = answer.split_once("\r\n\r\n").map_or_else(String::new, |(_, body)| body.to_owned());
        (code, body)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

fn pixels() -> String {
    base64(few_images(1, 1).test.pixels(0))
}

#[test]
fn the_page_is_served_with_its_files_and_nothing_else() {
    let server = Server::start();
    let (code, page) = server.get("/");
    assert!(code == 200 && page.starts_with("<!DOCTYPE html>"), "{page:.100}");
    for file in ["style.css", "main.js", "config.js"] {
        assert!(page.contains(file) || file == "config.js", "{file}");
        assert_eq!(server.get(&format!("/{file}")).0, 200, "{file}");
    }
    for path in ["/nothing.js", "/../Cargo.toml", "/api"] {
        assert!([404, 405].contains(&server.get(path).0), "{path}");
    }
    let request = format!("GET / HTTP/1.0\r\nHost: {}\r\n\r\n", server.address);
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let headers = answer.split_once("\r\n\r\n").unwrap().0.to_lowercase();
    assert!(headers.contains("content-security-policy: default-src 'none'; script-src 'self'"), "{headers}");
    assert!(headers.contains("content-type: text/html; charset=utf-8"), "{headers}");
}

#[test]
fn only_the_page_itself_is_let_in() {
    let server = Server::start();
    let port = server.address.port();
    let request = |headers: &str| server.send(&format!("GET / HTTP/1.1\r\n{headers}Connection: close\r\n\r\n")).0;
    assert_eq!(request(&format!("Host: localhost:{port}\r\n")), 200);
    assert_eq!(request(&format!("Host: 127.0.0.1:{port}\r\nOrigin: http://localhost:{port}\r\n")), 200);
    for headers in [
        "Host: evil.example\r\n".to_owned(),
        format!("Host: evil.example:{port}\r\n"),
        "Host: localhost\r\n".to_owned(),
        format!("Host: localhost:{port}\r\nOrigin: http://evil.example\r\n"),
        format!("Host: localhost:{port}\r\nOrigin: null\r\n"),
        format!("Host: localhost:{port}\r\nOrigin: http://localhost:{}\r\n", port ^ 1),
    ] {
        assert_eq!(request(&headers), 403, "{headers}");
    }
    let (code, body) = server.post(b"{\"request\":\"describe\"}", "Origin: https://evil.example\r\n");
    assert!(code == 403 && !body.contains("networks"), "{body}");
}

#[test]
fn requests_are_answered_and_those_that_cannot_be_say_why() {
    let server = Server::start();
    let described = server.ask(&json!({ "request": "describe" }));
    let names: Vec<&str> =
        described["networks"].as_array().unwrap().iter().map(|network| network["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["max", "average", "gmp", "gap"]);
    let trained = server.ask(&json!({ "request": "train", "network": 0, "steps": 5 }));
    assert_eq!(trained["images"], 5 * 128 - (128 - 540 % 128), "an epoch ends with a smaller batch: {trained}");
    let explained = server.ask(&json!({ "request": "explain", "pixels": pixels() }));
    assert_eq!(explained["networks"][0]["stages"][1]["pooled"]["shape"], json!([32, 5, 5]));
    let surveyed = server
        .ask(&json!({ "request": "survey", "pixels": pixels(), "changes": [{}, { "transform": { "right": 3.0 } }] }));
    assert_eq!(surveyed["images"][0], pixels(), "no change is no change");
    assert_ne!(surveyed["images"][1], surveyed["images"][0]);

    // A PNG whose header says 60,000x60,000 pixels.
    let bomb = "iVBORw0KGgoAAAANSUhEUgAA6mAAAOpgCAAAAACluSqeAAAADElEQVR4nGNgoD0AAABkAAGGZDw1";
    for (request, error) in [
        (json!({ "request": "train", "network": 4, "steps": 1 }), "network: expected a number below 4, found 4"),
        (json!({ "request": "train", "network": 0, "steps": 100_000 }), "steps"),
        (json!({ "request": "test-image", "index": 40 }), "below 40, found 40"),
        (json!({ "request": "explain", "pixels": base64(&[0; 783]) }), "expected 784 pixels"),
        (json!({ "request": "explain", "pixels": pixels(), "class": 10 }), "class"),
        (json!({ "request": "survey", "pixels": pixels(), "changes": [{ "transform": { "scale": 0.0 } }] }), "scale"),
        (json!({ "request": "survey", "pixels": pixels(), "changes": vec![json!({}); 200] }), "changes"),
        (json!({ "request": "prepare", "picture": base64(b"no picture") }), "PNG or JPEG"),
        (json!({ "request": "prepare", "picture": bomb }), "60000"),
    ] {
        let answer = server.ask(&request);
        assert!(answer["error"].as_str().is_some_and(|found| found.contains(error)), "{error}: {answer}");
    }
    for body in [
        "",
        "{",
        "{}",
        "[]",
        r#"{"request":"fly"}"#,
        r#"{"request":"train","network":-1,"steps":1}"#,
        r#"{"request":"explain","pixels":"?"}"#,
    ] {
        let (code, answer) = server.post(body.as_bytes(), "");
        assert!(code == 400 && answer.contains("\"answer\":\"failed\""), "{body}: {code} {answer}");
    }
    assert_eq!(server.post(&vec![b' '; 20 << 20], "").0, 413);
    assert_eq!(server.ask(&json!({ "request": "describe" }))["test_images"], 40);
}

#[test]
fn two_hundred_clients_at_once_and_slow_ones_beside_them_are_all_served() {
    let server = Server::start();
    let slow: Vec<TcpStream> = (0..20)
        .map(|index| {
            let mut stream = TcpStream::connect(server.address).unwrap();
            let whole = format!("POST /api HTTP/1.1\r\nHost: {}\r\nContent-Length: 100\r\n\r\n{{", server.address);
            let sent = if index % 2 == 0 { 12 } else { whole.len() }; // within the header, or within the body
            stream.write_all(&whole.as_bytes()[..sent]).unwrap();
            stream
        })
        .collect();
    let request = json!({ "request": "explain", "pixels": pixels() });
    let start = Instant::now();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..200).map(|_| scope.spawn(|| server.ask(&request))).collect();
        for client in clients {
            assert_eq!(client.join().unwrap()["answer"], "explained");
        }
    });
    let status = fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap_or_default();
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.trim().parse().ok());
    println!("200 requests in {:.2} s, peak memory {:?} kB", start.elapsed().as_secs_f64(), peak);
    assert!(peak.is_none_or(|kilobytes: u64| kilobytes < 1_000_000), "{peak:?} kB");
    for mut stream in slow {
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("the server ends what takes too long");
    }
}

#[test]
fn saved_runs_are_shown_and_not_trained_and_ctrl_c_ends_the_server() {
    let place = Place::new(120, 40);
    place.train("--quiet --variant gmp --epochs 1 --out runs/mine");
    let mut server = Server::start_with(place, "runs/mine");
    let described = server.ask(&json!({ "request": "describe" }));
    assert_eq!(
        (&described["networks"][0]["name"], &described["networks"][0]["progress"]),
        (&json!("mine"), &Value::Null)
    );
    let answer = server.ask(&json!({ "request": "train", "network": 0, "steps": 1 }));
    assert!(answer["error"].as_str().unwrap().contains("mine"), "{answer}");
    // SAFETY: sends a signal to a process of this test.
    unsafe { libc::kill(server.child.id() as i32, libc::SIGINT) };
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_cannot_be_served_is_refused() {
    let place = Place::new(60, 20);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    place.fail(&format!("explore --no-open --data-dir data --port {port}"), 1, "--port");
    place.fail("explore nowhere --no-open", 1, "nowhere");
}
