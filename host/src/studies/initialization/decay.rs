//! How the eigenvalues of the kernels fall on spheres, kept as a measurement.

use std::ops::RangeInclusive;

use ntkscope_core::MatRef;
use ntkscope_core::init::Normals;
use ntkscope_core::network::Fcn;
use serde::Serialize;

use crate::analysis::points::sphere;
use crate::analysis::spectra::{Infinite, Spectra};
use crate::files::numbers::NumberTable;
use crate::machine::{Ended, Stop};
use crate::run::Observer;
use crate::study::Error;
use crate::study::kept::Measurement;

/// Points uniform on the sphere S^d, and a network of ReLU layers without bias.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OnSphere {
    /// d, in R^(d+1)
    pub sphere: usize,
    /// hidden layers L
    pub depth: usize,
    /// n
    pub points: usize,
    /// draws of f^GP
    pub draws: usize,
    /// of points and draws
    pub seed: u64,
}

impl OnSphere {
    /// The k that are fitted: the largest eigenvalues come in groups of equal ones, and towards the last of n points
    /// everything bends down.
    pub fn window(&self) -> RangeInclusive<usize> {
        if self.sphere == 1 { 10..=self.points / 15 } else { 20..=self.points / 5 }
    }
    /// Exponents that theory has for the eigenvalues of NTK and NNGP and for the tail sums of f^GP.
    pub fn exponents(&self) -> [f64; 3] {
        let d = self.sphere as f64;
        [-(d + 1.0) / d, -(d + 3.0) / d, -3.0 / d]
    }
}

impl Measurement for OnSphere {
    fn settings(&self) -> Result<String, Error> {
        Ok(toml::to_string(self)?)
    }
    fn plan(&self) -> Result<toml::Table, Error> {
        Ok(toml::Table::try_from(self)?)
    }
    fn work(&self) -> f64 {
        Spectra::work(self.points, self.draws)
    }
    fn need(&self) -> Result<u64, Error> {
        Ok(Spectra::need(self.points, self.draws))
    }
    fn measure(&self, _: &mut (dyn Observer + Send), _: &Stop) -> Result<Ended<NumberTable>, Error> {
        let widths = vec![1; self.depth];
        let network = Fcn::new(self.sphere + 1, &widths, 1)?;
        let mut normals = Normals::new(self.seed);
        let x = sphere(self.points, self.sphere + 1, &mut normals);
        let x = MatRef::new(&x, self.points, self.sphere + 1)?;
        Ok(Ended::Done(Infinite::new(&network, x, self.draws, &mut normals)?.spectra(&[], self.draws)?.table()))
    }
}
