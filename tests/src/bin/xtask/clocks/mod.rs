//! The firmware's set-up of clocks, on models of the chips' registers: no board is at hand, and QEMU has none of them.

use std::collections::BTreeMap;

use crate::{
    clock::{Clock, Rate, set_up},
    registers::Registers,
};

mod rp2350;
mod stm32h7;

/// Registers after a reset; what they answer to a write comes after a few reads.
struct Bank {
    words: BTreeMap<usize, u32>,
    reads: u64,
    since: u64,
}

impl Bank {
    fn new(words: impl IntoIterator<Item = (usize, u32)>) -> Self {
        Self { words: words.into_iter().collect(), reads: 0, since: 0 }
    }

    fn word(&mut self, register: usize) -> &mut u32 {
        self.words.get_mut(&register).expect("a register of the clock")
    }

    /// Counts a read, and says whether the answer to the last write has come.
    fn is_late(&mut self) -> bool {
        self.reads += 1;
        self.reads > self.since + 20
    }
}

/// That the set-up ends as it was before, within a bound of reads, and says why.
fn assert_as_before(rate: Rate, mhz: Option<u32>, said: &'static str, reads: u64) {
    assert_eq!(rate, Rate { mhz, said: Err(said) });
    assert!(reads < 300_000, "{said}: {reads} reads");
}

const CR: usize = 0x4002_3800;
const PLLCFGR: usize = 0x4002_3804;
const CFGR: usize = 0x4002_3808;
const ACR: usize = 0x4002_3c00;

/// What does not work.
#[derive(Clone, Copy, PartialEq)]
enum Broken {
    Nothing,
    Flash,
    Pll,
    Switch,
    /// Somebody has set it up.
    Before,
}

/// After a reset: RCC_CR, RCC_PLLCFGR, RCC_CFGR, FLASH_ACR. It answers after a few reads.
struct Model {
    broken: Broken,
    reads: u64,
    since: u64,
    words: [u32; 4],
}

impl Model {
    fn new(broken: Broken) -> Self {
        let before = if broken == Broken::Before { 3 << 24 } else { 0 };
        Self { broken, reads: 0, since: 0, words: [0x83 | before, 0x2400_3010, 0, 0] }
    }

    fn index(register: usize) -> usize {
        [CR, PLLCFGR, CFGR, ACR].iter().position(|known| *known == register).expect("a register of the clock")
    }

    /// MHz of the core, and of the buses; in range, whenever something was written.
    fn check(&self) -> [f64; 3] {
        let [cr, pll, cfgr, acr] = self.words;
        let (m, n, p) = (pll & 63, pll >> 6 & 511, 2 * (pll >> 16 & 3) + 2);
        let input = 16.0 / f64::from(m);
        let vco = input * f64::from(n);
        let by_pll = cfgr & 3 == 2;
        if cr & 1 << 24 != 0 {
            assert!((1.0..=2.0).contains(&input) && (100.0..=432.0).contains(&vco) && pll & 1 << 22 == 0);
            assert!((2..=15).contains(&(pll >> 24 & 15)) && pll >> 28 == 2, "Q, and what is reserved on the F407");
        }
        assert!(!by_pll || self.broken == Broken::Switch || cr >> 24 & 3 == 3, "a PLL that is not ready");
        let core = if by_pll { vco / f64::from(p) } else { 16.0 };
        let divided = |code: u32| core / f64::from(if code < 4 { 1 } else { 2 << (code - 4) });
        let buses = [divided(cfgr >> 10 & 7), divided(cfgr >> 13 & 7)];
        assert!(core <= 168.0 && buses[0] <= 42.0 && buses[1] <= 84.0, "{core} {buses:?}");
        // 30 MHz for each wait state
        assert!(core <= 30.0 * f64::from(1 + (acr & 7)), "{core} MHz with {acr:#x}");
        assert!(acr & 1 << 8 == 0, "the prefetch");
        [core, buses[0], buses[1]]
    }
}

impl Registers for Model {
    fn read(&mut self, register: usize) -> u32 {
        self.reads += 1;
        let late = self.reads > self.since + 20;
        if late && self.broken != Broken::Pll {
            self.words[0] = self.words[0] & !(1 << 25) | (self.words[0] >> 24 & 1) << 25;
        }
        if late && self.broken != Broken::Switch {
            self.words[2] = self.words[2] & !12 | (self.words[2] & 3) << 2;
        }
        self.words[Self::index(register)]
    }

    fn write(&mut self, register: usize, value: u32) {
        assert!(register != PLLCFGR || self.words[0] & 1 << 24 == 0, "the PLL's numbers while it runs");
        self.since = self.reads;
        if register != ACR || self.broken != Broken::Flash {
            self.words[Self::index(register)] = value;
        }
        self.check();
    }
}

#[test]
fn an_stm32f4_goes_to_168_mhz_and_every_frequency_is_in_its_range_on_the_way() {
    let mut model = Model::new(Broken::Nothing);
    let rate = set_up(&Clock::Stm32f4, &mut model);
    assert!(rate.mhz == Some(168) && rate.said.unwrap().starts_with("168 MHz"));
    assert_eq!(model.check(), [168.0, 42.0, 84.0]);
    assert_eq!(model.words[3], 5 | 1 << 9 | 1 << 10);
}

#[test]
fn what_does_not_come_is_said_within_a_bound_and_the_core_stays_as_it_was() {
    let cases = [
        (Broken::Flash, Some(16), "the flash does not take its wait states: 16 MHz"),
        (Broken::Pll, Some(16), "the PLL does not lock: 16 MHz"),
        (Broken::Switch, Some(16), "the core does not change over to the PLL: 16 MHz"),
        (Broken::Before, None, "the clock was set up before: it is left as it is"),
    ];
    for (broken, mhz, said) in cases {
        let mut model = Model::new(broken);
        assert_as_before(set_up(&Clock::Stm32f4, &mut model), mhz, said, model.reads);
        assert_eq!(model.check()[0], 16.0, "{said}");
    }
}

#[test]
fn an_nrf52_gets_the_cache_of_its_flash() {
    struct Cache(Option<(usize, u32)>);
    impl Registers for Cache {
        fn read(&mut self, _: usize) -> u32 {
            unreachable!("nothing is waited for")
        }
        fn write(&mut self, register: usize, value: u32) {
            assert_eq!(self.0.replace((register, value)), None);
        }
    }
    let mut cache = Cache(None);
    assert_eq!(set_up(&Clock::Nrf52, &mut cache).mhz, Some(64));
    assert_eq!(cache.0, Some((0x4001_e000 + 0x540, 1)));
}
