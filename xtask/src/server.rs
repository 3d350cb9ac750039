//! A small static server for the built page, on this machine only. Its answers carry the headers that let a page share memory
//! between threads (COOP and COEP), which is why a plain file server would not do.
//!
//! A connection has a thread and one answer: browsers open several at once and hold some in reserve, and none may wait for another.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

/// How long a connection may stay silent: browsers open some that they may need later.
const PATIENCE: Duration = Duration::from_secs(60);
/// The most that is read of a request.
const REQUEST_BYTES: u64 = 64 << 10;

/// A server that answers until the program ends.
pub struct PageServer {
    address: SocketAddr,
    listening: std::thread::JoinHandle<()>,
}

impl PageServer {
    /// Serves `folder` on 127.0.0.1 and `port`; port 0 takes a free one.
    pub fn start(folder: PathBuf, port: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
            let taken = error.kind() == io::ErrorKind::AddrInUse;
            let advice = if taken { "another program is using it: choose another with --port" } else { "choose another with --port" };
            anyhow!("port {port} of 127.0.0.1 cannot be listened on ({error}); {advice}")
        })?;
        let address = listener.local_addr().context("asking for the server's address")?;
        let folder = Arc::new(folder);
        let listening = std::thread::spawn(move || {
            // A connection that failed before it began concerns its client only.
            for stream in listener.incoming().flatten() {
                let folder = folder.clone();
                // The browser may go away in the middle of an answer; there is nobody left to tell.
                std::thread::spawn(move || drop(answer(&stream, &folder)));
            }
        });
        Ok(Self { address, listening })
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Serves until the program is ended from outside.
    pub fn wait(self) {
        // A thread that panicked has said so already.
        let _ = self.listening.join();
    }
}

fn answer(mut stream: &TcpStream, folder: &Path) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(stream.take(REQUEST_BYTES)).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    // The headers are read, so that closing the connection does not reset it, and none of them matters.
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let mut words = first.split(' ');
    let (method, url) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let found = if matches!(method, "GET" | "HEAD") { resolve(folder, url) } else { None };
    match found.and_then(|path| Some((File::open(&path).ok()?, path))) {
        Some((mut file, path)) => {
            let (kind, length) = (content_type(&path), file.metadata()?.len());
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nCross-Origin-Opener-Policy: same-origin\r\n\
                 Cross-Origin-Embedder-Policy: require-corp\r\nCache-Control: no-cache\r\nConnection: close\r\n\r\n"
            )?;
            if method == "GET" {
                io::copy(&mut file, &mut stream)?;
            }
        }
        None => stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\nConnection: close\r\n\r\nnot found\n")?,
    }
    stream.flush()
}

/// The file a URL's path names in `folder`, or None where there is none or the path leads outside.
fn resolve(folder: &Path, url: &str) -> Option<PathBuf> {
    let path = url.split(['?', '#']).next()?.trim_start_matches('/');
    let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    let file = if path.is_empty() { folder.join("index.html") } else { folder.join(path) };
    (inside && file.is_file()).then_some(file)
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "geojson" | "webmanifest") => "application/json",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(server: &PageServer, path: &str) -> String {
        let mut stream = TcpStream::connect(server.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn the_page_and_nothing_outside_its_folder_is_served() {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("page");
        std::fs::create_dir(&page).unwrap();
        std::fs::write(folder.path().join("secret.txt"), "secret").unwrap();
        std::fs::write(page.join("index.html"), "the page").unwrap();
        std::fs::write(page.join("app.wasm"), "\0asm").unwrap();
        let server = PageServer::start(page, 0).unwrap();

        let index = get(&server, "/?city=helsinki");
        assert!(index.ends_with("the page") && index.contains("Cross-Origin-Opener-Policy: same-origin"), "{index}");
        assert!(get(&server, "/app.wasm").contains("Content-Type: application/wasm"));
        for outside in ["/../secret.txt", "/missing.js", "//etc/passwd", "/./../secret.txt"] {
            assert!(get(&server, outside).starts_with("HTTP/1.1 404"), "{outside} was served");
        }
    }

    #[test]
    fn connections_that_say_nothing_keep_nobody_waiting() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("index.html"), "the page").unwrap();
        let server = PageServer::start(folder.path().to_owned(), 0).unwrap();
        let _silent: Vec<TcpStream> = (0..32).map(|_| TcpStream::connect(server.address).unwrap()).collect();
        assert!(get(&server, "/").ends_with("the page"));
    }

    #[test]
    fn a_taken_port_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let first = PageServer::start(folder.path().to_owned(), 0).unwrap();
        let port = first.address.port();
        let error = PageServer::start(folder.path().to_owned(), port).err().unwrap().to_string();
        assert!(error.contains(&port.to_string()) && error.contains("--port"), "{error}");
    }
}
