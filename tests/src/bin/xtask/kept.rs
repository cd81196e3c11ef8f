//! The firmware's way into a board's flash, on a model of the nRF's; QEMU has that of the nRF51, in the step `standalone`.

use std::{collections::BTreeMap, sync::atomic::AtomicU32};

use crate::{keep::copy, registers::Registers};

const CONFIG: usize = 0x4001_e504;
const ERASE: usize = 0x4001_e508;
const PAGE: usize = 0x400;

/// What does not work.
#[derive(Clone, Copy, PartialEq)]
enum Broken {
    Nothing,
    Erasing,
    Writing,
    /// One bit of a word cannot be cleared.
    Bit,
}

/// Flash whose bits are cleared by a write, and set by the erasure of their page alone; it answers after a few reads.
struct Model {
    broken: Broken,
    config: u32,
    busy: u32,
    erased: usize,
    words: BTreeMap<usize, u32>,
}

impl Model {
    fn new(broken: Broken) -> Self {
        // of an earlier run, on three pages
        let words = (0x8000..0x8000 + 3 * PAGE).step_by(4).map(|at| (at, 0x1234_5678)).collect();
        Self { broken, config: 0, busy: 0, erased: 0, words }
    }
}

impl Registers for Model {
    fn read(&mut self, register: usize) -> u32 {
        let stuck = matches!((self.broken, self.config), (Broken::Erasing, 2) | (Broken::Writing, 1));
        match register {
            0x1000_0010 => PAGE as u32,
            0x4001_e400 if stuck => 0,
            0x4001_e400 => {
                self.busy = self.busy.saturating_sub(1);
                u32::from(self.busy == 0)
            }
            at => *self.words.get(&at).expect("a word of the flash"),
        }
    }

    fn write(&mut self, register: usize, value: u32) {
        assert!(self.busy == 0 || self.broken != Broken::Nothing, "a write while it is busy");
        match register {
            CONFIG => self.config = value,
            ERASE => {
                self.erased += 1;
                assert!(self.config == 2 && (value as usize).is_multiple_of(PAGE));
                self.words.range_mut(value as usize..value as usize + PAGE).for_each(|(_, word)| *word = u32::MAX);
                // longer than one wait of many reads
                self.busy = 1_000_000;
            }
            at => {
                assert_eq!(self.config, 1, "a word outside of writing");
                let stays = if self.broken == Broken::Bit { 1 << 9 } else { 0 };
                *self.words.get_mut(&at).expect("a word of the flash") &= value | stays;
                self.busy = 3;
            }
        }
    }
}

/// Words of more than a page.
fn region() -> Vec<AtomicU32> {
    (0..300_u32).map(|i| AtomicU32::new(i.wrapping_mul(0x9e37_79b9))).collect()
}

#[test]
fn the_region_is_in_flash_and_nothing_beside_its_pages_is_touched() {
    let (mut flash, region) = (Model::new(Broken::Nothing), region());
    copy(&mut flash, 0x8000, &region).unwrap();
    // what stands there is not erased for the same once more
    flash.erased = 0;
    copy(&mut flash, 0x8000, &region).unwrap();
    assert_eq!((flash.config, flash.erased), (0, 0));
    for (at, word) in flash.words {
        let expected = match (at - 0x8000) / 4 {
            i if i < region.len() => (i as u32).wrapping_mul(0x9e37_79b9),
            i if i < 2 * PAGE / 4 => u32::MAX,
            _ => 0x1234_5678,
        };
        assert_eq!(word, expected, "{at:#x}");
    }
}

#[test]
fn what_does_not_come_about_is_said_and_the_flash_can_be_read() {
    for (broken, to, said) in [
        (Broken::Erasing, 0x8000, "a page is not erased"),
        (Broken::Writing, 0x8000, "a word is not written"),
        (Broken::Bit, 0x8000, "the flash does not hold what was written"),
        (Broken::Nothing, 0x8004, "`keep=` names no beginning of a page"),
    ] {
        let mut flash = Model::new(broken);
        assert_eq!(copy(&mut flash, to, &region()), Err(said));
        assert_eq!(flash.config, 0, "{said}");
    }
}
