//! The empirical NTK at initialization nears the analytic one as the width grows.

use ntkscope_core::{
    Error, MatMut, MatRef, Portable,
    forward::Params,
    init::initialize,
    kernel::{
        AnalyticKernel, MultiOutput, analytic, analytic_scratch, centred_alignment, max_abs_difference,
        relative_frobenius, spectrum, structured, structured_scratch, tangent, tangent_len,
    },
    network::Bias,
};

use super::{Board, N, Number, Output, SEED, fits, network, points};

/// From the narrowest on, as many as fit the RAM.
const WIDTHS: [usize; 6] = [8, 16, 32, 64, 128, 256];

/// How many of the widths fit the RAM.
const fn widths(board: Board) -> usize {
    let mut count = 0;
    while count < WIDTHS.len() && fits(len_of(count + 1), board.ram) {
        count += 1;
    }
    count
}

/// Numbers in the buffer on a board.
pub const fn len(board: Board) -> usize {
    len_of(widths(board))
}

/// Of the first `count` widths.
const fn len_of(count: usize) -> usize {
    let widest = WIDTHS[count - 1];
    let sizes = network(&[widest, widest]).sizes();
    sizes.parameters + tangent_len(sizes, N) + 3 * N * N + N + SCRATCH
}

const SCRATCH: usize = {
    let (a, b) =
        (structured_scratch(Portable::TILE, N, N), analytic_scratch(network(&[1, 1]).sizes(), Portable::TILE, N, N));
    if a > b { a } else { b }
};

/// Compares both kernels at the widths that fit; `buffer` holds at least [`len`] numbers.
pub fn run(board: Board, buffer: &mut [f32], out: &mut dyn Output) -> Result<(), Error> {
    let count = widths(board);
    let (x, backend) = (points()?, &Portable);
    let (limit, rest) = buffer.split_at_mut(N * N);
    let (kernel, rest) = rest.split_at_mut(N * N);
    let (work, rest) = rest.split_at_mut(N * N);
    let (eigenvalues, rest) = rest.split_at_mut(N);
    let (scratch, rest) = rest.split_at_mut(SCRATCH);

    let any = network(&[1, 1]);
    // that of `network` last: the empirical kernels are compared with it
    for (run, network) in [("analytic-hidden", any.with_bias(Bias::Hidden, 1.0)?), ("analytic", any)] {
        analytic(backend, &network, AnalyticKernel::Ntk, x, None, MatMut::new(limit, N, N)?, scratch)?;
        for (record, value) in (0..).zip(limit.iter().copied()) {
            out.number(Number { run, record, field: "ntk", value });
        }
        out.record_done();
    }
    let limit = MatRef::new(limit, N, N)?;
    for width in &WIDTHS[..count] {
        let widths = [*width; 2];
        let network = network(&widths);
        let (theta, buffer) = rest.split_at_mut(network.sizes().parameters);
        initialize(&network, SEED, theta)?;
        let tangent = tangent(backend, Params::new(&network, theta)?, x, buffer)?;
        structured(backend, &tangent, None, MultiOutput::Trace, MatMut::new(kernel, N, N)?, scratch)?;
        let empirical = MatRef::new(kernel, N, N)?;
        let spectrum = spectrum(backend, empirical, MatMut::new(work, N, N)?, eigenvalues, scratch)?;
        for (field, value) in [
            ("error_max", max_abs_difference(empirical, limit)?),
            ("error_fro", relative_frobenius(empirical, limit)?),
            ("alignment", centred_alignment(empirical, limit)?),
            ("lambda_min", spectrum.lambda_min),
            ("lambda_max", spectrum.lambda_max),
            ("effective_rank", spectrum.effective_rank),
        ] {
            out.number(Number { run: "width", record: *width as u32, field, value });
        }
        out.record_done();
    }
    for (record, value) in (0..).zip(kernel.iter().copied()) {
        out.number(Number { run: "empirical", record, field: "ntk", value });
    }
    out.record_done();
    Ok(())
}
