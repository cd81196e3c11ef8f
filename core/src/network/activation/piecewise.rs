//! Activations that are linear on either side of 0, `phi(z) = max(z, 0) + s min(z, 0)`: ReLU (s = 0), leaky ReLU, and the
//! identity (s = 1), by the arc-cosine kernels (Cho and Saul 2009). With theta the angle between u and v as vectors of L2,
//!
//! ```text
//! kappa0 = (pi - theta)/pi = 2 E[1{u>0} 1{v>0}]         for unit variances
//! kappa1 = (sin theta + (pi - theta) cos theta)/pi = 2 E[relu(u) relu(v)]
//! E  = sqrt(qp) (s cos theta + (1 - s)^2 kappa1/2)      E' = s + (1 - s)^2 kappa0/2
//! ```
//!
//! with q, p the variances. At theta = 0 E is (1 + s^2)/2 sqrt(qp); its cosine there, 1 - gap, falls short of 1 by
//!
//! ```text
//! gap = (4 s sin^2(theta/2) + (1 - s)^2 (1 - kappa1))/(1 + s^2)
//! ```

use crate::network::Pairs;
use crate::{Backend, Real};

/// The pairs after a layer of variances `a` and `beta`.
///
/// `half` is a (1 + s^2)/2. With p = sqrt(q), P = sqrt of the product of the new variances, no difference of large
/// numbers occurs: P - cov = half (p - p')^2 beta / (P + half p p' + beta) + half p p' gap.
///
/// These alone go through [`Backend::arc_cosine`], a polynomial in the half-angle ([`crate::angle`]): kernels of ReLU are
/// the ones of millions of pairs, and a transcendental function a pair would be most of their cost.
pub(super) fn propagate<T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    pairs: &mut Pairs<'_, T>,
    slope: f64,
    a: T,
    beta: T,
) {
    let half = a * T::from_f64(0.5 * (1.0 + slope * slope));
    let len = pairs.product.len();
    // slices of one known length, so that no index needs a check
    let (q_other, product) = (&mut pairs.q_other[..len], &mut pairs.product[..len]);
    let (sin2, cos2) = (&mut pairs.sin2[..len], &mut pairs.cos2[..len]);
    let (derivative, gap) = (&mut pairs.derivative[..len], &mut pairs.work[..len]);
    // kappa0 and 1 - kappa1
    backend.arc_cosine(sin2, cos2, derivative, gap);
    if slope == 0.0 {
        derivative.iter_mut().for_each(|d| *d *= half);
    } else {
        let square = (1.0 - slope) * (1.0 - slope);
        let [through, share] = [slope, 0.5 * square].map(|share| a * T::from_f64(share));
        let [of_sin2, of_gap] = [4.0 * slope, square].map(|share| T::from_f64(share / (1.0 + slope * slope)));
        for j in 0..len {
            derivative[j] = through + share * derivative[j];
            gap[j] = of_sin2 * sin2[j] + of_gap * gap[j];
        }
    }
    let before = pairs.q;
    let q = half * before + beta;
    pairs.q = q;
    if beta == T::ZERO {
        // P = half p p': the angle is that of the gap alone
        for j in 0..len {
            q_other[j] *= half;
            product[j] *= half;
            sin2[j] = T::from_f64(0.5) * gap[j];
            cos2[j] = T::ONE - sin2[j];
        }
        return;
    }
    // the old angles are spent: until the new ones are known their slices hold half (p - p')^2, which is
    // half (q - q')^2 / (p + p')^2, and half p p'. Sums are formed in quarters, which cannot overflow
    let quarter = T::from_f64(0.25);
    let (spread, inner) = (sin2, cos2);
    for j in 0..len {
        let difference = before - q_other[j];
        let sum2 = quarter * before + quarter * q_other[j] + (quarter * product[j] + quarter * product[j]);
        let share = if sum2 > T::ZERO { quarter * difference / sum2 } else { T::ZERO };
        spread[j] = half * (difference * share);
        inner[j] = half * product[j];
        q_other[j] = half * q_other[j] + beta;
    }
    pairs.multiply(backend);
    let (product, gap) = (&pairs.product[..len], &pairs.work[..len]);
    let (sin2, cos2) = (&mut pairs.sin2[..len], &mut pairs.cos2[..len]);
    for j in 0..len {
        let (spread, inner) = (sin2[j], cos2[j]);
        let share = quarter * beta / (quarter * product[j] + quarter * inner + quarter * beta);
        let short = spread * share + inner * gap[j];
        sin2[j] = T::from_f64(0.5) * (short / product[j]);
        cos2[j] = T::ONE - sin2[j];
    }
}
