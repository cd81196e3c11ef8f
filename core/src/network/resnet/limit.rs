//! The kernels of infinitely wide residual networks. With K_l the covariance of x_l, and of pre-activations u, v of
//! covariance 2 K_{l-1} the expectations G_l = E[phi(u) phi(v)] and H_l = 2 E[phi'(u) phi'(v)]:
//!
//! ```text
//! K_0 = x.x' + s^2,   K_l = K_{l-1} + alpha^2 G_l
//! T_l = T_{l-1} + alpha^2 H_l T_{l-1}                                          [earlier layers]
//!     + alpha^2 (G_l + p^2)  [V_l, d_l]   + alpha^2 H_l (K_{l-1} + p^2)  [W_l, b_l]
//! ```
//!
//! Of ReLU H is kappa0 and G is sqrt(q_{l-1} q'_{l-1}) kappa1, so that variances q_l are (1 + alpha^2) q_{l-1}.
//!
//! NNGP = K_L; NTK = T_L + K_L [v] from T_0 = K_0 [A, b], or T_L from T_0 = 0 where only the branches are trained. A bias that
//! starts at 0 has a share in the NTK and none in the NNGP.

use super::{ResNet, Trained};
use crate::network::{Activation, Pairs};
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
            if self.activation != Activation::Relu {
                self.block(backend, pairs, ntk);
                continue;
            }
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

    /// One block of any activation, some pairs at a time, because what is before it and after it is needed together.
    fn block<T: Real, B: Backend<T> + ?Sized>(&self, backend: &B, pairs: &mut Pairs<'_, T>, ntk: &mut [T]) {
        const SOME: usize = 16;
        let (a2, two) = (T::from_f64(self.alpha * self.alpha), T::from_f64(2.0));
        let p2 = T::from_f64(self.branch_bias.map_or(0.0, |p| p * p));
        let (q, len) = (pairs.q, ntk.len());
        let (mut before, mut q_before) = ([T::ZERO; SOME], [T::ZERO; SOME]);
        let mut start = 0;
        // without pairs, that of q alone
        loop {
            let end = len.min(start + SOME);
            let mut own = pairs.part(start..end);
            own.q = two * q;
            own.covariance(&mut before);
            q_before[..end - start].copy_from_slice(own.q_other);
            own.q_other.iter_mut().for_each(|q| *q *= two);
            own.product.iter_mut().for_each(|product| *product *= two);
            self.activation.propagate(backend, &mut own, T::ONE, T::ZERO);
            let q_after = q + a2 * own.q;
            for (j, ntk) in ntk[start..end].iter_mut().enumerate() {
                let (of_v, h) = (own.product[j] * (own.cos2[j] - own.sin2[j]), two * own.derivative[j]);
                *ntk += a2 * (h * (*ntk + before[j] + p2) + of_v + p2);
                let q_other = q_before[j] + a2 * own.q_other[j];
                own.set(j, q_after, q_other, before[j] + a2 * of_v, h);
            }
            let taken = own.series.taken();
            start = end;
            if start == len {
                pairs.series.set_taken(taken);
                pairs.q = q_after;
                return;
            }
        }
    }
}
