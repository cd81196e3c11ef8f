//! One image run in QEMU: its frames come out of the semihosting console, or of its serial port.

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use ntkscope_frames::{Event, Received, Recording, Source, Until, receive, serial};

use crate::{image::Transport, process, toolchain};

/// A program that emulates the machines of one architecture.
#[derive(Debug)]
pub(crate) struct Emulator {
    program: &'static str,
    /// Debian's package of it.
    package: &'static str,
    /// What it is to be told of an image that begins at the reset.
    bare: &'static [&'static str],
}

/// Of every Arm machine.
pub(crate) static ARM: Emulator = Emulator { program: "qemu-system-arm", package: "qemu-system-arm", bare: &[] };
/// Of every 32-bit RISC-V machine.
pub(crate) static RISCV: Emulator =
    Emulator { program: "qemu-system-riscv32", package: "qemu-system-misc", bare: &["-bios", "none"] };

impl Emulator {
    /// Whether it is installed; if not, this is said.
    pub(crate) fn is_here(&self) -> bool {
        let is_here = process::find(self.program).is_some();
        if !is_here {
            println!("{} is not installed ({}): nothing was run in it", self.program, self.by_hand());
        }
        is_here
    }

    /// Installs it if it is not here, or says how.
    pub(crate) fn ensure_installed(&self) -> Result<()> {
        if process::find(self.program).is_none() {
            if process::find("apt-get").is_none() {
                bail!("there is no {}: {}", self.program, self.by_hand());
            }
            toolchain::apt_install(&[self.package])?;
        }
        let version = process::output(Command::new(self.program).arg("--version"), process::minutes(1))?;
        println!("{}", version.lines().next().unwrap_or_default());
        Ok(())
    }

    /// The command that installs it on this system.
    fn by_hand(&self) -> String {
        let commands = [
            ("apt-get", format!("run `apt-get install {}`", self.package)),
            ("dnf", format!("run `sudo dnf install {}`", self.program)),
            ("pacman", format!("run `sudo pacman -S {}`", self.program)),
            ("brew", "run `brew install qemu`".into()),
        ];
        match commands.iter().find(|(program, _)| process::find(program).is_some()) {
            Some((_, command)) => command.clone(),
            None => format!("install the package of your system that holds {}", self.program),
        }
    }
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine<'a> {
    pub(crate) emulator: &'static Emulator,
    /// As QEMU names it.
    pub(crate) name: &'a str,
}

/// How long one image may run; the longest takes about a minute where nothing else runs.
pub(crate) const LIMIT: Duration = process::minutes(10);

/// What is run, and how.
pub(crate) struct Job<'a> {
    pub(crate) elf: &'a Path,
    pub(crate) machine: Machine<'a>,
    pub(crate) transport: Transport,
    /// Further arguments for QEMU.
    pub(crate) more: &'a [String],
    pub(crate) limit: Duration,
}

/// What an image sent, and how it ended.
pub(crate) struct Run {
    pub(crate) received: Received,
    pub(crate) code: u8,
}

impl Run {
    /// An error, with the image's last words, unless it ended with 0 and said so itself.
    pub(crate) fn check_exit(&self) -> Result<()> {
        let frames = &self.received.frames;
        let last: Vec<_> = frames.iter().rev().take(5).rev().map(|frame| format!("\n  {frame}")).collect();
        ensure!(self.code == 0, "the image ended with exit code {}; its last frames:{}", self.code, last.concat());
        ensure!(self.received.ended()? == 0, "the image says that it ended otherwise than QEMU does:{}", last.concat());
        Ok(())
    }
}

/// Runs an image until it ends by itself, and hands every event to `show` as it comes.
///
/// It is an error if the image runs longer than the limit, if a frame is damaged or missing, or if QEMU itself fails.
pub(crate) fn run(job: &Job<'_>, recording: Option<&mut Recording>, show: &mut dyn FnMut(Event<'_>)) -> Result<Run> {
    let image = fs::read(job.elf).with_context(|| job.elf.display().to_string())?;
    let place = job.elf.display().to_string();
    match job.transport {
        Transport::Serial => {
            let mut alone = Alone::start(job)?;
            let source = alone.source(&image)?;
            let received = receive(&source, Until::limit(job.limit), recording, show)?;
            let code = received.ended()?;
            Ok(Run { received, code })
        }
        Transport::Rtt => bail!("QEMU has no debug probe that reads RTT"),
        Transport::Semihosting => {
            let program = job.machine.emulator.program;
            // nothing but frames may reach stdout: no monitor, no serial port
            let mut child = command(job)
                .args(["-monitor", "none", "-serial", "none", "-semihosting-config", "enable=on,target=native"])
                .stdout(Stdio::piped())
                .spawn()
                .with_context(|| format!("cannot start {program}"))?;
            let pipe = child.stdout.take().expect("stdout is piped");
            let followed = Source::defmt(place, &image, false, pipe).and_then(|source| {
                receive(&source, Until::limit(job.limit), recording, show).map(|received| (source, received))
            });
            let (source, received) = match followed {
                Ok(followed) => followed,
                Err(error) => {
                    child.kill()?;
                    child.wait()?;
                    return Err(error.into());
                }
            };
            let status = process::wait(child, Duration::from_secs(10)).context(program)?;
            // what the last bytes are is known once the pipe is closed
            source.rest(Duration::from_secs(10), received.numbers.len())?;
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            let code = code.with_context(|| format!("{program}: {status}"))?;
            Ok(Run { received, code })
        }
    }
}

/// The frames of an image whose port this is.
pub(crate) fn open(port: &Path, image: &[u8]) -> Result<Source> {
    Ok(Source::defmt(port.display().to_string(), image, true, serial(port, BAUD)?)?)
}

/// As the firmware sets its ports up.
pub(crate) const BAUD: u32 = 115_200;

/// QEMU with the image and nothing else.
fn command(job: &Job<'_>) -> Command {
    let Machine { emulator, name } = job.machine;
    let mut command = Command::new(emulator.program);
    command.args(["-M", name, "-nographic"]).args(emulator.bare).arg("-kernel").arg(job.elf);
    command.args(job.more).stdin(Stdio::null());
    command
}

/// A board by itself: no debugger, a serial port that is a pseudo-terminal, and QEMU's monitor in place of a probe. It is ended when
/// this is dropped.
pub(crate) struct Alone {
    child: Child,
    port: PathBuf,
    /// What the monitor says, line by line.
    said: Receiver<String>,
}

impl Alone {
    /// Starts QEMU with the image, stopped before its first instruction, so that no byte is lost before somebody listens.
    pub(crate) fn start(job: &Job<'_>) -> Result<Self> {
        let program = job.machine.emulator.program;
        let mut child = command(job)
            .args(["-S", "-serial", "pty", "-monitor", "stdio"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        let pipe = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let (sender, said) = mpsc::channel();
        thread::spawn(move || {
            for line in pipe.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut alone = Self { child, port: PathBuf::new(), said };
        // `char device redirected to /dev/pts/3 (label serial0)`
        let line = alone.line("/dev/", Duration::from_secs(10))?;
        let port = line.split_whitespace().find(|word| word.starts_with("/dev/"));
        alone.port = port.context("QEMU does not say where its serial port is")?.into();
        Ok(alone)
    }

    /// Lets the image run; its frames.
    pub(crate) fn source(&mut self, image: &[u8]) -> Result<Source> {
        let source = open(&self.port, image)?;
        self.run()?;
        Ok(source)
    }

    /// Where it sends.
    pub(crate) fn port(&self) -> &Path {
        &self.port
    }

    /// Lets the image run; somebody has opened the port.
    pub(crate) fn run(&mut self) -> Result<()> {
        // QEMU looks once a second whether somebody has opened the terminal, and drops what it sends until then
        thread::sleep(Duration::from_millis(1500));
        self.tell("cont")
    }

    /// Whether the core sleeps: the emulator lives, and takes no time of a processor for a while. A core that waits for anything in a
    /// loop of its own keeps it busy.
    pub(crate) fn sleeps(&mut self) -> Result<bool> {
        let before = process::processor_time(self.child.id())?;
        thread::sleep(Duration::from_millis(500));
        ensure!(self.child.try_wait()?.is_none(), "QEMU has ended");
        Ok(process::processor_time(self.child.id())? - before < Duration::from_millis(100))
    }

    /// The bytes at an address.
    pub(crate) fn memory(&mut self, address: u64, len: u64) -> Result<Vec<u8>> {
        let place = env::temp_dir().join(format!("ntkscope-memory-{}.bin", self.child.id()));
        self.tell(&format!("memsave {address:#x} {len} \"{}\"", place.display()))?;
        // as the core sees it: the physical memory of some machines is not the one where the core is; and the monitor does one thing after
        // the other
        self.tell("info status")?;
        self.line("VM status", Duration::from_secs(10))?;
        let bytes = fs::read(&place).with_context(|| place.display().to_string())?;
        fs::remove_file(&place)?;
        Ok(bytes)
    }

    fn tell(&mut self, words: &str) -> Result<()> {
        let stdin = self.child.stdin.as_mut().expect("stdin is piped");
        Ok(writeln!(stdin, "{words}")?)
    }

    /// The next line with these words.
    fn line(&mut self, words: &str, limit: Duration) -> Result<String> {
        let deadline = Instant::now() + limit;
        loop {
            let line = self.said.recv_timeout(deadline.saturating_duration_since(Instant::now()));
            match line {
                Ok(line) if line.contains(words) => return Ok(line),
                Ok(_) => (),
                Err(_) => bail!("QEMU's monitor says nothing of `{words}`"),
            }
        }
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
