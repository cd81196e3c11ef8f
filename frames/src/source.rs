//! Where frames come from.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    string::{String, ToString},
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread,
    time::Duration,
    vec,
    vec::Vec,
};

use defmt_decoder::{DecodeError, Table};

use crate::{Error, Frame};

/// Most bytes of a line: a frame has some hundred.
const LONGEST: u64 = 4096;

/// Frames as they come, from anything that can be read: a pipe of an emulator or of a probe's program, a port, a file.
#[derive(Debug)]
pub struct Source {
    frames: Receiver<Result<Frame, Error>>,
}

/// What comes next.
#[derive(Debug)]
pub enum Next {
    /// A frame.
    Frame(Frame),
    /// Nothing within the time that was given.
    Silence,
    /// Nothing will come any more.
    End,
}

impl Source {
    /// Of lines of text.
    pub fn lines(place: impl Into<String>, read: impl Read + Send + 'static) -> Self {
        let place = place.into();
        Self::spawn(move |frames| {
            let mut read = BufReader::new(read);
            let mut line = Vec::new();
            loop {
                line.clear();
                match read.by_ref().take(LONGEST + 1).read_until(b'\n', &mut line) {
                    Ok(0) => break,
                    Ok(count) if count as u64 > LONGEST => {
                        let _ = frames.send(Err(Error::Line { most: LONGEST }));
                        break;
                    }
                    Ok(_) => {
                        let frame = Frame::of(&String::from_utf8_lossy(&line));
                        if frame.is_some_and(|frame| frames.send(Ok(frame)).is_err()) {
                            break;
                        }
                    }
                    Err(error) if has_hung_up(&error) => break,
                    Err(source) => {
                        let _ = frames.send(Err(Error::Io { place, source }));
                        break;
                    }
                }
            }
        })
    }

    /// Of defmt's bytes, decoded by the table in the image that sends them. With `joined` the bytes may begin within a frame, as
    /// those of a port do where the board was running already.
    ///
    /// # Errors
    /// [`Error::Image`]: no ELF file, or one without the table.
    pub fn defmt(
        place: impl Into<String>,
        image: &[u8],
        joined: bool,
        mut read: impl Read + Send + 'static,
    ) -> Result<Self, Error> {
        let place = place.into();
        let refused = |what: String| Error::Image { what: std::format!("{what}: give the image that the board runs") };
        let table = Table::parse(image).map_err(|error| refused(error.to_string()))?;
        let table = table.ok_or_else(|| refused("the image has no defmt table".into()))?;
        Ok(Self::spawn(move |frames| {
            let mut decoder = table.new_stream_decoder();
            let (mut whole, mut malformed, mut last) = (0, 0, 0);
            let mut buffer = vec![0; 1 << 16];
            let mut failed = loop {
                match read.read(&mut buffer) {
                    Ok(0) => break None,
                    Ok(n) => {
                        last = buffer[n - 1];
                        decoder.received(&buffer[..n]);
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) if has_hung_up(&error) => break None,
                    Err(source) => break Some(Error::Io { place, source }),
                }
                loop {
                    match decoder.decode() {
                        Ok(frame) => {
                            whole += 1;
                            let level = frame.level().map(|level| level.as_str());
                            let at = frame.display_timestamp().map(|at| at.to_string()).unwrap_or_default();
                            let frame = Frame::new(level, &frame.display_message().to_string()).stamped(&at);
                            if frames.send(Ok(frame)).is_err() {
                                return;
                            }
                        }
                        Err(DecodeError::Malformed) => malformed += usize::from(!joined || whole > 0),
                        Err(DecodeError::UnexpectedEof) => break,
                    }
                }
            };
            if malformed > 0 {
                failed = Some(Error::Bytes { malformed, whole });
            }
            // every frame is closed by a zero, on the wire that the decoder can find its way back into
            if failed.is_none() && table.encoding().can_recover() && last != 0 {
                failed = Some(Error::Open);
            }
            failed.into_iter().for_each(|error| drop(frames.send(Err(error))));
        }))
    }

    /// Of the lines in a file.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn file(path: &Path) -> Result<Self, Error> {
        let place = path.display().to_string();
        match File::open(path) {
            Ok(file) => Ok(Self::lines(place, file)),
            Err(source) => Err(Error::Io { place, source }),
        }
    }

    fn spawn(work: impl FnOnce(&Sender<Result<Frame, Error>>) + Send + 'static) -> Self {
        let (sender, frames) = mpsc::channel();
        thread::spawn(move || work(&sender));
        Self { frames }
    }

    /// Waits until nothing comes for so long, or nothing more can: after a board's last frame after `count` numbers nothing is due.
    ///
    /// # Errors
    /// Those of [`Self::next`]; [`Error::Restarted`] where frames come.
    pub fn rest(&self, wait: Duration, count: usize) -> Result<(), Error> {
        match self.next(wait)? {
            Next::Frame(_) => Err(Error::Restarted { count: count as u32 }),
            Next::Silence | Next::End => Ok(()),
        }
    }

    /// Waits for the next frame, no longer than `wait`.
    ///
    /// # Errors
    /// What keeps the bytes from being read or decoded.
    pub fn next(&self, wait: Duration) -> Result<Next, Error> {
        match self.frames.recv_timeout(wait) {
            Ok(frame) => Ok(Next::Frame(frame?)),
            Err(RecvTimeoutError::Timeout) => Ok(Next::Silence),
            Err(RecvTimeoutError::Disconnected) => Ok(Next::End),
        }
    }
}

/// A port whose other side was closed says so by EIO, a pipe by its end.
fn has_hung_up(error: &io::Error) -> bool {
    cfg!(unix) && error.raw_os_error() == Some(5)
}

/// Opens a serial port for reading: 8 data bits, no parity, one stop bit, nothing translated.
///
/// # Errors
/// [`Error::Io`]: no such port, no permission, a rate that it does not have.
#[cfg(unix)]
pub fn serial(port: &Path, baud: u32) -> Result<File, Error> {
    use rustix::{fs, termios};

    let refused = |error: rustix::io::Errno| Error::Io { place: port.display().to_string(), source: error.into() };
    // not the controlling terminal of this program, and no waiting for a modem's carrier
    let flags = fs::OFlags::RDWR | fs::OFlags::NOCTTY | fs::OFlags::NONBLOCK | fs::OFlags::CLOEXEC;
    let file = fs::open(port, flags, fs::Mode::empty()).map_err(refused)?;
    let mut settings = termios::tcgetattr(&file).map_err(refused)?;
    settings.make_raw();
    settings.control_modes |= termios::ControlModes::CREAD | termios::ControlModes::CLOCAL;
    settings.set_speed(baud).map_err(refused)?;
    termios::tcsetattr(&file, termios::OptionalActions::Now, &settings).map_err(refused)?;
    let flags = fs::fcntl_getfl(&file).map_err(refused)?;
    fs::fcntl_setfl(&file, flags - fs::OFlags::NONBLOCK).map_err(refused)?;
    Ok(file.into())
}

/// Opens a serial port as the system has set it up.
///
/// # Errors
/// [`Error::Io`].
#[cfg(not(unix))]
pub fn serial(port: &Path, _baud: u32) -> Result<File, Error> {
    File::open(port).map_err(|source| Error::Io { place: port.display().to_string(), source })
}
