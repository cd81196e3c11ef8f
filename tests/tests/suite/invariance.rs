//! What must not change: with the order of samples, the cut into tiles, the order of hidden units.

use ntkscope_core::kernel::AnalyticKernel::{Nngp, Ntk};
use ntkscope_core::kernel::MultiOutput;
use ntkscope_core::network::{Fcn, Mirrored, Network};
use ntkscope_core::{Backend, MatMut, MatRef, Portable, Real};
use ntkscope_tests::cases::{Samples, Shape, Tiled, named, shapes};
use ntkscope_tests::measure::{analytic_kernel, eigenvalues, ntk, outputs, theta};
use ntkscope_tests::tolerance::{Check, same_bits};

/// The block of these rows and columns of a kernel with `per_sample` of them for each sample.
fn block(kernel: &[f64], columns: usize, per_sample: usize, rows: &[usize], cols: &[usize]) -> Vec<f64> {
    let expand = |indices: &[usize]| -> Vec<usize> {
        indices.iter().flat_map(|i| (0..per_sample).map(move |c| i * per_sample + c)).collect()
    };
    let (rows, cols) = (expand(rows), expand(cols));
    rows.iter().flat_map(|i| cols.iter().map(|j| kernel[i * columns + j]).collect::<Vec<_>>()).collect()
}

const WAYS: [Tiled; 5] = [
    Tiled { tile: 1, reversed: false },
    Tiled { tile: 3, reversed: true },
    Tiled { tile: 8, reversed: false },
    Tiled { tile: 32, reversed: true },
    Tiled { tile: 1000, reversed: false },
];

fn tiles_and_subsets<N: Network>(network: &N, shape: &Shape) {
    let theta = theta::<N, f64>(network, shape.seed);
    let (x, y): (Samples<f64>, Samples<f64>) = (shape.left(), shape.right());
    let case = format!("{shape:?}");
    for which in [MultiOutput::Full, MultiOutput::Trace, MultiOutput::Class(shape.outputs - 1)] {
        let per_sample = if which == MultiOutput::Full { shape.outputs } else { 1 };
        let own = ntk(&Portable, (network, &theta), &x, None, which);
        let cross = ntk(&Portable, (network, &theta), &x, Some(&y), which);
        for way in &WAYS {
            let case = format!("{case}, {which:?}, {way:?}");
            same_bits(&case, &own, &ntk(way, (network, &theta), &x, None, which));
            same_bits(&case, &cross, &ntk(way, (network, &theta), &x, Some(&y), which));
        }
        // the set against itself, as two sets: the upper triangle is computed, not mirrored
        same_bits(&case, &own, &ntk(&Portable, (network, &theta), &x, Some(&x), which));
        // scattered samples in another order
        let rows: Vec<usize> = (0..x.n).rev().step_by(2).collect();
        let cols: Vec<usize> = (0..y.n).filter(|j| j % 3 != 1).collect();
        let (xs, ys) = (x.select(&rows), y.select(&cols));
        let expected = block(&own, x.n * per_sample, per_sample, &rows, &rows);
        same_bits(&case, &expected, &ntk(&Portable, (network, &theta), &xs, None, which));
        let expected = block(&cross, y.n * per_sample, per_sample, &rows, &cols);
        same_bits(&case, &expected, &ntk(&Portable, (network, &theta), &xs, Some(&ys), which));
        // and the other way round
        let side = (x.n * per_sample, y.n * per_sample);
        let transposed: Vec<f64> = (0..cross.len()).map(|e| cross[e % side.0 * side.1 + e / side.0]).collect();
        same_bits(&case, &transposed, &ntk(&Portable, (network, &theta), &y, Some(&x), which));
    }
}

#[test]
fn empirical_kernels_do_not_depend_on_tiles_or_company() {
    for shape in shapes() {
        let network = shape.network();
        tiles_and_subsets(&network, &shape);
        tiles_and_subsets(&Mirrored(network), &shape);
    }
}

#[test]
fn analytic_kernels_do_not_depend_on_tiles_or_company() {
    let (x, y): (Samples<f64>, Samples<f64>) = (Samples::gaussian(37, 4, 5), Samples::gaussian(19, 4, 6));
    for name in ["lin0", "ball05"] {
        let network = named(name, 4, &[1, 1, 1]);
        for which in [Nngp, Ntk] {
            let own = analytic_kernel(&Portable, &network, which, &x, None);
            let cross = analytic_kernel(&Portable, &network, which, &x, Some(&y));
            for way in &WAYS {
                same_bits(&format!("{way:?}"), &own, &analytic_kernel(way, &network, which, &x, None));
                same_bits(&format!("{way:?}"), &cross, &analytic_kernel(way, &network, which, &x, Some(&y)));
            }
            same_bits(&"as two sets", &own, &analytic_kernel(&Portable, &network, which, &x, Some(&x)));
            let rows = [30, 2, 17, 36];
            let expected = block(&own, x.n, 1, &rows, &rows);
            same_bits(&"subset", &expected, &analytic_kernel(&Portable, &network, which, &x.select(&rows), None));
            let expected = block(&cross, y.n, 1, &rows, &[5, 4]);
            let (xs, ys) = (x.select(&rows), y.select(&[5, 4]));
            same_bits(&"subset", &expected, &analytic_kernel(&Portable, &network, which, &xs, Some(&ys)));
        }
    }
}

#[test]
fn kernels_are_symmetric_and_positive_semidefinite() {
    let mut check = Check::named("negative eigenvalue over the largest");
    for shape in shapes() {
        let network = Mirrored(shape.network());
        let x: Samples<f64> = shape.left();
        let kernel = ntk(&Portable, (&network, &theta::<_, f64>(&network, shape.seed)), &x, None, MultiOutput::Full);
        let rows = x.n * shape.outputs;
        let transposed: Vec<f64> = (0..rows * rows).map(|e| kernel[e % rows * rows + e / rows]).collect();
        let case = format!("{shape:?}");
        same_bits(&case, &kernel, &transposed);
        let values = eigenvalues(&kernel, rows);
        let largest = values[rows - 1];
        assert!(largest >= 0.0, "{case}");
        if largest > 0.0 {
            check.error(&case, 0, 0.0, values[0], (-values[0]).max(0.0) / largest);
        }
        for which in [Nngp, Ntk] {
            let kernel = analytic_kernel(&Portable, &network, which, &x, None);
            let values = eigenvalues(&kernel, x.n);
            check.error(&format!("{case}, {which:?}"), 0, 0.0, values[0], (-values[0]).max(0.0) / values[x.n - 1]);
        }
    }
    check.finish();
}

#[test]
fn the_order_of_hidden_units_does_not_matter() {
    let mut check = Check::named("permuted hidden units");
    for shape in shapes() {
        let network: Fcn = shape.network();
        let before = theta::<_, f64>(&network, shape.seed);
        // unit j of hidden layer l becomes unit -j: rows of its layer, columns of the next
        let mut after = before.clone();
        for l in 0..network.sizes().layers {
            let layer = network.layer(l);
            let image = |j: usize, of: usize, hidden: bool| if hidden { of - 1 - j } else { j };
            for j in 0..layer.outputs {
                let row = image(j, layer.outputs, l < shape.widths.len());
                for k in 0..layer.inputs {
                    let column = image(k, layer.inputs, l > 0);
                    after[layer.weights + row * layer.inputs + column] = before[layer.weights + j * layer.inputs + k];
                }
                if let Some(bias) = layer.bias {
                    after[bias + row] = before[bias + j];
                }
            }
        }
        let x: Samples<f64> = shape.left();
        let case = format!("{shape:?}");
        let of = |theta: &[f64]| ntk(&Portable, (&network, theta), &x, None, MultiOutput::Full);
        check.all_scaled(&case, &of(&before), &of(&after));
        check.all_scaled(&case, &outputs(&network, &before, &x), &outputs(&network, &after, &x));
    }
    check.finish();
}

#[test]
fn a_sample_does_not_see_its_neighbours() {
    for shape in shapes() {
        let network = Mirrored(shape.network());
        let mut parameters = theta::<_, f64>(&network, shape.seed);
        parameters[0] += 0.5;
        let x: Samples<f64> = shape.left();
        let all = outputs(&network, &parameters, &x);
        for i in 0..x.n {
            let alone = outputs(&network, &parameters, &x.select(&[i]));
            same_bits(&format!("{shape:?}, sample {i}"), &all[i * shape.outputs..][..shape.outputs], &alone);
        }
    }
}

/// A matrix in the last rows and columns of a larger one, `margin` more each way, or its transpose there.
///
/// What lies around it is not a number, so that reading it would show.
struct Placed<T> {
    data: Vec<T>,
    rows: usize,
    cols: usize,
    transposed: bool,
    margin: usize,
}

impl<T: Real> Placed<T> {
    fn new(matrix: &Samples<T>, transposed: bool, margin: usize) -> Self {
        let (rows, cols) = if transposed { (matrix.d, matrix.n) } else { (matrix.n, matrix.d) };
        let mut data = vec![T::from_f64(f64::NAN); (rows + margin) * (cols + margin)];
        for i in 0..rows {
            for j in 0..cols {
                let (r, c) = if transposed { (j, i) } else { (i, j) };
                data[(i + margin) * (cols + margin) + j + margin] = matrix.values[r * matrix.d + c];
            }
        }
        Self { data, rows, cols, transposed, margin }
    }
    fn view(&self) -> MatRef<'_, T> {
        let (rows, cols) = (self.rows + self.margin, self.cols + self.margin);
        let whole = MatRef::new(&self.data, rows, cols).expect("length");
        let block = whole.block(self.margin..rows, self.margin..cols);
        if self.transposed { block.t() } else { block }
    }
}

fn products<T: Real>((m, k, n): (usize, usize, usize), (alpha, beta): (f64, f64)) {
    let (alpha, beta) = (T::from_f64(alpha), T::from_f64(beta));
    let (a, b): (Samples<T>, Samples<T>) = (Samples::gaussian(m, k, 1), Samples::gaussian(k, n, 2));
    let c: Samples<T> = Samples::gaussian(m, n, 3);
    let expected: Vec<T> = (0..m * n)
        .map(|e| {
            let sum = (0..k).fold(T::ZERO, |s, l| s + a.values[e / n * k + l] * b.values[l * n + e % n]);
            if beta == T::ZERO { alpha * sum } else { alpha * sum + beta * c.values[e] }
        })
        .collect();
    for (ta, tb) in [(false, false), (true, false), (false, true), (true, true)] {
        for (a_margin, b_margin, c_margin) in [(0, 0, 0), (3, 0, 0), (0, 3, 0), (0, 0, 3), (1, 2, 1)] {
            let (a, b) = (Placed::new(&a, ta, a_margin), Placed::new(&b, tb, b_margin));
            let mut out = Placed::new(&c, false, c_margin);
            if beta == T::ZERO {
                // what C held must not matter
                out.data.fill(T::from_f64(f64::NAN));
            }
            let whole = MatMut::new(&mut out.data, m + c_margin, n + c_margin).expect("length");
            let target = whole.block(c_margin..m + c_margin, c_margin..n + c_margin);
            Portable.gemm(alpha, a.view(), b.view(), beta, target);
            let case = format!("{m} {k} {n}, {alpha} {beta}, {ta} {tb}, margins {a_margin} {b_margin} {c_margin}");
            let result: Vec<T> = (0..m * n).map(|e| out.view().at(e / n, e % n)).collect();
            same_bits(&case, &expected, &result);
            let around = out.data.iter().filter(|x| x.is_nan()).count();
            assert_eq!(around, out.data.len() - m * n, "{case}: wrote around C");
        }
    }
}

#[test]
fn products_run_in_the_stated_order_whatever_the_strides() {
    let tiles = [(1, 1, 1), (4, 8, 4), (5, 3, 7), (9, 17, 6), (6, 64, 6), (11, 2, 12)];
    let edges = [(3, 0, 5), (2, 1, 13), (7, 5, 1), (1, 9, 11), (1, 6, 1), (8, 1, 1), (0, 3, 4), (4, 3, 0)];
    for shape in tiles.into_iter().chain(edges) {
        for scales in [(1.0, 0.0), (0.7, 0.3), (-2.0, 1.0)] {
            products::<f64>(shape, scales);
            products::<f32>(shape, scales);
        }
    }
}

#[test]
fn seeds() {
    let network = named("bias1", 3, &[20, 20]);
    let (one, again, other) =
        (theta::<_, f64>(&network, 1), theta::<_, f64>(&network, 1), theta::<_, f64>(&network, 2));
    same_bits(&"the same seed", &one, &again);
    assert!(one.iter().zip(&other).all(|(a, b)| a != b));
    let rounded: Vec<f32> = one.iter().map(|x| *x as f32).collect();
    same_bits(&"f32 is f64 rounded", &rounded, &theta::<_, f32>(&network, 1));
    // N(0,1): mean, variance and fourth moment of 2e5 draws within five standard errors
    let many: Samples<f64> = Samples::gaussian(200_000, 1, 12);
    let moment = |k: i32| many.values.iter().map(|x| x.powi(k)).sum::<f64>() / 200_000.0;
    let mut check = Check::named("moments in standard errors");
    for (k, expected, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
        check.scaled(&"moment", k, expected, moment(k), (variance / 200_000.0f64).sqrt());
    }
    check.finish();
}
