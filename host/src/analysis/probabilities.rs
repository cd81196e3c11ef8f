//! Class probabilities of Gaussian logits.

use ntkscope_core::Error;
use ntkscope_core::init::Normals;
use ntkscope_core::loss::{sigmoid, softmax};

/// Draws for probabilities of several classes.
const DRAWS: usize = 4000;

/// E[probability of every class] `(m, K)`, K = 2 for one output: the law's Gaussian logits through the loss's link. Several
/// classes are drawn independently, from seed 0, each with its own deviation.
///
/// # Errors
/// Lengths that differ.
pub fn probabilities(outputs: usize, mean: &[f64], deviation: &[f64]) -> Result<Vec<f64>, Error> {
    if outputs == 1 {
        // each by itself: the complement of a probability near 1 has few digits
        let p = mean.iter().zip(deviation).flat_map(|(m, d)| [expected_sigmoid(-m, *d), expected_sigmoid(*m, *d)]);
        return Ok(p.collect());
    }
    let mut normals = Normals::new(0);
    let mut all = Vec::with_capacity(mean.len());
    for (mean, deviation) in mean.chunks_exact(outputs).zip(deviation.chunks_exact(outputs)) {
        let certain = deviation.iter().all(|d| *d == 0.0);
        let draws = if certain { 1 } else { DRAWS };
        let (mut sum, mut p) = (vec![0.0; outputs], vec![0.0; outputs]);
        for _ in 0..draws {
            let f: Vec<f64> =
                mean.iter().zip(deviation).map(|(m, d)| m + if certain { 0.0 } else { d * normals.draw() }).collect();
            softmax(&f, &mut p)?;
            sum.iter_mut().zip(&p).for_each(|(sum, p)| *sum += p / draws as f64);
        }
        all.extend(sum);
    }
    Ok(all)
}

/// E[1/(1 + e^-f)], f ~ N(mean, deviation^2), by the trapezoidal rule, which converges exponentially here.
fn expected_sigmoid(mean: f64, deviation: f64) -> f64 {
    if deviation == 0.0 {
        return sigmoid(mean);
    }
    const REACH: i32 = 120;
    let (mut sum, mut total) = (0.0, 0.0);
    for k in -REACH..=REACH {
        let z = f64::from(k) * 8.0 / f64::from(REACH);
        let weight = (-0.5 * z * z).exp();
        sum += weight * sigmoid(mean + deviation * z);
        total += weight;
    }
    sum / total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expected_probabilities() {
        assert!((expected_sigmoid(0.0, 3.0) - 0.5).abs() < 1e-15);
        assert!((expected_sigmoid(2.0, 0.0) - 1.0 / (1.0 + (-2.0f64).exp())).abs() < 1e-15);
        // probit approximation of the same integral, good to 0.01 or so
        let kappa = 1.0 / (1.0 + std::f64::consts::PI / 8.0 * 4.0f64).sqrt();
        assert!((expected_sigmoid(1.5, 2.0) - 1.0 / (1.0 + (-1.5 * kappa).exp())).abs() < 0.02);
        let p = probabilities(3, &[1.0, 0.0, -1.0], &[0.0; 3]).unwrap();
        let total = 1f64.exp() + 1.0 + (-1f64).exp();
        assert!((p[0] - 1f64.exp() / total).abs() < 1e-15 && (p.iter().sum::<f64>() - 1.0).abs() < 1e-15);
        let rare = probabilities(1, &[40.0], &[0.5]).unwrap();
        assert!((rare[0] / (-40.0f64 + 0.125).exp() - 1.0).abs() < 1e-12 && rare[1] == 1.0, "{rare:?}");
        let spread = probabilities(3, &[1.0, 0.0, -1.0], &[2.0; 3]).unwrap();
        assert!(spread[0] < p[0] && (spread.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{spread:?}");
    }
}
