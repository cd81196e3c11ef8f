//! The first pre-activations u of samples x, `E uu' = a x.x' + beta`: variances, and angles between samples.

use crate::linalg::sum_of_squares;
use crate::network::{Network, Pairs};
use crate::{Backend, Error, MatRef, Real};

/// |cosine| from which on the angle comes from differences of the samples. At 0.998 the rounding of the
/// cosine is magnified by 1/sin = 16, which costs about one digit.
const NEARLY_PARALLEL: f64 = 0.998;

/// `Ok` where the kernels of these samples `(n, d)` can be had in T: the variance `a |x|^2 + beta` of a sample's first
/// pre-activations is finite, and not so small, unless it is exactly 0, that digits are lost.
///
/// # Errors
/// [`Error::SampleScale`]; [`Error::Shape`] where the network takes other samples.
pub fn check_samples<N: Network, T: Real>(network: &N, x: MatRef<'_, T>) -> Result<(), Error> {
    Error::shape("samples: numbers per sample", network.sizes().inputs, x.cols())?;
    let first = FirstLayer::<T>::new(network);
    (0..x.rows()).try_for_each(|i| first.variance(x, i).map(|_| ()))
}

/// a and beta.
pub(super) struct FirstLayer<T> {
    a: T,
    beta: T,
    root_beta: T,
}

impl<T: Real> FirstLayer<T> {
    pub(super) fn new<N: Network>(network: &N) -> Self {
        let (a, beta) = network.input_variances();
        Self { a: T::from_f64(a), beta: T::from_f64(beta), root_beta: T::from_f64(libm::sqrt(beta)) }
    }

    /// q of sample i.
    ///
    /// # Errors
    /// [`Error::SampleScale`].
    fn variance(&self, x: MatRef<'_, T>, i: usize) -> Result<T, Error> {
        let q = self.a * sum(x, i) + self.beta;
        if !q.is_finite() {
            return Err(Error::SampleScale { sample: i, large: true });
        }
        if q < T::SMALLEST && self.a > T::ZERO && x.entries(i).any(|x| x != T::ZERO) {
            return Err(Error::SampleScale { sample: i, large: false });
        }
        Ok(q)
    }

    /// q of every sample.
    ///
    /// # Errors
    /// [`Error::SampleScale`].
    pub(super) fn variances(&self, x: MatRef<'_, T>, q: &mut [T]) -> Result<(), Error> {
        q.iter_mut().enumerate().try_for_each(|(i, q)| {
            *q = self.variance(x, i)?;
            Ok(())
        })
    }

    /// Angles of x with the first of `others`, from their inner products; `pairs` has the variances.
    pub(super) fn pairs<B: Backend<T> + ?Sized>(
        &self,
        backend: &B,
        x: &[T],
        others: MatRef<'_, T>,
        inner: &[T],
        pairs: &mut Pairs<'_, T>,
    ) {
        pairs.multiply(backend);
        let (half, q, len) = (T::from_f64(0.5), pairs.q, inner.len());
        // slices of one known length, so that no index needs a check
        let (q_other, product) = (&pairs.q_other[..len], &pairs.product[..len]);
        let (sin2, cos2) = (&mut pairs.sin2[..len], &mut pairs.cos2[..len]);
        for (j, inner) in inner.iter().enumerate() {
            // a sample that the first layer maps to 0: no angle, and every covariance with it is 0
            let cosine = if product[j] == T::ZERO { T::ZERO } else { (self.a * *inner + self.beta) / product[j] };
            sin2[j] = half * (T::ONE - cosine);
            cos2[j] = half * (T::ONE + cosine);
        }
        let near = half * (T::ONE - T::from_f64(NEARLY_PARALLEL));
        // few are, so most rows are done; counting them takes no branch
        if sin2.iter().zip(cos2.iter()).filter(|(s, c)| s.min(**c) < near).count() == 0 {
            return;
        }
        for j in 0..len {
            if sin2[j] < near {
                sin2[j] = self.quarter_square(x, others.row(j), q.sqrt(), q_other[j].sqrt());
                cos2[j] = T::ONE - sin2[j];
            } else if cos2[j] < near {
                cos2[j] = self.quarter_square(x, others.row(j), q.sqrt(), -q_other[j].sqrt());
                sin2[j] = T::ONE - cos2[j];
            }
        }
    }

    /// |u - u'|^2 / 4 with u = (sqrt(a) x, sqrt(beta)) / p.
    fn quarter_square(&self, x: &[T], y: &[T], p: T, p_other: T) -> T {
        let samples = x.iter().zip(y).fold(T::ZERO, |sum, (x, y)| {
            let d = *x / p - *y / p_other;
            sum + d * d
        });
        let bias = self.root_beta / p - self.root_beta / p_other;
        T::from_f64(0.25) * (self.a * samples + bias * bias)
    }
}

/// |x|^2 of sample i.
fn sum<T: Real>(x: MatRef<'_, T>, i: usize) -> T {
    if x.has_adjacent_columns() { sum_of_squares(x.row(i)) } else { x.entries(i).fold(T::ZERO, |sum, x| sum + x * x) }
}
