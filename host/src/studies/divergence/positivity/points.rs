//! The analytic NTK on random points: its smallest eigenvalue, and how far a random network's kernel is from it.

use ntkscope_core::init::Normals;
use ntkscope_core::kernel::{AnalyticKernel, Spectrum, tangent_len};
use ntkscope_core::network::Network;
use ntkscope_core::{MatMut, MatRef};
use toml::{Table, Value};

use crate::analysis::points::{draw_seed, sphere};
use crate::analysis::statistics::{larger, smaller};
use crate::backend::HostReal;
use crate::experiment::{Init, Model};
use crate::files::numbers::NumberTable;
use crate::kernel::{analytic_kernel, initial_kernel};
use crate::machine::{Ended, Stop};
use crate::run::Observer;
use crate::study::Error;
use crate::study::kept::Measurement;
use crate::study::net::Net;

/// How points are drawn, independently of one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Law {
    /// N(0, I)
    Normal,
    /// uniform on the unit sphere
    Sphere,
    /// N(0, I), and after each its antipode
    Antipodes,
}

impl Law {
    /// Its name in ids.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Sphere => "sphere",
            Self::Antipodes => "antipodes",
        }
    }

    /// n points in R^d, `(n, d)`.
    fn draw(self, n: usize, d: usize, normals: &mut Normals) -> Vec<f64> {
        match self {
            Self::Sphere => sphere(n, d, normals),
            Self::Normal => (0..n * d).map(|_| normals.draw()).collect(),
            Self::Antipodes => {
                let pairs = (0..n.div_ceil(2)).flat_map(|_| {
                    let x: Vec<f64> = (0..d).map(|_| normals.draw()).collect();
                    let antipode: Vec<f64> = x.iter().map(|v| -v).collect();
                    [x, antipode].concat()
                });
                pairs.take(n * d).collect()
            }
        }
    }
}

/// Draws of points, of which the first n are looked at for several n, and one network's kernels on them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RandomPoints {
    /// network
    pub net: Net,
    /// how points are drawn
    pub law: Law,
    /// in R^d
    pub dimension: usize,
    /// numbers of points n, ascending
    pub sizes: &'static [usize],
    /// how many draws
    pub draws: u32,
    /// of the networks at the start, one a draw, that are compared with the limit; `None`: there are none
    pub width: Option<usize>,
}

/// What was measured of the first n points of a draw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row {
    /// n
    pub points: usize,
    /// which draw
    pub draw: u32,
    /// smallest eigenvalue of the analytic NTK Theta, as it was computed
    pub lambda_min: f64,
    /// to what it is known, n eps lambda_max
    pub uncertainty: f64,
    /// the smallest (Theta(x, x) + Theta(x', x'))/2 - Theta(x, x') of all pairs of points, which lambda_min does not exceed
    pub closest: f64,
    /// max_ij |K_0 - Theta|; NaN without a network
    pub distance: f64,
}

const COLUMNS: [&str; 6] = ["points", "draw", "lambda_min", "uncertainty", "closest", "distance"];

impl RandomPoints {
    /// The most points of a draw.
    pub(super) fn most(&self) -> usize {
        self.sizes.last().copied().unwrap_or(0)
    }

    /// The rows of the table that [`Measurement::measure`] leaves.
    pub(super) fn rows(table: &NumberTable) -> Vec<Row> {
        let row = |numbers: &Vec<f64>| match numbers[..] {
            [points, draw, lambda_min, uncertainty, closest, distance] => {
                Some(Row { points: points as usize, draw: draw as u32, lambda_min, uncertainty, closest, distance })
            }
            _ => None,
        };
        table.rows().iter().filter_map(row).collect()
    }

    fn model(&self) -> Model {
        // no number of the analytic kernel depends on the width
        self.net.model(self.width.unwrap_or(1), &Model { init: Init::Standard, ..Model::default() })
    }

    /// The rows of one draw of points x, `(n, d)`.
    fn of_draw<N: Network>(&self, network: &N, x: MatRef<'_, f64>, draw: u32) -> Result<Vec<Row>, Error> {
        let most = x.rows();
        let theta = analytic_kernel(f64::fast(), network, AnalyticKernel::Ntk, x)?;
        let start = self.width.map(|_| initial_kernel(f64::fast(), network, u64::from(draw), x)).transpose()?;
        let row = |n: usize| {
            let pairs = || (0..n).flat_map(|i| (0..i).map(move |j| (i, j)));
            let along = |i: usize, j: usize| (theta[i * most + i] + theta[j * most + j]) / 2.0 - theta[i * most + j];
            let spectrum = spectrum(&theta, most, n)?;
            let apart = |k: &Vec<f64>| {
                let entries = (0..n).flat_map(|i| i * most..i * most + n);
                entries.map(|at| (k[at] - theta[at]).abs()).fold(0.0, larger)
            };
            Ok(Row {
                points: n,
                draw,
                lambda_min: spectrum.0,
                uncertainty: spectrum.1,
                closest: pairs().map(|(i, j)| along(i, j)).fold(f64::INFINITY, smaller),
                distance: start.as_ref().map_or(f64::NAN, apart),
            })
        };
        self.sizes.iter().map(|n| row(*n)).collect()
    }
}

/// Smallest eigenvalue, and to what it is known, of the first n rows and columns of a kernel of `most` points.
fn spectrum(kernel: &[f64], most: usize, n: usize) -> Result<(f64, f64), ntkscope_core::Error> {
    let mut block: Vec<f64> = (0..n).flat_map(|i| kernel[i * most..i * most + n].iter().copied()).collect();
    let (mut values, mut scratch) = (vec![0.0; n], vec![0.0; n]);
    f64::fast().symmetric_eigenvalues(MatMut::new(&mut block, n, n)?, &mut values, &mut scratch)?;
    Ok((values[0], Spectrum::of_eigenvalues(&values, f64::EPSILON).uncertainty))
}

impl Measurement for RandomPoints {
    fn settings(&self) -> Result<String, Error> {
        Ok(toml::to_string(&self.plan()?)?)
    }

    fn plan(&self) -> Result<Table, Error> {
        let Self { law, dimension, sizes, draws, width, .. } = *self;
        let integer = |n: usize| Value::Integer(n as i64);
        // the settings that a network's kernel depends on, under the names that they have everywhere
        let mut table = self.model().network_settings()?;
        table.retain(|key: &str, _| ["network", "depth", "alpha", "bias"].contains(&key));
        if let Some(width) = width {
            table.insert("width".into(), integer(width));
        }
        table.insert("law".into(), law.name().into());
        table.insert("dimension".into(), integer(dimension));
        table.insert("sizes".into(), sizes.iter().map(|n| integer(*n)).collect::<Vec<_>>().into());
        table.insert("draws".into(), Value::Integer(i64::from(draws)));
        Ok(table)
    }

    fn work(&self) -> f64 {
        let (n, parameters) = (self.most() as f64, self.width.map_or(0.0, |m| (self.net.matrices() * m * m) as f64));
        // the kernel and its eigenvalues; a network drawn, and passed through by all points
        f64::from(self.draws) * (1e-3 + 4e-7 * n * n + 2e-9 * n.powi(3) + parameters * (2e-8 + 1e-10 * n))
    }

    fn need(&self) -> Result<u64, Error> {
        let model = self.model();
        let sizes = model.network(&model.shape_of(self.dimension, 1))?.sizes();
        let (n, network) = (self.most(), if self.width.is_some() { 1 } else { 0 });
        Ok(8 * (4 * n * n + network * (sizes.parameters + tangent_len(sizes, n))) as u64)
    }

    /// Rows draw by draw, n ascending.
    fn measure(&self, observer: &mut (dyn Observer + Send), stop: &Stop) -> Result<Ended<NumberTable>, Error> {
        let model = self.model();
        let shape = model.shape_of(self.dimension, 1);
        let network = model.network(&shape)?;
        let mut table = NumberTable::new(COLUMNS);
        for draw in 0..self.draws {
            if stop.requested() {
                return Ok(Ended::Stopped);
            }
            // another seed than the network's, whose parameters would be the points' numbers
            let x = self.law.draw(self.most(), self.dimension, &mut Normals::new(draw_seed(0, self.most(), draw)));
            for row in self.of_draw(&network, MatRef::new(&x, self.most(), self.dimension)?, draw)? {
                let Row { points, draw, lambda_min, uncertainty, closest, distance } = row;
                table.push(vec![points as f64, f64::from(draw), lambda_min, uncertainty, closest, distance]);
            }
            observer.step(f64::from(draw + 1) / f64::from(self.draws), &String::new);
        }
        Ok(Ended::Done(table))
    }
}

#[cfg(test)]
mod tests {
    use ntkscope_core::network::Bias;

    use super::*;

    fn rows(points: RandomPoints) -> Vec<Row> {
        RandomPoints::rows(&points.measure(&mut (), &Stop::new()).unwrap().done().unwrap())
    }

    const FCN: RandomPoints = RandomPoints {
        net: Net::fcn(1).with_bias(Bias::None),
        law: Law::Antipodes,
        dimension: 2,
        sizes: &[4, 8],
        draws: 2,
        width: None,
    };

    const HIDDEN: Net = Net::fcn(1).with_bias(Bias::Hidden);

    /// Of four antipodal pairs in the plane the odd part spans two dimensions of four, of two pairs both.
    #[test]
    fn what_is_singular_is_seen_as_singular() {
        for row in rows(FCN) {
            assert_eq!(row.lambda_min > row.uncertainty, row.points == 4, "{row:?}");
            assert!(row.distance.is_nan());
        }
        for row in rows(RandomPoints { net: HIDDEN, ..FCN }) {
            assert!(row.lambda_min > 1e3 * row.uncertainty && row.lambda_min <= row.closest, "{row:?}");
        }
    }

    /// The first n points of a draw are the same, and so is the network: what is farthest apart only grows.
    #[test]
    fn more_points_have_a_smaller_eigenvalue_and_a_larger_distance() {
        let points = RandomPoints { law: Law::Sphere, net: HIDDEN, width: Some(16), ..FCN };
        for pair in rows(points).chunks(2) {
            assert!(pair[1].lambda_min < pair[0].lambda_min && pair[1].closest <= pair[0].closest);
            assert!(pair[1].distance >= pair[0].distance && pair[0].distance > 0.0);
        }
    }
}
