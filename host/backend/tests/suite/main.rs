//! The fast backend against the portable one: the same results to rounding, and bits that depend neither on the
//! number of threads nor on how a kernel is cut into blocks of whole tiles.

mod contract;
mod decompositions;
mod kernels;
mod products;
mod vector;

use ntkscope_core::Real;
use ntkscope_core::init::Normals;

fn normals<T: Real>(seed: u64, len: usize) -> Vec<T> {
    let mut stream = Normals::new(seed);
    (0..len).map(|_| T::from_f64(stream.draw())).collect()
}

/// The unit of rounding.
fn epsilon<T: Real>() -> f64 {
    if std::mem::size_of::<T>() == 4 { f64::from(f32::EPSILON) } else { f64::EPSILON }
}

fn bits<T: Real>(numbers: &[T]) -> Vec<u64> {
    numbers.iter().map(|v| v.to_f64().to_bits()).collect()
}

/// `work` with this many threads.
fn on<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}
