//! The suite of core. One binary, so that it links once.
//!
//! Every tolerance is an entry of `ntkscope_tests::tolerance::TABLE`. What each check measured is printed
//! with `cargo test -p ntkscope-tests --test suite -- --nocapture`.

mod activations;
mod agreement;
mod alignment;
mod biases;
mod descent;
mod distance;
mod edge;
mod far_out;
mod flow;
mod golden;
mod gradients;
mod hinge;
mod identities;
mod invariance;
mod kinks;
mod limit;
mod linalg;
mod loss;
mod mirrored;
mod narrow;
mod parametrizations;
mod predict;
mod predict_draws;
mod predict_flow;
mod predict_law;
mod predict_lazy;
mod predict_outputs;
mod predict_penalty;
mod predict_refused;
mod predict_singular;
mod predict_soft;
mod record;
mod resnet;
mod scalar;
mod scale;
mod shifted;
mod six_points;
mod slices;
mod state;
mod trainer;

#[test]
fn every_tolerance_is_used() {
    let sources = [
        include_str!("activations.rs"),
        include_str!("agreement.rs"),
        include_str!("alignment.rs"),
        include_str!("biases.rs"),
        include_str!("descent.rs"),
        include_str!("distance.rs"),
        include_str!("edge.rs"),
        include_str!("far_out.rs"),
        include_str!("flow.rs"),
        include_str!("golden.rs"),
        include_str!("gradients.rs"),
        include_str!("identities.rs"),
        include_str!("invariance.rs"),
        include_str!("kinks.rs"),
        include_str!("limit.rs"),
        include_str!("linalg.rs"),
        include_str!("loss.rs"),
        include_str!("mirrored.rs"),
        include_str!("parametrizations.rs"),
        include_str!("predict.rs"),
        include_str!("predict_draws.rs"),
        include_str!("predict_flow.rs"),
        include_str!("predict_law.rs"),
        include_str!("predict_lazy.rs"),
        include_str!("predict_outputs.rs"),
        include_str!("predict_penalty.rs"),
        include_str!("predict_refused.rs"),
        include_str!("predict_singular.rs"),
        include_str!("predict_soft.rs"),
        include_str!("record.rs"),
        include_str!("resnet.rs"),
        include_str!("scalar.rs"),
        include_str!("scale.rs"),
        include_str!("shifted.rs"),
        include_str!("six_points.rs"),
        include_str!("state.rs"),
        include_str!("trainer.rs"),
    ];
    let unused: Vec<_> = ntkscope_tests::tolerance::unused(&sources).collect();
    assert!(unused.is_empty(), "{unused:?}");
}
