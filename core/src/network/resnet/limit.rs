//! The kernels of infinitely wide residual networks. With K_l the covariance of x_l, q_l its variance, and
//! G_l = sqrt(q_{l-1} q'_{l-1}) kappa1 with the correlation of x_{l-1} in kappa0 and kappa1:
//!
//! ```text
//! K_0 = x.x' + s^2,   K_l = K_{l-1} + alpha^2 G_l,   q_l = (1 + alpha^2) q_{l-1}
//! T_l = T_{l-1} + alpha^2 kappa0 T_{l-1}                                          [earlier layers]
//!     + alpha^2 (G_l + p^2)  [V_l, d_l]   + alpha^2 kappa0 (K_{l-1} + p^2)  [W_l, b_l]
//! ```
//!
//! NNGP = K_L; NTK = T_L + K_L [v] from T_0 = K_0 [A, b], or T_L from T_0 = 0 where only the branches are trained. A bias that
//! starts at 0 has a share in the NTK and none in the NNGP.

use super::{ResNet, Trained};
use crate::network::Pairs;
use crate::{Backend, Real};

impl ResNet {
    /// The NNGP kernel to `pairs`, the NTK to `ntk`, from the pairs of x_0.
    pub(super) fn limit<T: Real, B: Backend<T> + ?Sized>(&self, backend: &B, pairs: &mut Pairs<'_, T>, ntk: &mut [T]) {
        let (a2, half) = (T::from_f64(self.alpha * self.alpha), T::from_f64(0.5));
        let p2 = T::from_f64(self.branch_bias.map_or(0.0, |p| p * p));
        let growth = T::ONE + a2;
        if self.trained == Trained::All {
            pairs.covariance(ntk);
        } else {
            ntk.fill(T::ZERO);
        }
        for _ in 0..self.depth {
            backend.arc_cosine(pairs.sin2, pairs.cos2, pairs.derivative, pairs.work);
            // slices of one known length, so that no index needs a check
            let (len, product) = (ntk.len(), &mut pairs.product[..ntk.len()]);
            let (sin2, cos2) = (&mut pairs.sin2[..len], &mut pairs.cos2[..len]);
            let (derivative, gap) = (&pairs.derivative[..len], &pairs.work[..len]);
            for j in 0..len {
                let (kappa0, kappa1) = (derivative[j], T::ONE - gap[j]);
                let (through_w, of_v) = (ntk[j] + product[j] * (cos2[j] - sin2[j]) + p2, product[j] * kappa1 + p2);
                ntk[j] += a2 * (kappa0 * through_w + of_v);
                // cos' = (cos + alpha^2 kappa1)/(1 + alpha^2): 1 -+ cos' without differences of large numbers
                product[j] *= growth;
                sin2[j] = (sin2[j] + a2 * half * gap[j]) / growth;
                cos2[j] = (cos2[j] + a2 * half * (T::ONE + kappa1)) / growth;
            }
            pairs.q *= growth;
            pairs.q_other.iter_mut().for_each(|q| *q *= growth);
        }
        if self.trained == Trained::All {
            for (j, ntk) in ntk.iter_mut().enumerate() {
                *ntk += pairs.product[j] * (pairs.cos2[j] - pairs.sin2[j]);
            }
        }
    }
}
