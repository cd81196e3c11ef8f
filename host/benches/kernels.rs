//! Forward, backward, both kernels, one training step and the eigenvalues of a kernel, on both backends: `cargo bench`.
//!
//! A case is (samples n, width m) of a fully connected network with two hidden layers on inputs of 784 numbers.
//! Items per second are multiply-adds.

use divan::Bencher;
use divan::counter::ItemsCount;
use ntkscope::backend::HostReal;
use ntkscope_core::backward::backward;
use ntkscope_core::forward::{Params, forward};
use ntkscope_core::init::{Normals, initialize};
use ntkscope_core::kernel::{
    AnalyticKernel, MultiOutput, analytic, analytic_scratch, structured, structured_scratch, tangent, tangent_len,
};
use ntkscope_core::loss::Loss;
use ntkscope_core::network::{Bias, Fcn};
use ntkscope_core::train::{Optimizer, Problem, Trainer, trainer_len};
use ntkscope_core::{Backend, MatMut, MatRef, Portable, Real};

fn main() {
    divan::main();
}

const INPUTS: usize = 784;
const CASES: [(usize, usize); 3] = [(6, 1024), (256, 512), (1000, 512)];
const SMALL: [(usize, usize); 1] = [(64, 64)];

/// Samples, parameters and network of one case.
struct Case<T> {
    n: usize,
    widths: [usize; 2],
    x: Vec<T>,
    theta: Vec<T>,
}

impl<T: Real> Case<T> {
    fn new((n, m): (usize, usize)) -> Self {
        let widths = [m; 2];
        let mut theta = vec![T::ZERO; network(&widths).sizes().parameters];
        initialize(&network(&widths), 0, &mut theta).expect("length");
        let (mut normals, scale) = (Normals::new(1), (INPUTS as f64).sqrt());
        Self { n, widths, x: (0..n * INPUTS).map(|_| T::from_f64(normals.draw() / scale)).collect(), theta }
    }
    fn x(&self) -> MatRef<'_, T> {
        MatRef::new(&self.x, self.n, INPUTS).expect("shape")
    }
    /// Multiply-adds of one forward pass.
    fn multiply_adds(&self) -> usize {
        let m = self.widths[0];
        self.n * (INPUTS * m + m * m + m)
    }
}

fn network(widths: &[usize]) -> Fcn<'_> {
    Fcn::new(INPUTS, widths, 1).and_then(|fcn| fcn.with_bias(Bias::Input, 1.0)).expect("sizes")
}

fn bench_forward<T: Real>(bencher: Bencher<'_, '_>, backend: &dyn Backend<T>, case: (usize, usize)) {
    let case = Case::<T>::new(case);
    let network = network(&case.widths);
    let mut buffer = vec![T::ZERO; case.n * network.sizes().activations];
    bencher.counter(ItemsCount::new(case.multiply_adds())).bench_local(|| {
        let params = Params::new(&network, &case.theta).expect("length");
        forward(backend, params, case.x(), &mut buffer).expect("shapes");
    });
}

fn bench_backward<T: Real>(bencher: Bencher<'_, '_>, backend: &dyn Backend<T>, case: (usize, usize)) {
    let case = Case::<T>::new(case);
    let network = network(&case.widths);
    let sizes = network.sizes();
    let (mut values, mut deltas) = (vec![T::ZERO; case.n * sizes.activations], vec![T::ZERO; case.n * sizes.deltas]);
    let seed = vec![T::ONE; case.n];
    let params = Params::new(&network, &case.theta).expect("length");
    let activations = forward(backend, params, case.x(), &mut values).expect("shapes");
    let m = case.widths[0];
    bencher.counter(ItemsCount::new(case.n * (m * m + m))).bench_local(|| {
        let seed = MatRef::new(&seed, case.n, 1).expect("shape");
        backward(backend, params, &activations, seed, &mut deltas).expect("shapes");
    });
}

fn bench_structured<T: Real>(bencher: Bencher<'_, '_>, backend: &dyn Backend<T>, case: (usize, usize)) {
    let case = Case::<T>::new(case);
    let network = network(&case.widths);
    let n = case.n;
    let mut buffer = vec![T::ZERO; tangent_len(network.sizes(), n)];
    let params = Params::new(&network, &case.theta).expect("length");
    let tangent = tangent(backend, params, case.x(), &mut buffer).expect("shapes");
    let (mut kernel, mut scratch) = (vec![T::ZERO; n * n], vec![T::ZERO; structured_scratch(backend.tile(), n, n)]);
    // the lower triangle: inputs, and twice each hidden width
    let adds = n * (n + 1) / 2 * (INPUTS + 4 * case.widths[0]);
    bencher.counter(ItemsCount::new(adds)).bench_local(|| {
        let kernel = MatMut::new(&mut kernel, n, n).expect("shape");
        structured(backend, &tangent, None, MultiOutput::Trace, kernel, &mut scratch).expect("shapes");
    });
}

fn bench_analytic<T: Real>(bencher: Bencher<'_, '_>, backend: &dyn Backend<T>, case: (usize, usize)) {
    let case = Case::<T>::new(case);
    let network = network(&case.widths);
    let n = case.n;
    let (mut kernel, mut scratch) =
        (vec![T::ZERO; n * n], vec![T::ZERO; analytic_scratch(network.sizes(), backend.tile(), n, n)]);
    bencher.counter(ItemsCount::new(n * (n + 1) / 2 * INPUTS)).bench_local(|| {
        let kernel = MatMut::new(&mut kernel, n, n).expect("shape");
        analytic(backend, &network, AnalyticKernel::Ntk, case.x(), None, kernel, &mut scratch).expect("shapes");
    });
}

fn bench_step<T: Real>(bencher: Bencher<'_, '_>, backend: &dyn Backend<T>, case: (usize, usize)) {
    let case = Case::<T>::new(case);
    let network = network(&case.widths);
    let targets: Vec<T> = (0..case.n).map(|i| T::from_count(i % 2)).collect();
    let targets = MatRef::new(&targets, case.n, 1).expect("shape");
    let problem = Problem::new(&network, case.x(), targets, Loss::CrossEntropy, 0.0).expect("problem");
    let optimizer = Optimizer::Descent { rate: 1e-3 };
    let mut buffer = vec![T::ZERO; trainer_len(network.sizes(), case.n, &optimizer)];
    let mut trainer = Trainer::new(backend, problem, optimizer, 0, &mut buffer).expect("trainer");
    bencher.counter(ItemsCount::new(3 * case.multiply_adds())).bench_local(|| trainer.advance(None).expect("finite"));
}

/// Eigenvalues of min(i, j), whose cost is that of any matrix of n rows: (2/3) n^3 multiply-adds.
fn bench_eigenvalues<T: Real>(bencher: Bencher<'_, '_>, backend: &dyn Backend<T>, n: usize) {
    let matrix: Vec<T> = (0..n * n).map(|at| T::from_count((at / n).min(at % n) + 1)).collect();
    let (mut values, mut scratch) = (vec![T::ZERO; n], vec![T::ZERO; n]);
    bencher.counter(ItemsCount::new(2 * n * n * n / 3)).with_inputs(|| matrix.clone()).bench_local_values(|mut a| {
        let a = MatMut::new(&mut a, n, n).expect("shape");
        backend.symmetric_eigenvalues(a, &mut values, &mut scratch).expect("finite");
    });
}

#[divan::bench(args = [500, 1000, 2000], types = [f32, f64], sample_count = 10)]
fn eigenvalues_fast<T: HostReal>(bencher: Bencher<'_, '_>, n: usize) {
    bench_eigenvalues::<T>(bencher, T::fast(), n);
}

#[divan::bench(args = CASES, types = [f32, f64])]
fn forward_fast<T: HostReal>(bencher: Bencher<'_, '_>, case: (usize, usize)) {
    bench_forward::<T>(bencher, T::fast(), case);
}

#[divan::bench(args = CASES, types = [f32, f64])]
fn backward_fast<T: HostReal>(bencher: Bencher<'_, '_>, case: (usize, usize)) {
    bench_backward::<T>(bencher, T::fast(), case);
}

#[divan::bench(args = CASES, types = [f32, f64])]
fn structured_fast<T: HostReal>(bencher: Bencher<'_, '_>, case: (usize, usize)) {
    bench_structured::<T>(bencher, T::fast(), case);
}

#[divan::bench(args = CASES, types = [f32, f64])]
fn analytic_fast<T: HostReal>(bencher: Bencher<'_, '_>, case: (usize, usize)) {
    bench_analytic::<T>(bencher, T::fast(), case);
}

#[divan::bench(args = CASES, types = [f32, f64])]
fn step_fast<T: HostReal>(bencher: Bencher<'_, '_>, case: (usize, usize)) {
    bench_step::<T>(bencher, T::fast(), case);
}

#[divan::bench(args = SMALL)]
fn forward_portable(bencher: Bencher<'_, '_>, case: (usize, usize)) {
    bench_forward::<f32>(bencher, &Portable, case);
}

#[divan::bench(args = [100])]
fn eigenvalues_portable(bencher: Bencher<'_, '_>, n: usize) {
    bench_eigenvalues::<f32>(bencher, &Portable, n);
}

#[divan::bench(args = SMALL)]
fn backward_portable(bencher: Bencher<'_, '_>, case: (usize, usize)) {
    bench_backward::<f32>(bencher, &Portable, case);
}

#[divan::bench(args = SMALL)]
fn structured_portable(bencher: Bencher<'_, '_>, case: (usize, usize)) {
    bench_structured::<f32>(bencher, &Portable, case);
}

#[divan::bench(args = SMALL)]
fn analytic_portable(bencher: Bencher<'_, '_>, case: (usize, usize)) {
    bench_analytic::<f32>(bencher, &Portable, case);
}

#[divan::bench(args = SMALL)]
fn step_portable(bencher: Bencher<'_, '_>, case: (usize, usize)) {
    bench_step::<f32>(bencher, &Portable, case);
}
