//! How smooth the labels of a data set are for the NTK of a network, beside f^GP on the same samples.

use ntkscope_core::MatRef;
use ntkscope_core::init::Normals;
use ntkscope_core::linalg::norm;
use ntkscope_core::predict::{Joint, regression_len};

use super::Error;
use super::curves::Best;
use super::learning::{FixedKernel, log_grid};
use super::smoothness::Coding;
use super::spectra::{Function, Infinite, Spectra};
use crate::analysis::statistics::Estimate;
use crate::backend::threads;
use crate::data::{Normalize, Samples, Source, load};
use crate::experiment::Model;
use crate::machine::Budget;
use crate::machine::memory::{bytes_of, process_bytes};

/// A data set and a network.
#[derive(Clone, Debug)]
pub struct Labels {
    /// both
    pub model: Model,
    /// how classes become functions; numbers, which need no coding, are a function each as they are
    pub codings: Vec<Coding>,
    /// draws of f^GP
    pub draws: usize,
}

/// What a set of images is.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// its name for people
    pub title: String,
    /// the paper's estimate of the smoothness of its labels, if it has one
    pub published: Option<f64>,
    /// numbers per sample
    pub dimension: usize,
}

/// Squared error on samples held out, a mean over them and the functions, at the best time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// samples held out
    pub held_out: usize,
    /// mean square of the labels' functions
    pub square: f64,
    /// from f_0 = 0
    pub zero: f64,
    /// from f^GP, over its draws
    pub random: Estimate,
}

impl Cost {
    /// What random initialization costs, as a share of the error from 0; `None` where that is rounding beside the labels.
    pub fn share(&self) -> Option<f64> {
        (self.zero > f64::EPSILON * self.square).then(|| self.random.value / self.zero - 1.0)
    }
}

/// The mean square of functions `(n, C)`.
///
/// # Errors
/// [`Error::Constant`] where none of them varies; [`Error::LabelScale`] where their squares are out of a double's range.
fn mean_square(function: &Function) -> Result<f64, Error> {
    let (values, c) = (&function.values, function.components);
    let square = (norm(values) / (values.len() as f64).sqrt()).powi(2);
    if (0..c).all(|k| values.iter().skip(k).step_by(c).all(|v| *v == values[k])) {
        return Err(Error::Constant);
    }
    // tail sums are told down to epsilon of their first, and n of them are added
    let (least, most) = (f64::MIN_POSITIVE / f64::EPSILON, f64::MAX * f64::EPSILON);
    if square < least || square > most {
        return Err(Error::LabelScale { large: square > most });
    }
    Ok(square)
}

/// Column c of `(n, columns)`.
fn column(values: &[f64], c: usize, columns: usize) -> Vec<f64> {
    values.iter().skip(c).step_by(columns).copied().collect()
}

/// The network of infinite width on the samples, with `draws` of f^GP.
///
/// # Errors
/// Labels that are no classes where classes are asked for; a kernel that cannot be computed or decomposed.
pub fn infinite(model: &Model, samples: &Samples, draws: usize) -> Result<Infinite, Error> {
    let x = MatRef::new(&samples.x, samples.n, samples.d)?;
    Ok(Infinite::new(&model.network(&model.shape(samples)?)?, x, draws, &mut Normals::new(model.seed))?)
}

/// Name of the function that real labels are.
pub const REAL: &str = "labels";

impl Labels {
    /// The network and the samples.
    ///
    /// # Errors
    /// Wrong settings, missing data.
    pub fn resolve(&self, budget: &Budget) -> Result<(Model, Samples), Error> {
        let samples = load(&self.model.data_spec(), budget)?;
        Ok((self.model.resolve(&samples)?, samples))
    }
    /// The data set in words and numbers.
    pub fn describe(&self) -> Described {
        let scale =
            if self.model.normalize == Some(Normalize::Sphere) { "images to unit norm" } else { "images as they are" };
        let (name, published, dimension) = match &self.model.data {
            Source::Mnist => ("MNIST".into(), Some(0.40), 28 * 28),
            Source::FashionMnist => ("Fashion-MNIST".into(), Some(0.22), 28 * 28),
            Source::Cifar10 => ("CIFAR-10".into(), Some(0.09), 3 * 32 * 32),
            other => (other.to_string(), None, self.model.dimension.unwrap_or(1)),
        };
        Described { title: format!("{name}, {scale}"), published, dimension }
    }
    /// The labels in every coding. Numbers are one function of as many components as they are.
    ///
    /// # Errors
    /// Samples without y.
    pub fn functions(&self, samples: &Samples) -> Result<Vec<Function>, Error> {
        samples.need_y("smoothness")?;
        if samples.are_values() {
            return Ok(vec![Function { name: REAL, values: samples.y.clone(), components: samples.y_columns }]);
        }
        let encoded = |coding: &Coding| {
            let (values, components) = coding.encode(&samples.labels, samples.classes)?;
            Ok(Function { name: coding.name(), values, components })
        };
        self.codings.iter().map(encoded).collect()
    }

    /// What random initialization costs under the NTK of these samples, see [`Self::spectra_and_cost`].
    fn cost(&self, infinite: &Infinite, function: &Function) -> Result<Cost, Error> {
        let columns = function.components;
        let all = infinite.nngp.len();
        let (n, held_out) = (all - all / 5, all / 5);
        if held_out == 0 {
            return Err(Error::TooFew { samples: all });
        }
        let mut buffer = vec![0.0; regression_len(n, 1)];
        let mut kernel = FixedKernel::new(Joint::new(MatRef::new(&infinite.ntk, all, all)?, n)?, &mut buffer)?;
        let times = log_grid(1e-2, 1e8, 101);
        let (noise, nothing) = (vec![0.0; n], vec![0.0; all]);
        let targets: Vec<Vec<f64>> = (0..columns).map(|c| column(&function.values, c, columns)).collect();
        // from these starts, one for every function
        let mut best = |start: &dyn Fn(usize) -> Vec<f64>| -> Result<f64, Error> {
            let mut sum = vec![0.0; times.len()];
            for (c, target) in targets.iter().enumerate() {
                let risks = kernel.risks(&start(c), target, &noise, &times)?;
                sum.iter_mut().zip(risks).for_each(|(sum, risk)| *sum += risk / columns as f64);
            }
            Ok(Best::along(&sum).map_or(f64::NAN, |best| best.risk))
        };
        let zero = best(&|_| nothing.clone())?;
        let start = |draw: usize, c: usize| column(&infinite.f_gp, draw * columns + c, columns * self.draws);
        let draws: Result<Vec<f64>, Error> = (0..self.draws).map(|draw| best(&|c| start(draw, c))).collect();
        let random = Estimate::from_values(&draws?).ok_or(Error::NotFinite)?;
        Ok(Cost { held_out, square: mean_square(function)?, zero, random })
    }

    /// Bytes that the process has at its peak in [`Self::spectra_and_cost`], and while its table is written.
    pub fn need_of(&self, samples: &Samples) -> u64 {
        self.need_of_some(samples, samples.n)
    }
    /// The same of n of the samples.
    pub fn need_of_some(&self, samples: &Samples, n: usize) -> u64 {
        let components = |coding: &Coding| if *coding == Coding::OneHot { samples.classes.max(1) } else { 1 };
        let functions: usize = self.codings.iter().map(components).sum();
        let first = self.codings.first().map_or(1, components);
        let [points, d, all, first, draws] = [n, samples.d, functions, first, self.draws].map(|size| size as u128);
        // samples and labels; f^GP, for every component and draw, with what is drawn at a time; the functions, their
        // coefficients and the copies that are learned; tail sums and coefficients of the draws
        let columns = 2 * d + 4 + 2 * first * draws + 5 * all + 6 * draws;
        // a table's cell is a text
        let table = bytes_of(points * (2 + all + draws), 64);
        let numbers = bytes_of(points * columns, 8).saturating_add(table);
        process_bytes(threads()).saturating_add(Spectra::need(n, 0)).saturating_add(numbers)
    }
    /// The spectra, in which the function of a coding has its name, and what random initialization costs: the labels in
    /// the first coding of four fifths of the samples are learned under the NTK by gradient flow from f_0 = 0 and from
    /// draws of f^GP, one for every function, and compared on the last fifth, each at its best time. `model` and `samples`
    /// are those of [`Self::resolve`].
    ///
    /// # Errors
    /// A label that is no class, fewer than 5 samples, labels that are all the same or too large or small.
    pub fn spectra_and_cost(&self, model: &Model, samples: &Samples) -> Result<(Spectra, Cost), Error> {
        let functions = self.functions(samples)?;
        functions.iter().try_for_each(|function| mean_square(function).map(|_| ()))?;
        let infinite = infinite(model, samples, functions[0].components * self.draws)?;
        Ok((infinite.spectra(&functions, self.draws)?, self.cost(&infinite, &functions[0])?))
    }
}
