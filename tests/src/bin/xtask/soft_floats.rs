//! The firmware's sums and products of floats, held against this machine's.

use crate::soft::{product, sum};

type Operation = (&'static str, fn(u32, u32) -> Option<u32>, fn(f32, f32) -> f32);
const OPERATIONS: [Operation; 2] = [("+", sum, |a, b| a + b), ("x", product, |a, b| a * b)];

/// Zero, the smallest and largest of every kind, the neighbours of 1, infinity, NaN.
const SPECIAL: [u32; 14] = [
    0,
    1,
    0x007f_ffff,
    0x0080_0000,
    0x0080_0001,
    0x00ff_ffff,
    0x1f80_0000,
    0x3f7f_ffff,
    0x3f80_0000,
    0x3f80_0001,
    0x5f80_0000,
    0x7f7f_ffff,
    0x7f80_0000,
    0x7fc0_0000,
];

/// Whether the firmware computes it itself, with the processor's bits if so.
fn equal(a: u32, b: u32, (sign, soft, hard): Operation) -> bool {
    let Some(result) = soft(a, b) else { return false };
    let expected = hard(f32::from_bits(a), f32::from_bits(b)).to_bits();
    assert_eq!(result, expected, "{a:08x} {sign} {b:08x}: {result:08x}, expected {expected:08x}");
    true
}

#[test]
fn sums_and_products_have_the_bits_of_the_processor() {
    for operation in OPERATIONS {
        let signed = || SPECIAL.into_iter().flat_map(|bits| [bits, bits | 1 << 31]);
        for (a, b) in signed().flat_map(|a| signed().map(move |b| (a, b))) {
            equal(a, b, operation);
        }

        let (mut state, mut computed) = (1u64, 0);
        let mut draw = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 16) as u32
        };
        const DRAWS: usize = 600_000;
        for k in 0..DRAWS {
            let (a, b) = (draw(), draw());
            let (a, b) = match k % 3 {
                // anything; the range of ordinary work; few bits, so that half of the last place comes up, and sizes that cancel
                0 => (a, b),
                1 => (a & 0x83ff_ffff | 0x3c00_0000, b & 0x83ff_ffff | 0x3c00_0000),
                _ => (a & 0x83ff_f000 | 0x3c00_0000, a ^ b & 0x8180_0fff),
            };
            computed += usize::from(equal(a, b, operation));
        }
        assert!(computed > DRAWS / 3 * 2, "{computed} of {DRAWS} computed");
    }
}

#[test]
fn what_is_not_normal_is_left_to_the_library() {
    for other in [1, 0x007f_ffff, 0x7f80_0000, 0x7fc0_0000] {
        assert_eq!((sum(other, 0x3f80_0000), product(other, 0x3f80_0000)), (sum(0x3f80_0000, other), None));
    }
    // 2^127 + 2^127, 2^64 x 2^64, 2^-64 x 2^-64
    assert_eq!((sum(0x7f00_0000, 0x7f00_0000), product(0x5f80_0000, 0x5f80_0000)), (None, None));
    assert_eq!(product(0x1f80_0000, 0x1f80_0000), None);
}
