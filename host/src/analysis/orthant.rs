//! The probability that every entry of a normal vector of mean 0 is positive.
//!
//! For correlations R of n entries, P_S being the probability of those in S alone,
//!
//! ```text
//! P_2 = 1/4 + asin(r_12)/(2 pi)
//! 2 P_n = 1 + sum over S, not empty, not all, of (-1)^|S| P_S                          n odd
//! P_n = 2^-n + int_0^1 sum_{i<j} r_ij / (2 pi sqrt(1 - t^2 r_ij^2)) P_{n-2}(t; ij) dt   n even
//! ```
//!
//! Odd n is inclusion and exclusion, since x and -x have the same law; n = 3 is Sheppard's 1/8 + (sum asin r_ij)/(4 pi). Even n is
//! Plackett's identity (1954) on the way from independent entries, correlations t R, to these: P_{n-2}(t; ij) is that of the
//! other entries given that i and j are 0. So n = 4 is an integral over one variable (Childs 1967), and n = 5 a sum of such.

use std::f64::consts::{FRAC_PI_2, PI};

use ntkscope_core::{Error, MatRef};

/// Most entries: beyond, the integrals would be nested.
pub const MOST_ENTRIES: usize = 5;

/// Nodes of the rule for integrals: twice as many move no digit beyond the twelfth.
const NODES: i32 = 64;

/// P(x_1 > 0, ..., x_n > 0) of x ~ N(0, S) for the covariance S `(n, n)`, of which the lower triangle is read.
///
/// # Errors
/// Shapes; n = 0 or above [`MOST_ENTRIES`]; a variance that is not positive, an entry that is not finite.
pub fn orthant_probability(covariance: MatRef<'_, f64>) -> Result<f64, Error> {
    let n = covariance.rows();
    Error::shape("covariance: columns", n, covariance.cols())?;
    if n == 0 || n > MOST_ENTRIES {
        return Err(Error::OutOfRange { what: "entries of an orthant", needs: "from 1 to 5", got: n as f64 });
    }
    for i in 0..n {
        let variance = covariance.at(i, i);
        if !(variance > 0.0 && variance.is_finite()) {
            return Err(Error::OutOfRange { what: "variance", needs: "positive and finite", got: variance });
        }
        if (0..i).any(|j| !covariance.at(i, j).is_finite()) {
            return Err(Error::NonFinite { what: "covariance" });
        }
    }
    Ok(of_correlations(&Correlations::of(n, |i, j| covariance.at(i, j))))
}

/// Correlations of n entries, symmetric, 1 on the diagonal.
#[derive(Clone)]
struct Correlations {
    n: usize,
    values: Vec<f64>,
}

impl Correlations {
    /// Those of a covariance, of which the lower triangle is asked for.
    fn of(n: usize, covariance: impl Fn(usize, usize) -> f64) -> Self {
        let mut values = vec![1.0; n * n];
        for i in 0..n {
            for j in 0..i {
                let scale = (covariance(i, i) * covariance(j, j)).sqrt();
                // what is given 0 and 0 may have no variance left, and then any correlation does
                let r = if scale > 0.0 { (covariance(i, j) / scale).clamp(-1.0, 1.0) } else { 0.0 };
                (values[i * n + j], values[j * n + i]) = (r, r);
            }
        }
        Self { n, values }
    }
    fn at(&self, i: usize, j: usize) -> f64 {
        self.values[i * self.n + j]
    }
    /// Those of some of the entries.
    fn among(&self, entries: &[usize]) -> Self {
        Self::of(entries.len(), |a, b| if a == b { 1.0 } else { self.at(entries[a], entries[b]) })
    }
    /// Of all entries but i and j given that both are 0, where all correlations are t times these.
    fn given(&self, [i, j]: [usize; 2], t: f64) -> Self {
        let others: Vec<usize> = (0..self.n).filter(|k| ![i, j].contains(k)).collect();
        let r = |a: usize, b: usize| if a == b { 1.0 } else { t * self.at(a, b) };
        let (rho, free) = (r(i, j), 1.0 - r(i, j) * r(i, j));
        let partial = |a: usize, b: usize| {
            let (k, l) = (others[a], others[b]);
            let [ki, kj, li, lj] = [r(k, i), r(k, j), r(l, i), r(l, j)];
            r(k, l) - (ki * li + kj * lj - rho * (ki * lj + kj * li)) / free
        };
        Self::of(others.len(), partial)
    }
}

fn of_correlations(r: &Correlations) -> f64 {
    match r.n {
        0 => 1.0,
        2 => 0.25 + r.at(1, 0).asin() / (2.0 * PI),
        n if n % 2 == 1 => {
            let parts = (1..(1usize << n) - 1).map(|subset| {
                let entries: Vec<usize> = (0..n).filter(|i| subset >> i & 1 == 1).collect();
                let sign = if entries.len().is_multiple_of(2) { 1.0 } else { -1.0 };
                sign * of_correlations(&r.among(&entries))
            });
            0.5 * (1.0 + parts.sum::<f64>())
        }
        n => {
            let pairs: Vec<[usize; 2]> = (0..n).flat_map(|i| (0..i).map(move |j| [i, j])).collect();
            let slope = |t: f64| {
                let of_pair = |pair: &[usize; 2]| {
                    let rho = r.at(pair[0], pair[1]);
                    let density = rho / (2.0 * PI * (1.0 - t * t * rho * rho).sqrt());
                    if rho == 0.0 { 0.0 } else { density * of_correlations(&r.given(*pair, t)) }
                };
                pairs.iter().map(of_pair).sum::<f64>()
            };
            0.5f64.powi(n as i32) + integral(slope)
        }
    }
}

/// The integral over [0, 1] of a function that may be steep at the ends, by the tanh-sinh rule (Takahasi, Mori 1974).
fn integral(f: impl Fn(f64) -> f64) -> f64 {
    const FARTHEST: f64 = 3.2;
    let step = FARTHEST / f64::from(NODES);
    let node = |k: i32| {
        let u = step * f64::from(k);
        let inner = FRAC_PI_2 * u.sinh();
        let weight = 0.5 * FRAC_PI_2 * u.cosh() / inner.cosh().powi(2);
        // 1/(1 + e^(-2 inner)) = (1 + tanh inner)/2, below 1 as far as f64 has it
        let t = 1.0 / (1.0 + (-2.0 * inner).exp());
        if t < 1.0 { weight * f(t) } else { 0.0 }
    };
    step * (-NODES..=NODES).map(node).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use ntkscope_core::init::Normals;

    use super::*;
    use crate::analysis::points::gaussian_draws;

    fn equal(n: usize, rho: f64) -> Vec<f64> {
        (0..n * n).map(|e| if e / n == e % n { 1.0 } else { rho }).collect()
    }
    fn of(covariance: &[f64]) -> f64 {
        let n = covariance.len().isqrt();
        orthant_probability(MatRef::new(covariance, n, n).unwrap()).unwrap()
    }

    /// n + 1 independent numbers, of which the last is the smallest with probability 1/(n + 1): their differences from it
    /// have correlations 1/2.
    #[test]
    fn equal_correlations_of_one_half() {
        for n in 1..=MOST_ENTRIES {
            assert!((of(&equal(n, 0.0)) - 0.5f64.powi(n as i32)).abs() < 1e-15, "{n}");
            assert!((of(&equal(n, 0.5)) - 1.0 / (n as f64 + 1.0)).abs() < 1e-12, "{n}: {}", of(&equal(n, 0.5)));
        }
        // all equal, and nearly so: P_2 bounds it from above
        for n in 3..=MOST_ENTRIES {
            let near = of(&equal(n, 0.9999));
            assert!(near < of(&equal(2, 0.9999)) && near > 0.48, "{n}: {near}");
        }
    }

    #[test]
    fn known_values_in_two_and_three_dimensions() {
        assert!((of(&[1.0, 0.0, 0.5f64.sqrt(), 1.0]) - 3.0 / 8.0).abs() < 1e-15);
        let [a, b, c] = [0.3f64, -0.4, 0.2];
        let three = [1.0, a, b, a, 1.0, c, b, c, 1.0];
        let sheppard = 0.125 + (a.asin() + b.asin() + c.asin()) / (4.0 * PI);
        assert!((of(&three) - sheppard).abs() < 1e-15);
        // scales change nothing
        let scaled: Vec<f64> =
            three.iter().enumerate().map(|(e, r)| r * [1.0, 5.0, 0.1][e / 3] * [1.0, 5.0, 0.1][e % 3]).collect();
        assert!((of(&scaled) - sheppard).abs() < 1e-15);
    }

    /// Blocks that are independent of one another multiply.
    #[test]
    fn independent_blocks_multiply() {
        let (r, s) = (0.7f64, -0.6f64);
        #[rustfmt::skip]
        let four = [1.0, r, 0.0, 0.0,  r, 1.0, 0.0, 0.0,  0.0, 0.0, 1.0, s,  0.0, 0.0, s, 1.0];
        assert!((of(&four) - of(&[1.0, r, r, 1.0]) * of(&[1.0, s, s, 1.0])).abs() < 1e-13);
    }

    #[test]
    fn sampled_vectors_agree() {
        // a Gram matrix without any symmetry
        for n in [4, 5] {
            let g: Vec<f64> =
                (0..n * n).map(|e| ((3 * e + 1) as f64).sin() + if e / n == e % n { 1.0 } else { 0.2 }).collect();
            let entry = |e: usize| (0..n).map(|k| g[e / n * n + k] * g[e % n * n + k]).sum();
            let covariance: Vec<f64> = (0..n * n).map(entry).collect();
            let draws = 100_000;
            let f = gaussian_draws(MatRef::new(&covariance, n, n).unwrap(), draws, &mut Normals::new(5)).unwrap();
            let positive = (0..draws).filter(|c| (0..n).all(|i| f[i * draws + c] > 0.0)).count();
            let (p, found) = (of(&covariance), positive as f64 / draws as f64);
            assert!((found - p).abs() < 4.0 * (p * (1.0 - p) / draws as f64).sqrt(), "{n}: {found} {p}");
        }
    }

    #[test]
    fn what_is_no_covariance_is_refused() {
        let refused = |covariance: &[f64], rows, cols| {
            orthant_probability(MatRef::new(covariance, rows, cols).unwrap()).unwrap_err().to_string()
        };
        assert!(refused(&equal(6, 0.1), 6, 6).contains("from 1 to 5"));
        assert!(refused(&[0.0], 1, 1).contains("variance"));
        assert!(refused(&[1.0, 0.0, f64::NAN, 1.0], 2, 2).contains("covariance"));
        assert!(refused(&[1.0, 0.0], 1, 2).contains("covariance"));
    }
}
