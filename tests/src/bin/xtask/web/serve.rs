//! A server of one folder, for this machine alone.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};

/// Seconds in which a browser says what it wants.
const PATIENCE: Duration = Duration::from_secs(10);

/// A folder that is served for as long as the program runs.
pub(crate) struct Server {
    /// Where a browser finds it.
    pub(crate) url: String,
    accepting: thread::JoinHandle<()>,
}

impl Server {
    /// On this port of localhost, on any that is free where it is 0.
    pub(crate) fn start(folder: &Path, port: u16) -> Result<Self> {
        let at = || format!("port {port} of localhost; choose another with --port");
        let listener = TcpListener::bind(("127.0.0.1", port)).with_context(at)?;
        let url = format!("http://{}/", listener.local_addr()?);
        let folder = folder.to_path_buf();
        let accepting = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let folder = folder.clone();
                // a browser that goes away takes nothing along
                thread::spawn(move || drop(answer(&folder, stream)));
            }
        });
        Ok(Self { url, accepting })
    }
}

/// Serves until the program is ended.
pub(crate) fn serve(folder: &Path, port: u16) -> Result<()> {
    let server = Server::start(folder, port)?;
    println!("{} (Ctrl-C ends it)", server.url);
    let _ = server.accepting.join();
    Ok(())
}

fn answer(folder: &Path, stream: TcpStream) -> Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(&stream).lines();
    let request = lines.next().context("nothing was asked for")??;
    // what else is said is of no use here, but has to be heard before the answer
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let (status, kind, body) = match find(folder, &request) {
        Some((path, kind)) => ("200 OK", kind, fs::read(path)?),
        None => ("404 Not Found", "text/plain", b"no such file\n".to_vec()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let mut stream = &stream;
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)?;
    Ok(())
}

/// The file that `GET /name HTTP/1.1` asks for, one of the folder itself, and its kind.
fn find(folder: &Path, request: &str) -> Option<(PathBuf, &'static str)> {
    let path = request.strip_prefix("GET /")?.split([' ', '?']).next()?;
    let name = if path.is_empty() { "index.html" } else { path };
    let plain =
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) && !name.starts_with('.');
    let kind = match name.rsplit('.').next()? {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        _ => "application/octet-stream",
    };
    let file = folder.join(name);
    (plain && file.is_file()).then_some((file, kind))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::process::root;

    #[test]
    fn files_of_the_folder_are_served_and_no_others() {
        let folder = root().join("host/web/page");
        let server = Server::start(&folder, 0).unwrap();
        let ask = |path: &str| {
            let mut stream =
                TcpStream::connect(server.url.trim_start_matches("http://").trim_end_matches('/')).unwrap();
            write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        assert!(ask("/").contains("text/html") && ask("/?x=1").starts_with("HTTP/1.1 200"));
        assert!(ask("/main.js").contains("text/javascript"));
        for path in ["/../src/lib.rs", "/nothing.js", "/..", "/%2e%2e/Cargo.toml", "//etc/passwd", "/sub/main.js"] {
            assert!(ask(path).starts_with("HTTP/1.1 404"), "{path}");
        }
    }
}
