//! Every command with standard output and standard error in every state that a stream can be in.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Stdio;

use crate::Place;

/// Commands, the exit code, and whether they print data.
const COMMANDS: [(&str, i32, bool); 19] = [
    ("kernel empirical --width 8 --out K.npz", 0, true),
    ("kernel analytic --json", 0, true),
    ("compare A.npz A.npz", 0, true),
    ("data list", 0, true),
    ("data show", 0, true),
    ("predict --loss mse --held-out 6 --time 10 --depth 1 --out P.csv", 0, true),
    ("run --width 4 --depth 1 --until-time 1 --loss mse --predictions false --out o", 0, true),
    ("completions bash", 0, true),
    ("man kernel analytic", 0, true),
    ("--help", 0, true),
    ("run --help", 0, true),
    ("--version", 0, true),
    ("run --width x", 2, false),
    ("rnu", 2, false),
    ("kernel", 2, false),
    ("kernel analytic --width 3", 2, false),
    ("data show --data none.csv", 3, false),
    ("compare nope.npz nope.npz", 3, false),
    ("run --set wdith=5", 2, false),
];

/// What the caller made of a stream.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// somebody reads
    Read,
    /// a pipe whose reader has left
    Left,
    /// closed
    Closed,
    /// open, but not for writing
    ReadOnly,
    /// a file on a full disk
    Full,
    /// a pipe that does not wait (O_NONBLOCK)
    Impatient,
}

/// Bytes that a file may have in these tests; results have fewer.
const MOST: u64 = 64 << 20;

impl Place {
    /// Exit code, what was read of standard output, and the files that are there afterwards.
    fn run_with(&self, line: &str, out: State, err: State) -> (Option<i32>, String, BTreeSet<PathBuf>) {
        let mut command = self.command(line.split_whitespace());
        let mut kept: Vec<File> = Vec::new();
        let mut readers = Vec::new();
        for (state, number) in [(out, 1), (err, 2)] {
            let mut stdio = Stdio::null();
            match state {
                State::Read | State::Left | State::Impatient => {
                    let (reader, writer) = std::io::pipe().unwrap();
                    if state == State::Impatient {
                        // SAFETY: a descriptor of ours, and a flag
                        unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
                    }
                    stdio = Stdio::from(writer);
                    if state != State::Left {
                        readers.push((number, reader));
                    }
                }
                State::Closed => {
                    // SAFETY: close is async-signal-safe
                    unsafe {
                        command.pre_exec(move || {
                            libc::close(number);
                            Ok(())
                        });
                    }
                }
                State::ReadOnly => stdio = Stdio::from(File::open(self.path("A.npz")).unwrap()),
                State::Full => {
                    let path = self.0.path().with_extension(format!("full-{number}"));
                    let file = File::options().create(true).append(true).open(&path).unwrap();
                    std::fs::remove_file(&path).unwrap();
                    file.set_len(MOST).unwrap();
                    kept.push(file.try_clone().unwrap());
                    stdio = Stdio::from(file);
                    // SAFETY: both are async-signal-safe
                    unsafe {
                        command.pre_exec(|| {
                            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
                            let limit = libc::rlimit { rlim_cur: MOST, rlim_max: MOST };
                            libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit);
                            Ok(())
                        });
                    }
                }
            }
            if number == 1 {
                command.stdout(stdio);
            } else {
                command.stderr(stdio);
            }
        }
        let mut child = command.spawn().unwrap();
        // the pipes' writing ends in this process go with the command
        drop(command);
        let reading: Vec<_> = readers
            .into_iter()
            .map(|(number, mut reader)| {
                std::thread::spawn(move || {
                    let mut text = String::new();
                    reader.read_to_string(&mut text).unwrap();
                    (number, text)
                })
            })
            .collect();
        let code = child.wait().unwrap().code();
        let texts: Vec<(i32, String)> = reading.into_iter().map(|thread| thread.join().unwrap()).collect();
        let text = texts.into_iter().find(|(number, _)| *number == 1).map_or(String::new(), |(_, text)| text);
        (code, text, self.content().into_keys().map(|path| path.strip_prefix(self.0.path()).unwrap().into()).collect())
    }
}

fn place() -> Place {
    let place = Place::new();
    place.succeed("kernel analytic --out A.npz --quiet");
    place
}

#[test]
fn whatever_happens_to_messages_results_and_exit_codes_stay() {
    for (line, code, _) in COMMANDS {
        let usual = place().run_with(line, State::Read, State::Read);
        assert_eq!(usual.0, Some(code), "{line}");
        for state in [State::Left, State::Closed, State::ReadOnly, State::Full, State::Impatient] {
            let (code, out, files) = place().run_with(line, State::Read, state);
            assert_eq!((code, &files), (usual.0, &usual.2), "{line}, standard error {state:?}");
            // a directory of its own, so that paths in it differ
            assert_eq!(out.len(), usual.1.len(), "{line}, standard error {state:?}");
        }
    }
}

#[test]
fn data_that_cannot_be_written_are_an_error_unless_nobody_wants_them() {
    for (line, code, prints) in COMMANDS {
        let usual = place().run_with(line, State::Read, State::Read);
        for state in [State::Closed, State::ReadOnly, State::Full] {
            for err in [State::Read, State::Left, State::Closed] {
                let (code, _, files) = place().run_with(line, state, err);
                let right = if prints { Some(4) } else { usual.0 };
                assert_eq!((code, &files), (right, &usual.2), "{line}, standard output {state:?}, error {err:?}");
            }
        }
        let (left, _, files) = place().run_with(line, State::Left, State::Left);
        assert_eq!((left, &files), (Some(code), &usual.2), "{line}: a reader that leaves is no error");
        let (slow, out, _) = place().run_with(line, State::Impatient, State::Read);
        assert_eq!((slow, out.len()), (Some(code), usual.1.len()), "{line}: a pipe that does not wait");
    }
}
