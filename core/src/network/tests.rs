use super::*;
use crate::choice::Choice;
use crate::forward::{Params, forward};
use crate::kernel::{AnalyticKernel, analytic, tangent_len};
use crate::{Error, MatMut, MatRef, Portable};
use std::string::ToString;

const HUGE: usize = usize::MAX;

#[test]
fn lengths_that_overflow_are_refused() {
    let refused = |network: Result<(), Error>| matches!(network, Err(Error::OutOfRange { .. }));
    assert!(refused(Fcn::new(HUGE, &[HUGE], 1).map(drop)), "wraps to 0 parameters");
    assert!(refused(Fcn::new(1, &[HUGE], 1).map(drop)), "activations");
    assert!(refused(Fcn::new(1, &[1], HUGE).map(drop)), "derivatives");
    assert!(refused(ResNet::new(1, 1 << (usize::BITS / 2), 1, 1, 1.0).map(drop)), "weights of a block");
    assert!(refused(ResNet::new(1, 1, HUGE, 1, 1.0).map(drop)), "blocks");
    // the weights alone fit
    let wide = Fcn::new(3, &[HUGE / 4], 1).unwrap();
    assert_eq!(wide.sizes().parameters, HUGE / 4 * 4);
    assert!(refused(wide.with_bias(Bias::Input, 1.0).map(drop)), "the bias");
    let wide = Sizes::new(HUGE, 1).with_layer(HUGE, 1, false, 1).unwrap();
    assert!(refused(wide.with_layer(1, 1, false, 1).map(drop)));
}

/// Of a pair whose lengths overflow no pass is possible: no buffer is long enough.
#[test]
fn a_pair_that_overflows_fits_no_buffer() {
    let pair = Mirrored(Fcn::new(3, &[HUGE / 4], 1).unwrap());
    assert_eq!(pair.sizes().parameters, HUGE);
    let theta = [0.0; 7];
    assert_eq!(
        Params::new(&pair, &theta).err(),
        Some(Error::BufferLength { what: "parameters", need: HUGE, got: theta.len() })
    );
    assert_eq!(tangent_len(pair.sizes(), 2), HUGE);
    assert_eq!(tangent_len(Fcn::new(3, &[4], 1).unwrap().sizes(), HUGE / 2), HUGE);
}

#[test]
fn scales_are_finite_and_not_negative() {
    let (fcn, resnet) = (Fcn::new(2, &[4], 1).unwrap(), ResNet::new(2, 4, 1, 1, 1.0).unwrap());
    for wrong in [f64::NAN, f64::INFINITY, -1.0, -f64::MIN_POSITIVE] {
        for refused in [
            fcn.with_variances(wrong, 1.0).map(drop),
            fcn.with_variances(1.0, wrong).map(drop),
            fcn.with_bias(Bias::All, wrong).map(drop),
            resnet.with_input_bias(wrong).map(drop),
            resnet.with_branch_bias(wrong).map(drop),
        ] {
            let Err(Error::OutOfRange { got, .. }) = refused else { panic!("{wrong} is accepted") };
            assert!(got.to_bits() == wrong.to_bits(), "{got} in place of {wrong}");
        }
    }
    assert!(fcn.with_variances(0.0, 0.0).is_ok() && fcn.with_bias(Bias::All, 0.0).is_ok());
    for wrong in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
        assert!(ResNet::new(2, 4, 1, 1, wrong).is_err(), "alpha {wrong}");
    }
}

/// In no parametrization does a variance that is accepted give a kernel that is no number.
#[test]
fn a_variance_of_0_is_refused_where_the_kernel_would_not_follow_from_it() {
    let x = MatRef::new(&[1.0, 2.0, -0.5, 1.0], 2, 2).unwrap();
    let finite = |network: &Fcn<'_>| {
        let mut scratch = [0.0; 4096];
        let mut kernel = [f64::NAN; 4];
        let out = MatMut::new(&mut kernel, 2, 2).unwrap();
        analytic(&Portable, network, AnalyticKernel::Ntk, x, None, out, &mut scratch).unwrap();
        kernel.iter().all(|k| k.is_finite())
    };
    let mut refused = 0;
    for parametrization in Parametrization::ALL {
        for widths in [&[4][..], &[4, 3]] {
            let Ok(plain) = Fcn::new(2, widths, 1).unwrap().with_parametrization(*parametrization) else { continue };
            for (input, weight) in [(0.0, 2.0), (1.0, 0.0), (0.0, 0.0), (1.0, 2.0)] {
                let then = plain.with_variances(input, weight);
                let before = Fcn::new(2, widths, 1).unwrap().with_variances(input, weight).unwrap();
                assert_eq!(then, before.with_parametrization(*parametrization), "in either order");
                match then.and_then(|network| network.with_bias(Bias::All, 0.5)) {
                    Ok(network) => assert!(finite(&network), "{parametrization}, {widths:?}, {input}, {weight}"),
                    Err(error) => {
                        assert!(error.to_string().ends_with("must be > 0; the ntk parametrization takes 0 too, is 0"));
                        refused += 1;
                    }
                }
            }
        }
    }
    // of the standard one each, of the others the input's, and the weights' where there are some between hidden layers
    assert_eq!(refused, 3 + 3 + 2 + 2 + 3);
}

/// What one network's pass leaves is no other network's.
#[test]
fn passes_of_different_networks_do_not_mix() {
    let (small, large) = (Fcn::new(1, &[2], 1).unwrap(), Fcn::new(1, &[3], 1).unwrap());
    let (theta, mut values, mut deltas) = ([1.0; 6], [0.0; 5], [0.0; 4]);
    let x = MatRef::new(&[1.0], 1, 1).unwrap();
    let passed = forward(&Portable, Params::new(&small, &theta[..4]).unwrap(), x, &mut values).unwrap();
    let params = Params::new(&large, &theta).unwrap();
    let done = crate::backward::backward(&Portable, params, &passed, x, &mut deltas);
    assert!(matches!(done, Err(Error::Shape { need: 6, got: 4, .. })), "{done:?}");
}
