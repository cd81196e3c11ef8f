//! A small web server on 127.0.0.1 that answers as badly as a test wants.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How the server treats a request for the one file it has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Manner {
    /// Honours Range.
    Good,
    /// Answers 200 with everything, whatever the Range.
    IgnoresRange,
    /// Promises everything, closes after this many bytes.
    ClosesAfter(usize),
    /// Promises everything, sends this many bytes, then nothing.
    StallsAfter(usize),
    /// Promises everything, sends a byte at a time.
    Drips,
    /// Says nothing about the length, closes at the end.
    WithoutLength,
    /// This status and an empty page.
    Status(&'static str),
    /// Answers a Range with 206, but from byte 0.
    WrongRange,
}

type Log = Mutex<Vec<(String, Option<String>)>>;

pub(super) struct Server {
    /// `http://127.0.0.1:PORT/mirror`
    pub(super) mirror: String,
    /// First line and Range header of every request so far.
    requests: Arc<Log>,
}

impl Server {
    /// Serves `content` under every name; request k is treated in manner k, those beyond the last like the last.
    ///
    /// The thread ends with the test's process.
    pub(super) fn start(content: Vec<u8>, manners: &'static [Manner]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mirror = format!("http://{}/mirror", listener.local_addr().unwrap());
        let requests = Arc::new(Log::default());
        let log = requests.clone();
        thread::spawn(move || {
            for (k, stream) in listener.incoming().enumerate() {
                let manner = manners[k.min(manners.len() - 1)];
                // A client that goes away in the middle of an answer is none of the server's business.
                let _ = answer(stream.unwrap(), &content, manner, &log);
            }
        });
        Self { mirror, requests }
    }

    pub(super) fn requests(&self) -> Vec<(String, Option<String>)> {
        self.requests.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, content: &[u8], manner: Manner, log: &Log) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().unwrap()?;
    let mut range = None;
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("range")) {
            assert_eq!(name.len(), 5);
            range = Some(value.trim().to_string());
        }
    }
    log.lock().unwrap().push((first, range.clone()));
    let from: Option<usize> = range.and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    let end = content.len();
    let full = format!("200 OK\r\nContent-Length: {end}");
    let (head, body) = match (manner, from) {
        (Manner::Good | Manner::ClosesAfter(_) | Manner::StallsAfter(_), Some(from)) if from < end => {
            let left = end - from;
            let head = format!(
                "206 Partial Content\r\nContent-Length: {left}\r\nContent-Range: bytes {from}-{}/{end}",
                end - 1
            );
            (head, &content[from..])
        }
        (Manner::Good, Some(_)) => ("416 Range Not Satisfiable\r\nContent-Length: 0".into(), &content[..0]),
        (Manner::WrongRange, Some(_)) => (
            format!("206 Partial Content\r\nContent-Length: {end}\r\nContent-Range: bytes 0-{}/{end}", end - 1),
            content,
        ),
        (Manner::WithoutLength, _) => ("200 OK".into(), content),
        (Manner::Status(status), _) => (format!("{status}\r\nContent-Length: 0"), &content[..0]),
        _ => (full, content),
    };
    write!(stream, "HTTP/1.1 {head}\r\nConnection: close\r\n\r\n")?;
    match manner {
        Manner::ClosesAfter(len) => stream.write_all(&body[..len.min(body.len())]),
        Manner::StallsAfter(len) => {
            stream.write_all(&body[..len.min(body.len())])?;
            stream.flush()?;
            thread::sleep(Duration::from_secs(10));
            Ok(())
        }
        Manner::Drips => body.iter().try_for_each(|byte| {
            thread::sleep(Duration::from_millis(20));
            stream.write_all(&[*byte])
        }),
        _ => stream.write_all(body),
    }
}
