//! How many places of an image may panic: the calls that its machine code makes of the functions of `core` that never come back.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, Result};
use object::{Architecture, File, Object, ObjectSection, ObjectSymbol, SectionKind};

/// What the mangled names of those functions hold: `panic_bounds_check`, `panic_fmt`; `slice_index_fail`, `unwrap_failed`.
const NAMES: [&str; 3] = ["9panicking", "_fail", "panic_on_"];

/// The calls in an image for an Arm core; nothing for another, whose code this does not read.
pub(crate) fn calls(elf: &Path) -> Result<Option<u64>> {
    let bytes = fs::read(elf).with_context(|| elf.display().to_string())?;
    let file = File::parse(&*bytes).with_context(|| elf.display().to_string())?;
    if file.architecture() != Architecture::Arm {
        return Ok(None);
    }
    let panics: BTreeSet<u64> = file
        .symbols()
        .filter(|symbol| {
            symbol.name().is_ok_and(|name| name.contains("4core") && NAMES.iter().any(|n| name.contains(n)))
        })
        // the lowest bit of an address says that the code is Thumb
        .map(|symbol| symbol.address() & !1)
        .collect();
    let mut count = 0;
    for section in file.sections().filter(|section| section.kind() == SectionKind::Text) {
        let (start, data) = (section.address(), section.data()?);
        // `$t` and `$d` stand where code and where data begin
        let mut marks: Vec<(u64, bool)> = file
            .symbols()
            .filter(|symbol| symbol.section_index() == Some(section.index()))
            .filter_map(|symbol| Some((symbol.address() & !1, is_code(symbol.name().ok()?)?)))
            .collect();
        marks.sort_unstable();
        let ends = marks.iter().skip(1).map(|(at, _)| *at).chain([start + data.len() as u64]);
        for ((from, _), to) in marks.iter().zip(ends).filter(|((_, code), _)| *code) {
            let code = &data[(from - start) as usize..(to - start) as usize];
            count += targets(*from, code).filter(|target| panics.contains(target)).count() as u64;
        }
    }
    Ok(Some(count))
}

/// Whether code begins at a mapping symbol, or data; nothing for other symbols.
fn is_code(name: &str) -> Option<bool> {
    match name.get(..2)? {
        "$t" => Some(true),
        "$d" => Some(false),
        _ => None,
    }
}

/// Where the calls and the long jumps of Thumb code that lies at `address` lead (Armv7-M manual, BL encoding T1, B encoding T4).
fn targets(address: u64, code: &[u8]) -> impl Iterator<Item = u64> {
    let mut halves = code.chunks_exact(2).map(|half| u16::from_le_bytes([half[0], half[1]]));
    let mut at = address;
    std::iter::from_fn(move || {
        loop {
            let high = halves.next()?;
            let here = at;
            at += 2;
            if high >> 11 < 0b11101 {
                continue;
            }
            let low = halves.next()?;
            at += 2;
            let is_call = low & 0xd000 == 0xd000;
            let is_jump = low & 0xd000 == 0x9000;
            if high >> 11 == 0b11110 && (is_call || is_jump) {
                return Some(here.wrapping_add_signed(offset(high, low)));
            }
        }
    })
}

/// From the instruction to its target.
fn offset(high: u16, low: u16) -> i64 {
    let (high, low) = (i64::from(high), i64::from(low));
    let sign = high >> 10 & 1;
    let bit = |j: i64| !(j ^ sign) & 1;
    let (i1, i2) = (bit(low >> 13), bit(low >> 11));
    let magnitude = i1 << 23 | i2 << 22 | (high & 0x3ff) << 12 | (low & 0x7ff) << 1;
    4 + magnitude - (sign << 24)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_and_long_jumps_are_found_between_other_instructions() {
        // as an assembler has them, at 0x1000: nop; bl 0x1100; ldr.w r0, [r1]; bl 0xf00; b.w 0x1200; bne.w 0x1000
        let code: [u16; 11] = [0xbf00, 0xf000, 0xf87d, 0xf8d1, 0x0000, 0xf7ff, 0xff79, 0xf000, 0xb8f7, 0xf47f, 0xaff5];
        let bytes: Vec<u8> = code.iter().flat_map(|half| half.to_le_bytes()).collect();
        assert_eq!(targets(0x1000, &bytes).collect::<Vec<_>>(), [0x1100, 0xf00, 0x1200]);
    }
}
