//! Elementwise work on vector instructions has the bits of the plain loops.

use ntkscope::backend::HostReal;
use ntkscope_core::{Backend, Portable};

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
            [bits(&kappa0), bits(&gap), bits(&roots)]
        };
        assert!(run(T::fast()) == run(&Portable), "{len}");
    }
}

#[test]
fn angles_and_roots_have_the_bits_of_the_plain_loops() {
    check::<f32>();
    check::<f64>();
}
