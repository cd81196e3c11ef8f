//! Regression by products with the kernel against the whole kernel.

use ntkscope::backend::HostReal;
use ntkscope::kernel::{Analytic, Operator, Panels, Points, whole};
use ntkscope::machine::{Alone, Ended, Stop};
use ntkscope::regression::{
    Accuracy, Follow, Iterate, Logistic, LowRank, Newton, Problem, Saved, fit, predictions, probabilities, ridge,
};
use ntkscope_core::init::Normals;
use ntkscope_core::kernel::AnalyticKernel;
use ntkscope_core::linalg::{cholesky_solve, norm};
use ntkscope_core::loss::Loss;
use ntkscope_core::network::{Activation, Fcn};
use ntkscope_core::{MatMut, MatRef};

const N: usize = 260;
const D: usize = 6;
const WIDTHS: [usize; 2] = [1, 1];

fn draws(count: usize, seed: u64) -> Vec<f64> {
    let mut normals = Normals::new(seed);
    (0..count).map(|_| normals.draw()).collect()
}

/// Classes 0, 1, 2 of points, by the largest of three noisy linear functions.
fn classes(x: &[f64]) -> Vec<usize> {
    let (w, noise) = (draws(3 * D, 8), draws(3 * N, 9));
    let score = |i: usize, c: usize| {
        x[i * D..][..D].iter().zip(&w[c * D..][..D]).map(|(x, w)| x * w).sum::<f64>() + noise[3 * i + c]
    };
    (0..N).map(|i| (0..3).max_by(|a, b| score(i, *a).total_cmp(&score(i, *b))).unwrap()).collect()
}

struct Silent;
impl Follow for Silent {
    fn product(&mut self, _: usize, _: f64) {}
}

/// Asks for the end after so many products.
struct Killer<'a>(usize, &'a Stop);
impl Follow for Killer<'_> {
    fn product(&mut self, _: usize, _: f64) {
        self.0 = self.0.saturating_sub(1);
        if self.0 == 0 {
            self.1.request();
        }
    }
}

type Test<'t> = dyn FnMut(&mut dyn Operator, &LowRank, &[f64]) + 't;

/// What is tested on: operator, its preconditioner of this rank, the whole kernel.
fn with(rank: usize, test: &mut Test<'_>) {
    let (network, x) = (Fcn::new(D, &WIDTHS, 1).unwrap(), draws(N * D, 5));
    let x = MatRef::new(&x, N, D).unwrap();
    let source = Analytic { backend: f64::fast(), network: &network, samples: &x, which: AnalyticKernel::Ntk };
    let kernel = whole(&source).unwrap();
    let mut operator = Panels::new(&source);
    let part = LowRank::of(&operator, (rank, 0), &mut |_| (), &Stop::new()).unwrap().done().unwrap();
    test(&mut operator, &part, &kernel);
}

#[test]
fn ridge_regression_is_that_of_the_whole_kernel() {
    let y = draws(3 * N, 7);
    let targets = MatRef::new(&y, 3, N).unwrap();
    for (rank, shift) in [(1, 10.0), (40, 1.0), (120, 1e-2), (N, 1e-4)] {
        with(rank, &mut |operator, part, kernel| {
            assert!(part.rank() <= rank && part.left < 1.0);
            let stop = Stop::new();
            let accuracy = Accuracy { tolerance: 1e-10, most: 2000, stop: &stop };
            let mut iterate = Iterate::default();
            let solved = ridge(operator, part, targets, shift, &mut iterate, &mut Silent, &accuracy);
            let solved = solved.unwrap().done().unwrap();
            assert!(solved.converged && solved.residual <= 1e-10, "{rank}, {shift}: {solved:?}");
            let mut factor = kernel.to_vec();
            factor.iter_mut().step_by(N + 1).for_each(|entry| *entry += shift);
            f64::fast().cholesky(MatMut::new(&mut factor, N, N).unwrap()).unwrap();
            for (y, a) in y.chunks_exact(N).zip(iterate.x.chunks_exact(N)) {
                let mut exact = y.to_vec();
                cholesky_solve(MatRef::new(&factor, N, N).unwrap(), &mut exact).unwrap();
                let off = norm(&exact.iter().zip(a).map(|(e, a)| e - a).collect::<Vec<_>>());
                // |r|/s bounds it
                assert!(off <= 1.1e-10 * norm(y) / shift + 1e-10 * norm(&exact), "{rank}, {shift}: {off:e}");
            }
        });
    }
}

/// The larger the part, the fewer the products.
/// Smooth kernels of points on a line have a rank far below what is asked for: in the rounding of the factor no pivot is left.
#[test]
fn a_part_ends_where_more_would_be_rounding() {
    let x: Vec<f64> = (0..N).map(|i| 2.0 * i as f64 / N as f64 - 1.0).collect();
    let x = MatRef::new(&x, N, 1).unwrap();
    for activation in [Activation::Erf, Activation::Gelu, Activation::Tanh] {
        let network = Fcn::new(1, &WIDTHS, 1).unwrap().with_activation(activation);
        let source = Analytic { backend: f64::fast(), network: &network, samples: &x, which: AnalyticKernel::Ntk };
        let operator = Panels::new(&source);
        let part = LowRank::of(&operator, (N, 0), &mut |_| (), &Stop::new()).unwrap().done().unwrap();
        assert!(part.rank() < 100 && part.left < 1e-5, "{activation}: rank {}, {} left", part.rank(), part.left);
    }
}

#[test]
fn a_larger_part_saves_products() {
    let y = draws(N, 7);
    let targets = MatRef::new(&y, 1, N).unwrap();
    let mut products = Vec::new();
    for rank in [1, 60, 200] {
        with(rank, &mut |operator, part, _| {
            let stop = Stop::new();
            let accuracy = Accuracy { tolerance: 1e-8, most: 2000, stop: &stop };
            let solved = ridge(operator, part, targets, 0.1, &mut Iterate::default(), &mut Silent, &accuracy);
            products.push(solved.unwrap().done().unwrap().products);
        });
    }
    assert!(products[2] < products[1] && products[1] < products[0], "{products:?}");
}

/// At the minimum a = (q - p)/s, for a softmax and for one output.
#[test]
fn logistic_regression_is_stationary() {
    for outputs in [1, 3] {
        for (rank, shift) in [(20, 3.0), (60, 0.3), (120, 0.01)] {
            with(rank, &mut |operator, part, kernel| {
                let labels = classes(&draws(N * D, 5));
                let mut q = vec![0.0; outputs * N];
                for (i, label) in labels.iter().enumerate() {
                    match outputs {
                        1 => q[i] = f64::from(u8::from(*label == 1)),
                        _ => q[label * N + i] = 1.0,
                    }
                }
                let targets = MatRef::new(&q, outputs, N).unwrap();
                let stop = Stop::new();
                let accuracy = Accuracy { tolerance: 1e-9, most: 3000, stop: &stop };
                let (mut newton, mut iterate) = (Newton::default(), Iterate::default());
                let mut problem = Logistic { kernel: operator, part, targets, shift };
                let solved = problem.minimize(&mut newton, &mut iterate, &mut Silent, &accuracy);
                let solved = solved.unwrap().done().unwrap();
                assert!(
                    solved.converged && newton.steps < 15,
                    "{outputs}, {shift}: {solved:?}, {} steps",
                    newton.steps
                );
                // with the outputs of the whole kernel
                let mut f = vec![0.0; outputs * N];
                for c in 0..outputs {
                    for i in 0..N {
                        let row = kernel[i * N..][..N].iter().zip(&newton.dual[c * N..][..N]);
                        f[c * N + i] = row.map(|(k, a)| k * a).sum();
                    }
                }
                let p = probabilities(MatRef::new(&f, outputs, N).unwrap()).unwrap();
                let left = (0..outputs * N).map(|at| q[at] - p[at] - shift * newton.dual[at]).collect::<Vec<_>>();
                assert!(norm(&left) < 1e-8 * (N as f64).sqrt(), "{outputs}, {shift}: {:e}", norm(&left));
            });
        }
    }
}

/// Cut off after any number of products, saved, read and gone on with, it finds the same bits.
#[test]
fn what_is_cut_off_goes_on_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.npz");
    let labels = classes(&draws(N * D, 5));
    let mut q = vec![0.0; 3 * N];
    labels.iter().enumerate().for_each(|(i, label)| q[label * N + i] = 1.0);
    let targets = MatRef::new(&q, 3, N).unwrap();
    with(20, &mut |operator, part, _| {
        let mut whole = None;
        for cut in [usize::MAX, 1, 2, 5, 9, 14, 30] {
            let (mut newton, mut iterate, mut asked_again) = (Newton::default(), Iterate::default(), 0);
            loop {
                let stop = Stop::new();
                let accuracy = Accuracy { tolerance: 1e-8, most: 5000, stop: &stop };
                let mut problem = Logistic { kernel: operator, part, targets, shift: 0.3 };
                match problem.minimize(&mut newton, &mut iterate, &mut Killer(cut, &stop), &accuracy).unwrap() {
                    Ended::Done(solved) => {
                        assert!(solved.converged);
                        break;
                    }
                    Ended::Stopped => {
                        Saved::write("this", &iterate, Some(&newton), &path).unwrap();
                        let saved = Saved::read(&path, "this", 3 * N).unwrap().unwrap();
                        assert!(saved.iterate == iterate && saved.newton.as_ref() == Some(&newton));
                        (iterate, newton) = (saved.iterate, saved.newton.unwrap());
                        asked_again += 1;
                    }
                }
            }
            assert!(cut == usize::MAX || asked_again > 0, "{cut}");
            let dual: Vec<u64> = newton.dual.iter().map(|a| a.to_bits()).collect();
            assert!(*whole.get_or_insert(dual.clone()) == dual, "cut off every {cut} products");
        }
    });
    assert!(Saved::read(&path, "that", 3 * N).unwrap_err().to_string().contains("another regression"));
    assert!(Saved::read(&path, "this", 4 * N).unwrap_err().to_string().contains("damaged"));
}

#[test]
fn predictions_are_products_with_the_kernel_of_both_sets() {
    let network = Fcn::new(D, &WIDTHS, 1).unwrap();
    let (x, a) = (draws(1300 * D, 5), draws(2 * 1100, 3));
    let all = MatRef::new(&x, 1300, D).unwrap();
    let (samples, points) = (all.block(0..1100, 0..D), all.block(1100..1300, 0..D));
    let of = |samples| Analytic { backend: f64::fast(), network: &network, samples, which: AnalyticKernel::Ntk };
    let kernel = whole(&of(&all as &dyn Points<f64>)).unwrap();
    let a = MatRef::new(&a, 2, 1100).unwrap();
    let found = predictions(
        (&of(&points as &dyn Points<f64>), &of(&samples as &dyn Points<f64>)),
        a,
        &Alone,
        &mut |_| (),
        &Stop::new(),
    );
    let found = found.unwrap().done().unwrap();
    for j in 0..200 {
        for c in 0..2 {
            let exact: f64 = (0..1100).map(|i| kernel[(1100 + j) * 1300 + i] * a.at(c, i)).sum();
            assert!((found[2 * j + c] - exact).abs() < 1e-9, "{j}, {c}");
        }
    }
}

/// Squared error is linear in the targets, in every bit: those of one output may be as small or large as numbers are, in a scalar
/// that has none so small or large, and others lie beside them.
#[test]
fn targets_of_any_scale_have_their_coefficients() {
    fn check<T: HostReal>(scales: &[i32]) {
        let network = Fcn::new(D, &WIDTHS, 1).unwrap();
        let x: Vec<T> = draws(N * D, 5).into_iter().map(T::from_f64).collect();
        let x = MatRef::new(&x, N, D).unwrap();
        let source = Analytic { backend: T::fast(), network: &network, samples: &x, which: AnalyticKernel::Ntk };
        let y = draws(2 * N, 6);
        let stop = Stop::new();
        let fitted = |scale: i32| {
            let targets: Vec<f64> = y[..N].iter().copied().chain(y[N..].iter().map(|y| y * 2f64.powi(scale))).collect();
            let targets = MatRef::new(&targets, 2, N).unwrap();
            let problem = Problem { loss: Loss::SquaredError, targets, ridge: 1e-3, rank: 40 };
            let accuracy = Accuracy { tolerance: 1e-4, most: 100, stop: &stop };
            let fit = fit(&mut Panels::new(&source), &problem, Saved::default(), &mut Silent, &accuracy);
            let fit = fit.unwrap().done().unwrap();
            assert!(fit.solved.converged, "{scale}");
            (fit.dual, fit.fitted)
        };
        let (dual, outputs) = fitted(0);
        for scale in scales {
            let (of_dual, of_outputs) = fitted(*scale);
            for (numbers, expected) in [(of_dual, &dual), (of_outputs, &outputs)] {
                assert_eq!(numbers[..N], expected[..N], "{scale}");
                let scaled: Vec<f64> = expected[N..].iter().map(|number| number * 2f64.powi(*scale)).collect();
                assert_eq!(numbers[N..], scaled, "{scale}");
            }
        }
    }
    check::<f32>(&[-600, -200, 200, 600]);
    check::<f64>(&[-900, -600, 600, 900]);
}
