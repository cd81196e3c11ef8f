//! The contract of a [`Backend`].

use super::{SEED, near, same};
use crate::angle::arc_cosine;
use crate::init::Normals;
use crate::{Backend, Error, MatMut, MatRef, Portable, Real};
use core::sync::atomic::{AtomicUsize, Ordering};

/// Largest side of a matrix that is tried.
const SIDE: usize = 21;
/// Elements of the matrix that views are cut from: a margin of 2 all around.
const WIDTH: usize = SIDE + 4;
const SPACE: usize = WIDTH * WIDTH;
/// Sides that are tried: none, one, around the tiles of 4, 8 and 16.
const SIDES: [usize; 7] = [0, 1, 2, 5, 9, 16, SIDE];
/// alpha and beta, in turn for one layout after the other.
const SCALES: [(f64, f64); 3] = [(1.0, 0.0), (-0.75, 1.0), (2.0, -0.5)];

/// Panics where `backend` breaks the contract of [`Backend`]:
///
/// - products `C <- alpha A B + beta C` of 0 to 21 rows, columns and terms, operands in every layout (adjacent rows or columns, a
///   block of a larger matrix), C a block whose surroundings stay as they are; without terms `C <- beta C`; with beta = 0
///   C is not read, NaN there or not; to within `2 (k + 1) epsilon |A| |B|` for k terms, the rounding of any order;
/// - the same of views without elements over any slice and with any strides;
/// - transposition, products of slices, square roots and arc-cosines have the bits of the default implementations, for
///   every length;
/// - eigenvalues ascending, eigenvectors orthonormal with `A v = w v`, from the lower triangle alone; `L L^T = A`, the
///   upper triangle untouched; all to within `100 n epsilon |A|`, with the error of the scalar's square root for epsilon
///   where that is larger;
/// - the same [`Error`] as [`Portable`] for the same input: not finite, not positive definite, a wrong shape;
/// - every band of rows is worked on once, with scratch of the length handed in.
#[track_caller]
pub fn backend<T: Real>(backend: &dyn Backend<T>) {
    for rows in SIDES {
        for cols in SIDES {
            for terms in SIDES {
                for layout in 0..16 {
                    product(backend, [rows, cols, terms], layout);
                }
            }
        }
    }
    for rows in [0, 1, 5] {
        for cols in [0, 1, 5] {
            for terms in [0, 1, 5] {
                if rows * cols * terms == 0 {
                    empty(backend, [rows, cols, terms]);
                }
            }
        }
    }
    for len in 0..SPACE.min(70) {
        elementwise(backend, len);
    }
    for rows in SIDES {
        for cols in SIDES {
            transposition(backend, rows, cols);
            bands(backend, rows, cols);
        }
    }
    for n in [0, 1, 2, 3, 8, SIDE] {
        eigen(backend, n);
        cholesky(backend, n);
    }
    refusals(backend);
}

/// Numbers of both signs and several sizes.
fn numbers<T: Real>(normals: &mut Normals) -> [T; SPACE] {
    core::array::from_fn(|_| T::from_f64(normals.draw()))
}

/// One way in which a `(rows, cols)` matrix can lie in `space`: adjacent or with a margin, row-major or transposed.
#[track_caller]
fn laid<T: Real>(space: &[T; SPACE], rows: usize, cols: usize, layout: usize) -> MatRef<'_, T> {
    let (r, c) = if layout & 1 == 0 { (rows, cols) } else { (cols, rows) };
    let view = if layout & 2 == 0 {
        MatRef::new(&space[..r * c], r, c)
    } else {
        // a block of blocks
        MatRef::new(&space[..], WIDTH, WIDTH).map(|all| all.block(1..r + 3, 0..c + 2).block(1..r + 1, 2..c + 2))
    };
    let view = view.expect("a view that fits");
    if layout & 1 == 0 { view } else { view.t() }
}

#[track_caller]
fn product<T: Real>(backend: &dyn Backend<T>, [rows, cols, terms]: [usize; 3], layout: usize) {
    let mut normals = Normals::new(SEED + (rows + 32 * cols + 1024 * terms) as u64);
    let (left, right) = (numbers(&mut normals), numbers(&mut normals));
    let (a, b) = (laid(&left, rows, terms, layout), laid(&right, terms, cols, layout >> 2));
    let before: [T; SPACE] = numbers(&mut normals);
    let (alpha, beta) = SCALES[(rows + cols + terms + layout) % SCALES.len()];
    let (alpha, beta) = (T::from_f64(alpha), T::from_f64(beta));
    let mut space = before;
    if beta == T::ZERO {
        space = [T::from_f64(f64::NAN); SPACE];
    }
    let c = MatMut::new(&mut space, WIDTH, WIDTH).expect("of this length");
    backend.gemm(alpha, a, b, beta, c.block(1..rows + 1, 2..cols + 2));
    for i in 0..WIDTH {
        for j in 0..WIDTH {
            let (now, was) = (space[i * WIDTH + j], before[i * WIDTH + j]);
            if !(1..rows + 1).contains(&i) || !(2..cols + 2).contains(&j) {
                let was = if beta == T::ZERO { T::from_f64(f64::NAN) } else { was };
                assert!(same(now, was), "gemm: wrote outside C ({rows} x {cols}, {terms} terms, layout {layout})");
                continue;
            }
            let (i, j) = (i - 1, j - 2);
            let (mut sum, mut size) = (T::ZERO, T::ZERO);
            for k in 0..terms {
                let term = a.at(i, k) * b.at(k, j);
                sum += term;
                size += term.abs();
            }
            let kept = if beta == T::ZERO { T::ZERO } else { beta * was };
            let allowed = T::from_count(2 * (terms + 1)) * T::EPSILON * (alpha.abs() * size + kept.abs());
            assert!(
                near(now, alpha * sum + kept, allowed),
                "gemm: element ({i}, {j}) of {rows} x {cols}, {terms} terms, layout {layout}, alpha {alpha}, beta {beta}: \
                     {now} in place of {}",
                alpha * sum + kept
            );
        }
    }
}

/// A view without elements over no slice, with strides as those of others.
#[track_caller]
fn bare<T: Real>(space: &[T; SPACE], rows: usize, cols: usize, transposed: bool) -> MatRef<'_, T> {
    let space = if rows * cols == 0 { &[] } else { &space[..] };
    let (row_stride, col_stride) = if transposed { (1, SIDE) } else { (SIDE, 1) };
    MatRef::strided(space, rows, cols, row_stride, col_stride).expect("a view that fits")
}

#[track_caller]
fn empty<T: Real>(backend: &dyn Backend<T>, [rows, cols, terms]: [usize; 3]) {
    let numbers: [T; SPACE] = numbers(&mut Normals::new(SEED));
    // what is left of a block behind its first row, which of a block without columns is a view over nothing
    let behind = |space: &mut [T; SPACE], check: &mut dyn FnMut(MatMut<'_, T>)| {
        let all = MatMut::new(&mut space[..], WIDTH, WIDTH).expect("of this length");
        check(all.block(0..rows + 1, 2..cols + 2).split_at_row(1).1);
    };
    for layout in 0..4 {
        let (a, b) = (bare(&numbers, rows, terms, layout & 1 > 0), bare(&numbers, terms, cols, layout & 2 > 0));
        for (alpha, beta) in SCALES.map(|(alpha, beta)| (T::from_f64(alpha), T::from_f64(beta))) {
            let mut space = numbers;
            behind(&mut space, &mut |c| backend.gemm(alpha, a, b, beta, c));
            for (at, (now, was)) in space.into_iter().zip(numbers).enumerate() {
                let is_inside = (1..rows + 1).contains(&(at / WIDTH)) && (2..cols + 2).contains(&(at % WIDTH));
                let expected = if is_inside { beta * was } else { was };
                // 0 may have either sign
                assert!(
                    now == expected,
                    "gemm: {now} in place of {expected}, {rows} x {cols}, {terms} terms, {a:?} {b:?}"
                );
            }
        }
    }
    if rows * cols > 0 {
        return;
    }
    let mut space = numbers;
    behind(&mut space, &mut |out| backend.transpose(bare(&numbers, cols, rows, false), out));
    let calls = AtomicUsize::new(0);
    behind(&mut space, &mut |out| {
        backend.for_each_band(out, 2, &mut [], &|first, band, _| {
            assert!(band.rows() == 2.min(rows - first) && band.cols() == cols, "for_each_band: {rows} x {cols}");
            // not counted: small processors have no such atomics
            calls.store(1, Ordering::Relaxed);
        });
    });
    assert!(calls.into_inner() == usize::from(rows > 0), "for_each_band: of {rows} x {cols}");
    assert!(space.into_iter().zip(numbers).all(|(now, was)| same(now, was)), "something of {rows} x {cols} is written");
}

#[track_caller]
fn elementwise<T: Real>(backend: &dyn Backend<T>, len: usize) {
    let mut normals = Normals::new(SEED + len as u64);
    let (a, b, before): ([T; SPACE], [T; SPACE], [T; SPACE]) =
        (numbers(&mut normals), numbers(&mut normals), numbers(&mut normals));
    for add in [false, true] {
        let mut y = before;
        backend.products(add, &a[..len], &b[..len], &mut y[..len]);
        for j in 0..SPACE {
            let product = a[j] * b[j];
            let expected = if j >= len { before[j] } else { product + if add { before[j] } else { T::ZERO } };
            // -0 + 0 is 0
            assert!(same(y[j], expected) || (!add && y[j] == product), "products of {len}: element {j}, add {add}");
        }
    }
    let mut roots = a.map(T::abs);
    backend.square_roots(&mut roots[..len]);
    for j in 0..SPACE {
        let expected = if j < len { a[j].abs().sqrt() } else { a[j].abs() };
        assert!(same(roots[j], expected), "square roots of {len}: element {j}");
    }
    // angles from 0 to pi, both ends included
    let sin2: [T; SPACE] =
        core::array::from_fn(|j| T::from_count(j) / T::from_count(len.max(2) - 1)).map(|s| s.min(T::ONE));
    let cos2 = sin2.map(|s| T::ONE - s);
    let (mut kappa0, mut gap) = (before, before);
    backend.arc_cosine(&sin2[..len], &cos2[..len], &mut kappa0[..len], &mut gap[..len]);
    for j in 0..SPACE {
        let expected = if j < len { arc_cosine(sin2[j], cos2[j], T::sqrt) } else { (before[j], before[j]) };
        assert!(same(kappa0[j], expected.0) && same(gap[j], expected.1), "arc-cosines of {len}: element {j}");
    }
}

#[track_caller]
fn transposition<T: Real>(backend: &dyn Backend<T>, rows: usize, cols: usize) {
    let (from, mut to) = (numbers(&mut Normals::new(SEED)), [T::ZERO; SPACE]);
    for layout in [0, 2] {
        let a = laid(&from, rows, cols, layout);
        backend.transpose(a, MatMut::new(&mut to[..rows * cols], cols, rows).expect("of this length"));
        for i in 0..rows {
            for j in 0..cols {
                assert!(same(to[j * rows + i], a.at(i, j)), "transpose of {rows} x {cols}: element ({i}, {j})");
            }
        }
    }
}

#[track_caller]
fn bands<T: Real>(backend: &dyn Backend<T>, rows: usize, cols: usize) {
    const SCRATCH: usize = 5;
    for per_band in [1, 3, SIDE + 1] {
        let (mut out, mut scratch) = ([T::ZERO; SPACE], [T::ZERO; SCRATCH]);
        // A slot per first row: stores alone, since small processors have no other atomics.
        let lengths: [AtomicUsize; SIDE + 1] = core::array::from_fn(|_| AtomicUsize::new(0));
        let view = MatMut::new(&mut out[..rows * cols], rows, cols).expect("of this length");
        backend.for_each_band(view, per_band, &mut scratch, &|first, mut band, scratch| {
            lengths[first].store(band.rows(), Ordering::Relaxed);
            assert!(scratch.len() == SCRATCH, "for_each_band: scratch of {} numbers", scratch.len());
            for i in 0..band.rows() {
                let row = T::from_count(first + i + 1);
                band.row_mut(i).iter_mut().for_each(|x| *x += row);
            }
        });
        let count = rows.div_ceil(per_band);
        let lengths = lengths.map(AtomicUsize::into_inner);
        let (calls, longest) = (lengths.iter().filter(|rows| **rows > 0).count(), lengths.iter().max());
        assert!(calls == count, "for_each_band: {rows} rows by {per_band} are {count} bands");
        assert!(longest == Some(&per_band.min(rows)), "for_each_band: a band has {per_band} rows");
        for (at, x) in out[..rows * cols].iter().enumerate() {
            assert!(*x == T::from_count(at / cols + 1), "for_each_band: row {} was not worked on once", at / cols);
        }
    }
}

/// Relative error of the scalar's square root, or epsilon where that is larger: decompositions take roots.
fn rounding<T: Real>() -> T {
    let error = |x: f64| {
        let x = T::from_f64(x);
        (x.sqrt() * x.sqrt() - x).abs() / x
    };
    [0.7, 1.3, 2.0, 3.1, 5.0, 11.0].map(error).into_iter().fold(T::EPSILON, T::max)
}

/// A symmetric matrix in the lower triangle, NaN above it.
fn lower<T: Real>(n: usize, shift: f64) -> [T; SPACE] {
    let mut normals = Normals::new(SEED + n as u64);
    let draws: [f64; SPACE] = core::array::from_fn(|_| normals.draw());
    core::array::from_fn(|at| match (at / n.max(1), at % n.max(1)) {
        (i, j) if i < j => T::from_f64(f64::NAN),
        (i, j) => T::from_f64(draws[at] + if i == j { shift } else { 0.0 }),
    })
}

#[track_caller]
fn eigen<T: Real>(backend: &dyn Backend<T>, n: usize) {
    let matrix = lower::<T>(n, 0.0);
    let entry = |i: usize, j: usize| matrix[i.max(j) * n + i.min(j)];
    let allowed = T::from_count(100 * n * n) * rounding();
    let (mut a, mut values, mut scratch) = (matrix, [T::ZERO; SIDE], [T::ZERO; SIDE]);
    let view = MatMut::new(&mut a[..n * n], n, n).expect("of this length");
    let done = backend.symmetric_eigenvalues(view, &mut values[..n], &mut scratch[..n]);
    assert!(done == Ok(()), "eigenvalues of {n} x {n}: {done:?}");
    assert!(values[..n].windows(2).all(|w| w[0] <= w[1]), "eigenvalues of {n} x {n} do not ascend");

    let (mut a, mut with, mut vectors) = (matrix, [T::ZERO; SIDE], [T::ZERO; SPACE]);
    let view = MatMut::new(&mut a[..n * n], n, n).expect("of this length");
    let out = MatMut::new(&mut vectors[..n * n], n, n).expect("of this length");
    let done = backend.symmetric_eigen(view, &mut with[..n], out, &mut scratch[..n]);
    assert!(done == Ok(()), "eigenvectors of {n} x {n}: {done:?}");
    let v = |i: usize, k: usize| vectors[i * n + k];
    let sum = |term: &dyn Fn(usize) -> T| (0..n).fold(T::ZERO, |s, i| s + term(i));
    for k in 0..n {
        assert!(near(values[k], with[k], allowed), "eigenvalue {k} of {n} depends on whether vectors are asked for");
        for i in 0..n {
            let image = sum(&|j| entry(i, j) * v(j, k));
            assert!(near(image, with[k] * v(i, k), allowed), "A v = w v: row {i} of eigenvector {k} of {n}");
            let product = sum(&|j| v(j, i) * v(j, k));
            let expected = if i == k { T::ONE } else { T::ZERO };
            assert!(near(product, expected, allowed), "eigenvectors {i} and {k} of {n} are not orthonormal");
        }
    }
}

#[track_caller]
fn cholesky<T: Real>(backend: &dyn Backend<T>, n: usize) {
    let matrix = lower::<T>(n, 4.0 * n as f64);
    let mut l = matrix;
    let done = backend.cholesky(MatMut::new(&mut l[..n * n], n, n).expect("of this length"));
    assert!(done == Ok(()), "Cholesky of {n} x {n}: {done:?}");
    let allowed = T::from_count(100 * n * (4 * n + 4)) * rounding();
    for i in 0..n {
        for j in 0..n {
            if j > i {
                assert!(l[i * n + j].is_nan(), "Cholesky of {n} x {n} wrote above the diagonal");
                continue;
            }
            let product = (0..=j).fold(T::ZERO, |s, k| s + l[i * n + k] * l[j * n + k]);
            assert!(near(product, matrix[i * n + j], allowed), "L L^T = A: element ({i}, {j}) of {n}");
        }
    }
}

/// A 5 x 5 matrix with one element replaced, for every way to be wrong.
#[track_caller]
fn refusals<T: Real>(backend: &dyn Backend<T>) {
    const N: usize = 5;
    let matrix = lower::<T>(N, 4.0 * N as f64);
    for (at, value) in [(0, f64::NAN), (6, -30.0), (12, f64::INFINITY), (15, f64::NAN), (24, -30.0)] {
        let wrong = || {
            let mut a = matrix;
            a[at] = T::from_f64(value);
            a
        };
        let run = |backend: &dyn Backend<T>| -> [Result<(), Error>; 3] {
            let (mut values, mut vectors, mut scratch) = ([T::ZERO; N], [T::ZERO; N * N], [T::ZERO; N]);
            let [mut a, mut b, mut c] = [wrong(), wrong(), wrong()];
            [
                MatMut::new(&mut a[..N * N], N, N)
                    .and_then(|a| backend.symmetric_eigenvalues(a, &mut values, &mut scratch)),
                MatMut::new(&mut b[..N * N], N, N).and_then(|a| {
                    let vectors = MatMut::new(&mut vectors, N, N)?;
                    backend.symmetric_eigen(a, &mut values, vectors, &mut scratch)
                }),
                MatMut::new(&mut c[..N * N], N, N).and_then(|a| backend.cholesky(a)),
            ]
        };
        let (got, expected) = (run(backend), run(&Portable));
        assert!(got == expected, "element {at} = {value}: {got:?} in place of {expected:?}");
    }
    // shapes
    let (mut a, mut values, mut scratch) = (matrix, [T::ZERO; N], [T::ZERO; N]);
    for (rows, cols, len) in [(N, N - 1, N), (N, N, N - 1)] {
        let mut run = |backend: &dyn Backend<T>| {
            MatMut::new(&mut a[..rows * cols], rows, cols)
                .and_then(|a| backend.symmetric_eigenvalues(a, &mut values[..len], &mut scratch))
        };
        let (got, expected) = (run(backend), run(&Portable));
        assert!(
            expected.is_err() && got == expected,
            "eigenvalues of {rows} x {cols}: {got:?} in place of {expected:?}"
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::{Approx32, Portable};

    #[test]
    fn portable_passes_in_every_scalar() {
        super::backend::<f32>(&Portable);
        super::backend::<f64>(&Portable);
        super::backend::<Approx32>(&Portable);
    }
}
