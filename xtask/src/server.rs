//! A small static server for the built page, on this machine only. Its answers carry the headers that let a page share memory
//! between threads (COOP and COEP), which is why a plain file server would not do.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::thread::JoinHandle;

use anyhow::{Context, Result, anyhow};
use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use tokio::runtime::Runtime;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

const HEADERS: [(HeaderName, HeaderValue); 3] = [
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-embedder-policy"), HeaderValue::from_static("require-corp")),
    // The browser asks again at every load, so that it shows a page that was built anew.
    (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
];

/// A server that answers until the program ends.
pub struct PageServer {
    address: SocketAddr,
    serving: JoinHandle<io::Result<()>>,
}

impl PageServer {
    /// Serves `folder` on 127.0.0.1 and `port`; port 0 takes a free one.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn start(folder: PathBuf, port: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
            let taken = error.kind() == io::ErrorKind::AddrInUse;
            let advice = if taken { "another program is using it: choose another with --port" } else { "choose another with --port" };
            anyhow!("port {port} of 127.0.0.1 cannot be listened on ({error}); {advice}")
        })?;
        let address = listener.local_addr().context("asking for the server's address")?;
        listener.set_nonblocking(true).context("preparing the server's port")?;
        // A file that lies packed beside itself is sent so, as `cargo xtask bench first` has them.
        let files = Router::new().fallback_service(ServeDir::new(folder).precompressed_gzip());
        let pages = HEADERS.into_iter().fold(files, |pages, (name, value)| pages.layer(SetResponseHeaderLayer::overriding(name, value)));
        let runtime = Runtime::new().context("starting the server's threads")?;
        let serving =
            std::thread::spawn(move || runtime.block_on(async { axum::serve(tokio::net::TcpListener::from_std(listener)?, pages).await }));
        Ok(Self { address, serving })
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Serves until the program is ended from outside.
    ///
    /// # Errors
    /// Those of the server.
    pub fn wait(self) -> Result<()> {
        self.serving.join().map_err(|_| anyhow!("the server's thread panicked"))?.context("serving the page")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpStream;

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
        assert!(index.ends_with("the page") && index.contains("content-type: text/html"), "{index}");
        for header in ["cross-origin-opener-policy: same-origin", "cross-origin-embedder-policy: require-corp"] {
            assert!(index.contains(header), "{index}");
        }
        assert!(get(&server, "/app.wasm").contains("content-type: application/wasm"));
        for outside in ["/../secret.txt", "/missing.js", "//etc/passwd", "/./../secret.txt"] {
            let answer = get(&server, outside);
            assert!(answer.starts_with("HTTP/1.1 404") && !answer.contains("secret"), "{outside}: {answer}");
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
