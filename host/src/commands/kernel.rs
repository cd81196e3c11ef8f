//! `ntkscope kernel analytic / empirical`: one kernel matrix.

use anyhow::{Context, Result};
use ntkscope_core::forward::Params;
use ntkscope_core::init::initialize;
use ntkscope_core::kernel::{
    AnalyticKernel, MultiOutput, analytic, analytic_scratch, structured, structured_scratch, tangent, tangent_len,
};
use ntkscope_core::network::Network;
use ntkscope_core::{MatMut, MatRef};
use serde_json::json;

use super::{DONE, print, with_threads};
use crate::backend::HostReal;
use crate::cli::{KernelArgs, KernelKind};
use crate::data::{self, Samples};
use crate::error::UsageError;
use crate::experiment::{Model, data_spec};
use crate::memory;
use crate::params::read_parameters;
use crate::run::{backend_of, sizes_of, tensors};
use crate::settings::{BackendKind, Dtype, Settings, TrainingSettings};
use crate::store::{check_file, write_arrays, write_tensors};
use crate::summary::KernelSummary;

/// Computes, saves, prints; returns the exit code.
pub fn kernel(args: KernelArgs) -> Result<u8> {
    let training = TrainingSettings { backend: args.backend, ..TrainingSettings::default() };
    let settings = Settings::layered(&Settings { model: args.model.clone(), training }, &args.set, None)?;
    check(&args, &settings)?;
    let samples = data::load(&data_spec(&settings.model))?;
    let model = Model::resolve(&settings.model, &samples)?;
    let network = model.network()?;
    let backend = settings.training.backend.unwrap_or(BackendKind::Fast);
    with_threads(args.common.threads, || match model.dtype {
        Dtype::F64 => kernel_as::<f64, _>(&network, (&args, backend), &model, &samples),
        Dtype::F32 => kernel_as::<f32, _>(&network, (&args, backend), &model, &samples),
    })?
}

/// Checks what needs no data, before any is read.
fn check(args: &KernelArgs, settings: &Settings) -> Result<(), UsageError> {
    Model::check(&settings.model)?;
    let training = TrainingSettings { backend: None, ..settings.training.clone() };
    if let Some(key) = (Settings { training, ..Settings::default() }).table()?.keys().next() {
        return Err(UsageError::Set {
            given: key.clone(),
            what: "is of no use to a kernel: nothing is trained".into(),
        });
    }
    if args.kind == KernelKind::Analytic {
        for (flag, path) in [("--params", &args.params), ("--params-out", &args.params_out)] {
            if let Some(path) = path {
                let what = "the infinitely wide network has no parameters; it is for `kernel empirical`".into();
                return Err(UsageError::Range { flag, given: path.display().to_string(), what });
            }
        }
    }
    for (flag, path) in [("--out", &args.out), ("--params-out", &args.params_out)] {
        path.as_deref().map_or(Ok(()), |path| check_file(flag, path))?;
    }
    Ok(())
}

fn multi_output(given: &str, outputs: usize) -> Result<MultiOutput, UsageError> {
    let wrong = |what: &str| UsageError::Range { flag: "--multi-output", given: given.into(), what: what.into() };
    match given {
        "full" => Ok(MultiOutput::Full),
        "trace" => Ok(MultiOutput::Trace),
        class => match class.parse() {
            Ok(class) if class < outputs => Ok(MultiOutput::Class(class)),
            Ok(_) => Err(wrong(&format!("the network has outputs 0 to {}", outputs - 1))),
            Err(_) => Err(wrong("give full, trace, or the number of an output")),
        },
    }
}

fn kernel_as<T: HostReal, N: Network>(
    network: &N,
    (args, backend): (&KernelArgs, BackendKind),
    model: &Model,
    samples: &Samples,
) -> Result<u8> {
    let (n, sizes, backend) = (samples.n, sizes_of(model)?, backend_of::<T>(backend));
    let tile = backend.tile();
    let which = multi_output(&args.multi_output, sizes.outputs)?;
    let rows = if which == MultiOutput::Full && args.kind == KernelKind::Empirical { n * sizes.outputs } else { n };
    // the kernel, the eigenvalue solver's two copies, and what is written
    let numbers = match args.kind {
        KernelKind::Analytic => 5 * n * n,
        KernelKind::Empirical => 3 * rows * rows + tangent_len(sizes, n) + sizes.parameters,
    };
    let written = 2 * rows * rows + n * samples.d + sizes.parameters;
    let need = (std::mem::size_of::<T>() * (numbers + n * samples.d) + 8 * written) as u64;
    memory::check(&format!("a kernel of {rows} x {rows} entries"), need, args.common.memory)?;

    let x: Vec<T> = samples.x.iter().map(|v| T::from_f64(*v)).collect();
    let x = MatRef::new(&x, n, samples.d)?;
    let (mut matrices, mut parameters) = (Vec::new(), Vec::new());
    match args.kind {
        KernelKind::Analytic => {
            for (name, which) in [("ntk", AnalyticKernel::Ntk), ("nngp", AnalyticKernel::Nngp)] {
                let (mut k, mut scratch) = (vec![T::ZERO; n * n], vec![T::ZERO; analytic_scratch(tile, n, n)]);
                analytic(backend, network, which, x, None, MatMut::new(&mut k, n, n)?, &mut scratch)?;
                matrices.push((name, k));
            }
        }
        KernelKind::Empirical => {
            let mut theta = vec![T::ZERO; sizes.parameters];
            match &args.params {
                None => initialize(network, model.seed, &mut theta)?,
                Some(path) => read_parameters(path, network, &mut theta)?,
            }
            let mut buffer = vec![T::ZERO; tangent_len(sizes, n)];
            let tangent = tangent(backend, Params::new(network, &theta)?, x, &mut buffer)?;
            let (mut k, mut scratch) =
                (vec![T::ZERO; rows * rows], vec![T::ZERO; structured_scratch(tile, rows, rows)]);
            structured(backend, &tangent, None, which, MatMut::new(&mut k, rows, rows)?, &mut scratch)?;
            parameters = tensors(network, &theta);
            matrices.push(("kernel", k));
        }
    }
    let summaries: Vec<KernelSummary> = matrices
        .iter()
        .map(|(name, k)| {
            KernelSummary::of(backend, MatRef::new(k, rows, rows)?).with_context(|| format!("kernel {name}"))
        })
        .collect::<Result<_>>()?;
    if let Some(path) = &args.params_out {
        write_tensors(path, &parameters, model.dtype)?;
    }
    if let Some(path) = &args.out {
        save(path, &matrices, (rows, model.dtype), samples)?;
    }
    let named = matrices.iter().zip(&summaries).map(|((name, _), summary)| (*name, summary));
    if args.common.json {
        let mut all: serde_json::Map<String, serde_json::Value> =
            named.map(|(name, summary)| (name.to_owned(), json!(summary))).collect();
        all.insert("network".into(), json!(model.describe()));
        all.insert("data".into(), json!(samples.description));
        print(&serde_json::to_string_pretty(&all)?)?;
    } else {
        if !args.common.quiet {
            eprintln!("{}; {}", model.describe(), samples.description);
        }
        for (name, summary) in named {
            print(&format!("{name}: {summary}"))?;
        }
    }
    Ok(DONE)
}

/// Arrays `kernel`, `x`, `y`; for the analytic kernel also `ntk` (the same as `kernel`) and `nngp`.
fn save<T: HostReal>(
    path: &std::path::Path,
    matrices: &[(&str, Vec<T>)],
    (rows, dtype): (usize, Dtype),
    samples: &Samples,
) -> Result<()> {
    let double: Vec<Vec<f64>> = matrices.iter().map(|(_, k)| k.iter().map(|v| v.to_f64()).collect()).collect();
    let (square, x_shape, y_shape) = (vec![rows, rows], vec![samples.n, samples.d], vec![samples.n]);
    let mut arrays = vec![("kernel", &square, &double[0])];
    if matrices.len() > 1 {
        arrays.extend(matrices.iter().zip(&double).map(|((name, _), k)| (*name, &square, k)));
    }
    arrays.push(("x", &x_shape, &samples.x));
    arrays.push(("y", &y_shape, &samples.y));
    write_arrays(path, &arrays, dtype)
}
