//! fetch, against a server on this machine.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use ntkscope::data::{Checksum, Error, FetchProgress, Limits, RemoteFile, Source, default_mirror, fetch, fetch_files};
use sha2::{Digest, Sha256};

use super::server::{Manner, Server};
use super::{assert_says, directory, gzip};

const LIMITS: Limits = Limits {
    connect: Duration::from_secs(5),
    stall: Duration::from_secs(5),
    least: 1000,
    window: Duration::from_secs(60),
};

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// 300 kB that gzip cannot shrink, so that parts of every length are whole numbers of something.
fn content() -> Vec<u8> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..300_000).map(|_| next()).collect()
}

/// Downloads `name.gz`, checked unpacked, and returns the events beside the outcome.
fn download(mirror: &str, dir: &Path, sum: &str) -> (Result<(), Error>, Vec<FetchProgress>) {
    let files = [RemoteFile { name: "name.gz", check: Checksum::Unpacked(sum) }];
    let mut events = Vec::new();
    let result = fetch_files(&files, mirror, dir, LIMITS, &mut |event| events.push(event));
    if let Ok(paths) = &result {
        assert_eq!(paths, &[dir.join("name.gz")]);
    }
    (result.map(drop), events)
}

fn started_at(events: &[FetchProgress]) -> Option<u64> {
    events.iter().find_map(|e| if let FetchProgress::Started { resumed_at, .. } = e { Some(*resumed_at) } else { None })
}

#[test]
fn a_file_comes_is_checked_and_is_kept_the_next_time() {
    let packed = gzip(&content());
    let (sum, dir) = (sha256(&content()), directory("full").join("made"));
    let server = Server::start(packed.clone(), &[Manner::Good]);
    for mirror in [server.mirror.clone(), format!("{}/", server.mirror)] {
        let (result, events) = download(&mirror, &dir, &sum);
        result.unwrap();
        assert_eq!(fs::read(dir.join("name.gz")).unwrap(), packed);
        assert!(!dir.join("name.gz.part").exists());
        let total = Some(packed.len() as u64);
        assert_eq!(
            events[0],
            FetchProgress::Started { url: format!("{}/name.gz", server.mirror), resumed_at: 0, total }
        );
        assert_eq!(events[events.len() - 2], FetchProgress::Received { bytes: packed.len() as u64, total });
        assert!(
            matches!(&events[events.len() - 1], FetchProgress::Finished { check, .. } if check.contains("unpacked"))
        );

        let (result, events) = download(&mirror, &dir, &sum);
        result.unwrap();
        assert_eq!(events, [FetchProgress::Kept { path: dir.join("name.gz") }]);
        fs::remove_file(dir.join("name.gz")).unwrap();
    }
    assert_eq!(
        server.requests(),
        [("GET /mirror/name.gz HTTP/1.1".into(), None), ("GET /mirror/name.gz HTTP/1.1".into(), None)]
    );
}

#[test]
fn a_packed_checksum_is_of_the_file_as_it_comes() {
    let packed = gzip(b"some content");
    let server = Server::start(packed.clone(), &[Manner::WithoutLength]);
    let dir = directory("packed");
    let get = |sum: &str| {
        let files = [RemoteFile { name: "name.gz", check: Checksum::Packed(sum) }];
        fetch_files(&files, &server.mirror, &dir, LIMITS, &mut |_| {})
    };
    let error = get(&sha256(b"some content")).unwrap_err();
    assert_says(
        &error,
        3,
        &["the SHA-256 of the .gz file is ", &sha256(&packed), &sha256(b"some content"), "removed", "--mirror"],
    );
    get(&sha256(&packed)).unwrap();
}

#[test]
fn a_broken_download_goes_on_where_it_broke() {
    let packed = gzip(&content());
    let (sum, dir) = (sha256(&content()), directory("resume"));
    let server =
        Server::start(packed.clone(), &[Manner::ClosesAfter(100_000), Manner::ClosesAfter(50_000), Manner::Good]);
    for kept in ["100000 bytes", "150000 bytes"] {
        let (result, _) = download(&server.mirror, &dir, &sum);
        assert_says(&result.unwrap_err(), 3, &["name.gz", kept, "are kept", "rerun the same command", "--mirror"]);
        assert!(!dir.join("name.gz").exists());
    }
    let (result, events) = download(&server.mirror, &dir, &sum);
    result.unwrap();
    assert_eq!(started_at(&events), Some(150_000));
    assert_eq!(fs::read(dir.join("name.gz")).unwrap(), packed);
    let ranges: Vec<Option<String>> = server.requests().into_iter().map(|(_, range)| range).collect();
    assert_eq!(ranges, [None, Some("bytes=100000-".into()), Some("bytes=150000-".into())]);
}

#[test]
fn a_server_without_range_starts_over() {
    let packed = gzip(&content());
    let (sum, dir) = (sha256(&content()), directory("norange"));
    fs::write(dir.join("name.gz.part"), &packed[..1000]).unwrap();
    let server = Server::start(packed.clone(), &[Manner::IgnoresRange]);
    let (result, events) = download(&server.mirror, &dir, &sum);
    result.unwrap();
    assert_eq!(started_at(&events), Some(0));
    assert_eq!(server.requests()[0].1.as_deref(), Some("bytes=1000-"));
    assert_eq!(fs::read(dir.join("name.gz")).unwrap(), packed);
}

#[test]
fn a_partial_answer_from_the_wrong_byte_is_not_appended() {
    let packed = gzip(&content());
    let dir = directory("wrongrange");
    fs::write(dir.join("name.gz.part"), &packed[..1000]).unwrap();
    let server = Server::start(packed.clone(), &[Manner::WrongRange]);
    let (result, events) = download(&server.mirror, &dir, &sha256(&content()));
    result.unwrap();
    assert_eq!((started_at(&events), server.requests().len()), (Some(0), 2));
    assert_eq!(fs::read(dir.join("name.gz")).unwrap(), packed);
}

#[test]
fn https_is_spoken_and_a_server_that_does_not_speak_it_is_named() {
    let server = Server::start(Vec::new(), &[Manner::Status("400 Bad Request")]);
    let mirror = server.mirror.replace("http:", "https:");
    let error = download(&mirror, &directory("https"), "").0.unwrap_err();
    assert_says(&error, 3, &["https://127.0.0.1", "name.gz", "--mirror"]);
}

#[test]
fn a_part_that_is_whole_already_is_used_and_one_that_is_too_long_is_not() {
    let packed = gzip(&content());
    let (sum, dir) = (sha256(&content()), directory("whole"));
    let server = Server::start(packed.clone(), &[Manner::Good]);
    fs::write(dir.join("name.gz.part"), &packed).unwrap();
    download(&server.mirror, &dir, &sum).0.unwrap();
    assert_eq!(server.requests().len(), 1);
    fs::remove_file(dir.join("name.gz")).unwrap();

    fs::write(dir.join("name.gz.part"), [&[7; 10][..], &packed].concat()).unwrap();
    download(&server.mirror, &dir, &sum).0.unwrap();
    let ranges: Vec<bool> = server.requests().iter().map(|(_, range)| range.is_some()).collect();
    assert_eq!(ranges, [true, true, false]);
    assert_eq!(fs::read(dir.join("name.gz")).unwrap(), packed);
}

#[test]
fn a_wrong_checksum_removes_the_download_and_says_so() {
    let dir = directory("checksum");
    let server = Server::start(gzip(b"something else"), &[Manner::Good]);
    let (sum, found) = (sha256(&content()), sha256(b"something else"));
    let error = download(&server.mirror, &dir, &sum).0.unwrap_err();
    assert_says(&error, 3, &["the SHA-256 of the unpacked content is ", &found, &sum, "was removed", "--mirror"]);
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);

    // A file of the final name that is wrong is fetched again, and stays until the right one is here.
    fs::write(dir.join("name.gz"), "old").unwrap();
    download(&server.mirror, &dir, &sum).0.unwrap_err();
    assert_eq!(fs::read(dir.join("name.gz")).unwrap(), b"old");
    download(&server.mirror, &dir, &found).0.unwrap();
    assert_eq!(fs::read(dir.join("name.gz")).unwrap(), gzip(b"something else"));
}

#[test]
fn a_part_of_something_else_is_found_out_and_removed() {
    let packed = gzip(&content());
    let dir = directory("otherpart");
    fs::write(dir.join("name.gz.part"), [7; 1000]).unwrap();
    let server = Server::start(packed, &[Manner::Good]);
    let error = download(&server.mirror, &dir, &sha256(&content())).0.unwrap_err();
    assert_says(&error, 3, &["was removed"]);
    download(&server.mirror, &dir, &sha256(&content())).0.unwrap();
}

#[test]
fn a_truncated_gzip_without_a_length_is_told_by_its_checksum() {
    let packed = gzip(&content());
    let dir = directory("cut");
    let server = Server::start(packed[..packed.len() / 2].to_vec(), &[Manner::WithoutLength]);
    let error = download(&server.mirror, &dir, &sha256(&content())).0.unwrap_err();
    assert_says(&error, 3, &["is unknown", "is truncated", "was removed"]);
}

#[test]
fn errors_of_the_server_are_named() {
    let dir = directory("status");
    let server =
        Server::start(Vec::new(), &[Manner::Status("404 Not Found"), Manner::Status("503 Service Unavailable")]);
    for status in ["404 Not Found", "503"] {
        let error = download(&server.mirror, &dir, "").0.unwrap_err();
        assert_says(&error, 3, &["/mirror/name.gz", "the server answered", status, "--mirror URL"]);
        assert!(!error.to_string().contains("are kept"));
    }
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
}

#[test]
fn a_refused_connection_is_named() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port(); // free again at once
    let error = download(&format!("http://127.0.0.1:{port}/"), &directory("refused"), "").0.unwrap_err();
    assert_says(&error, 3, &[&format!("http://127.0.0.1:{port}/name.gz"), "refused", "--mirror"]);
}

#[test]
fn an_unknown_host_is_named() {
    let error = download("http://no-such-host.invalid/", &directory("host"), "").0.unwrap_err();
    assert_says(&error, 3, &["http://no-such-host.invalid/name.gz", "--mirror"]);
}

#[test]
fn a_server_that_falls_silent_is_given_up() {
    let packed = gzip(&content());
    let dir = directory("stall");
    let server = Server::start(packed, &[Manner::StallsAfter(40_000)]);
    let files = [RemoteFile { name: "name.gz", check: Checksum::Unpacked("") }];
    let limits = Limits { stall: Duration::from_millis(300), ..LIMITS };
    let start = Instant::now();
    let error = fetch_files(&files, &server.mirror, &dir, limits, &mut |_| {}).unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert_says(&error, 3, &["timeout", "40000 bytes are kept"]);
    assert_eq!(fs::metadata(dir.join("name.gz.part")).unwrap().len(), 40_000);
}

#[test]
fn a_server_that_hardly_sends_anything_is_given_up() {
    let dir = directory("drip");
    let server = Server::start(gzip(&content()), &[Manner::Drips]);
    let files = [RemoteFile { name: "name.gz", check: Checksum::Unpacked("") }];
    let limits = Limits { window: Duration::from_millis(300), ..LIMITS };
    let start = Instant::now();
    let error = fetch_files(&files, &server.mirror, &dir, limits, &mut |_| {}).unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert_says(&error, 3, &["bytes arrived in 0.3 s", "are kept", "--mirror"]);
}

#[cfg(unix)]
#[test]
fn a_part_that_is_no_file_of_ours_is_not_touched() {
    let (packed, sum) = (gzip(&content()), sha256(&content()));
    for what in ["link", "pipe", "directory", "absent link"] {
        let dir = directory(&format!("part {what}"));
        let (part, other) = (dir.join("name.gz.part"), dir.join("other"));
        fs::write(&other, "kept").unwrap();
        match what {
            "link" => std::os::unix::fs::symlink("other", &part).unwrap(),
            "absent link" => std::os::unix::fs::symlink("nothing", &part).unwrap(),
            "pipe" => assert!(std::process::Command::new("mkfifo").arg(&part).status().unwrap().success()),
            _ => fs::create_dir(&part).unwrap(),
        }
        let server = Server::start(packed.clone(), &[Manner::Good]);
        let error = download(&server.mirror, &dir, &sum).0.unwrap_err();
        assert_says(&error, 3, &["name.gz.part", what.rsplit(' ').next().unwrap(), "remove it", "--data-dir"]);
        assert_eq!(fs::read(&other).unwrap(), b"kept");
        assert!(fs::symlink_metadata(&part).is_ok() && !dir.join("nothing").exists() && server.requests().is_empty());
    }
    // and what has the final name
    let dir = directory("final");
    assert!(std::process::Command::new("mkfifo").arg(dir.join("name.gz")).status().unwrap().success());
    let server = Server::start(packed.clone(), &[Manner::Good]);
    assert_says(&download(&server.mirror, &dir, &sum).0.unwrap_err(), 3, &["name.gz", "is a pipe"]);
    fs::remove_file(dir.join("name.gz")).unwrap();
    fs::write(dir.join("target"), "old").unwrap();
    std::os::unix::fs::symlink("target", dir.join("name.gz")).unwrap();
    let files = [RemoteFile { name: "name.gz", check: Checksum::Unpacked(&sum) }];
    fetch_files(&files, &server.mirror, &dir, LIMITS, &mut |_| {}).unwrap();
    assert!(fs::symlink_metadata(dir.join("name.gz")).unwrap().is_symlink(), "a link stays one");
    assert_eq!(fs::read(dir.join("target")).unwrap(), packed);
}

#[test]
fn two_downloads_do_not_write_into_one_file() {
    let dir = directory("in use");
    let part = fs::File::create(dir.join("name.gz.part")).unwrap();
    part.lock().unwrap();
    let server = Server::start(gzip(&content()), &[Manner::Good]);
    let error = download(&server.mirror, &dir, "").0.unwrap_err();
    assert_says(&error, 3, &["name.gz.part", "another download"]);
}

#[test]
fn no_message_has_the_mirror_s_password() {
    let dir = directory("secret");
    let server = Server::start(Vec::new(), &[Manner::Status("404 Not Found")]);
    let with = |host: &str| server.mirror.replace("http://", "http://user:secret@").replace("127.0.0.1", host);
    for mirror in [
        with("127.0.0.1"),
        with("no-such-host.invalid"),
        format!("{}?token=secret", server.mirror),
        "http://user:secret@:99999/".into(),
        "ftp://user:secret@host/".into(),
    ] {
        let (result, events) = download(&mirror, &dir, "");
        let told = format!("{} {events:?}", result.unwrap_err());
        assert!(!told.contains("secret"), "{told}");
    }
}

#[test]
fn what_cannot_be_fetched_is_refused_before_anything_is_sent() {
    let dir = directory("usage");
    for source in [Source::Circle, Source::File("a.csv".into())] {
        let error = fetch(&source, &dir, None, &mut |_| {}).unwrap_err();
        assert_says(&error, 2, &[&source.to_string(), "needs no download", "fashion-mnist"]);
    }
    for mirror in ["", "ftp://host/", "host/mnist", "http://", "http://host/?a=b", "not an address"] {
        let error = fetch(&Source::Mnist, &dir, Some(mirror), &mut |_| {}).unwrap_err();
        // what may be a secret is left out
        let shown = mirror.replace("?a=b", "?…");
        assert_says(&error, 2, &[&format!("--mirror {shown}"), "https://"]);
    }
    let error = fetch(&Source::Mnist, Path::new("/dev/null/x"), Some("http://127.0.0.1:9/"), &mut |_| {}).unwrap_err();
    assert_says(&error, 4, &["/dev/null/x", "cannot create", "--data-dir"]);
    assert!(default_mirror(&Source::Mnist).unwrap().starts_with("https://"));
}

#[test]
fn the_published_table_is_used_for_the_real_sets() {
    // Any content fails the published checksums; MNIST is compared unpacked, the others packed.
    let server = Server::start(gzip(b"not the real set"), &[Manner::Good]);
    let images = "train-images-idx3-ubyte.gz";
    for (source, file, what, sum) in [
        (Source::Mnist, images, "unpacked", "ba891046"),
        (Source::FashionMnist, images, ".gz file", "3aede38d"),
        (Source::Cifar10, "cifar-10-binary.tar.gz", ".gz file", "c4a38c50"),
    ] {
        let dir = directory(&format!("real {source}"));
        let error = fetch(&source, &dir, Some(&server.mirror), &mut |_| {}).unwrap_err();
        assert_says(&error, 3, &[&format!("/mirror/{file}"), what, sum, "was removed"]);
    }
}
