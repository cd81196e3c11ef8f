//! Standard output and standard error, in whatever state the caller left them.
//!
//! Messages go through [`say`], which ignores what happens to them: whether anybody reads them changes neither results nor
//! exit code. Data go through [`write_data`]: a reader that went away (`| head`) has what it wanted, everything else that keeps
//! them from arriving is an error. Nothing else in the crate writes to either stream; clippy's `print_stdout` and
//! `print_stderr` hold that. Of several ranks the first one speaks for all.

use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::ProgressBar;

use crate::machine::ranks;
use crate::words::clipped;

/// Most characters of a message, whatever went into it.
pub(super) const LONGEST: usize = 1000;

/// How long a message waits for a reader that takes nothing, before standard error is given up.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long is waited before a full stream is tried again.
const PAUSE: Duration = Duration::from_millis(10);

/// Set when nobody takes messages any more.
static GIVEN_UP: AtomicBool = AtomicBool::new(false);

/// The bar that is drawn on the terminal, which makes room for messages.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// From now on messages appear above this bar; `None`: there is none.
pub(super) fn make_room_above(bar: Option<ProgressBar>) {
    *BAR.lock().unwrap_or_else(PoisonError::into_inner) = bar;
}

/// A message on standard error, on a line of its own and of at most 1,000 characters.
pub fn say(message: &str) {
    if ranks().is_first() {
        say_of_any_rank(message);
    }
}

/// The same from a rank that is not the first, of which nobody hears otherwise.
pub(super) fn say_of_any_rank(message: &str) {
    write_message(&clipped(message.trim_end(), LONGEST));
}

/// Text that was made for a terminal, as a help text is.
pub(super) fn write_message(text: &str) {
    let line = format!("{text}\n");
    let bar = BAR.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match bar {
        Some(bar) if !bar.is_finished() => bar.suspend(|| try_to_say(&line)),
        _ => try_to_say(&line),
    }
}

fn try_to_say(line: &str) {
    if !GIVEN_UP.load(Ordering::Relaxed) && write_all(&mut stderr(), line.as_bytes(), Some(PATIENCE)).is_err() {
        GIVEN_UP.store(true, Ordering::Relaxed);
    }
}

/// Data on standard output.
///
/// # Errors
/// Standard output that takes no more, as on a full disk, or was closed when the program started.
pub(super) fn write_data(text: &str) -> io::Result<()> {
    if !ranks().is_first() {
        return Ok(());
    }
    if CLOSED.load(Ordering::Relaxed) {
        return Err(io::Error::other("it was closed before the program started"));
    }
    match write_all(&mut stdout()?, text.as_bytes(), None) {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes everything, to a stream that may not wait by itself (`O_NONBLOCK`) as well. With `patience` a stream that takes
/// nothing for so long is an error.
fn write_all(out: &mut Stream, mut bytes: &[u8], patience: Option<Duration>) -> io::Result<()> {
    let mut waited = Duration::ZERO;
    while !bytes.is_empty() {
        if patience.is_some_and(|patience| waited > patience) {
            return Err(ErrorKind::TimedOut.into());
        }
        if patience.is_some() && !out.takes_more() {
            waited += PAUSE;
            std::thread::sleep(PAUSE);
            continue;
        }
        match out.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => (bytes, waited) = (&bytes[written..], Duration::ZERO),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                waited += PAUSE;
                std::thread::sleep(PAUSE);
            }
            Err(e) => return Err(e),
        }
    }
    out.flush()
}

#[cfg(unix)]
use unix::{CLOSED, Stream, stderr, stdout};

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io::{self, Write};
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
    use std::sync::atomic::{AtomicBool, Ordering};

    /// A stream without the standard library's own wrapper, which takes one that cannot be written for one that swallows
    /// everything.
    pub(super) struct Stream(Option<File>);

    pub(super) fn stdout() -> io::Result<Stream> {
        own(io::stdout().as_fd()).map(|file| Stream(Some(file)))
    }

    /// Standard error; one that cannot be had swallows everything.
    pub(super) fn stderr() -> Stream {
        Stream(own(io::stderr().as_fd()).ok())
    }

    fn own(stream: BorrowedFd<'_>) -> io::Result<File> {
        stream.try_clone_to_owned().map(File::from)
    }

    impl Stream {
        /// Whether a write would not have to wait.
        pub(super) fn takes_more(&self) -> bool {
            let Some(file) = &self.0 else { return true };
            let mut asked = libc::pollfd { fd: file.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
            // SAFETY: one pollfd, of ours, which lives through the call; the file stays open as long, and poll would say of a
            // descriptor that is not that it is none
            let answered = unsafe { libc::poll(&raw mut asked, 1, 0) };
            // where poll cannot say, and where it tells of an error, the write will
            answered != 0
        }
    }

    impl Write for Stream {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.as_mut().map_or(Ok(bytes.len()), |file| file.write(bytes))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Whether standard output was closed when the program started. The standard library opens something else in its place
    /// before `main`, so that it must be asked before.
    pub(super) static CLOSED: AtomicBool = AtomicBool::new(false);

    extern "C" fn look() {
        // SAFETY: with F_GETFD it takes no pointer, and says of any number whether it is a descriptor. It needs nothing of
        // the standard library, which is not set up yet
        CLOSED.store(unsafe { libc::fcntl(1, libc::F_GETFD) } == -1, Ordering::Relaxed);
    }

    /// Called before `main`, as constructors of C++ are.
    // SAFETY of the sections: they hold pointers to C functions, which the loader calls one after the other with arguments that
    // a function without any may ignore. This one does not unwind and uses nothing that `main`'s runtime sets up.
    #[used]
    #[cfg_attr(
        any(target_os = "linux", target_os = "android", target_os = "freebsd"),
        unsafe(link_section = ".init_array")
    )]
    #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
    static LOOK: extern "C" fn() = look;
}

#[cfg(not(unix))]
use other::{CLOSED, Stream, stderr, stdout};

#[cfg(not(unix))]
mod other {
    use std::io::{self, Write};
    use std::sync::atomic::AtomicBool;

    pub(super) struct Stream(Box<dyn Write>);

    pub(super) fn stdout() -> io::Result<Stream> {
        Ok(Stream(Box::new(io::stdout())))
    }
    pub(super) fn stderr() -> Stream {
        Stream(Box::new(io::stderr()))
    }

    impl Stream {
        pub(super) fn takes_more(&self) -> bool {
            true
        }
    }
    impl Write for Stream {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            self.0.flush()
        }
    }

    pub(super) static CLOSED: AtomicBool = AtomicBool::new(false);
}
