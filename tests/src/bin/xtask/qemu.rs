//! One image run in QEMU: its defmt frames come out of the semihosting console and are decoded by the table in the image.

use std::{
    fmt, fs,
    io::Read,
    path::Path,
    process::{Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use defmt_decoder::{DecodeError, Table};

use crate::{process, toolchain};

/// The emulator of every Arm machine.
const QEMU: &str = "qemu-system-arm";

/// How long one image may run; the longest takes about a minute where nothing else runs.
pub(crate) const LIMIT: Duration = process::minutes(10);

/// One decoded frame. A number that is compared comes without a level; what is said about a run has one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Frame {
    pub(crate) level: Option<&'static str>,
    pub(crate) text: String,
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            Some(level) => write!(f, "{level}: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

/// What an image sent, and how it ended.
pub(crate) struct Run {
    pub(crate) frames: Vec<Frame>,
    pub(crate) code: u8,
}

impl Run {
    /// An error, with the image's last words, unless it ended with 0.
    pub(crate) fn check_exit(&self) -> Result<()> {
        let last: Vec<_> = self.frames.iter().rev().take(5).rev().map(|frame| format!("\n  {frame}")).collect();
        ensure!(self.code == 0, "the image ended with exit code {}; its last frames:{}", self.code, last.concat());
        Ok(())
    }
}

/// Runs `elf` on `machine` until it ends by itself, and hands every frame to `show` as it comes.
///
/// It is an error if the image runs longer than `limit`, if a frame cannot be decoded, or if QEMU itself fails.
pub(crate) fn run(
    elf: &Path,
    machine: &str,
    more: &[String],
    limit: Duration,
    mut show: impl FnMut(&Frame),
) -> Result<Run> {
    let image = fs::read(elf).with_context(|| elf.display().to_string())?;
    let table = Table::parse(&image)?.with_context(|| format!("{} has no defmt table", elf.display()))?;
    let mut decoder = table.new_stream_decoder();

    // Nothing but frames may reach stdout: no monitor, no serial port.
    let mut child = Command::new(QEMU)
        .args(["-M", machine, "-nographic", "-monitor", "none", "-serial", "none"])
        .args(["-semihosting-config", "enable=on,target=native", "-kernel"])
        .arg(elf)
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {QEMU}"))?;
    let mut pipe = child.stdout.take().expect("stdout is piped");
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(n @ 1..) = pipe.read(&mut buffer) {
            if sender.send(buffer[..n].to_vec()).is_err() {
                break;
            }
        }
    });

    let deadline = Instant::now() + limit;
    let (mut frames, mut malformed) = (Vec::<Frame>::new(), 0);
    let mut last = 0;
    loop {
        match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(bytes) => {
                last = bytes.last().copied().unwrap_or(last);
                decoder.received(&bytes);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                child.kill()?;
                child.wait()?;
                let last = frames.last().map_or("none".into(), Frame::to_string);
                bail!(
                    "stopped after its time limit of {} s, {} frames in; the last: {last}",
                    limit.as_secs(),
                    frames.len()
                );
            }
        }
        loop {
            match decoder.decode() {
                Ok(frame) => {
                    let level = frame.level().map(|level| level.as_str());
                    let frame = Frame { level, text: frame.display_message().to_string() };
                    show(&frame);
                    frames.push(frame);
                }
                Err(DecodeError::Malformed) => malformed += 1,
                Err(DecodeError::UnexpectedEof) => break,
            }
        }
    }
    let status = process::wait(child, Duration::from_secs(10)).context(QEMU)?;
    ensure!(malformed == 0, "{malformed} malformed frames beside {} whole ones", frames.len());
    // Every frame is closed by a zero, on the wire that the decoder can find its way back into.
    ensure!(!table.encoding().can_recover() || last == 0, "the output ends in the middle of a frame");
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    let code = code.with_context(|| format!("{QEMU}: {status}"))?;
    Ok(Run { frames, code })
}

/// Installs QEMU if it is not here, or says how.
pub(crate) fn ensure_installed() -> Result<()> {
    if process::find(QEMU).is_none() {
        if process::find("apt-get").is_none() {
            bail!("there is no {QEMU}: {}", by_hand());
        }
        toolchain::apt_install(&["qemu-system-arm"])?;
    }
    let version = process::output(Command::new(QEMU).arg("--version"), process::minutes(1))?;
    println!("{}", version.lines().next().unwrap_or_default());
    Ok(())
}

/// The command that installs QEMU on this system.
fn by_hand() -> String {
    let commands = [
        ("dnf", "run `sudo dnf install qemu-system-arm`"),
        ("pacman", "run `sudo pacman -S qemu-system-arm`"),
        ("brew", "run `brew install qemu`"),
    ];
    match commands.iter().find(|(program, _)| process::find(program).is_some()) {
        Some((_, command)) => (*command).to_owned(),
        None => format!("install the package of your system that holds {QEMU}"),
    }
}
