//! Other programs: each runs under a time limit, and a failure says which command failed and how.

use std::{
    env, fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the repository")
}

/// Minutes as a time limit.
pub(crate) const fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

/// Runs `command` with its output shown; an error unless it ends with 0 within `limit`.
pub(crate) fn run(command: &mut Command, limit: Duration) -> Result<()> {
    let line = line(command);
    println!("$ {line}");
    let child = command.stdin(Stdio::null()).spawn().with_context(|| format!("cannot start `{line}`"))?;
    let status = wait(child, limit).with_context(|| format!("`{line}`"))?;
    ensure!(status.success(), "`{line}`: {status}");
    Ok(())
}

/// Runs `command` and hands back what it wrote to stdout, trimmed; an error unless it ends with 0 within `limit`.
pub(crate) fn output(command: &mut Command, limit: Duration) -> Result<String> {
    let (status, text) = ended(command, limit)?;
    ensure!(status.success(), "`{}`: {status}", line(command));
    Ok(text)
}

/// Runs `command` and hands back how it ended and what it wrote to stdout, trimmed; an error unless it ends within `limit`.
pub(crate) fn ended(command: &mut Command, limit: Duration) -> Result<(ExitStatus, String)> {
    let line = line(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start `{line}`"))?;
    let mut pipe = child.stdout.take().expect("stdout is piped");
    let reader = thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).map(|_| text)
    });
    let status = wait(child, limit).with_context(|| format!("`{line}`"))?;
    let text = reader.join().expect("reading does not panic").with_context(|| format!("`{line}`"))?;
    Ok((status, text.trim().to_owned()))
}

/// Waits for `child`, and ends it and its children when `limit` is over.
pub(crate) fn wait(mut child: Child, limit: Duration) -> Result<ExitStatus> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if start.elapsed() >= limit {
            end(&mut child);
            bail!("stopped after its time limit of {} s", limit.as_secs());
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Ends `child` and, where the system lists them in /proc, the processes that it started.
///
/// They stay in this program's process group, so that Ctrl-C at a terminal reaches them too; a group of their own
/// would be easier to end here and harder for the person at the terminal.
fn end(child: &mut Child) {
    let mut family = vec![child.id()];
    let parents = parents();
    for i in 0.. {
        let Some(&parent) = family.get(i) else { break };
        family.extend(parents.iter().filter(|(_, p)| *p == parent).map(|(id, _)| *id));
    }
    let _ = child.kill();
    for id in family.into_iter().skip(1) {
        let _ = Command::new("sh").args(["-c", &format!("kill -KILL {id}")]).stderr(Stdio::null()).status();
    }
    let _ = child.wait();
}

/// What a process has taken of the processors so far, where the system says so in /proc.
pub(crate) fn processor_time(id: u32) -> Result<Duration> {
    let path = format!("/proc/{id}/stat");
    let stat = fs::read_to_string(&path).with_context(|| path.clone())?;
    // id (name, which may hold anything) state …: user and system time are the 12th and 13th words after the name, in hundredths
    let words: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let hundredths = |i: usize| words.get(i).and_then(|word| word.parse::<u64>().ok());
    let (user, system) = hundredths(11).zip(hundredths(12)).with_context(|| path)?;
    Ok(Duration::from_millis(10 * (user + system)))
}

/// Every process with its parent; empty without /proc.
fn parents() -> Vec<(u32, u32)> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| {
            let id = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // id (name, which may hold anything) state parent …
            let parent = stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()?;
            Some((id, parent))
        })
        .collect()
}

/// The first program of this name in PATH.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|dir| dir.join(name)).find(|path| path.is_file())
}

/// The command as one would type it.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut words = vec![program.to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|arg| arg.to_string_lossy().into_owned()));
    let words: Vec<_> = words
        .into_iter()
        .map(|word| if word.is_empty() || word.contains(' ') { format!("'{word}'") } else { word })
        .collect();
    let place = match command.get_current_dir().and_then(|dir| dir.strip_prefix(root()).ok()) {
        Some(dir) if dir != Path::new("") => format!("(in {}) ", dir.display()),
        _ => String::new(),
    };
    format!("{place}{}", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_stopped_at_its_limit_with_its_children() {
        let start = Instant::now();
        // The pipe closes only once the grandchild is gone too.
        let mut command = Command::new("sh");
        let error = output(command.args(["-c", "sleep 30 & wait"]), Duration::from_millis(200)).unwrap_err();
        assert!(format!("{error:#}").contains("time limit"), "{error:#}");
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_failure_names_its_command() {
        let error = output(Command::new("sh").args(["-c", "exit 3"]), minutes(1)).unwrap_err();
        assert_eq!(format!("{error:#}"), "`sh -c 'exit 3'`: exit status: 3");
        let error = output(&mut Command::new("no-such-program"), minutes(1)).unwrap_err();
        assert!(format!("{error:#}").starts_with("cannot start `no-such-program`"), "{error:#}");
    }
}
