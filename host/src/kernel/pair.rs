//! How far two symmetric kernels A and B (n, n) are apart that are known by their products: estimates of what
//! [`relative_frobenius`](ntkscope_core::kernel::relative_frobenius) and
//! [`centred_alignment`](ntkscope_core::kernel::centred_alignment) tell of their entries.
//!
//! Both are of traces of products of two matrices, which are split at a few orthonormal directions Q (Hutch++: Meyer, Musco,
//! Musco and Woodruff 2021), with P = I - Q Q^T and m random z of entries +-1:
//!
//! ```text
//! tr(A B) = sum_(q of Q) (A q) . (B q) + E_z (A P z) . (B P z)
//! ```
//!
//! The first sum is exact. The constant vector is one of Q, so that all other vectors are centred already and the products of
//! the centred kernels are the centred products, H A H v = H (A v) with H = I - 11^T/n; that of the constant is 0. With the
//! eigenvectors of the largest eigenvalues of A in Q next to none of the scatter of |A|^2 is left to the z.
//!
//! Standard errors are those of the jackknife over the z, as what is told are quotients of means (Efron 1982).

use ntkscope_core::init::Normals;
use ntkscope_core::linalg::{dot, norm};
use ntkscope_core::{MatMut, MatRef, Real};

use super::operator::{Operator, Told};
use super::{Error, Estimated};
use crate::machine::{Ended, Stop};

/// A direction of which this share is left beside those before is one of theirs.
const ROUNDING: f64 = 1e-8;

/// Vectors whose products tell how far two kernels are apart.
#[derive(Clone, Debug)]
pub struct Directions {
    n: usize,
    /// those of Q, the constant first
    known: usize,
    /// all, row-major: those of Q, then the P z
    vectors: Vec<f64>,
}

/// What the products of two kernels with the same directions say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Apart {
    /// |A - B|_F / |B|_F; NaN, which stands for undefined, where B is 0
    pub frobenius: Estimated,
    /// <HAH, HBH>_F / (|HAH|_F |HBH|_F); NaN where one of them is constant
    pub alignment: Estimated,
}

/// Squares of A - B, B and A, and the products ab, aa, bb of the centred ones, of one direction or of several.
type Sums = [f64; 6];

/// A kernel whose centred square is this share of its square is constant up to rounding.
const CONSTANT: f64 = 1e-28;

/// |HAH|_F |HBH|_F from the squares of the centred kernels and of the kernels; NaN where one of them is constant.
fn lengths([aa, bb]: [f64; 2], [a, b]: [f64; 2]) -> f64 {
    if aa > CONSTANT * a && bb > CONSTANT * b { aa.sqrt() * bb.sqrt() } else { f64::NAN }
}

impl Directions {
    /// The constant, these eigenvectors (n) of the larger eigenvalues of one of the kernels, and `probes` random ones.
    pub fn new(n: usize, eigenvectors: &[Vec<f64>], probes: usize, seed: u64) -> Self {
        let constant = vec![1.0 / (n as f64).sqrt(); n];
        let mut known: Vec<Vec<f64>> = vec![constant];
        for vector in eigenvectors {
            let mut vector = vector.clone();
            without(&known, &mut vector);
            let length = norm(&vector);
            if length > ROUNDING {
                vector.iter_mut().for_each(|v| *v /= length);
                known.push(vector);
            }
        }
        let mut normals = Normals::new(seed);
        let mut vectors = known.concat();
        for _ in 0..probes {
            let mut z: Vec<f64> = (0..n).map(|_| if normals.draw() < 0.0_f64 { -1.0 } else { 1.0 }).collect();
            without(&known, &mut z);
            vectors.extend(z);
        }
        Self { n, known: known.len(), vectors }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.vectors.len() / self.n.max(1)
    }

    /// The kernel's products with all of them, row-major.
    ///
    /// # Errors
    /// Those of the operator.
    pub fn products(
        &self,
        operator: &mut dyn Operator,
        told: &mut Told<'_>,
        stop: &Stop,
    ) -> Result<Ended<Vec<f64>>, Error> {
        let (count, mut out) = (self.count(), vec![0.0; self.vectors.len()]);
        let (from, into) = (MatRef::new(&self.vectors, count, self.n)?, MatMut::new(&mut out, count, self.n)?);
        Ok(match operator.apply(from, into, told, stop)? {
            Ended::Done(()) => Ended::Done(out),
            Ended::Stopped => Ended::Stopped,
        })
    }

    /// How far A is from B, from [`Self::products`] of both.
    pub fn apart(&self, of_a: &[f64], of_b: &[f64]) -> Apart {
        let unit = unit_of(of_a).max(unit_of(of_b));
        let (exact, probes) = self.split((of_a, of_b), unit);
        let probes = &probes;
        let frobenius = |[difference, b, ..]: Sums| (difference / b).sqrt();
        let alignment = |[_, b, a, ab, aa, bb]: Sums| (ab / lengths([aa, bb], [a, b])).clamp(-1.0, 1.0);
        Apart { frobenius: jackknife(exact, probes, frobenius), alignment: jackknife(exact, probes, alignment) }
    }

    /// The centred alignment of A, of which these are [`Self::products`], with Y Y^T for centred Y (n, C), a row of `y` `(C, n)`
    /// for each column, and `of_y` the products of A with them:
    ///
    /// ```text
    /// tr(Y^T A Y) / (|HAH|_F |Y^T Y|_F)
    /// ```
    ///
    /// Only |HAH|_F is estimated. NaN where A or Y is 0.
    pub fn aligned(&self, of_a: &[f64], y: &[f64], of_y: &[f64]) -> Estimated {
        // in units of their own neither squares nor fourth powers leave the range
        let (unit, of_targets) = (unit_of(of_a), unit_of(y));
        let (exact, probes) = self.split((of_a, of_a), unit);
        let y: Vec<f64> = y.iter().map(|y| y / of_targets).collect();
        let of_y: Vec<f64> = of_y.iter().map(|x| x / of_targets / unit).collect();
        let columns = || y.chunks_exact(self.n);
        let above: f64 = columns().zip(of_y.chunks_exact(self.n)).map(|(y, k)| dot(y, k)).sum();
        let square: f64 = columns().flat_map(|a| columns().map(move |b| dot(a, b).powi(2))).sum();
        jackknife(exact, &probes, |[_, _, a, _, aa, _]: Sums| {
            (above / lengths([aa, square], [a, 0.0])).clamp(-1.0, 1.0)
        })
    }

    /// The sums of what is known exactly, and of every probe, of products in this unit.
    fn split(&self, (of_a, of_b): (&[f64], &[f64]), unit: f64) -> (Sums, Vec<Sums>) {
        let pairs = of_a.chunks_exact(self.n).zip(of_b.chunks_exact(self.n));
        let in_units = |x: &[f64]| -> Vec<f64> { x.iter().map(|x| x / unit).collect() };
        let mut each: Vec<Sums> = pairs.map(|(a, b)| sums(&in_units(a), &in_units(b))).collect();
        let probes = each.split_off(self.known);
        // the centred kernels map the constant to 0
        let constant = each.first().map_or([0.0; 6], |[difference, b, a, ..]| [*difference, *b, *a, 0.0, 0.0, 0.0]);
        (each.iter().skip(1).fold(constant, add), probes)
    }
}

/// Takes the shares of these orthonormal vectors off v, twice, so that rounding leaves none.
fn without(known: &[Vec<f64>], v: &mut [f64]) {
    for _ in 0..2 {
        for u in known {
            let share = dot(u, v);
            v.iter_mut().zip(u).for_each(|(v, u)| *v -= share * u);
        }
    }
}

/// A power of two near the largest of these numbers, so that a factor 2^k of all of them changes no bit of a quotient.
fn unit_of(numbers: &[f64]) -> f64 {
    numbers.iter().fold(0.0, |largest: f64, x| largest.max(x.abs())).power_of_two()
}

/// Of one direction.
fn sums(a: &[f64], b: &[f64]) -> Sums {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    a.iter().zip(b).fold([0.0; 6], |sums, (a, b)| {
        let (d, e) = (a - mean_a, b - mean_b);
        add(sums, &[(a - b) * (a - b), b * b, a * a, d * e, d * d, e * e])
    })
}

fn add(mut sums: Sums, more: &Sums) -> Sums {
    sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
    sums
}

/// f of `exact` and the mean over the probes, and its standard error.
fn jackknife(exact: Sums, probes: &[Sums], f: impl Fn(Sums) -> f64) -> Estimated {
    let (all, m) = (probes.iter().fold([0.0; 6], add), probes.len() as f64);
    let of = |sum: Sums, count: f64| f(add(exact, &sum.map(|x| if count > 0.0 { x / count } else { 0.0 })));
    let value = of(all, m);
    if m < 2.0 {
        return Estimated { value, error: f64::NAN };
    }
    let left_out: Vec<f64> = probes.iter().map(|one| of(add(all, &one.map(|x| -x)), m - 1.0)).collect();
    let mean = left_out.iter().sum::<f64>() / m;
    let scatter: f64 = left_out.iter().map(|x| (x - mean) * (x - mean)).sum();
    Estimated { value, error: ((m - 1.0) / m * scatter).sqrt() }
}

#[cfg(test)]
mod tests {
    use ntkscope_core::kernel::{centred_alignment, relative_frobenius};

    use super::*;

    /// A matrix that is held.
    struct Held(usize, Vec<f64>);

    impl Operator for Held {
        fn rows(&self) -> usize {
            self.0
        }
        fn diagonal(&self, _: &Stop) -> Result<Ended<Vec<f64>>, Error> {
            Ok(Ended::Done(self.1.iter().step_by(self.0 + 1).copied().collect()))
        }
        fn apply(
            &mut self,
            vectors: MatRef<'_, f64>,
            mut out: MatMut<'_, f64>,
            _: &mut Told<'_>,
            _: &Stop,
        ) -> Result<Ended, Error> {
            for k in 0..vectors.rows() {
                let rows = self.1.chunks_exact(self.0);
                out.row_mut(k).iter_mut().zip(rows).for_each(|(out, row)| *out = dot(row, vectors.row(k)));
            }
            Ok(Ended::Done(()))
        }
        fn columns(&self, _: &[usize], _: MatMut<'_, f64>, _: &Stop) -> Result<Ended, Error> {
            unreachable!("no column is asked for")
        }
        fn shares_products(&self) -> bool {
            true
        }
    }

    /// Two kernels of n samples that differ, with a constant part and eigenvalues that decay.
    fn two(n: usize, seed: u64) -> [Held; 2] {
        let mut normals = Normals::new(seed);
        let mut features = |d: usize| -> Vec<f64> { (0..n * d).map(|_| normals.draw()).collect() };
        let (d, first, second) = (n / 2, features(n / 2), features(n / 2));
        let of = |share: f64| {
            let phi: Vec<f64> = first.iter().zip(&second).map(|(a, b)| a + share * b).collect();
            let scaled = |j: usize| 1.0 / (1.0 + j as f64);
            let entry = |i: usize, k: usize| -> f64 {
                let row = |i: usize| phi[i * d..][..d].iter().enumerate();
                30.0 + row(i).zip(row(k)).map(|((j, a), (_, b))| scaled(j) * a * b).sum::<f64>()
            };
            Held(n, (0..n * n).map(|at| entry(at / n, at % n)).collect())
        };
        [of(0.3), of(0.0)]
    }

    fn estimated([a, b]: &mut [Held; 2], known: &[Vec<f64>], probes: usize, seed: u64) -> Apart {
        let (directions, stop) = (Directions::new(a.0, known, probes, seed), Stop::new());
        let of = |k: &mut Held| directions.products(k, &mut |_| (), &stop).unwrap().done().unwrap();
        let (of_a, of_b) = (of(a), of(b));
        directions.apart(&of_a, &of_b)
    }

    fn exact([a, b]: &[Held; 2]) -> [f64; 2] {
        let (a, b) = (MatRef::new(&a.1, a.0, a.0).unwrap(), MatRef::new(&b.1, b.0, b.0).unwrap());
        [relative_frobenius(a, b).unwrap(), centred_alignment(a, b).unwrap()]
    }

    /// All directions of space leave nothing to estimate.
    #[test]
    fn exact_where_every_direction_is_known() {
        let mut kernels = two(12, 1);
        let unit = |i: usize| (0..12).map(|j| f64::from(u8::from(i == j))).collect::<Vec<f64>>();
        let all: Vec<Vec<f64>> = (0..12).map(unit).collect();
        let found = estimated(&mut kernels, &all, 3, 5);
        let exact = exact(&kernels);
        assert!((found.frobenius.value - exact[0]).abs() < 1e-13 && found.frobenius.error < 1e-12, "{found:?}");
        assert!((found.alignment.value - exact[1]).abs() < 1e-13 && found.alignment.error < 1e-12, "{found:?}");
        // with two functions, which are centred by hand
        let y: Vec<f64> = [[1.0, -1.0], [2.0, -2.0]].iter().flat_map(|two| two.repeat(6)).collect();
        let gram = |at: usize| y[at / 12] * y[at % 12] + y[12 + at / 12] * y[12 + at % 12];
        let gram: Vec<f64> = (0..144).map(gram).collect();
        let view = |all| MatRef::new(all, 12, 12).unwrap();
        let known = centred_alignment(view(&kernels[0].1), view(&gram)).unwrap();
        let (directions, stop, mut of_y) = (Directions::new(12, &all, 3, 5), Stop::new(), vec![0.0; 24]);
        let of_a = directions.products(&mut kernels[0], &mut |_| (), &stop).unwrap().done().unwrap();
        let (from, into) = (MatRef::new(&y, 2, 12).unwrap(), MatMut::new(&mut of_y, 2, 12).unwrap());
        let _ = kernels[0].apply(from, into, &mut |_| (), &stop).unwrap();
        let found = directions.aligned(&of_a, &y, &of_y);
        assert!((found.value - known).abs() < 1e-13 && found.error < 1e-12, "{found:?} {known}");
    }

    /// Over many draws the distance from the exact values has the size of the standard errors.
    #[test]
    fn errors_are_calibrated() {
        let mut kernels = two(60, 2);
        let exact = exact(&kernels);
        for known in [0, 2] {
            let unit = |i: usize| (0..60).map(|j| f64::from(u8::from(i == j))).collect::<Vec<f64>>();
            let known: Vec<Vec<f64>> = (0..known).map(unit).collect();
            let mut squares = [0.0; 2];
            const DRAWS: u64 = 300;
            for seed in 0..DRAWS {
                let Apart { frobenius, alignment } = estimated(&mut kernels, &known, 20, seed);
                for (sum, (found, exact)) in squares.iter_mut().zip([frobenius, alignment].iter().zip(exact)) {
                    *sum += ((found.value - exact) / found.error).powi(2) / DRAWS as f64;
                }
            }
            // 1 but for the scatter of the errors themselves, of 20 probes: 19/17
            assert!(squares.iter().all(|square| (0.8..1.5).contains(square)), "{squares:?}");
        }
    }

    #[test]
    fn what_is_undefined_is_no_number() {
        let mut kernels = two(8, 3);
        kernels[1].1.fill(0.0);
        let Apart { frobenius, alignment } = estimated(&mut kernels, &[], 4, 0);
        assert!(alignment.value.is_nan() && !frobenius.value.is_finite());
        let Held(n, same) = two(8, 3).into_iter().next().unwrap();
        let mut kernels = [Held(n, same.clone()), Held(n, same)];
        let same = estimated(&mut kernels, &[], 4, 0);
        assert_eq!((same.frobenius.value, same.alignment.value), (0.0, 1.0));
    }
}
