//! Data sets made from a formula: circle, sphere, mixture.
//!
//! The same bits on every machine: integers, libm and correctly rounded operations only, and the normal deviates of
//! [`ntkscope_core::init`].

use core::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_2};

use ntkscope_core::init::Normals;

use super::error::Error;
use super::raw::{Raw, Values};
use crate::machine::Budget;

/// Distance of each of mixture's two centres from the origin, in standard deviations of a cluster.
pub const MIXTURE_OFFSET: f64 = 1.5;

/// (cos, sin) of the angle 2 pi p / q.
///
/// The angle is reduced in integers to [0, pi/4] before any rounding, so points that mirror one another have equal
/// coordinates up to sign bit for bit, and the values 0, 1/2 and 1 are exact.
pub(super) fn cos_sin_turn(p: u64, q: u64) -> (f64, f64) {
    let quarter = (4 * (p % q)) / q;
    let r = 4 * (p % q) - quarter * q; // what is left is (pi/2) r/q, 0 <= r < q
    let swap = 2 * r > q; // beyond pi/4: cos a = sin(pi/2 - a)
    let r = if swap { q - r } else { r };
    let (cos, sin) = if r == 0 {
        (1.0, 0.0)
    } else if 2 * r == q {
        (FRAC_1_SQRT_2, FRAC_1_SQRT_2)
    } else if 3 * r == q {
        (libm::sqrt(0.75), 0.5)
    } else {
        let angle = FRAC_PI_2 * (r as f64 / q as f64);
        (libm::cos(angle), libm::sin(angle))
    };
    let (cos, sin) = if swap { (sin, cos) } else { (cos, sin) };
    match quarter {
        0 => (cos, sin),
        1 => (minus(sin), cos),
        2 => (minus(cos), minus(sin)),
        _ => (sin, minus(cos)),
    }
}

/// -v, and +0 for 0, so that no coordinate is ever -0.
fn minus(v: f64) -> f64 {
    0.0 - v
}

/// n points x_i = (cos th_i, sin th_i), th_i = 2 pi i/n, i = 1..n, labels 0, 1, 0, 1, …; (n, 2).
///
/// x_(i + n/2) is exactly -x_i. With n = 6 these are the six points of the paper on divergence.
pub(super) fn circle(n: usize, budget: &Budget) -> Result<Raw, Error> {
    if n == 0 {
        return Err(Error::NoSamples);
    }
    if n % 2 == 1 {
        return Err(Error::OddCircle { n });
    }
    let mut x = room(n, 2, "circle", budget)?;
    for i in 1..=n / 2 {
        let (cos, sin) = cos_sin_turn(i as u64, n as u64);
        x.extend([cos, sin]);
    }
    for k in 0..n {
        x.push(minus(x[k])); // the other half: n more numbers
    }
    Ok(Raw::real(x, 2, alternating(n), "circle"))
}

/// h points of the circle at the angles 2 pi (i - 1/2)/h, i = 1..h: for h = n the middles between the points of
/// [`circle`]; (h, 2).
pub(super) fn between(h: usize) -> Vec<f64> {
    (1..=h).flat_map(|i| <[f64; 2]>::from(cos_sin_turn(2 * i as u64 - 1, 2 * h as u64))).collect()
}

/// n points on the unit sphere S^(d-1) of R^d; label 1 when x_1 x_2 > 0, else 0; (n, d).
///
/// Each point is a normalized Gaussian vector, hence uniform; then x_2 changes its sign where that is needed to make
/// the labels alternate 0, 1, 0, 1, …: within its class each point is uniform, and both classes have n/2 points.
pub(super) fn sphere(n: usize, d: usize, seed: u64, budget: &Budget) -> Result<Raw, Error> {
    if d < 2 {
        return Err(Error::BadDimension { source_name: "sphere".into(), given: d, least: 2 });
    }
    let mut x = room(n, d, "sphere", budget)?;
    let mut rng = Normals::new(seed);
    for i in 0..n {
        let start = x.len();
        // A draw without direction, or on the border between the classes, is drawn again (probability ~ 2^-50).
        loop {
            x.truncate(start);
            x.extend((0..d).map(|_| rng.draw()));
            let point = &mut x[start..];
            let norm = point.iter().map(|v| v * v).sum::<f64>().sqrt();
            point.iter_mut().for_each(|v| *v /= norm);
            if norm > 0.0 && point[0] * point[1] != 0.0 {
                break;
            }
        }
        if (x[start] * x[start + 1] > 0.0) != (i % 2 == 1) {
            x[start + 1] = -x[start + 1];
        }
    }
    Ok(Raw::real(x, d, alternating(n), "sphere"))
}

/// Two Gaussian clusters in R^d with unit variance in every direction; centres -1.5 e_1 (label 0) and +1.5 e_1
/// (label 1); labels alternate 0, 1, 0, 1, …; (n, d).
pub(super) fn mixture(n: usize, d: usize, seed: u64, budget: &Budget) -> Result<Raw, Error> {
    if d < 1 {
        return Err(Error::BadDimension { source_name: "mixture".into(), given: d, least: 1 });
    }
    let mut x = room(n, d, "mixture", budget)?;
    let mut rng = Normals::new(seed);
    for i in 0..n {
        let start = x.len();
        x.extend((0..d).map(|_| rng.draw()));
        x[start] += if i % 2 == 1 { MIXTURE_OFFSET } else { -MIXTURE_OFFSET };
    }
    Ok(Raw::real(x, d, alternating(n), "mixture"))
}

/// Copies of each of the six points in [`conflicting`] that agree with the paper's label, to one that does not.
const AGREEING: usize = 3;

/// The six points of [`circle`], each n/6 times, all six after one another; of every four copies three have its label and one the
/// other: a target of probability 3/4 in all but name; (n, 2).
pub(super) fn conflicting(n: usize, budget: &Budget) -> Result<Raw, Error> {
    const GROUP: usize = 6 * (AGREEING + 1);
    if n == 0 || !n.is_multiple_of(GROUP) {
        return Err(Error::BadConflicting { n, next: n.div_ceil(GROUP).max(1) * GROUP });
    }
    let six = circle(6, budget)?;
    let Values::Real(points) = &six.values else { return Ok(six) };
    let (mut x, mut y) = (room(n, 2, "conflicting", budget)?, Vec::with_capacity(n));
    for copy in 0..n / 6 {
        x.extend_from_slice(points);
        let disagrees = copy % (AGREEING + 1) == AGREEING;
        y.extend(alternating(6).iter().map(|label| if disagrees { 1.0 - label } else { *label }));
    }
    Ok(Raw::real(x, 2, y, "conflicting"))
}

fn alternating(n: usize) -> Vec<f64> {
    (0..n).map(|i| (i % 2) as f64).collect()
}

/// Bytes of (n, d) samples while they are loaded: made and selected, d numbers and a label each; of the selection row,
/// class, and label as an integer, sorted too.
pub(super) fn load_bytes(n: usize, d: usize) -> u64 {
    let each = d.saturating_add(1).saturating_mul(2).saturating_add(4);
    (n as u64).saturating_mul(each as u64).saturating_mul(8)
}

/// An empty vector with room for (n, d) numbers, drawn from the budget with all that loading takes, or the error that
/// says it cannot be had.
fn room(n: usize, d: usize, source: &str, budget: &Budget) -> Result<Vec<f64>, Error> {
    if n == 0 {
        return Err(Error::NoSamples);
    }
    budget.draw(&format!("{source} of {n} samples"), load_bytes(n, d))?;
    let too_large = Error::TooLarge { n, d };
    let Some(len) = n.checked_mul(d) else { return Err(too_large) };
    let mut x = Vec::new();
    x.try_reserve_exact(len).map_err(|_| too_large)?;
    Ok(x)
}
