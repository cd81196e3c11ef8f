//! Kernels of the fast backend against the portable one, on one thread and two, whole and in blocks.

use ntkscope_backend::HostReal;
use ntkscope_core::forward::Params;
use ntkscope_core::init::initialize;
use ntkscope_core::kernel::{
    AnalyticKernel, MultiOutput, Tangent, analytic, analytic_scratch, structured, structured_scratch, tangent,
    tangent_len,
};
use ntkscope_core::network::{Bias, Fcn, Mirrored, Network};
use ntkscope_core::{Backend, MatMut, MatRef, Portable, Real};

use crate::{bits, normals, on};

/// A network at its initialization and samples.
struct Case<N, T> {
    network: N,
    theta: Vec<T>,
    x: Vec<T>,
    n: usize,
}

impl<N: Network, T: HostReal> Case<N, T> {
    fn new(network: N, n: usize) -> Self {
        let sizes = network.sizes();
        let mut theta = vec![T::ZERO; sizes.parameters];
        initialize(&network, 7, &mut theta).unwrap();
        Self { x: normals(8, n * sizes.inputs), network, theta, n }
    }
    fn samples(&self, rows: std::ops::Range<usize>) -> MatRef<'_, T> {
        let d = self.network.sizes().inputs;
        MatRef::new(&self.x[rows.start * d..rows.end * d], rows.len(), d).unwrap()
    }
    fn with_tangent<R>(
        &self,
        backend: &dyn Backend<T>,
        rows: std::ops::Range<usize>,
        work: impl FnOnce(&Tangent<'_, N, T>) -> R,
    ) -> R {
        let mut buffer = vec![T::ZERO; tangent_len(self.network.sizes(), rows.len())];
        let params = Params::new(&self.network, &self.theta).unwrap();
        work(&tangent(backend, params, self.samples(rows), &mut buffer).unwrap())
    }
    fn empirical(&self, backend: &dyn Backend<T>, outputs: MultiOutput) -> Vec<T> {
        let rows = self.n * if outputs == MultiOutput::Full { self.network.sizes().outputs } else { 1 };
        let mut kernel = vec![T::ZERO; rows * rows];
        let mut scratch = vec![T::ZERO; structured_scratch(backend.tile(), rows, rows)];
        self.with_tangent(backend, 0..self.n, |tangent| {
            let kernel = MatMut::new(&mut kernel, rows, rows).unwrap();
            structured(backend, tangent, None, outputs, kernel, &mut scratch).unwrap();
        });
        kernel
    }
    fn infinite(&self, backend: &dyn Backend<T>, which: AnalyticKernel) -> Vec<T> {
        let (n, mut kernel) = (self.n, vec![T::ZERO; self.n * self.n]);
        let mut scratch = vec![T::ZERO; analytic_scratch(self.network.sizes(), backend.tile(), n, n)];
        let out = MatMut::new(&mut kernel, n, n).unwrap();
        analytic(backend, &self.network, which, self.samples(0..n), None, out, &mut scratch).unwrap();
        kernel
    }
}

#[track_caller]
fn assert_close<T: Real>(fast: &[T], portable: &[T], what: &str) {
    let tolerance = if std::mem::size_of::<T>() == 4 { 1e-4 } else { 1e-12 };
    let largest = portable.iter().fold(0.0, |m: f64, v| m.max(v.to_f64().abs()));
    for (at, (f, p)) in fast.iter().zip(portable).enumerate() {
        let apart = (f.to_f64() - p.to_f64()).abs();
        assert!(apart <= tolerance * largest, "{what}, entry {at}: {f:?} and {p:?}, largest {largest:e}");
    }
}

fn check_kernels<N: Network, T: HostReal>(network: N, n: usize) {
    let case = Case::<N, T>::new(network, n);
    let last = case.network.sizes().outputs - 1;
    for outputs in [MultiOutput::Trace, MultiOutput::Full, MultiOutput::Class(last)] {
        let what = format!("{outputs:?}, n {n}, {:?}", case.network.sizes());
        assert_close(&case.empirical(T::fast(), outputs), &case.empirical(&Portable, outputs), &what);
    }
    for which in [AnalyticKernel::Ntk, AnalyticKernel::Nngp] {
        assert_close(&case.infinite(T::fast(), which), &case.infinite(&Portable, which), &format!("{which:?}, n {n}"));
    }
}

fn check_all_kernels<T: HostReal>() {
    let shallow = Fcn::new(1, &[1], 1).unwrap();
    check_kernels::<_, T>(shallow.with_bias(Bias::None, 1.0).unwrap(), 1);
    check_kernels::<_, T>(Fcn::new(5, &[70, 41], 1).unwrap().with_bias(Bias::Input, 0.5).unwrap(), 131);
    check_kernels::<_, T>(Mirrored(Fcn::new(5, &[24, 24, 24], 3).unwrap().with_bias(Bias::All, 1.0).unwrap()), 37);
}

#[test]
fn kernels_f64() {
    check_all_kernels::<f64>();
}

#[test]
fn kernels_f32() {
    check_all_kernels::<f32>();
}

#[test]
fn kernels_have_the_same_bits_on_any_number_of_threads() {
    fn check<T: HostReal>() {
        let case = Case::<_, T>::new(Mirrored(Fcn::new(6, &[150, 90], 2).unwrap()), 300);
        for outputs in [MultiOutput::Trace, MultiOutput::Full] {
            let kernel = |threads| on(threads, || bits(&case.empirical(T::fast(), outputs)));
            let alone = kernel(1);
            assert!([2, 3, 8].into_iter().all(|threads| kernel(threads) == alone), "{outputs:?}");
        }
        let kernel = |threads| on(threads, || bits(&case.infinite(T::fast(), AnalyticKernel::Ntk)));
        let alone = kernel(1);
        assert!([2, 3, 8].into_iter().all(|threads| kernel(threads) == alone), "analytic");
    }
    check::<f32>();
    check::<f64>();
}

/// Samples cut at whole tiles, each part with a forward and a backward pass of its own, against all at once.
fn check_blocks<T: HostReal>(backend: &dyn Backend<T>, n: usize, cuts: &[usize], widths: &[usize], outputs: usize) {
    let case = Case::<_, T>::new(Fcn::new(20, widths, outputs).unwrap().with_bias(Bias::All, 1.0).unwrap(), n);
    let whole = case.empirical(backend, MultiOutput::Trace);
    let whole_analytic = case.infinite(backend, AnalyticKernel::Ntk);
    let parts: Vec<_> = cuts.windows(2).map(|cut| cut[0]..cut[1]).collect();
    for left in &parts {
        for right in parts.iter().filter(|right| right.start <= left.start) {
            let (rows, cols) = (left.len(), right.len());
            let mut kernel = vec![T::ZERO; rows * cols];
            let mut scratch = vec![T::ZERO; structured_scratch(backend.tile(), rows, cols)];
            case.with_tangent(backend, left.clone(), |a| {
                case.with_tangent(backend, right.clone(), |b| {
                    let kernel = MatMut::new(&mut kernel, rows, cols).unwrap();
                    structured(backend, a, Some(b), MultiOutput::Trace, kernel, &mut scratch).unwrap();
                });
            });
            let compare = |block: &[T], whole: &[T], what: &str| {
                let same = |i: usize, j: usize| {
                    let at = (left.start + i) * n + right.start + j;
                    // above the diagonal the kernel of all samples is mirrored
                    right.start + j > left.start + i
                        || block[i * cols + j].to_f64().to_bits() == whole[at].to_f64().to_bits()
                };
                let different = (0..rows * cols).filter(|e| !same(e / cols, e % cols)).count();
                assert_eq!(different, 0, "{what}, {widths:?}: of rows {left:?}, columns {right:?} so many differ");
            };
            compare(&kernel, &whole, "empirical");
            let mut scratch = vec![T::ZERO; analytic_scratch(case.network.sizes(), backend.tile(), rows, cols)];
            let (x, y) = (case.samples(left.clone()), case.samples(right.clone()));
            let out = MatMut::new(&mut kernel, rows, cols).unwrap();
            analytic(backend, &case.network, AnalyticKernel::Ntk, x, Some(y), out, &mut scratch).unwrap();
            compare(&kernel, &whole_analytic, "analytic");
        }
    }
}

#[test]
fn blocks_of_whole_tiles_have_the_bits_of_the_whole() {
    fn check<T: HostReal>() {
        for widths in [&[300, 300][..], &[64], &[40, 700]] {
            check_blocks::<T>(T::fast(), 300, &[0, 128, 300], widths, 1);
            check_blocks::<T>(T::fast(), 300, &[0, 256, 300], widths, 3);
        }
        check_blocks::<T>(T::fast(), 257, &[0, 128, 256, 257], &[30, 30], 1);
        check_blocks::<T>(&Portable, 75, &[0, 32, 75], &[20, 33], 2);
    }
    check::<f32>();
    check::<f64>();
}
