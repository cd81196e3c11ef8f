//! The empirical NTK beside its definition: K = J J^T, J by differences of outputs alone; and its mean over networks beside
//! the NTK on the diagonal, where a formula on one line has it.

use ntkscope_core::forward::{Params, forward};
use ntkscope_core::init::initialize;
use ntkscope_core::network::{Bias, Fcn, Network, ResNet};
use ntkscope_core::{Error, MatRef};

use crate::backend::HostReal;
use crate::data::{DataSpec, Samples, Source, load};
use crate::kernel::initial_kernel;
use crate::machine::Budget;
use crate::report::Kind;
use crate::study;
use crate::study::claim::{Claim, Stated, Subject, Theory, UNEXPLAINED, state_all};
use crate::study::judge::Measured;

/// Width of the networks that are compared.
const WIDTH: usize = 32;
/// Half of the step of a difference: far below the distance to the next kink, far above rounding.
const STEP: f64 = 1e-6;

const FCN: &str = "FCN, L = 2, input bias; six-points";
const RESNET: &str = "ResNet, 2 blocks, α = 1, input bias; six-points";

fn fcn_of<const M: usize>() -> Result<Fcn<'static>, Error> {
    Fcn::new(2, &[M; 2], 1)?.with_bias(Bias::Input, 1.0)
}

fn resnet_of(width: usize) -> Result<ResNet, Error> {
    ResNet::new(2, width, 2, 1, 1.0)?.with_input_bias(1.0)
}

/// A network, and how far its kernel is from the definition.
struct Compared {
    network: &'static str,
    /// largest |K - J J^T|, relative to the largest entry
    difference: f64,
}

static CLAIMS: &[Claim<Compared>] = &[Claim {
    name: "A0 the empirical NTK is J J^{T}",
    place: "definition of the empirical NTK",
    kind: Kind::Check,
    about: |compared| Subject { network: compared.network.into(), init: "standard".into(), ..Subject::default() },
    measure: |compared| Measured::Exact(compared.difference),
    theory: |_| Some(Theory::at_most(1e-7).said("0")),
    note: |_| {
        format!(
            "max |K_{{0}} − J J^{{T}}| relative to the largest entry, J by central differences of the outputs; width {WIDTH}"
        )
    },
    failing: UNEXPLAINED,
}];

/// Networks over which a kernel is averaged.
const NETWORKS: u64 = 400;
/// Their width: the mean on the diagonal is the limit's at every width.
const MEAN_WIDTH: usize = 128;

/// A network's diagonal at its start, seed by seed, and the formula.
struct Diagonal {
    network: &'static str,
    /// mean of K_0(x_i, x_i) over the six points
    values: Vec<f64>,
    /// E K_0(x, x)
    formula: f64,
    said: &'static str,
}

static DIAGONALS: &[Claim<Diagonal>] = &[Claim {
    name: "A0 K_{0}(x, x) has the NTK's mean",
    place: "equation (3.3); on the diagonal the mean is exact at every width",
    kind: Kind::Check,
    about: |diagonal| Subject { network: diagonal.network.into(), init: "standard".into(), ..Subject::default() },
    measure: |diagonal| Measured::Values(diagonal.values.iter().map(|value| value / diagonal.formula).collect()),
    theory: |_| {
        Some(
            Theory::number(1.0)
                .within(0.05, "the mean is exact; so wide is an interval over so many networks at the strictest level"),
        )
    },
    note: |diagonal| {
        format!(
            "mean over the six points and {NETWORKS} networks of width {MEAN_WIDTH}, relative to {} = {}",
            diagonal.said, diagonal.formula
        )
    },
    failing: UNEXPLAINED,
}];

/// What it says of one network of either architecture on the six points.
///
/// # Errors
/// None but those of numbers that are not finite, which do not arise here.
pub(super) fn on_six_points() -> Result<Vec<Stated>, study::Error> {
    let samples = load(&DataSpec::new(Source::Circle), &Budget::default())?;
    let all = [
        Compared { network: FCN, difference: difference(&fcn_of::<WIDTH>()?, &samples)? },
        Compared { network: RESNET, difference: difference(&resnet_of(WIDTH)?, &samples)? },
    ];
    let of = |network, values, formula, said| Diagonal { network, values, formula, said };
    let (fcn, resnet) = (fcn_of::<MEAN_WIDTH>()?, resnet_of(MEAN_WIDTH)?);
    // |x|^2 = 1, L = 2, alpha = 1
    let diagonals = [
        of(FCN, diagonals(&fcn, &samples)?, 6.0, "(L + 1)(|x|^{2} + 1)"),
        of(RESNET, diagonals(&resnet, &samples)?, 32.0, "(2g^{L} + 2Lα^{2}g^{L−1})(|x|^{2} + 1), g = 1 + α^{2},"),
        of(
            "FCN, L = 2, hidden biases; six-points",
            diagonals(&fcn.with_bias(Bias::Hidden, 1.0)?, &samples)?,
            8.0,
            "(L + 1)|x|^{2} + L(L + 3)/2",
        ),
        of(
            "ResNet, 2 blocks, α = 1, hidden biases; six-points",
            diagonals(&resnet.with_branch_bias(1.0)?, &samples)?,
            38.0,
            "(2g^{L} + 2Lα^{2}g^{L−1})(|x|^{2} + 1) + 2(g^{L} − 1), g = 1 + α^{2},",
        ),
    ];
    let of_means = diagonals.iter().flat_map(|diagonal| state_all(DIAGONALS, diagonal));
    Ok(all.iter().flat_map(|compared| state_all(CLAIMS, compared)).chain(of_means).collect())
}

/// The mean of K_0(x_i, x_i) over the samples, seed by seed.
fn diagonals<N: Network>(network: &N, samples: &Samples) -> Result<Vec<f64>, Error> {
    let x = MatRef::new(&samples.x, samples.n, samples.d)?;
    let of_seed = |seed| {
        let kernel = initial_kernel(f64::fast(), network, seed, x)?;
        Ok(kernel.iter().step_by(samples.n + 1).sum::<f64>() / samples.n as f64)
    };
    (0..NETWORKS).map(of_seed).collect()
}

fn difference<N: Network>(network: &N, samples: &Samples) -> Result<f64, Error> {
    let (backend, sizes, n) = (f64::fast(), network.sizes(), samples.n);
    let x = MatRef::new(&samples.x, n, samples.d)?;
    let kernel = initial_kernel(backend, network, 0, x)?;

    let mut theta = vec![0.0; sizes.parameters];
    initialize(network, 0, &mut theta)?;
    let outputs = |theta: &[f64]| -> Result<Vec<f64>, Error> {
        let mut values = vec![0.0; n * sizes.activations];
        let activations = forward(backend, Params::new(network, theta)?, x, &mut values)?;
        let outputs = activations.outputs();
        Ok((0..n).map(|i| outputs.at(i, 0)).collect())
    };
    let mut products = vec![0.0; n * n];
    for p in 0..sizes.parameters {
        let here = theta[p];
        theta[p] = here + STEP;
        let above = outputs(&theta)?;
        theta[p] = here - STEP;
        let below = outputs(&theta)?;
        theta[p] = here;
        let column: Vec<f64> = above.iter().zip(&below).map(|(above, below)| (above - below) / (2.0 * STEP)).collect();
        products.iter_mut().enumerate().for_each(|(e, sum)| *sum += column[e / n] * column[e % n]);
    }
    let largest = products.iter().fold(0.0, |largest: f64, k| largest.max(k.abs()));
    Ok(kernel.iter().zip(&products).fold(0.0, |d: f64, (k, j)| d.max((k - j).abs())) / largest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Verdict;
    use crate::study::claim::judge;

    #[test]
    fn both_networks_have_the_kernel_of_the_definition() {
        let (rows, _) = judge(on_six_points().unwrap());
        assert_eq!(rows.len(), 6);
        assert!(rows.iter().all(|row| row.verdict == Verdict::Holds), "{rows:?}");
    }
}
