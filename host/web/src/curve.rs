//! K((1, 0), x) for x around the circle.

use core::f64::consts::PI;

use ntkscope_core::forward::Params;
use ntkscope_core::kernel::{
    AnalyticKernel, MeanTangent, MultiOutput, analytic, analytic_scratch, mean_tangent_len, structured,
    structured_scratch, tangent, tangent_len,
};
use ntkscope_core::network::{Network, Sizes};
use ntkscope_core::{Error, MatMut, MatRef, Portable, Real};

use crate::net::Net;

/// Points around the circle, the first at -180 degrees; the samples are among them.
pub const POINTS: usize = 72;

/// The place of (1, 0) among them.
const ORIGIN: usize = POINTS / 2;

/// The points `(POINTS, 2)`.
pub(crate) fn points() -> [[f32; 2]; POINTS] {
    core::array::from_fn(|k| {
        let angle = 2.0 * PI * (k as f64 / POINTS as f64) - PI;
        [Real::cos(angle) as f32, Real::sin(angle) as f32]
    })
}

/// Space of a [`Curve`], beside the points.
pub(crate) const fn curve_len(sizes: Sizes) -> usize {
    mean_tangent_len(sizes, 1) + mean_tangent_len(sizes, POINTS) + tangent_len(sizes, POINTS) + scratch_len(sizes)
}

const fn scratch_len(sizes: Sizes) -> usize {
    let (structured, analytic) =
        (structured_scratch(Portable::TILE, 1, POINTS), analytic_scratch(sizes, Portable::TILE, 1, POINTS));
    if structured > analytic { structured } else { analytic }
}

/// The kernel along the circle, of the mean derivatives over the states of a burst, as the recorder has it.
pub(crate) struct Curve<'a> {
    net: &'a Net,
    x: MatRef<'a, f32>,
    at_origin: MeanTangent<'a, f32>,
    along: MeanTangent<'a, f32>,
    passes: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl<'a> Curve<'a> {
    /// Of no state yet; `buffer` holds [`curve_len`] numbers.
    ///
    /// # Errors
    /// A short buffer.
    pub(crate) fn new(net: &'a Net, x: MatRef<'a, f32>, buffer: &'a mut [f32]) -> Result<Self, Error> {
        let sizes = net.sizes();
        Error::at_least("curve", curve_len(sizes), buffer.len())?;
        let (at_origin, rest) = buffer.split_at_mut(mean_tangent_len(sizes, 1));
        let (along, rest) = rest.split_at_mut(mean_tangent_len(sizes, POINTS));
        let (passes, scratch) = rest.split_at_mut(tangent_len(sizes, POINTS));
        Ok(Self {
            net,
            x,
            at_origin: MeanTangent::new(sizes, 1, at_origin)?,
            along: MeanTangent::new(sizes, POINTS, along)?,
            passes,
            scratch,
        })
    }

    fn origin(&self) -> MatRef<'a, f32> {
        self.x.block(ORIGIN..ORIGIN + 1, 0..2)
    }

    /// The analytic NTK along the circle.
    ///
    /// # Errors
    /// Those of [`analytic`].
    pub(crate) fn analytic(&mut self, out: &mut [f32]) -> Result<(), Error> {
        let out = MatMut::new(out, 1, POINTS)?;
        analytic(&Portable, self.net, AnalyticKernel::Ntk, self.origin(), Some(self.x), out, self.scratch)
    }

    /// Forgets all states.
    pub(crate) fn clear(&mut self) {
        self.at_origin.clear();
        self.along.clear();
    }

    /// Adds the state of these parameters.
    ///
    /// # Errors
    /// Those of the passes.
    pub(crate) fn add(&mut self, theta: &[f32]) -> Result<(), Error> {
        let (params, origin) = (Params::new(self.net, theta)?, self.origin());
        self.at_origin.add(&tangent(&Portable, params, origin, self.passes)?)?;
        self.along.add(&tangent(&Portable, params, self.x, self.passes)?)
    }

    /// The kernel of the states that were added.
    ///
    /// # Errors
    /// None were.
    pub(crate) fn kernel(&mut self, out: &mut [f32]) -> Result<(), Error> {
        let (left, right) = (self.at_origin.tangent(self.net, self.origin())?, self.along.tangent(self.net, self.x)?);
        structured(&Portable, &left, Some(&right), MultiOutput::Trace, MatMut::new(out, 1, POINTS)?, self.scratch)
    }
}
