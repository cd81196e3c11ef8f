//! Elementwise work on vector instructions has the bits of the plain loops.

use ntkscope_backend::HostReal;
use ntkscope_core::{Backend, MatMut, MatRef, Portable};

use super::{bits, normals};

fn check<T: HostReal>() {
    for len in [0, 1, 7, 16, 33, 128] {
        let mut sin2: Vec<T> = normals::<T>(5, len).into_iter().map(|x| T::ONE / (T::ONE + x * x)).collect();
        // the ends, where branches would be
        let special = [0.0, 1.0, 0.5, 1e-30, f64::NAN].map(T::from_f64);
        sin2.iter_mut().zip(special).for_each(|(x, special)| *x = special);
        let cos2: Vec<T> = sin2.iter().map(|x| T::ONE - *x).collect();
        let run = |backend: &dyn Backend<T>| {
            let (mut kappa0, mut gap, mut roots) = (sin2.clone(), sin2.clone(), sin2.clone());
            backend.arc_cosine(&sin2, &cos2, &mut kappa0, &mut gap);
            backend.square_roots(&mut roots);
            let mut sums = cos2.clone();
            backend.products(true, &sin2, &kappa0, &mut sums);
            backend.products(false, &sums.clone(), &gap, &mut sums);
            [bits(&kappa0), bits(&gap), bits(&roots), bits(&sums)]
        };
        assert!(run(T::fast()) == run(&Portable), "{len}");
    }
}

#[test]
fn angles_roots_and_sums_have_the_bits_of_the_plain_loops() {
    check::<f32>();
    check::<f64>();
}

/// Squares in registers, what is left beside them, and nothing outside.
#[test]
fn transposition_moves_every_element_and_touches_no_other() {
    fn check<T: HostReal>() {
        for (rows, cols) in [(1, 1), (3, 5), (16, 16), (8, 40), (33, 17), (50, 64), (64, 129), (130, 71)] {
            let (stride, to_stride) = (cols + 3, rows + 2);
            let from: Vec<T> = normals(1, rows * stride);
            let before: Vec<T> = normals(2, (cols + 1) * to_stride);
            let run = |backend: &dyn Backend<T>| {
                let mut to = before.clone();
                let a = MatRef::new(&from, rows, stride).unwrap().block(0..rows, 2..2 + cols);
                let out = MatMut::new(&mut to, cols + 1, to_stride).unwrap();
                backend.transpose(a, out.block(1..1 + cols, 1..1 + rows));
                to
            };
            let to = run(T::fast());
            assert!(bits(&to) == bits(&run(&Portable)), "{rows} x {cols}");
            for (at, (after, before)) in to.iter().zip(&before).enumerate() {
                let (j, i) = (at / to_stride, at % to_stride);
                let inside = j >= 1 && (1..1 + rows).contains(&i);
                let wanted = if inside { from[(i - 1) * stride + 2 + j - 1] } else { *before };
                assert_eq!(after.to_f64(), wanted.to_f64(), "{rows} x {cols} at {i}, {j}");
            }
        }
    }
    check::<f32>();
    check::<f64>();
}
