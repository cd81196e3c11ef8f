//! The empirical NTK beside its definition: K = J J^T, J by differences of outputs alone.

use ntkscope_core::forward::{Params, forward};
use ntkscope_core::init::initialize;
use ntkscope_core::kernel::MultiOutput;
use ntkscope_core::network::{Bias, Fcn, Network, ResNet};
use ntkscope_core::{Error, MatRef};

use crate::backend::HostReal;
use crate::data::{DataSpec, Samples, Source, load};
use crate::kernel::{Empirical, whole};
use crate::machine::Budget;
use crate::report::Kind;
use crate::study;
use crate::study::claim::{Claim, Stated, Subject, Theory, state_all};
use crate::study::judge::Measured;

/// Width of the networks that are compared.
const WIDTH: usize = 32;
/// Half of the step of a difference: far below the distance to the next kink, far above rounding.
const STEP: f64 = 1e-6;

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
    failing: "",
}];

/// What it says of one network of either architecture on the six points.
///
/// # Errors
/// None but those of numbers that are not finite, which do not arise here.
pub(super) fn on_six_points() -> Result<Vec<Stated>, study::Error> {
    let samples = load(&DataSpec::new(Source::Circle), &Budget::default())?;
    let fcn = Fcn::new(2, &[WIDTH; 2], 1)?.with_bias(Bias::Input, 1.0)?;
    let resnet = ResNet::new(2, WIDTH, 2, 1, 1.0)?.with_input_bias(1.0)?;
    let all = [
        Compared { network: "FCN, L = 2, input bias; six-points", difference: difference(&fcn, &samples)? },
        Compared {
            network: "ResNet, 2 blocks, α = 1, input bias; six-points",
            difference: difference(&resnet, &samples)?,
        },
    ];
    Ok(all.iter().flat_map(|compared| state_all(CLAIMS, compared)).collect())
}

fn difference<N: Network>(network: &N, samples: &Samples) -> Result<f64, Error> {
    let (backend, sizes, n) = (f64::fast(), network.sizes(), samples.n);
    let x = MatRef::new(&samples.x, n, samples.d)?;
    let mut theta = vec![0.0; sizes.parameters];
    initialize(network, 0, &mut theta)?;
    let params = Params::new(network, &theta)?;
    let kernel = whole(&Empirical { backend, params, samples, outputs: MultiOutput::Trace })?;

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
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().all(|row| row.verdict == Verdict::Holds), "{rows:?}");
    }
}
