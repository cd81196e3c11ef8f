//! Parameters at initialization: independent N(0,1) from a seed, with the same bits on every machine.
//!
//! Generator: xoshiro256++ seeded by splitmix64 from one `u64`; normals by the ziggurat of `rand_distr`
//! without the platform's maths library. Draws are made in f64 and rounded, so an f32 network is the
//! f64 network of the same seed, rounded.

use crate::{Error, Real, network::Network};
use rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

/// A stream of N(0,1) deviates.
#[derive(Clone, Debug)]
pub struct Normals(Xoshiro256PlusPlus);

impl Normals {
    /// The stream of this seed.
    pub fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }
    /// The next deviate.
    pub fn draw(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }
}

/// theta <- N(0, I), mirrored where the network is. Error: `theta` has another length than P.
pub fn initialize<N: Network, T: Real>(network: &N, seed: u64, theta: &mut [T]) -> Result<(), Error> {
    Error::shape("parameters", network.sizes().parameters, theta.len())?;
    let mut normals = Normals::new(seed);
    network.initialize(theta, &mut || normals.draw());
    Ok(())
}
