use super::{Bank, assert_as_before};
use crate::{
    clock::{Clock, set_up},
    registers::Registers,
};

const PWR: usize = 0x5802_4800;
const RCC: usize = 0x5802_4400;
const ACR: usize = 0x5200_2000;
const CCR: usize = 0xe000_ed14;
const AXI_SRAM: usize = 0x5100_8108;

/// What does not work.
#[derive(Clone, Copy, PartialEq)]
enum Broken {
    Nothing,
    Supply,
    Voltage,
    Flash,
    Pll,
    Switch,
    Before,
}

/// After a reset. It answers after a few reads.
struct Model {
    broken: Broken,
    bank: Bank,
}

impl Model {
    fn new(broken: Broken) -> Self {
        let before = if broken == Broken::Before { 3 << 24 } else { 0 };
        // PWR: CSR1, CR3, D3CR; RCC: CR, CFGR, D1CFGR to D3CFGR, PLLCKSELR, PLLCFGR, PLL1DIVR
        let words = [
            (PWR + 0x04, 1 << 14),
            (PWR + 0x0c, 0b110),
            (PWR + 0x18, 1 << 14),
            (RCC, 0x25 | before),
            (RCC + 0x10, 0),
            (RCC + 0x18, 0),
            (RCC + 0x1c, 0),
            (RCC + 0x20, 0),
            (RCC + 0x28, 0x0202_0200),
            (RCC + 0x2c, 0x01ff_0000),
            (RCC + 0x30, 0x0101_0280),
            (ACR, 0x37),
            (CCR, 0x0004_0200),
            (0xe000_ef50, 0),
            (AXI_SRAM, 0),
        ];
        Self { broken, bank: Bank::new(words) }
    }

    fn word(&mut self, register: usize) -> &mut u32 {
        self.bank.word(register)
    }

    /// MHz of the core, of the buses that carry data, and of the four of peripherals; each in its range, whenever something was
    /// written.
    fn check(&mut self) -> [f64; 6] {
        let [cr, cfgr, d1, d2, d3, select, config, dividers] =
            [0, 0x10, 0x18, 0x1c, 0x20, 0x28, 0x2c, 0x30].map(|offset| *self.word(RCC + offset));
        let (acr, voltage) = (*self.word(ACR), *self.word(PWR + 0x18));
        let input = 64.0 / f64::from(select >> 4 & 63);
        let vco = input * f64::from((dividers & 511) + 1);
        let by_pll = cfgr & 7 == 3;
        if cr & 1 << 24 != 0 && self.broken != Broken::Before {
            assert!(select & 3 == 0 && (8.0..=16.0).contains(&input) && config & 0b1111 == 3 << 2);
            assert!((192.0..=836.0).contains(&vco) && config & 1 << 16 != 0, "{vco}");
        }
        let p = (dividers >> 9 & 127) + 1;
        assert!(p == 1 || p.is_multiple_of(2));
        assert!(!by_pll || self.broken == Broken::Switch || cr >> 24 & 3 == 3, "a PLL that is not ready");
        let core = if by_pll { vco / f64::from(p) } else { 64.0 };
        let wide = |code: u32| if code < 8 { 1.0 } else { [2.0, 4.0, 8.0, 16.0][code as usize - 8] };
        let narrow = |code: u32| if code < 4 { 1.0 } else { f64::from(2 << (code - 4)) };
        assert_eq!(d1 >> 8 & 15, 0, "the core's own divider");
        let bus = core / wide(d1 & 15);
        let peripherals = [d1 >> 4 & 7, d2 >> 4 & 7, d2 >> 8 & 7, d3 >> 4 & 7].map(|code| bus / narrow(code));
        // scales 3 and 1: MHz of the core, of the buses and of the peripherals, and of the flash for each wait state
        let (limits, step) = match voltage >> 14 & 3 {
            1 => ([200.0, 100.0, 50.0], 45.0),
            3 => ([400.0, 200.0, 100.0], 70.0),
            other => panic!("the voltage {other}"),
        };
        assert!(core <= limits[0] && bus <= limits[1], "{core} {bus}");
        assert!(peripherals.iter().all(|rate| *rate <= limits[2].max(64.0)), "{peripherals:?}");
        assert!(!by_pll || voltage & 1 << 13 != 0, "a voltage that is not ready");
        let needed = if bus > 185.0 { 2 } else { u32::from(bus > 70.0) };
        assert!(bus <= step * f64::from(1 + (acr & 15)) && acr >> 4 & 3 >= needed, "{bus} MHz with {acr:#x}");
        let [a, b, c, d] = peripherals;
        [core, bus, a, b, c, d]
    }
}

impl Registers for Model {
    fn read(&mut self, register: usize) -> u32 {
        if self.bank.is_late() {
            let broken = self.broken;
            if broken != Broken::Supply {
                *self.word(PWR + 0x04) |= 1 << 13;
            }
            if broken != Broken::Voltage {
                *self.word(PWR + 0x18) |= 1 << 13;
            }
            if broken != Broken::Pll {
                let cr = *self.word(RCC);
                *self.word(RCC) = cr & !(1 << 25) | (cr >> 24 & 1) << 25;
            }
            if broken != Broken::Switch {
                let cfgr = *self.word(RCC + 0x10);
                *self.word(RCC + 0x10) = cfgr & !(7 << 3) | (cfgr & 7) << 3;
            }
        }
        *self.word(register)
    }

    fn write(&mut self, register: usize, value: u32) {
        let pll = [0x28, 0x2c, 0x30].map(|offset| RCC + offset);
        assert!(!pll.contains(&register) || *self.word(RCC) & 1 << 24 == 0, "the PLL's numbers while it runs");
        let is_supplied = *self.word(PWR + 0x04) & 1 << 13 != 0;
        assert!(register != PWR + 0x18 || is_supplied, "the voltage before the supply");
        self.bank.since = self.bank.reads;
        if register != ACR || self.broken != Broken::Flash {
            *self.word(register) = value;
        }
        self.check();
    }
}

#[test]
fn it_goes_to_400_mhz_and_every_frequency_is_in_its_range_on_the_way() {
    let mut model = Model::new(Broken::Nothing);
    let rate = set_up(&Clock::Stm32h7, &mut model);
    assert!(rate.mhz == Some(400) && rate.said.unwrap().starts_with("400 MHz"));
    assert_eq!(model.check(), [400.0, 200.0, 100.0, 100.0, 100.0, 100.0]);
    assert_eq!((*model.word(ACR), *model.word(CCR)), (0x22, 0x0004_0200 | 1 << 17));
}

#[test]
fn what_does_not_come_is_said_and_the_core_stays_as_it_was() {
    let cases = [
        (Broken::Supply, Some(64), "the supply is not as the board has it: 64 MHz"),
        (Broken::Voltage, Some(64), "the voltage does not come up: 64 MHz"),
        (Broken::Flash, Some(64), "the flash does not take its wait states: 64 MHz"),
        (Broken::Pll, Some(64), "the PLL does not lock: 64 MHz"),
        (Broken::Switch, Some(64), "the core does not change over to the PLL: 64 MHz"),
        (Broken::Before, None, "the clock was set up before: it is left as it is"),
    ];
    for (broken, mhz, said) in cases {
        let mut model = Model::new(broken);
        assert_as_before(set_up(&Clock::Stm32h7, &mut model), mhz, said, model.bank.reads);
        assert_eq!(model.check(), [64.0; 6], "{said}");
        assert_eq!(*model.word(AXI_SRAM), 1, "the erratum of the first revision");
    }
}
