//! How well predictive distributions foretell the labels of two classes.

use crate::analysis::statistics::normal_density;

/// A predictive distribution, as it did on every image held out.
pub(super) struct Predicted {
    pub name: &'static str,
    /// ln of the probability, or density, of the label
    pub log_likelihood: Vec<f64>,
    /// expected calibration error of the probability of class 1, ten bins; `None` of densities
    pub calibration: Option<f64>,
    /// share of images whose label is foretold
    pub accuracy: f64,
}

/// Mean over ten bins of the probability of class 1, weighted by their images, of |mean probability - share of class 1|.
fn calibration_error(p: &[f64], labels: &[bool]) -> f64 {
    let mut bins = [(0.0, 0.0); 10];
    for (p, label) in p.iter().zip(labels) {
        let bin = &mut bins[((10.0 * p) as usize).min(9)];
        bin.0 += p;
        bin.1 += f64::from(u8::from(*label));
    }
    bins.iter().map(|(p, share)| (p - share).abs()).sum::<f64>() / p.len() as f64
}

pub(super) fn of_probabilities(name: &'static str, p: &[f64], labels: &[bool]) -> Predicted {
    let of_label = |(p, label): (&f64, &bool)| if *label { p.ln() } else { (-p).ln_1p() };
    let right = p.iter().zip(labels).filter(|(p, label)| (**p > 0.5) == **label).count();
    Predicted {
        name,
        log_likelihood: p.iter().zip(labels).map(of_label).collect(),
        calibration: Some(calibration_error(p, labels)),
        accuracy: right as f64 / labels.len() as f64,
    }
}

/// The mean over several distributions of what each does by itself.
pub(super) fn on_average(name: &'static str, all: &[Predicted]) -> Predicted {
    let count = all.len() as f64;
    let mean = |of: &dyn Fn(&Predicted) -> f64| all.iter().map(of).sum::<f64>() / count;
    let images = all.first().map_or(0, |first| first.log_likelihood.len());
    Predicted {
        name,
        log_likelihood: (0..images).map(|i| mean(&|one| one.log_likelihood[i])).collect(),
        calibration: Some(mean(&|one| one.calibration.unwrap_or(f64::NAN))),
        accuracy: mean(&|one| one.accuracy),
    }
}

/// Gaussian predictions of the targets -1 and +1.
pub(super) fn of_gaussians(name: &'static str, mean: &[f64], sd: &[f64], labels: &[bool]) -> Predicted {
    let target = |label: &bool| if *label { 1.0 } else { -1.0 };
    let of = |((mean, sd), label): ((&f64, &f64), &bool)| (normal_density((target(label) - mean) / sd) / sd).ln();
    let right = mean.iter().zip(labels).filter(|(mean, label)| (**mean > 0.0) == **label).count();
    Predicted {
        name,
        log_likelihood: mean.iter().zip(sd).zip(labels).map(of).collect(),
        calibration: None,
        accuracy: right as f64 / labels.len() as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_of_predictions() {
        let labels = [true, true, false, false];
        let p = [0.75, 0.75, 0.25, 0.75];
        let predicted = of_probabilities("p", &p, &labels);
        assert_eq!(predicted.accuracy, 0.75);
        let sum: f64 = predicted.log_likelihood.iter().sum();
        assert!((sum - (3.0 * 0.75f64.ln() + 0.25f64.ln())).abs() < 1e-15);
        // three at 0.75 of which two are of class 1, one at 0.25 which is not
        assert!((predicted.calibration.unwrap() - 0.5 / 4.0).abs() < 1e-15);
        // N(0, 1) at 1
        let gaussian = of_gaussians("g", &[0.0], &[1.0], &[true]);
        assert!((gaussian.log_likelihood[0] + 0.5 + 0.918_938_533_204_672_7).abs() < 1e-12);
        let both = on_average("s", &[predicted, of_probabilities("s", &[0.5; 4], &labels)]);
        assert!((both.log_likelihood[0] - 0.5 * (0.75f64.ln() + 0.5f64.ln())).abs() < 1e-15);
    }
}
