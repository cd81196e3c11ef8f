//! A fingerprint of numbers, short enough for a screen.

/// The 64-bit FNV-1a hash of the bits of numbers, in their order, four or eight bytes each, the lowest first. All that are not a
/// number are one: machines differ in which of them they make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(u64);

impl Digest {
    /// Of no number.
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// One number more.
    pub fn add(&mut self, value: f32) {
        let value = if value.is_nan() { f32::from_bits(0x7fc0_0000) } else { value };
        self.add_bytes(&value.to_bits().to_le_bytes());
    }

    /// One number more, of double precision.
    pub fn add_wide(&mut self, value: f64) {
        let value = if value.is_nan() { f64::from_bits(0x7ff8_0000_0000_0000) } else { value };
        self.add_bytes(&value.to_bits().to_le_bytes());
    }

    fn add_bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// In four numbers that single precision holds, the lowest bits first, each under a name.
    pub fn parts(self) -> [(&'static str, f32); 4] {
        let part = |part: u32| (self.0 >> (16 * part) & 0xffff) as f32;
        [("digest_0", part(0)), ("digest_1", part(1)), ("digest_2", part(2)), ("digest_3", part(3))]
    }

    /// What it is, shown as 16 hexadecimal digits.
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}
