//! Parameters at initialization: independent N(0,1) from a seed, with the same bits on every machine.
//!
//! Generator: xoshiro256++ seeded by splitmix64 from one `u64`; normals by Marsaglia's polar method, whose
//! logarithm is libm's. (A ziggurat from a library would draw its tail with the platform's logarithm as soon
//! as any other crate of the build asks for std.) Draws are made in f64 and rounded, so an f32 network is
//! the f64 network of the same seed, rounded.

use crate::{Error, Real, network::Network};
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// A stream of N(0,1) deviates.
///
/// ```
/// use ntkscope_core::init::Normals;
///
/// let mut normals = Normals::new(1);
/// let (mut sum, mut squares) = (0.0, 0.0);
/// for x in (0..10_000).map(|_| normals.draw()) {
///     (sum, squares) = (sum + x, squares + x * x);
/// }
/// assert!((sum / 1e4).abs() < 0.03 && (squares / 1e4 - 1.0).abs() < 0.05);
/// // the same seed gives the same bits on every machine
/// assert_eq!(Normals::new(7).draw().to_bits(), Normals::new(7).draw().to_bits());
/// ```
#[derive(Clone, Debug)]
pub struct Normals {
    uniform: Xoshiro256PlusPlus,
    /// the second deviate of the last pair
    spare: Option<f64>,
}

impl Normals {
    /// The stream of this seed.
    pub fn new(seed: u64) -> Self {
        Self { uniform: Xoshiro256PlusPlus::seed_from_u64(seed), spare: None }
    }
    /// Uniform on [-1, 1): 53 random bits.
    fn symmetric(&mut self) -> f64 {
        (self.uniform.next_u64() >> 11) as f64 * (2.0 / (1u64 << 53) as f64) - 1.0
    }
    /// The next deviate: for (u, v) uniform in the unit disc, s = u^2 + v^2, both `u r` and `v r` with
    /// `r = sqrt(-2 ln s / s)` are N(0,1) and independent.
    pub fn draw(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (u, v) = (self.symmetric(), self.symmetric());
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                let r = libm::sqrt(-2.0 * libm::log(s) / s);
                self.spare = Some(v * r);
                return u * r;
            }
        }
    }
}

/// theta <- N(0, I), mirrored where the network is.
///
/// # Errors
/// [`Error::Shape`]: `theta` has another length than P.
pub fn initialize<N: Network, T: Real>(network: &N, seed: u64, theta: &mut [T]) -> Result<(), Error> {
    Error::shape("parameters", network.sizes().parameters, theta.len())?;
    let mut normals = Normals::new(seed);
    network.initialize(theta, &mut || normals.draw());
    Ok(())
}
