use super::{Bank, assert_as_before};
use crate::{
    clock::{Clock, set_up},
    registers::Registers,
};

const REFERENCE: usize = 0x4001_0030;
const SYSTEM: usize = 0x4001_003c;
const RESETS: usize = 0x4002_0000;
const CRYSTAL: usize = 0x4004_8000;
const PLL: usize = 0x4005_0000;

/// What does not work.
#[derive(Clone, Copy, PartialEq)]
enum Broken {
    Nothing,
    System,
    Crystal,
    Reference,
    Reset,
    Pll,
    Switch,
    Before,
}

/// As the boot ROM leaves it, at the ring oscillator, by way of the other source of the core's clock. It answers after a few reads.
struct Model {
    broken: Broken,
    bank: Bank,
}

impl Model {
    fn new(broken: Broken) -> Self {
        let pll = if broken == Broken::Before { 0 } else { 1 << 14 };
        // CTRL and SELECTED of both clocks; RESET, RESET_DONE; CTRL and STATUS of the crystal; CS, PWR, FBDIV_INT, PRIM of the PLL
        let words = [
            (REFERENCE, 0),
            (REFERENCE + 4, 2 << 16),
            (REFERENCE + 8, 1),
            (SYSTEM, 2 << 5 | 1),
            (SYSTEM + 8, 2),
            (RESETS, 1 << 28 | pll),
            (RESETS + 8, 0),
            (CRYSTAL, 0),
            (CRYSTAL + 4, 0),
            (PLL, 1),
            (PLL + 4, 0x2d),
            (PLL + 8, 0),
            (PLL + 12, 0x0007_7000),
        ];
        Self { broken, bank: Bank::new(words) }
    }

    fn word(&mut self, register: usize) -> &mut u32 {
        self.bank.word(register)
    }

    /// MHz of the core, where it is not the ring oscillator's; every clock that is chosen runs.
    fn check(&mut self) -> Option<f64> {
        let crystal = (*self.word(CRYSTAL + 4) >> 31 == 1).then_some(12.0);
        let [cs, power, feedback, dividers] = [0, 4, 8, 12].map(|offset| *self.word(PLL + offset));
        let is_out = *self.word(RESETS) & 1 << 14 == 0;
        let vco = 12.0 / f64::from(cs & 63) * f64::from(feedback);
        if is_out && power & 0x21 == 0 {
            assert!(crystal.is_some() && (16..=320).contains(&feedback) && (750.0..=1600.0).contains(&vco), "{vco}");
        }
        let (first, second) = (dividers >> 16 & 7, dividers >> 12 & 7);
        let pll = (cs >> 31 == 1 && power & 8 == 0).then(|| vco / f64::from(first * second));
        assert!(second <= first && pll.is_none_or(|rate| rate <= 150.0));
        let reference = match *self.word(REFERENCE) & 3 {
            0 => None,
            2 => Some(crystal.expect("a crystal that oscillates") / f64::from(*self.word(REFERENCE + 4) >> 16)),
            other => panic!("the reference {other}"),
        };
        let (system, broken) = (*self.word(SYSTEM), self.broken);
        match (system & 1, system >> 5 & 7) {
            (0, _) => reference,
            (1, 0) if broken == Broken::Switch => reference,
            (1, 0) => Some(pll.expect("a PLL that is ready")),
            (1, 2) => None,
            other => panic!("the core {other:?}"),
        }
    }
}

impl Registers for Model {
    fn read(&mut self, register: usize) -> u32 {
        if self.bank.is_late() {
            let broken = self.broken;
            if broken != Broken::Crystal && *self.word(CRYSTAL) == 0x00fa_baa0 {
                *self.word(CRYSTAL + 4) = 1 << 31;
            }
            if broken != Broken::Reference {
                *self.word(REFERENCE + 8) = 1 << (*self.word(REFERENCE) & 3);
            }
            let source = *self.word(SYSTEM) & 1;
            if broken != Broken::System && (broken != Broken::Switch || source == 0) {
                *self.word(SYSTEM + 8) = 1 << source;
            }
            if broken != Broken::Reset {
                *self.word(RESETS + 8) = !*self.word(RESETS);
            }
            if broken != Broken::Pll && *self.word(PLL + 4) & 0x21 == 0 {
                *self.word(PLL) |= 1 << 31;
            }
        }
        *self.word(register)
    }

    fn write(&mut self, register: usize, value: u32) {
        let is_pll = (PLL..PLL + 16).contains(&register);
        assert!(!is_pll || *self.word(RESETS + 8) & 1 << 14 != 0, "a PLL in its reset");
        let is_on = *self.word(PLL + 4) & 0x21 == 0;
        assert!(![PLL, PLL + 8].contains(&register) || !is_on, "the PLL's numbers while it runs");
        let moved = (*self.word(SYSTEM) ^ value) >> 5;
        let is_aside = *self.word(SYSTEM + 8) == 1;
        assert!(register != SYSTEM || moved == 0 || is_aside, "another source, of which the core goes by");
        self.bank.since = self.bank.reads;
        *self.word(register) = value;
        self.check();
    }
}

#[test]
fn it_goes_to_150_mhz_by_clocks_that_run() {
    let mut model = Model::new(Broken::Nothing);
    let rate = set_up(&Clock::Rp2350, &mut model);
    assert!(rate.mhz == Some(150) && rate.said.unwrap().starts_with("150 MHz"));
    assert_eq!(model.check(), Some(150.0));
}

#[test]
fn what_does_not_come_is_said_and_the_core_goes_on_by_a_clock_that_runs() {
    let cases = [
        (Broken::System, None, "the core does not change over to the reference: on as the boot ROM left it"),
        (Broken::Crystal, None, "the crystal does not oscillate: on by the ring oscillator"),
        (Broken::Reference, None, "the reference does not change over to the crystal: on by the ring oscillator"),
        (Broken::Reset, Some(12), "the PLL stays in its reset: 12 MHz"),
        (Broken::Pll, Some(12), "the PLL does not lock: 12 MHz"),
        (Broken::Switch, Some(12), "the core does not change over to the PLL: 12 MHz"),
        (Broken::Before, None, "the clock was set up before: it is left as it is"),
    ];
    for (broken, mhz, said) in cases {
        let mut model = Model::new(broken);
        assert_as_before(set_up(&Clock::Rp2350, &mut model), mhz, said, model.bank.reads);
        assert_eq!(model.check(), mhz.map(f64::from), "{said}");
    }
}
