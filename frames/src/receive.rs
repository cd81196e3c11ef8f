//! The one check of all that a board sends, whatever it comes through.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    string::{String, ToString},
    time::{Duration, Instant},
    vec::Vec,
};

use crate::{Error, Frame, Next, Number, Record, Records, Source, closing, words};

/// All that a board sent in one run, each number whole and in its place.
#[derive(Debug, Default)]
pub struct Received {
    /// Every frame.
    pub frames: Vec<Frame>,
    /// The numbers.
    pub numbers: Vec<Number>,
    /// The same by records.
    pub records: Vec<Record>,
    /// How the board says that it ended: 0 where the experiment is done.
    pub code: Option<u8>,
}

/// Something to be shown.
#[derive(Debug)]
pub enum Event<'a> {
    /// Something said, but for what follows from it below.
    Said(&'a Frame),
    /// A record that is whole.
    Record(&'a Record),
    /// A sign of life: the step that training is at.
    Alive(&'a str),
    /// Nothing has come for so long.
    Silence(Duration),
}

/// So long one looks for frames after the last.
const AFTERWARDS: Duration = Duration::from_millis(50);

/// After so much silence one is told of it.
const PATIENCE: Duration = Duration::from_secs(5);

/// When to stop listening.
#[derive(Clone, Copy)]
pub struct Until<'a> {
    /// Longest time of the whole.
    pub limit: Duration,
    /// Asked several times a second.
    pub stopped: &'a dyn Fn() -> bool,
}

impl Until<'_> {
    /// A time limit alone.
    pub const fn limit(limit: Duration) -> Self {
        Self { limit, stopped: &|| false }
    }
}

/// So often is asked whether to stop.
const OFTEN: Duration = Duration::from_millis(200);

/// Receives until the board's last frame, the source's end or a wish to stop; every frame goes to `recording`, where there is one.
///
/// # Errors
/// [`Error`]: frames that are damaged, missing or cut off, and a run that is longer than `limit`.
pub fn receive(
    source: &Source,
    until: Until<'_>,
    mut recording: Option<&mut Recording>,
    show: &mut dyn FnMut(Event<'_>),
) -> Result<Received, Error> {
    let begun = Instant::now();
    let (mut heard, mut told) = (begun, begun);
    let (mut received, mut records) = (Received::default(), Records::default());
    let whole =
        |record: Option<Record>, show: &mut dyn FnMut(Event<'_>)| record.inspect(|record| show(Event::Record(record)));
    let limit = until.limit;
    while received.code.is_none() && !(until.stopped)() {
        let left = limit.checked_sub(begun.elapsed()).ok_or_else(|| limited(&received, limit))?;
        let frame = match source.next(left.min(OFTEN))? {
            Next::Frame(frame) => frame,
            Next::Silence => {
                received.records.extend(whole(records.close(), show));
                if told.elapsed() >= PATIENCE {
                    told = Instant::now();
                    show(Event::Silence(heard.elapsed()));
                }
                continue;
            }
            Next::End => break,
        };
        (heard, told) = (Instant::now(), Instant::now());
        if let Some(recording) = &mut recording {
            recording.write(&frame)?;
        }
        match frame.level {
            None => {
                let number = received.accept(&frame)?;
                received.records.extend(whole(records.push(&number, frame.at), show));
                received.numbers.push(number);
            }
            Some(_) => {
                received.records.extend(whole(records.close(), show));
                received.hear(&frame, show)?;
            }
        }
        received.frames.push(frame);
    }
    received.records.extend(whole(records.close(), show));
    if received.code.is_some() {
        source.rest(AFTERWARDS, received.numbers.len())?;
    }
    Ok(received)
}

fn limited(received: &Received, limit: Duration) -> Error {
    let last = received.frames.last().map_or_else(|| "none".into(), Frame::to_string);
    Error::Limit { limit, count: received.frames.len(), last }
}

impl Received {
    /// The number in a frame, if it is the next.
    fn accept(&self, frame: &Frame) -> Result<Number, Error> {
        let number = Number::of(&frame.text)?;
        let next = self.count();
        match number.sequence {
            sequence if sequence == next => Ok(number),
            sequence if sequence > next => Err(Error::Missing { first: next, last: sequence - 1 }),
            _ => Err(Error::Restarted { count: next }),
        }
    }

    fn hear(&mut self, frame: &Frame, show: &mut dyn FnMut(Event<'_>)) -> Result<(), Error> {
        if let Some(end) = frame.after(words::END) {
            let malformed = || Error::Malformed { text: frame.to_string() };
            let (code, count) = end.split_once(", ").ok_or_else(malformed)?;
            let said = count.strip_suffix(" numbers").and_then(|count| count.parse().ok()).ok_or_else(malformed)?;
            if said != self.count() {
                return Err(Error::Count { said, came: self.count() });
            }
            self.code = Some(code.parse().map_err(|_| malformed())?);
        } else if let Some(step) = frame.after(words::ALIVE) {
            show(Event::Alive(step));
        } else if frame.after(words::SHOWS).is_none() {
            show(Event::Said(frame));
        }
        Ok(())
    }

    fn count(&self) -> u32 {
        self.numbers.len() as u32
    }

    /// How the board ended.
    ///
    /// # Errors
    /// [`Error::CutOff`]: its last frame did not come.
    pub fn ended(&self) -> Result<u8, Error> {
        self.code.ok_or(Error::CutOff { count: self.count() })
    }

    /// The experiment's claim with the numbers that came, where it has one.
    pub fn closing(&self) -> Option<String> {
        let sentence = self.frames.iter().find_map(|frame| frame.after(words::SHOWS))?;
        closing(sentence, &self.numbers)
    }

    /// The last thing that went wrong, in the board's words.
    pub fn error(&self) -> Option<&str> {
        self.frames.iter().rev().find(|frame| frame.level == Some("error")).map(|frame| frame.text.as_str())
    }
}

/// A file of frames, `frames.txt`, a line each as it comes: what `Source::file` reads back.
#[derive(Debug)]
pub struct Recording {
    path: PathBuf,
    file: File,
}

impl Recording {
    /// Name of the file in its directory.
    pub const FILE: &str = "frames.txt";

    /// A new file in `directory`, which is made where there is none.
    ///
    /// # Errors
    /// [`Error::Io`], also where the directory holds a recording already.
    pub fn create(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(Self::FILE);
        let file = std::fs::create_dir_all(directory)
            .and_then(|()| OpenOptions::new().write(true).create_new(true).open(&path))
            .map_err(|source| Error::Io { place: path.display().to_string(), source })?;
        Ok(Self { path, file })
    }

    fn write(&mut self, frame: &Frame) -> Result<(), Error> {
        let line = std::format!("{frame}\n");
        let written = self.file.write_all(line.as_bytes());
        written.map_err(|source| Error::Io { place: self.path.display().to_string(), source })
    }
}

#[cfg(test)]
mod tests {
    use std::{format, io::Cursor, vec::Vec};

    use super::*;
    use crate::checksum;

    /// A whole output: two records of two numbers.
    fn lines() -> Vec<String> {
        let number = |(sequence, (record, field, value)): (u32, (u32, &str, f32))| {
            let (bits, sum) = (value.to_bits(), checksum(sequence, "a", record, field, value.to_bits()));
            format!("a {record} {field} {bits:08x} {value} #{sequence} {sum:08x}")
        };
        let numbers = [(0, "time", 0.0), (0, "drift", 0.0), (1, "time", 1.0), (1, "drift", 0.5)];
        let mut lines: Vec<String> = (0..).zip(numbers).map(number).collect();
        lines.insert(0, "info: shows: the drift is {a drift}".into());
        lines.insert(3, "info: alive: step 7".into());
        lines.push("info: end: 0, 4 numbers".into());
        lines
    }

    fn received(lines: &[String]) -> Result<Received, Error> {
        let source = Source::lines("test", Cursor::new(lines.join("\n").into_bytes()));
        receive(&source, Until::limit(Duration::from_secs(5)), None, &mut |_| ())
    }

    fn refused(lines: &[String]) -> String {
        received(lines).and_then(|received| received.ended()).unwrap_err().to_string()
    }

    #[test]
    fn a_whole_output_is_received() {
        let received = received(&lines()).unwrap();
        assert_eq!((received.numbers.len(), received.records.len(), received.ended().unwrap()), (4, 2, 0));
        assert_eq!(received.records[1].line(), "a 1  time 1  drift 0.5");
        assert_eq!(received.closing().unwrap(), "the drift is 0.5");
    }

    #[test]
    fn a_record_is_told_with_the_time_of_its_last_number() {
        let lines: Vec<String> = (1..).zip(lines()).map(|(at, line)| format!("{at}.000000 {line}")).collect();
        let received = received(&lines).unwrap();
        assert_eq!(received.records[0].line(), "a 0  time 0  drift 0  at 3.000 s");
        assert_eq!(received.closing().unwrap(), "the drift is 0.5");
    }

    #[test]
    fn what_is_lost_damaged_or_cut_off_is_named() {
        let without = |i: usize| {
            let mut lines = lines();
            lines.remove(i);
            refused(&lines)
        };
        assert!(without(1).starts_with("numbers 0 to 0 did not arrive"), "{}", without(1));
        assert!(without(2).starts_with("numbers 1 to 1 did not arrive"));
        assert_eq!(without(5), "the board says that it sent 4 numbers, 3 came");
        assert!(without(6).contains("ends after 4 numbers without the board's last frame"));
        let mut twice = lines();
        twice.truncate(6);
        twice.extend(lines());
        assert!(refused(&twice).starts_with("the board started again after 4 numbers"));
        // one bit of one number
        let mut again = lines();
        again.extend(lines());
        assert!(refused(&again).starts_with("the board started again after 4 numbers"));
        let mut flipped = lines();
        flipped[5] = flipped[5].replace("3f000000", "3f000001");
        assert!(refused(&flipped).starts_with("number 3 was damaged on its way: `a 1 drift 3f000001 0.5 #3"));
    }

    #[test]
    fn a_recording_reads_back() {
        let place = std::env::temp_dir().join(format!("ntkscope-frames-{}", std::process::id()));
        let mut recording = Recording::create(&place).unwrap();
        let source = Source::lines("test", Cursor::new(lines().join("\n").into_bytes()));
        let first = receive(&source, Until::limit(Duration::from_secs(5)), Some(&mut recording), &mut |_| ()).unwrap();
        let again = Source::file(&place.join(Recording::FILE)).unwrap();
        let again = receive(&again, Until::limit(Duration::from_secs(5)), None, &mut |_| ()).unwrap();
        let second = Recording::create(&place);
        std::fs::remove_dir_all(&place).unwrap();
        assert_eq!((first.frames, first.numbers), (again.frames, again.numbers));
        assert!(second.unwrap_err().to_string().contains("frames.txt"));
    }
}
