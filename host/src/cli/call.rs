//! How the program was called: what was typed, and what calls it again.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// A call of the command line, by its own program or by one that it is built into.
#[derive(Clone, Debug)]
pub struct Call {
    /// what is to be executed to call it again; `None`: the program of this process
    pub program: Option<PathBuf>,
    /// what stands between that and what was typed, as `-m ntkscope` after an interpreter
    pub before: Vec<OsString>,
    /// what was typed after the command's name
    pub arguments: Vec<OsString>,
}

static CALL: OnceLock<Call> = OnceLock::new();

impl Call {
    /// That of this process, whose program is the command line.
    pub fn of_process() -> Self {
        Self { program: None, before: Vec::new(), arguments: std::env::args_os().skip(1).collect() }
    }

    /// From now on this is the call; a process has one.
    pub(super) fn remember(self) {
        // a second call of one process is typed like the first
        let _ = CALL.set(self);
    }

    /// What was remembered, else that of this process.
    pub(super) fn present() -> &'static Self {
        CALL.get_or_init(Self::of_process)
    }

    /// What was typed, as text.
    pub(super) fn typed(&self) -> Vec<String> {
        self.arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect()
    }

    /// The program, to be called again.
    ///
    /// # Errors
    /// Where the system does not say which it is.
    pub(super) fn again(&self) -> io::Result<Command> {
        let mut command = Command::new(self.program.clone().map_or_else(std::env::current_exe, Ok)?);
        command.args(&self.before);
        Ok(command)
    }
}
