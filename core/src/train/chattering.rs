//! What a flow with kinks lends to who reads its kernel.

/// A flow with kinks between two steps, for who reads its kernel: where it is, and space to go on from there on a copy.
pub(crate) struct Chattering<'r, T> {
    /// parameters, and those at initialization
    pub(crate) theta: &'r [T],
    pub(crate) theta_0: &'r [T],
    /// ln(1 + t)
    pub(crate) log_time: T,
    /// the sum of c over the steps so far
    pub(crate) gone: f64,
    /// of the kernel, as it was at one of the last steps
    pub(crate) lambda_max: T,
    /// longest step in tau
    pub(crate) longest: T,
    /// P numbers each
    pub(crate) copy: &'r mut [T],
    pub(crate) start: &'r mut [T],
    pub(crate) gradient: &'r mut [T],
    /// [`jacobian_scratch`]
    pub(crate) scratch: &'r mut [T],
    /// [`crate::kernel::tangent_len`]
    pub(crate) work: &'r mut [T],
}
