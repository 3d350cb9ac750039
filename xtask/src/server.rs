//! A small static server for the built page, on this machine only. Its answers carry the headers that let a page share memory
//! between threads (COOP and COEP), which is why a plain file server would not do.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, anyhow};
use tiny_http::{Header, Method, Request, Response, Server};

/// Enough for a page with its worker, wasm, weights and scenes at once.
const THREADS: usize = 4;

/// A server that answers until the program ends.
pub struct PageServer {
    address: SocketAddr,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl PageServer {
    /// Serves `folder` on 127.0.0.1 and `port`; port 0 takes a free one.
    pub fn start(folder: PathBuf, port: u16) -> Result<Self> {
        let server = Server::http((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
            let taken = error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::AddrInUse);
            let advice = if taken { "another program is using it: choose another with --port" } else { "choose another with --port" };
            anyhow!("port {port} of 127.0.0.1 cannot be listened on ({error}); {advice}")
        })?;
        let address = server.server_addr().to_ip().ok_or_else(|| anyhow!("the server has no IP address"))?;
        let (server, folder) = (Arc::new(server), Arc::new(folder));
        let threads = (0..THREADS)
            .map(|_| {
                let (server, folder) = (server.clone(), folder.clone());
                std::thread::spawn(move || {
                    for request in server.incoming_requests() {
                        answer(request, &folder);
                    }
                })
            })
            .collect();
        Ok(Self { address, threads })
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Serves until the program is ended from outside.
    pub fn wait(self) {
        for thread in self.threads {
            // A thread that panicked has said so already; the others go on serving.
            let _ = thread.join();
        }
    }
}

fn answer(request: Request, folder: &Path) {
    let found = if matches!(request.method(), Method::Get | Method::Head) { resolve(folder, request.url()) } else { None };
    let sent = match found.and_then(|path| Some((File::open(&path).ok()?, path))) {
        Some((file, path)) => {
            let response = [
                ("Content-Type", content_type(&path)),
                ("Cross-Origin-Opener-Policy", "same-origin"),
                ("Cross-Origin-Embedder-Policy", "require-corp"),
                ("Cache-Control", "no-cache"),
            ];
            let headers = response.iter().filter_map(|(name, value)| Header::from_bytes(*name, *value).ok());
            request.respond(headers.fold(Response::from_file(file), |response, header| response.with_header(header)))
        }
        None => request.respond(Response::from_string("not found\n").with_status_code(404)),
    };
    // The browser may have gone away in the middle of an answer; there is nobody left to tell.
    drop(sent);
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
    use std::io::{Read, Write};
    use std::net::TcpStream;

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
    fn a_taken_port_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let first = PageServer::start(folder.path().to_owned(), 0).unwrap();
        let port = first.address.port();
        let error = PageServer::start(folder.path().to_owned(), port).err().unwrap().to_string();
        assert!(error.contains(&port.to_string()) && error.contains("--port"), "{error}");
    }
}
