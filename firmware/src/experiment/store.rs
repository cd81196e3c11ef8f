//! Bytes in the bits of numbers, four in each: an experiment has one buffer, of numbers. A device would write them to its flash.

use ntkscope_core::Error;

/// Written from its beginning, then read from its beginning.
pub(super) struct Store<'a> {
    numbers: &'a mut [f32],
    /// bytes written or read so far
    at: usize,
}

impl<'a> Store<'a> {
    pub(super) fn new(numbers: &'a mut [f32]) -> Self {
        Self { numbers, at: 0 }
    }

    /// Back to the beginning.
    pub(super) fn rewind(&mut self) {
        self.at = 0;
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        bytes.iter().try_for_each(|byte| self.next(|bytes, place| bytes[place] = *byte))
    }

    pub(super) fn read(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        bytes.iter_mut().try_for_each(|byte| self.next(|bytes, place| *byte = bytes[place]))
    }

    fn next(&mut self, visit: impl FnOnce(&mut [u8; 4], usize)) -> Result<(), Error> {
        let number = self.numbers.get_mut(self.at / 4).ok_or(Error::State { what: "longer than its place" })?;
        let mut bytes = number.to_bits().to_le_bytes();
        visit(&mut bytes, self.at % 4);
        *number = f32::from_bits(u32::from_le_bytes(bytes));
        self.at += 1;
        Ok(())
    }
}
