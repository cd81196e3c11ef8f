//! The cases, and the least work that each takes.

use ntkscope_core::Error;
use ntkscope_core::network::{Bias, Dense, Fcn, Network};
use serde::Serialize;

use crate::files::Dtype;

/// Numbers per sample, as many as the pixels of an MNIST image.
pub const INPUTS: usize = 784;

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// `tangent` and `structured`: from samples and parameters to the kernel, of all pairs of outputs
    EmpiricalNtk,
    /// `analytic`: from samples to the NTK
    AnalyticNtk,
    /// `Trainer::advance`: one step of full-batch gradient descent on the squared error
    GdStep,
}

/// One case: a fully connected network of equal widths, ReLU, bias at the input, standard initialization, and n
/// samples of unit norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Case {
    /// its name
    pub name: &'static str,
    /// what is called
    pub what: What,
    /// samples n
    pub n: usize,
    /// numbers per sample d
    pub inputs: usize,
    /// width m of every hidden layer; of no meaning to the analytic kernel
    pub width: usize,
    /// hidden layers L
    pub depth: usize,
    /// outputs C
    pub outputs: usize,
    /// scalar
    pub dtype: Dtype,
    /// on one thread, however many the others have
    #[serde(skip)]
    pub one_thread: bool,
}

/// Ending of the name of a case that repeats another on one thread.
pub const ONE_THREAD: &str = "-one-thread";

/// All cases.
pub const CASES: [Case; 12] = [
    Case::new("empirical-1000-f32", What::EmpiricalNtk, 1000, 3, 512, Dtype::F32),
    Case::new("empirical-1000-f64", What::EmpiricalNtk, 1000, 3, 512, Dtype::F64),
    Case::new("empirical-2000", What::EmpiricalNtk, 2000, 3, 1024, Dtype::F32),
    Case { one_thread: true, ..Case::new("empirical-2000-one-thread", What::EmpiricalNtk, 2000, 3, 1024, Dtype::F32) },
    Case::new("empirical-4000", What::EmpiricalNtk, 4000, 2, 512, Dtype::F32),
    Case { outputs: 10, ..Case::new("empirical-10-outputs", What::EmpiricalNtk, 256, 2, 512, Dtype::F32) },
    Case::new("analytic-1000-f32", What::AnalyticNtk, 1000, 3, 512, Dtype::F32),
    Case::new("analytic-1000-f64", What::AnalyticNtk, 1000, 3, 512, Dtype::F64),
    Case::new("analytic-4000-f32", What::AnalyticNtk, 4000, 3, 512, Dtype::F32),
    Case::new("analytic-4000-f64", What::AnalyticNtk, 4000, 3, 512, Dtype::F64),
    Case::new("step-1000", What::GdStep, 1000, 3, 1024, Dtype::F32),
    Case::new("step-6", What::GdStep, 6, 2, 1024, Dtype::F64),
];

/// Most samples of a small case.
const QUICK: usize = 1000;

/// A name that no case has, nor begins with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given}: no such case; the cases are {}", CASES.map(|case| case.name).join(", "))]
pub struct NoSuchCase {
    /// the name
    pub given: String,
}

/// The cases that are asked for, in their order: those that `only` names, by the name or by its beginning (all where
/// it is empty), and with `quick` the small ones of them.
///
/// # Errors
/// [`NoSuchCase`].
pub fn choose(only: &[String], quick: bool) -> Result<Vec<Case>, NoSuchCase> {
    let named = |case: &Case, given: &str| case.name == given;
    let begins = |case: &Case, given: &str| !given.is_empty() && case.name.starts_with(given);
    let mut chosen = Vec::new();
    for given in only {
        let exact: Vec<Case> = CASES.into_iter().filter(|case| named(case, given)).collect();
        let found =
            if exact.is_empty() { CASES.into_iter().filter(|case| begins(case, given)).collect() } else { exact };
        if found.is_empty() {
            return Err(NoSuchCase { given: given.clone() });
        }
        chosen.extend(found);
    }
    let wanted = |case: &Case| (only.is_empty() || chosen.contains(case)) && !(quick && case.n > QUICK);
    Ok(CASES.into_iter().filter(wanted).collect())
}

/// The least that a case takes, whoever computes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LeastWork {
    /// multiply-adds of the matrix products; of a symmetric kernel the lower triangle
    pub multiply_adds: u64,
    /// bytes that are read from or written to memory
    pub bytes: u64,
}

impl Case {
    const fn new(name: &'static str, what: What, n: usize, depth: usize, width: usize, dtype: Dtype) -> Self {
        Self { name, what, n, inputs: INPUTS, width, depth, outputs: 1, dtype, one_thread: false }
    }

    /// The widths of its hidden layers.
    pub fn widths(&self) -> Vec<usize> {
        vec![self.width; self.depth]
    }

    /// Its network, of hidden layers of these widths.
    ///
    /// # Errors
    /// A size of 0.
    pub fn network<'a>(&self, widths: &'a [usize]) -> Result<Fcn<'a>, Error> {
        Fcn::new(self.inputs, widths, self.outputs)?.with_bias(Bias::Input, 1.0)
    }

    /// The least work.
    ///
    /// Empirical NTK: a forward pass, a backward pass for every output, and the Gram matrices of every layer's inputs
    /// (n, n) and of every hidden layer's derivatives (n C, n C). Analytic NTK: the samples' Gram matrix. Step:
    /// forward pass, backward pass, gradient.
    ///
    /// Bytes are those of samples, parameters and kernel, once each. A step reads the parameters forward, all but the
    /// first layer's backward, and reads and writes them once more.
    ///
    /// # Errors
    /// A size of 0.
    pub fn work(&self) -> Result<LeastWork, Error> {
        let widths = self.widths();
        let network = self.network(&widths)?;
        let parameters = network.sizes().parameters;
        let layers: Vec<Dense> = (0..=self.depth).map(|l| network.layer(l)).collect();
        let weights = |layers: &[Dense]| layers.iter().map(|layer| layer.inputs * layer.outputs).sum::<usize>();
        let (samples, rows) = (self.n * self.inputs, self.n * self.outputs);
        let (hidden, first, behind_first) = (&layers[..self.depth], weights(&layers[..1]), weights(&layers[1..]));
        let triangle = |rows: usize| rows * (rows + 1) / 2;
        let (multiply_adds, numbers) = match self.what {
            What::EmpiricalNtk => {
                let inputs: usize = layers.iter().map(|layer| layer.inputs).sum();
                let derivatives: usize = hidden.iter().map(|layer| layer.outputs).sum();
                // the derivative of one output by the last hidden layer is a row of weights, not a product
                let passes = self.n * weights(&layers) + rows * (weights(&hidden[1..]) + self.width);
                let grams = triangle(self.n) * inputs + triangle(rows) * derivatives;
                (passes + grams, samples + parameters + rows * rows)
            }
            What::AnalyticNtk => (triangle(self.n) * self.inputs, samples + self.n * self.n),
            What::GdStep => (self.n * (2 * weights(&layers) + behind_first), samples + 4 * parameters - first),
        };
        Ok(LeastWork { multiply_adds: multiply_adds as u64, bytes: (numbers * self.dtype.bytes()) as u64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(only: &[&str], quick: bool) -> Result<Vec<&'static str>, NoSuchCase> {
        let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
        Ok(choose(&only, quick)?.iter().map(|case| case.name).collect())
    }

    #[test]
    fn cases_are_chosen_by_name_or_its_beginning() {
        assert_eq!(names(&[], false).unwrap().len(), CASES.len());
        assert!(choose(&[], true).unwrap().iter().all(|case| case.n <= 1000));
        assert_eq!(names(&["empirical-2000"], false).unwrap(), ["empirical-2000"]);
        assert_eq!(
            names(&["step", "analytic-1000-f32", "step-6"], false).unwrap(),
            ["analytic-1000-f32", "step-1000", "step-6"]
        );
        assert_eq!(names(&["analytic"], true).unwrap(), ["analytic-1000-f32", "analytic-1000-f64"]);
        assert_eq!(names(&["analytic", "kernel"], false).unwrap_err(), NoSuchCase { given: "kernel".into() });
        assert_eq!(names(&[""], false).unwrap_err(), NoSuchCase { given: String::new() });
        for case in CASES {
            let twin = case.name.strip_suffix(ONE_THREAD);
            assert_eq!(case.one_thread, twin.is_some());
            assert!(twin.is_none_or(|twin| CASES.iter().any(|other| other.name == twin)), "{}", case.name);
        }
    }

    /// Counted by hand.
    #[test]
    fn the_least_work() {
        let case = |what, outputs| Case { outputs, ..Case::new("", what, 10, 2, 30, Dtype::F32) };
        let (d, m, n) = (784, 30, 10);
        let work = case(What::EmpiricalNtk, 1).work().unwrap();
        assert_eq!(work.multiply_adds, n * (d * m + m * m + m) + n * (m * m + m) + 55 * (d + 4 * m));
        assert_eq!(work.bytes, 4 * (n * d + (d * m + m + m * m + m) + n * n));
        let work = case(What::EmpiricalNtk, 3).work().unwrap();
        let passes = n * (d * m + m * m + 3 * m) + 3 * n * (m * m + m);
        assert_eq!(work.multiply_adds, passes + 55 * (d + 2 * m) + 30 * 31 / 2 * 2 * m);
        let work = case(What::AnalyticNtk, 1).work().unwrap();
        assert_eq!(work, LeastWork { multiply_adds: 55 * d, bytes: 4 * (n * d + n * n) });
        let work = case(What::GdStep, 1).work().unwrap();
        assert_eq!(work.multiply_adds, n * (2 * d * m + 3 * (m * m + m)));
        assert_eq!(work.bytes, 4 * (n * d + 4 * (d * m + m + m * m + m) - d * m));
    }
}
