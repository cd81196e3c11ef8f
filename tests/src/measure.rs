//! Core's operations on vectors that are allocated for the purpose.

use ntkscope_core::backward::{output_derivatives, output_derivatives_scratch};
use ntkscope_core::forward::{Params, forward};
use ntkscope_core::init::initialize;
use ntkscope_core::jacobian;
use ntkscope_core::kernel::{
    AnalyticKernel, MultiOutput, analytic, analytic_scratch, jacobian_contraction, structured, structured_scratch,
    tangent, tangent_len,
};
use ntkscope_core::loss::{Loss, Objective};
use ntkscope_core::network::{Dense, Network};
use ntkscope_core::predict::{
    FixedPoint, Joint, KernelFlow, Smoother, SoftTargets, Training, covariance, expand, fixed_point_len,
    kernel_flow_len, predict, smoother_len, soft_targets_len,
};
use ntkscope_core::record::{Burst, recorder_len};
use ntkscope_core::train::{Optimizer, Position, Problem, Trainer, trainer_len};
use ntkscope_core::{Backend, MatMut, MatRef, Portable, Real};

use crate::cases::Samples;

/// The buffer of a recorder of this trainer, which works on [`Portable`].
pub fn recorder_space<N: Network, T: Real>(trainer: &Trainer<'_, N, T, Portable>, burst: Option<Burst>) -> Vec<T> {
    let problem = trainer.problem();
    let (sizes, tile) = (problem.network().sizes(), Backend::<T>::tile(&Portable));
    vec![T::ZERO; recorder_len(sizes, problem.x().rows(), tile, &trainer.optimizer(), burst)]
}

/// Parameters at initialization.
pub fn theta<N: Network, T: Real>(network: &N, seed: u64) -> Vec<T> {
    let mut theta = vec![T::ZERO; network.sizes().parameters];
    initialize(network, seed, &mut theta).expect("lengths");
    theta
}

/// All layers of a network.
pub fn layers<N: Network>(network: &N) -> impl Iterator<Item = Dense> {
    (0..network.sizes().layers).map(|index| network.layer(index))
}

/// f(X) `(n, C)`.
pub fn outputs<N: Network, T: Real>(network: &N, theta: &[T], x: &Samples<T>) -> Vec<T> {
    let mut buffer = vec![T::ZERO; x.n * network.sizes().activations];
    let params = Params::new(network, theta).expect("length");
    forward(&Portable, params, x.view(), &mut buffer).expect("shapes").outputs().data().to_vec()
}

/// Which units of which layers are on: the signs of everything that enters a layer but the samples.
pub fn pattern<N: Network, T: Real>(network: &N, theta: &[T], x: &Samples<T>) -> Vec<bool> {
    let mut buffer = vec![T::ZERO; x.n * network.sizes().activations];
    let params = Params::new(network, theta).expect("length");
    let activations = forward(&Portable, params, x.view(), &mut buffer).expect("shapes");
    let mut signs = Vec::new();
    for index in 0..network.sizes().layers {
        let a = activations.layer_inputs(&network.layer(index));
        signs.extend((0..a.rows()).flat_map(|i| a.row(i)).map(|v| *v > T::ZERO));
    }
    signs
}

/// J `(n C, P)`.
pub fn jacobian_of<N: Network, T: Real>(network: &N, theta: &[T], x: &Samples<T>) -> Vec<T> {
    let sizes = network.sizes();
    let (n, c) = (x.n, sizes.outputs);
    let (mut values, mut deltas) = (vec![T::ZERO; n * sizes.activations], vec![T::ZERO; n * c * sizes.deltas]);
    let mut scratch = vec![T::ZERO; output_derivatives_scratch(c, n)];
    let params = Params::new(network, theta).expect("length");
    let activations = forward(&Portable, params, x.view(), &mut values).expect("shapes");
    let deltas = output_derivatives(&Portable, params, &activations, &mut deltas, &mut scratch).expect("lengths");
    let mut out = vec![T::ZERO; n * c * sizes.parameters];
    let view = MatMut::new(&mut out, n * c, sizes.parameters).expect("length");
    jacobian::jacobian(&activations, &deltas, view).expect("shapes");
    out
}

/// Rows and columns of the kernel of n samples against n'.
pub fn kernel_shape<N: Network>(network: &N, (n, other): (usize, usize), which: MultiOutput) -> (usize, usize) {
    let per_sample = if which == MultiOutput::Full { network.sizes().outputs } else { 1 };
    (n * per_sample, other * per_sample)
}

/// The empirical NTK by `structured`.
pub fn ntk<N: Network, T: Real, B: Backend<T>>(
    backend: &B,
    (network, theta): (&N, &[T]),
    x: &Samples<T>,
    y: Option<&Samples<T>>,
    which: MultiOutput,
) -> Vec<T> {
    let sizes = network.sizes();
    let params = Params::new(network, theta).expect("length");
    let mut left = vec![T::ZERO; tangent_len(sizes, x.n)];
    let left = tangent(backend, params, x.view(), &mut left).expect("shapes");
    let mut right = vec![T::ZERO; y.map_or(0, |y| tangent_len(sizes, y.n))];
    let right = y.map(|y| tangent(backend, params, y.view(), &mut right).expect("shapes"));
    let batch = (x.n, y.map_or(x.n, |y| y.n));
    let (rows, cols) = kernel_shape(network, batch, which);
    let mut kernel = vec![T::ZERO; rows * cols];
    let mut scratch = vec![T::ZERO; structured_scratch(backend.tile(), rows, cols)];
    let view = MatMut::new(&mut kernel, rows, cols).expect("length");
    structured(backend, &left, right.as_ref(), which, view, &mut scratch).expect("shapes");
    kernel
}

/// The empirical NTK by `jacobian_contraction`.
pub fn ntk_by_contraction<N: Network, T: Real>(
    (network, theta): (&N, &[T]),
    x: &Samples<T>,
    y: Option<&Samples<T>>,
    which: MultiOutput,
) -> Vec<T> {
    let (sizes, y) = (network.sizes(), y.unwrap_or(x));
    let (left, right) = (jacobian_of(network, theta, x), jacobian_of(network, theta, y));
    let (rows, cols) = kernel_shape(network, (x.n, y.n), which);
    let mut kernel = vec![T::ZERO; rows * cols];
    let view = |j, n| MatRef::new(j, n * sizes.outputs, sizes.parameters).expect("length");
    let out = MatMut::new(&mut kernel, rows, cols).expect("length");
    jacobian_contraction(&Portable, sizes, view(&left, x.n), view(&right, y.n), which, out).expect("shapes");
    kernel
}

/// An analytic kernel.
pub fn analytic_kernel<N: Network, T: Real, B: Backend<T>>(
    backend: &B,
    network: &N,
    which: AnalyticKernel,
    x: &Samples<T>,
    y: Option<&Samples<T>>,
) -> Vec<T> {
    let cols = y.map_or(x.n, |y| y.n);
    let mut kernel = vec![T::ZERO; x.n * cols];
    let mut scratch = vec![T::ZERO; analytic_scratch(network.sizes(), backend.tile(), x.n, cols)];
    let out = MatMut::new(&mut kernel, x.n, cols).expect("length");
    analytic(backend, network, which, x.view(), y.map(Samples::view), out, &mut scratch).expect("shapes");
    kernel
}

/// Eigenvalues in ascending order.
pub fn eigenvalues<T: Real>(matrix: &[T], n: usize) -> Vec<T> {
    let (mut a, mut values, mut scratch) = (matrix.to_vec(), vec![T::ZERO; n], vec![T::ZERO; n]);
    let a = MatMut::new(&mut a, n, n).expect("length");
    Portable.symmetric_eigenvalues(a, &mut values, &mut scratch).expect("convergence");
    values
}

/// Targets `(n, C)` of labels.
pub fn targets<T: Real>(loss: Loss, labels: &[usize], outputs: usize, smoothing: f64) -> Samples<T> {
    let mut values = vec![T::ZERO; labels.len() * outputs];
    for (row, label) in values.chunks_exact_mut(outputs).zip(labels) {
        loss.target(*label, smoothing, row).expect("label");
    }
    Samples { values, n: labels.len(), d: outputs }
}

/// Objective and gradient of a problem at `theta`.
pub fn objective<N: Network, T: Real>(
    network: &N,
    problem: &Problem<'_, N, T>,
    theta: &[T],
    theta_0: &[T],
    scaled: bool,
) -> (Objective<T>, Vec<T>) {
    let mut gradient = vec![T::ZERO; theta.len()];
    let mut work = vec![T::ZERO; Problem::<N, T>::work_len(network.sizes(), problem.x().rows())];
    let objective =
        problem.evaluate(&Portable, Position { theta, theta_0 }, scaled, &mut gradient, &mut work).expect("lengths");
    (objective, gradient)
}

/// Calls `body` with a trainer on `Portable` in a buffer of just the right length.
pub fn train<N: Network, T: Real, R>(
    problem: Problem<'_, N, T>,
    optimizer: Optimizer,
    seed: u64,
    body: impl FnOnce(&mut Trainer<'_, N, T, Portable>) -> R,
) -> R {
    let mut buffer = vec![T::ZERO; trainer_len(problem.network().sizes(), problem.x().rows(), &optimizer)];
    let mut trainer = Trainer::new(&Portable, problem, optimizer, seed, &mut buffer).expect("a valid problem");
    body(&mut trainer)
}

/// f at a trainer's present parameters.
pub fn trained_outputs<N: Network, T: Real>(trainer: &Trainer<'_, N, T, Portable>, x: &Samples<T>) -> Vec<T> {
    outputs(trainer.problem().network(), trainer.theta(), x)
}

/// Calls `body` with the flow under a fixed kernel (nC, nC) in a buffer of just the right length, from `f_0` to `y`.
pub fn kernel_flow<T: Real, B: Backend<T>, R>(
    backend: &B,
    kernel: &[T],
    (f_0, y): (&Samples<T>, &Samples<T>),
    loss: Loss,
    tolerance: f64,
    body: impl FnOnce(&mut KernelFlow<'_, T, B>) -> R,
) -> R {
    let mut buffer = vec![T::from_f64(f64::NAN); kernel_flow_len(y.n, y.d)];
    let kernel = MatRef::new(kernel, y.n * y.d, y.n * y.d).expect("length");
    let flow = KernelFlow::new(backend, kernel, f_0.view(), y.view(), loss, tolerance, &mut buffer);
    body(&mut flow.expect("a valid problem"))
}

/// Train outputs and dual coefficients `(n, C)` of that flow at ln(1 + t).
pub fn kernel_flow_to<T: Real>(
    kernel: &[T],
    ends: (&Samples<T>, &Samples<T>),
    loss: Loss,
    tolerance: f64,
    log_time: T,
) -> (Vec<T>, Samples<T>) {
    kernel_flow(&Portable, kernel, ends, loss, tolerance, |flow| {
        flow.advance_to(log_time).expect("a flow");
        assert!(flow.log_time() == log_time, "lands exactly");
        (flow.outputs().data().to_vec(), Samples::from_values(flow.dual().data(), ends.1.d))
    })
}

/// K (x) I_C of a kernel (rows, cols).
pub fn expanded<T: Real>(kernel: &[T], (rows, cols): (usize, usize), outputs: usize) -> Vec<T> {
    let mut out = vec![T::from_f64(f64::NAN); kernel.len() * outputs * outputs];
    let view = MatMut::new(&mut out, rows * outputs, cols * outputs).expect("length");
    expand(MatRef::new(kernel, rows, cols).expect("length"), outputs, view).expect("shapes");
    out
}

/// f_0 + K g for the samples of f_0.
pub fn predicted<T: Real>(k_cross: &[T], f_0: &Samples<T>, g: MatRef<'_, T>) -> Vec<T> {
    let mut out = f_0.values.clone();
    let cross = MatRef::new(k_cross, out.len(), g.rows() * g.cols()).expect("length");
    predict(&Portable, cross, f_0.view(), g, MatMut::new(&mut out, f_0.n, f_0.d).expect("length")).expect("shapes");
    out
}

/// View of a square matrix.
pub fn square<T: Real>(matrix: &[T]) -> MatRef<'_, T> {
    let n = matrix.len().isqrt();
    MatRef::new(matrix, n, n).expect("a square matrix")
}

/// Calls `body` with the penalized problem under a kernel (nC, nC), in a buffer of just the right length.
pub fn fixed_point<T: Real, R>(
    kernel: &[T],
    y: &Samples<T>,
    loss: Loss,
    penalty: f64,
    body: impl FnOnce(&mut FixedPoint<'_, T, Portable>) -> R,
) -> R {
    let mut buffer = vec![T::from_f64(f64::NAN); fixed_point_len(y.n, y.d)];
    let penalty = T::from_f64(penalty);
    let problem = FixedPoint::new(&Portable, square(kernel), y.view(), loss, penalty, &mut buffer);
    body(&mut problem.expect("a valid problem"))
}

/// The same without a penalty.
pub fn soft_targets<T: Real, R>(
    kernel: &[T],
    y: &Samples<T>,
    loss: Loss,
    body: impl FnOnce(&mut SoftTargets<'_, T, Portable>) -> R,
) -> R {
    let mut buffer = vec![T::from_f64(f64::NAN); soft_targets_len(y.n, y.d)];
    let problem = SoftTargets::new(&Portable, square(kernel), y.view(), loss, &mut buffer);
    body(&mut problem.expect("a valid problem"))
}

/// A `(m, n)` of a linear predictor.
pub fn smoother_of(ntk: Joint<'_, f64>, training: Training<f64>) -> Vec<f64> {
    let (m, n) = (ntk.test().rows(), ntk.train().rows());
    let (mut a, mut buffer) = (vec![f64::NAN; m * n], vec![f64::NAN; smoother_len(n)]);
    let smoother = Smoother::new(&Portable, ntk.train(), training, &mut buffer).expect("a smoother");
    let out = MatMut::new(&mut a, m, n).expect("length");
    smoother.of(&Portable, ntk.cross(), out, &mut vec![f64::NAN; m * n]).expect("shapes");
    a
}

/// A `(mC, nC)` of a penalized problem where it stands.
pub fn smoother_at(problem: &mut FixedPoint<'_, f64, Portable>, k_cross: MatRef<'_, f64>) -> Vec<f64> {
    let (m, n) = (k_cross.rows(), k_cross.cols());
    let (mut a, mut work) = (vec![f64::NAN; m * n], vec![f64::NAN; m * n]);
    problem.smoother(k_cross, MatMut::new(&mut a, m, n).expect("length"), &mut work).expect("a smoother");
    a
}

/// Covariance `(m, m)` over initializations.
pub fn covariance_of(nngp: Joint<'_, f64>, a: &[f64]) -> Vec<f64> {
    let (m, n) = (nngp.test().rows(), nngp.train().rows());
    let (mut out, mut work) = (vec![f64::NAN; m * m], vec![f64::NAN; m * n]);
    let a = MatRef::new(a, m, n).expect("length");
    covariance(&Portable, nngp, a, MatMut::new(&mut out, m, m).expect("length"), &mut work).expect("shapes");
    out
}

/// A A^T / columns + shift, with A of independent normal numbers: of full rank where shift > 0.
pub fn gram(n: usize, columns: usize, shift: f64, seed: u64) -> Vec<f64> {
    let a: Samples<f64> = Samples::gaussian(n, columns, seed);
    let row = |i: usize| &a.values[i * columns..][..columns];
    let entry = |i: usize, j: usize| row(i).iter().zip(row(j)).map(|(x, y)| x * y).sum::<f64>() / columns as f64;
    (0..n * n).map(|e| entry(e / n, e % n) + if e / n == e % n { shift } else { 0.0 }).collect()
}
