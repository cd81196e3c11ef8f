//! Expectations by the trapezoidal rule on the plane, which converges exponentially for functions that are analytic about
//! the real line: for pairs whose series is too long, and as the reference of the series.
//!
//! In half-angle coordinates
//!
//! ```text
//! u = sqrt(q) (cos(theta/2) x + sin(theta/2) y),   v = sqrt(p) (cos(theta/2) x - sin(theta/2) y),   x, y ~ N(0,1)
//! ```
//!
//! correlations of 1 and -1 are not special. With nodes k h, k = -n..n, along x and y, and the nearest singularity of phi
//! at the distance rho in units of the standard deviation, the error is about `exp(-(h n)^2/2)` at
//! `h = min((4 pi rho/n^2)^(1/3), sqrt(2 pi/n))` (science: Trefethen and Weideman 2014 on the rule).

use super::Activation;
use super::closed::normal_density;

/// h n: exp(-10.5^2/2) is 1e-24, of which the fourfold pole of phi'^2 takes up to seven digits.
const REACH: f64 = 10.5;

/// Step and number of nodes on either side of 0 for variances up to `q`; `pole` is that of phi.
fn rule(pole: f64, q: f64) -> (f64, i32) {
    let rho = pole / libm::sqrt(q);
    let (cube, square) = (REACH * REACH * REACH, REACH * REACH);
    // the larger n of both forms of h n = REACH
    let n = (cube / (2.0 * core::f64::consts::TAU * rho)).max(square / core::f64::consts::TAU);
    let n = libm::ceil(n);
    (REACH / n, n as i32)
}

/// E[phi(u) phi(v)] and E[phi'(u) phi'(v)] of variances q and p and the half of the angle.
pub(super) fn moments(phi: Activation, q: f64, p: f64, sin2: f64, cos2: f64) -> [f64; 2] {
    let (step, n) = rule(phi.pole().unwrap_or(1.0), q.max(p));
    let ([root, root_other], [sin, cos]) = ([q, p].map(libm::sqrt), [sin2, cos2].map(libm::sqrt));
    let mut sums = [0.0; 2];
    for k in -n..=n {
        let x = step * f64::from(k);
        let mut along = [0.0; 2];
        for l in -n..=n {
            let y = step * f64::from(l);
            let (u, v) = (root * (cos * x + sin * y), root_other * (cos * x - sin * y));
            let weight = libm::exp(-0.5 * (x * x + y * y));
            along[0] += weight * (phi.phi(u) * phi.phi(v));
            along[1] += weight * (phi.dphi(u) * phi.dphi(v));
        }
        sums[0] += along[0];
        sums[1] += along[1];
    }
    sums.map(|sum| sum * step * step / core::f64::consts::TAU)
}

/// E[phi(u)^2] and E[phi'(u)^2] of variance q: the same in one dimension.
pub(super) fn squares(phi: Activation, q: f64) -> [f64; 2] {
    let (step, n) = rule(phi.pole().unwrap_or(1.0), q);
    let (root, mut sums) = (libm::sqrt(q), [0.0; 2]);
    for k in -n..=n {
        let x = step * f64::from(k);
        let weight = step * normal_density(x);
        let (value, slope) = (phi.phi(root * x), phi.dphi(root * x));
        sums[0] += weight * (value * value);
        sums[1] += weight * (slope * slope);
    }
    sums
}
