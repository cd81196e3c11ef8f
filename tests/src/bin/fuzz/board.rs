//! What boards send, and what they keep in RAM: numbers in order and undamaged, or an error.

use std::{io::Cursor, time::Duration};

use ntkscope::{
    files::CsvTable,
    run::{Device, Trace},
};
use ntkscope_frames::{Event, Frame, Kept, Source, Until, receive};

use crate::refused::Verdict;

/// A recording, or the lines of a serial port.
pub(crate) fn frames(input: &[u8]) -> Verdict {
    let source = Source::lines("frames.txt", Cursor::new(input.to_vec()));
    let mut show = |event: Event<'_>| match event {
        Event::Said(frame) => assert!(!frame.text.contains(char::is_control), "{:?}", frame.text),
        Event::Record(record) => assert!(!record.line().contains(char::is_control), "{record:?}"),
        Event::Alive(step) => assert!(!step.contains(char::is_control), "{step:?}"),
        Event::Silence(_) => {}
    };
    let received = receive(&source, Until::limit(Duration::from_secs(10)), None, &mut show)?;
    received.ended()?;
    for (place, number) in received.numbers.iter().enumerate() {
        assert_eq!(number.sequence as usize, place, "numbers out of order");
    }
    for frame in &received.frames {
        // a line of a recording is the frame again; what is said may look like a number
        let back = Frame::of(&frame.to_string());
        assert!(back.is_none_or(|back| back == *frame || back.level.is_none()), "{frame:?}");
    }
    let fields: usize = received.records.iter().map(|record| record.fields.len()).sum();
    assert_eq!(fields, received.numbers.len(), "a record lacks numbers");
    received.closing().iter().for_each(|sentence| assert!(!sentence.contains(char::is_control), "{sentence:?}"));
    for trace in Device(&received).traces() {
        let written = trace.table().content().expect("memory can be written");
        let back = CsvTable::parse("trace.csv".as_ref(), &written).expect("our own file");
        let back = Trace::of("run", &back).expect("our own trace").table().content().expect("memory can be written");
        assert_eq!(back, written, "not the same when it is read back");
    }
    Ok(())
}

/// A dump of the region.
pub(crate) fn region(input: &[u8]) -> Verdict {
    let kept = Kept::read(input)?;
    assert!(kept.last.len() <= kept.count as usize && 4 * kept.last.len() <= input.len(), "{kept:?}");
    Ok(())
}
