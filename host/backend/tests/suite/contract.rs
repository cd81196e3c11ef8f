//! The contract of a backend, and what no backend may do: read or write outside the slices of its views.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ntkscope_backend::{Fast, HostReal, Until};
use ntkscope_core::{Backend, MatMut, MatRef, Portable, contract};

use crate::on;

#[test]
fn the_fast_backend_keeps_the_contract() {
    for threads in [1, 3] {
        on(threads, || {
            contract::backend::<f64>(&Fast);
            contract::backend::<f32>(&Fast);
        });
    }
}

/// The backend that can be asked to end is the same one until it is; then it leaves work out.
#[test]
fn work_ends_when_it_is_asked_to() {
    let on_and_on = Until::new(|| false);
    for threads in [1, 3] {
        on(threads, || {
            contract::backend::<f64>(&on_and_on);
            contract::backend::<f32>(&on_and_on);
        });
    }
    let numbers = |n: usize| -> Vec<f64> { (0..n * n).map(|at| (0.7 * at as f64).sin()).collect() };
    // enough of the same factors that a product is made in several parts, and the same bits
    let (rows, depth) = (1300, 3000);
    let (a, b) = (numbers(depth), numbers(depth));
    let (a, b) = (MatRef::new(&a[..rows * depth], rows, depth).unwrap(), MatRef::new(&b, depth, depth).unwrap());
    let product = |backend: &dyn Backend<f64>| {
        let mut c = vec![7.0; rows * depth];
        backend.gemm(1.0, a, b, 0.0, MatMut::new(&mut c, rows, depth).unwrap());
        c
    };
    assert!(product(&on_and_on) == product(&Fast));
    let ended = Until::new(|| true);
    assert!(product(&ended).iter().all(|x| *x == 7.0));
    for n in [20, 800] {
        let (mut matrix, mut values, mut scratch) = (numbers(n), vec![0.0; n], vec![0.0; n]);
        let found = ended.symmetric_eigenvalues(MatMut::new(&mut matrix, n, n).unwrap(), &mut values, &mut scratch);
        assert!(found.is_err());
    }
    // while it goes on: at the third question
    let questions = Arc::new(AtomicUsize::new(0));
    let counted = questions.clone();
    let until = Until::new(move || counted.fetch_add(1, Ordering::Relaxed) >= 2);
    let n = 800;
    let symmetric: Vec<f64> = (0..n * n).map(|at| ((at / n + at % n) as f64).cos()).collect();
    let (mut matrix, mut values, mut scratch) = (symmetric, vec![0.0; n], vec![0.0; n]);
    let found = until.symmetric_eigenvalues(MatMut::new(&mut matrix, n, n).unwrap(), &mut values, &mut scratch);
    assert!(found.is_err() && questions.load(Ordering::Relaxed) < 10);
}

fn refused(what: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(what)).is_err()
}

fn check_refusals<T: HostReal>(backend: &dyn Backend<T>) {
    let (ones, mut memory) = ([T::ONE; 64], [T::from_f64(7.0); 64]);
    let view = |rows, cols| MatRef::new(&ones[..rows * cols], rows, cols).unwrap();
    // views that are larger than what they were cut from
    assert!(refused(|| {
        let (mine, _other) = memory.split_at_mut(8);
        let c = MatMut::new(mine, 2, 4).unwrap().block(0..4, 0..4);
        backend.gemm(T::ONE, view(4, 4), view(4, 4), T::ZERO, c);
    }));
    assert!(refused(|| {
        let c = MatMut::new(&mut memory[..2], 1, 2).unwrap();
        backend.gemm(T::ONE, view(2, 2).block(0..1, 0..32), view(32, 2), T::ZERO, c);
    }));
    // shapes that disagree
    for (a, b, c) in
        [((2, 3), (4, 5), (2, 5)), ((2, 3), (3, 5), (3, 5)), ((2, 3), (3, 5), (2, 4)), ((2, 0), (1, 5), (2, 5))]
    {
        assert!(refused(|| {
            let c = MatMut::new(&mut memory[..c.0 * c.1], c.0, c.1).unwrap();
            backend.gemm(T::ONE, view(a.0, a.1), view(b.0, b.1), T::ZERO, c);
        }));
    }
    for (a, out) in [((3, 4), (3, 4)), ((3, 4), (4, 2)), ((8, 8), (8, 7))] {
        assert!(refused(|| {
            backend.transpose(view(a.0, a.1), MatMut::new(&mut memory[..out.0 * out.1], out.0, out.1).unwrap());
        }));
    }
    assert!(refused(|| backend.transpose(view(3, 4).t(), MatMut::new(&mut memory[..12], 3, 4).unwrap())));
    assert!(refused(|| {
        backend.for_each_band(MatMut::new(&mut memory[..12], 3, 4).unwrap(), 0, &mut [], &|_, _, _| {});
    }));
    // lengths that differ
    for at in 0..3 {
        let len = |slice| if slice == at { 31 } else { 32 };
        assert!(refused(|| backend.products(true, &ones[..len(0)], &ones[..len(1)], &mut memory[..len(2)])));
        let (kappa0, gap) = memory.split_at_mut(32);
        assert!(refused(|| backend.arc_cosine(&ones[..len(0)], &ones[..len(1)], &mut kappa0[..len(2)], gap)));
    }
    let (kappa0, gap) = memory.split_at_mut(32);
    assert!(refused(|| backend.arc_cosine(&ones[..32], &ones[..32], kappa0, &mut gap[..31])));
    assert!(memory.iter().all(|x| *x == T::from_f64(7.0)), "what is refused writes nothing");
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_written() {
    check_refusals::<f64>(&Fast);
    check_refusals::<f32>(&Fast);
    check_refusals::<f64>(&Portable);
    check_refusals::<f32>(&Portable);
}
