//! Networks that nothing moves.

use ntkscope_core::forward::Params;
use ntkscope_core::kernel::{tangent, tangent_len};
use ntkscope_core::network::{Dense, Network};
use ntkscope_core::train::Trainer;
use ntkscope_core::{Backend, MatRef, Real};

use super::TraceRow;

/// Whether the kernel is 0, or what there is of it comes from biases after dead units, which add the same everywhere, and
/// no training sample moves any weight.
pub(super) fn is_dead<N: Network, T: Real>(
    trainer: &Trainer<'_, N, T, dyn Backend<T>>,
    kernel: MatRef<'_, T>,
    last: Option<&TraceRow>,
) -> Result<bool, ntkscope_core::Error> {
    let first = kernel.at(0, 0);
    if !last.is_some_and(|row| row.finite) || kernel.data().iter().any(|k| *k != first) {
        return Ok(false);
    }
    if first == T::ZERO {
        return Ok(true);
    }
    let (network, x) = (trainer.problem().network(), trainer.problem().x());
    let sizes = network.sizes();
    let mut space = vec![T::ZERO; tangent_len(sizes, x.rows())];
    let tangent = tangent(trainer.backend(), Params::new(network, trainer.theta())?, x, &mut space)?;
    let moves = |layer: Dense| {
        let (inputs, derivatives) = (tangent.activations.layer_inputs(&layer), tangent.deltas.by_sample(&layer));
        let any = |m: MatRef<'_, T>, i: usize| m.entries(i).any(|v| v != T::ZERO);
        layer.is_trained() && (0..x.rows()).any(|i| any(inputs, i) && any(derivatives, i))
    };
    Ok(!(0..sizes.layers).any(|index| moves(network.layer(index))))
}
