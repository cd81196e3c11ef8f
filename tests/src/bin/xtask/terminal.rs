//! What somebody sees who waits for a board: a line for each record, a sign of life between them, at the end what the numbers show.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use ntkscope_frames::{Event, Received};

/// Between two signs of life where each takes a line of its own.
const SELDOM: Duration = Duration::from_secs(5);

pub(crate) struct Show {
    begun: Instant,
    told: Instant,
    /// On a terminal a sign of life is written over the one before.
    terminal: bool,
    open: bool,
}

impl Show {
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), told: Instant::now(), terminal: io::stdout().is_terminal(), open: false }
    }

    pub(crate) fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Said(frame) => self.line(&frame.to_string()),
            Event::Record(record) => self.line(&record.line()),
            Event::Alive(at) => self.alive(&format!("{at}, {} s", self.begun.elapsed().as_secs())),
            Event::Silence(since) => self.alive(&format!("nothing has come for {} s", since.as_secs())),
        }
    }

    fn line(&mut self, text: &str) {
        let clear = if std::mem::take(&mut self.open) { "\r\x1b[K" } else { "" };
        println!("{clear}{text}");
        self.told = Instant::now();
    }

    fn alive(&mut self, text: &str) {
        if self.terminal {
            print!("\r\x1b[K  {text}");
            let _ = io::stdout().flush();
            self.open = true;
        } else if self.told.elapsed() >= SELDOM {
            self.line(&format!("  {text}"));
        }
    }

    /// What it all shows, or what went wrong, in a sentence.
    pub(crate) fn close(&mut self, binary: &str, received: &Received) {
        let sentence = match (received.code, received.error()) {
            (Some(0), _) => received.closing().map_or_else(|| "done".into(), |closing| format!("done: {closing}")),
            (_, Some(error)) => format!("stopped by the board: {error}"),
            (Some(code), None) => format!("ended by the board with exit code {code}"),
            (None, None) => "cut off before its end".into(),
        };
        self.line(&format!("{binary}: {sentence}"));
    }
}
