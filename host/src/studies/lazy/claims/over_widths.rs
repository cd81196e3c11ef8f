//! B4 over widths: how ensembles come nearer to their law, and why their mean is off.

use super::ensembles::squared_covariance_offset;
use super::judged_ensemble::{JACKKNIFE, JudgedEnsemble, mean};
use crate::analysis::statistics::{Estimate, line};
use crate::experiment::Init;
use crate::report::{Kind, number};
use crate::study::claim::{Claim, Failing, Subject, Theory, UNEXPLAINED};
use crate::study::judge::Measured;

/// Ensembles that differ in nothing but their width, narrow to wide.
pub type OverWidths = Vec<JudgedEnsemble>;

/// The mean of what trained networks are beyond their linearizations, along the law's mean and as a share of it:
/// `sum_i (mean_i f - k) mean_i / sum_i mean_i^2`. Paired, so that the scatter of f_0 and of K_0 does not enter.
pub fn bias(ensemble: &JudgedEnsemble) -> Vec<f64> {
    let law = &ensemble.law.mean;
    let square: f64 = law.iter().map(|mean| mean * mean).sum();
    ensemble.beyond(|columns| columns.iter().zip(law).map(|(column, law)| mean(column) * law).sum::<f64>() / square)
}

/// What is to fall with the width like a power of it.
#[derive(Clone, Copy)]
enum Falling {
    /// a number with one sign at all widths
    Number,
    /// a distance by its square, whose estimate may be below 0
    DistanceBySquare,
}

/// Slopes of the logarithm of a number against ln m, see [`slopes_of`].
fn slopes(all: &OverWidths, of: impl Fn(&JudgedEnsemble) -> Vec<f64>, falling: Falling) -> Measured {
    let Some(first) = all.first() else { return Measured::Nothing("there are no ensembles".into()) };
    let by_width: Vec<(usize, Vec<f64>)> =
        all.iter().map(|ensemble| (ensemble.ensemble.width(), of(ensemble))).collect();
    match slopes_of(&by_width, falling) {
        Ok(slopes) => first.of_groups(slopes),
        Err(why) => Measured::Nothing(why.into()),
    }
}

/// Slopes of ln|number| against ln m, of a square half of that, one for every group of networks, from the groups' values
/// at every width. Or why there are none: at every width the number is to be farther from 0 than two standard errors, a
/// square above it, any other on the side of 0 on which it is at the other widths.
fn slopes_of(by_width: &[(usize, Vec<f64>)], falling: Falling) -> Result<Vec<f64>, &'static str> {
    if by_width.len() < 2 {
        return Err("there is one width");
    }
    let estimates: Option<Vec<Estimate>> = by_width.iter().map(|(_, values)| Estimate::from_values(values)).collect();
    let estimates = estimates.ok_or("not every value is a finite number")?;
    if !estimates.iter().all(|estimate| estimate.value.abs() > 2.0 * estimate.error_or_0()) {
        return Err("at a width it is 0 to within two standard errors");
    }
    let below = estimates.iter().filter(|estimate| estimate.value < 0.0).count();
    let power = match falling {
        Falling::Number if below == 0 || below == estimates.len() => 1.0,
        Falling::Number => return Err("it changes its sign between widths"),
        Falling::DistanceBySquare if below == 0 => 2.0,
        Falling::DistanceBySquare => return Err("at a width the estimate of its square is below 0"),
    };
    // by the derivative of the logarithm: a group's pseudo-value may have either sign
    let groups = by_width.iter().map(|(_, values)| values.len()).min().unwrap_or(0);
    let slope = |group: usize| {
        let log = |((width, values), estimate): (&(usize, Vec<f64>), &Estimate)| {
            let value = estimate.value.abs().ln() + (values[group] - estimate.value) / estimate.value;
            ((*width as f64).ln(), value / power)
        };
        Some(line(&by_width.iter().zip(&estimates).map(log).collect::<Vec<_>>())?.0)
    };
    (0..groups).map(slope).collect::<Option<Vec<f64>>>().ok_or("there is one width")
}

fn at_widths(all: &OverWidths, of: impl Fn(&JudgedEnsemble) -> Vec<f64>) -> String {
    let one = |ensemble: &JudgedEnsemble| {
        let estimate = Estimate::from_values(&of(ensemble));
        let value = estimate
            .map_or("none".into(), |e| format!("{} ± {}", number(e.value), number(e.error.unwrap_or(f64::NAN))));
        format!("{}: {value}", ensemble.ensemble.width())
    };
    all.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn subject(all: &OverWidths) -> Subject {
    let Some(first) = all.first() else { return Subject::default() };
    let network = format!("{}; ensembles of {}", first.network(), first.ensemble.networks);
    Subject { network, ..first.subject() }
}

/// Of ReLU networks.
pub(super) static BIAS_OF_KINKS: &[Claim<OverWidths>] = &[bias_decays(
    "derived: kinks that pass a sample, a share of the units like m^{−1/2}",
    |_| Some(Theory::number(-0.5).said("−1/2").within(0.25, SMALL)),
    Failing {
        above: "a unit moves by |θ_{T} − θ_{0}|/m^{1/2}, which turns kinks by several degrees at these widths: not yet a small part of \
                the distance between samples, below which the bias is in proportion to it",
        ..UNEXPLAINED
    },
)];

/// Of networks without kinks.
pub(super) static BIAS_OF_SMOOTH: &[Claim<OverWidths>] = &[bias_decays(
    "derived: the drift of the kernel, 1/m",
    |_| Some(Theory::number(-1.0).said("−1").within(0.25, SMALL)),
    Failing {
        above: "terms of higher order in the movement of a unit are not yet small at these widths",
        ..UNEXPLAINED
    },
)];

const SMALL: &str = "small widths; the alternative is a bias that does not decay, 0";

const fn bias_decays(
    place: &'static str,
    theory: fn(&OverWidths) -> Option<Theory>,
    failing: Failing,
) -> Claim<OverWidths> {
    Claim {
        name: "B4 bias of trained networks decays with width",
        place,
        kind: Kind::Claim,
        about: subject,
        measure: |all| slopes(all, bias, Falling::Number),
        theory,
        note: |all| {
            format!(
                "slope against ln m of the logarithm of the bias: the mean over networks of f_{{T}} less the limit of the network's own \
                 linearization, along the mean of the law and as a share of it; ± a standard error, at each width: {}; {JACKKNIFE}",
                at_widths(all, bias)
            )
        },
        failing,
    }
}

/// Ensembles that start from their own outputs.
pub(super) static SPREAD: &[Claim<OverWidths>] = &[Claim {
    name: "B4 the covariance comes nearer to the law with width",
    place: "derived: as K_{0} to the NTK, and the drift",
    kind: Kind::Claim,
    about: subject,
    measure: |all| slopes(all, apart, Falling::DistanceBySquare),
    theory: |all| {
        let standard = all.first()?.ensemble.first.init == Init::Standard;
        let words = "−1 (as the drift, and the variance of K_{0}) to −1/2 (as its spread)";
        let theory = Theory::between(-1.0, -0.5).said(words);
        standard.then(|| theory.within(0.25, "small widths; the alternative is a distance that does not decay, 0"))
    },
    note: |all| {
        format!(
            "slope against ln m of the logarithm of the covariance's distance from the law's; its square, as in the rows of one width: {}; \
             {JACKKNIFE}",
            at_widths(all, apart)
        )
    },
    failing: UNEXPLAINED,
}];

fn apart(ensemble: &JudgedEnsemble) -> Vec<f64> {
    squared_covariance_offset(ensemble).values().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups of networks whose mean is the number of each of these widths, a hundredth of it to either side.
    fn of_numbers(numbers: &[(usize, f64)]) -> Vec<(usize, Vec<f64>)> {
        numbers.iter().map(|(width, number)| (*width, vec![0.99 * number, 1.01 * number])).collect()
    }

    fn slope(numbers: &[(usize, f64)], falling: Falling) -> Result<f64, &'static str> {
        slopes_of(&of_numbers(numbers), falling).map(|slopes| slopes.iter().sum::<f64>() / slopes.len() as f64)
    }

    #[test]
    fn a_power_law_has_one_sign() {
        use Falling::{DistanceBySquare, Number};
        for sign in [1.0, -1.0] {
            let found = slope(&[(64, sign * 0.08), (256, sign * 0.04), (1024, sign * 0.02)], Number).unwrap();
            assert!((found + 0.5).abs() < 1e-12, "{found}");
        }
        let changes = [(64, 0.0205), (128, -0.0299), (256, -0.0442)];
        assert_eq!(slope(&changes, Number), Err("it changes its sign between widths"));
        // a square that falls like 1/m is that of a distance that falls like its root
        let found = slope(&[(64, 0.08), (256, 0.02)], DistanceBySquare).unwrap();
        assert!((found + 0.5).abs() < 1e-12, "{found}");
        for squares in [[(64, 0.08), (256, -0.02)], [(64, -0.08), (256, -0.02)]] {
            assert_eq!(slope(&squares, DistanceBySquare), Err("at a width the estimate of its square is below 0"));
        }
    }

    #[test]
    fn what_may_be_0_has_no_slope() {
        use Falling::{DistanceBySquare, Number};
        let mut numbers = of_numbers(&[(64, 0.08), (256, 0.04)]);
        assert_eq!(slopes_of(&numbers[..1], Number), Err("there is one width"));
        for values in [vec![0.03, -0.01], vec![-0.03, 0.01]] {
            numbers[1].1 = values;
            for falling in [Number, DistanceBySquare] {
                assert_eq!(slopes_of(&numbers, falling), Err("at a width it is 0 to within two standard errors"));
            }
        }
        numbers[1].1 = vec![0.03, f64::NAN];
        assert_eq!(slopes_of(&numbers, Number), Err("not every value is a finite number"));
    }
}
