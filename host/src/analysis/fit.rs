//! What a fixed kernel leaves open of a prediction, in words.

use ntkscope_core::predict::Fit;

use crate::words::number;

/// Of what was to be learned, the share that counts as nothing: half of a double's digits.
const NOTHING: f64 = 1e-8;
/// The least digits that pass without a word.
const DIGITS: f64 = 6.0;

/// What has to be said of predictions from targets of so many `numbers`, n C: that some of them cannot be met, that
/// digits are lost.
pub fn cautions(fit: &Fit<f64>, numbers: usize) -> Vec<String> {
    let mut said = Vec::new();
    if fit.unmet() > NOTHING {
        said.push(format!(
            "the training kernel is singular (in {} of {numbers} directions), and {} % of the norm of the targets lies in \
             its null space: they cannot be fitted exactly, and the closest attainable outputs are predicted",
            fit.unreached,
            number(100.0 * fit.unmet())
        ));
    }
    let digits = -fit.unknown(numbers).log10();
    if digits < DIGITS {
        said.push(format!(
            "the training kernel is so ill-conditioned that only about {:.0} digits of the predictions are reliable: \
             nearly equal samples have different targets; remove some of them, or give `penalty`",
            digits.max(0.0)
        ));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::HostReal;
    use ntkscope_core::MatRef;
    use ntkscope_core::predict::{Smoother, Training, smoother_len};

    fn said(gap: f64, targets: [f64; 2]) -> Vec<String> {
        let (kernel, mut buffer) = ([1.0, 1.0 - gap, 1.0 - gap, 1.0], [0.0; smoother_len(2)]);
        let kernel = MatRef::new(&kernel, 2, 2).unwrap();
        let smoother = Smoother::new(f64::fast(), kernel, Training::Flow(f64::INFINITY), &mut buffer).unwrap();
        let targets = MatRef::new(&targets, 2, 1).unwrap();
        cautions(&smoother.fit(f64::fast(), targets, &mut [0.0; 2]).unwrap(), 2)
    }

    #[test]
    fn contradictions_are_told() {
        assert_eq!(said(0.5, [1.0, -1.0]), [""; 0]);
        assert_eq!(said(1e-12, [1.0, 1.0]), [""; 0], "nothing is asked of the small eigenvalue");
        let lost = said(1e-12, [1.0, -1.0]);
        assert!(lost.len() == 1 && lost[0].contains("about 3 digits"), "{lost:?}");
        assert_eq!(said(0.0, [0.5, 0.5]), [""; 0]);
        let unmet = said(0.0, [1.0, -1.0]);
        assert!(
            unmet.len() == 1 && unmet[0].contains("in 1 of 2 directions") && unmet[0].contains("100 %"),
            "{unmet:?}"
        );
    }
}
