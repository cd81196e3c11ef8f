//! Kernels that are never formed against those that are.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};

use ntkscope::backend::HostReal;
use ntkscope::kernel::{
    Analytic, Difference, Effort, Empirical, Gradients, KernelSource, Operator, Panels, Search, Space, density,
    outermost, whole,
};
use ntkscope::machine::{Ended, Ranks, Stop, with_threads};
use ntkscope_core::forward::Params;
use ntkscope_core::init::{Normals, initialize};
use ntkscope_core::kernel::{AnalyticKernel, MultiOutput};
use ntkscope_core::network::{Bias, Fcn, Network, ResNet};
use ntkscope_core::{MatMut, MatRef};

fn draws(count: usize, seed: u64) -> Vec<f64> {
    let mut normals = Normals::new(seed);
    (0..count).map(|_| normals.draw()).collect()
}

/// The operator's products, diagonal and columns against the entries of `kernel` (rows, rows), within `tolerance` of the largest.
#[track_caller]
fn check(operator: &mut dyn Operator, kernel: &[f64], tolerance: f64, columns: bool, what: &str) {
    let (rows, stop, k) = (operator.rows(), Stop::new(), 3);
    assert_eq!(rows * rows, kernel.len(), "{what}");
    let largest = kernel.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    let v = draws(k * rows, 11);
    let (mut out, mut told) = (vec![f64::NAN; k * rows], Vec::new());
    let (from, to) = (MatRef::new(&v, k, rows).unwrap(), MatMut::new(&mut out, k, rows).unwrap());
    assert_eq!(operator.apply(from, to, &mut |done| told.push(done), &stop).unwrap(), Ended::Done(()));
    for (j, v) in v.chunks_exact(rows).enumerate() {
        for i in 0..rows {
            let exact: f64 = kernel[i * rows..][..rows].iter().zip(v).map(|(k, v)| k * v).sum();
            let apart = (out[j * rows + i] - exact).abs();
            assert!(apart <= tolerance * largest * rows as f64, "{what}: row {i} of product {j} is off by {apart:e}");
        }
    }
    assert!(told.windows(2).all(|two| two[0] <= two[1]) && (told.last().unwrap() - 1.0).abs() < 1e-12, "{told:?}");
    let diagonal = operator.diagonal(&stop).unwrap().done().unwrap();
    for (i, entry) in diagonal.iter().enumerate() {
        assert!((entry - kernel[i * rows + i]).abs() <= tolerance * largest, "{what}: diagonal {i}");
    }
    if columns {
        let of = [rows - 1, 0, rows / 2];
        let mut out = vec![f64::NAN; of.len() * rows];
        let ended = operator.columns(&of, MatMut::new(&mut out, of.len(), rows).unwrap(), &stop).unwrap();
        assert_eq!(ended, Ended::Done(()));
        for (j, out) in of.iter().zip(out.chunks_exact(rows)) {
            let off = (0..rows).map(|i| (out[i] - kernel[i * rows + j]).abs()).fold(0.0, f64::max);
            assert!(off <= tolerance * largest, "{what}: column {j} is off by {off:e}");
        }
    }
    stop.request();
    let ended = operator.apply(from, MatMut::new(&mut out, k, rows).unwrap(), &mut |_| (), &stop);
    assert_eq!(ended.unwrap(), Ended::Stopped, "{what}");
}

/// Every kernel of one network, by gradients and by panels, kept or not, several gradients at a time or one.
fn each_kernel<N: Network>(network: &N, n: usize, what: &str) {
    let sizes = network.sizes();
    let x = draws(n * sizes.inputs, 5);
    let x = MatRef::new(&x, n, sizes.inputs).unwrap();
    let mut theta = vec![0.0; sizes.parameters];
    initialize(network, 3, &mut theta).unwrap();
    let params = Params::new(network, &theta).unwrap();
    let last = MultiOutput::Class(sizes.outputs - 1);
    for outputs in [MultiOutput::Full, MultiOutput::Trace, last] {
        let source = Empirical { backend: f64::fast(), params, samples: &x, outputs };
        let kernel = whole(&source).unwrap();
        let (what, one_row) = (format!("{what}, {outputs:?}"), source.rows_per_sample() == 1);
        for at_once in [1, 2, 16] {
            check(&mut Gradients::new(&source, at_once), &kernel, 1e-13, one_row, &what);
        }
        let mut spaces = Vec::<Space<f64>>::new();
        let keeping = Gradients::new(&source, 4).keeping(&mut spaces, &Stop::new()).unwrap();
        check(&mut keeping.done().unwrap(), &kernel, 1e-13, one_row, &what);
        if one_row {
            check(&mut Panels::new(&source), &kernel, 1e-13, true, &what);
        }
    }
    for which in [AnalyticKernel::Ntk, AnalyticKernel::Nngp] {
        let source = Analytic { backend: f64::fast(), network, samples: &x, which };
        check(&mut Panels::new(&source), &whole(&source).unwrap(), 1e-13, true, &format!("{what}, {which}"));
    }
}

#[test]
fn products_are_those_of_the_kernel() {
    for (widths, outputs, bias) in
        [(&[5][..], 1, Bias::None), (&[8, 3], 3, Bias::All), (&[6, 7, 2], 2, Bias::Hidden), (&[4], 2, Bias::Input)]
    {
        each_kernel(
            &Fcn::new(4, widths, outputs).unwrap().with_bias(bias, 0.7).unwrap(),
            23,
            &format!("{widths:?} {bias:?}"),
        );
    }
    each_kernel(&ResNet::new(4, 6, 2, 2, 0.5).unwrap(), 17, "resnet");
}

/// More samples than a panel or a leaf has, and a remainder: sums over several of them.
#[test]
fn products_of_many_samples_have_the_same_bits_however_they_are_cut() {
    let (widths, n) = ([40, 30], 2500);
    let network = Fcn::new(3, &widths, 2).unwrap();
    let x = draws(n * 3, 5);
    let x = MatRef::new(&x, n, 3).unwrap();
    let mut theta = vec![0.0; network.sizes().parameters];
    initialize(&network, 3, &mut theta).unwrap();
    let source = Empirical {
        backend: f64::fast(),
        params: Params::new(&network, &theta).unwrap(),
        samples: &x,
        outputs: MultiOutput::Trace,
    };
    let analytic = Analytic { backend: f64::fast(), network: &network, samples: &x, which: AnalyticKernel::Ntk };
    let v = draws(5 * n, 1);
    // all five vectors at once, or one after another
    let products = |threads: u16, operator: &mut (dyn Operator + Send), each: usize| {
        let mut out = vec![0.0; 5 * n];
        let apply = || {
            for (v, out) in v.chunks_exact(each * n).zip(out.chunks_exact_mut(each * n)) {
                let (v, out) = (MatRef::new(v, each, n).unwrap(), MatMut::new(out, each, n).unwrap());
                let _ = operator.apply(v, out, &mut |_| (), &Stop::new()).unwrap();
            }
        };
        with_threads(Some(threads), apply).unwrap();
        out
    };
    let by_gradients = products(1, &mut Gradients::new(&source, 1), 1);
    let by_panels = products(1, &mut Panels::new(&analytic), 1);
    for threads in [1, 2, 3] {
        for at_once in [1, 3, 16] {
            for each in [1, 5] {
                assert!(by_gradients == products(threads, &mut Gradients::new(&source, at_once), each));
            }
        }
        let mut spaces = Vec::new();
        let mut keeping = Gradients::new(&source, 2).keeping(&mut spaces, &Stop::new()).unwrap().done().unwrap();
        assert!(by_gradients == products(threads, &mut keeping, 5));
        assert!(by_panels == products(threads, &mut Panels::new(&analytic), 5));
    }
    let close = |operator: &mut dyn Operator, kernel: &[f64], what: &str| check(operator, kernel, 1e-14, true, what);
    close(&mut Gradients::new(&source, 4), &whole(&source).unwrap(), "gradients");
    close(&mut Panels::new(&analytic), &whole(&analytic).unwrap(), "panels");
}

/// Ranks that are threads of this process: what each has sent, by sender and receiver.
struct Threads<'a> {
    rank: usize,
    size: usize,
    sent: &'a Mutex<Vec<Vec<Vec<f64>>>>,
    all: &'a Barrier,
    /// numbers that this one has sent to others
    count: AtomicUsize,
}

impl Ranks for Threads<'_> {
    fn rank(&self) -> usize {
        self.rank
    }
    fn size(&self) -> usize {
        self.size
    }
    fn exchange(&self, to: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
        assert_eq!(to.len(), self.size);
        let others = to.iter().enumerate().filter(|(rank, _)| *rank != self.rank);
        self.count.fetch_add(others.map(|(_, numbers)| numbers.len()).sum(), Ordering::Relaxed);
        self.sent.lock().unwrap()[self.rank] = to;
        self.all.wait();
        let from = self.sent.lock().unwrap().iter().map(|to| to[self.rank].clone()).collect();
        self.all.wait();
        from
    }
    fn abort(&self, code: u8) -> ! {
        panic!("ended with {code}")
    }
}

/// What `work` makes on each of so many ranks, which is the same on all.
fn among(size: usize, work: impl Fn(&Threads<'_>) -> Vec<f64> + Sync) -> Vec<f64> {
    let (sent, all) = (Mutex::new(vec![Vec::new(); size]), Barrier::new(size));
    let mut found = std::thread::scope(|scope| {
        let start = |rank| {
            let (work, sent, all) = (&work, &sent, &all);
            scope.spawn(move || work(&Threads { rank, size, sent, all, count: AtomicUsize::new(0) }))
        };
        let started: Vec<_> = (0..size).map(start).collect();
        started.into_iter().map(|rank| rank.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(found.windows(2).all(|two| two[0] == two[1]), "{size} ranks differ from one another");
    found.swap_remove(0)
}

/// Groups that the ranks divide and that they do not, an even number of them and an odd one, fewer than ranks.
#[test]
fn products_have_the_same_bits_on_any_number_of_ranks() {
    let (stop, k) = (Stop::new(), 2);
    let network = Fcn::new(2, &[3], 2).unwrap();
    let mut theta = vec![0.0; network.sizes().parameters];
    initialize(&network, 3, &mut theta).unwrap();
    let everything = |operator: &mut dyn Operator, columns: bool| {
        let n = operator.rows();
        let (v, mut out) = (draws(k * n, 1), vec![f64::NAN; 2 * k * n]);
        let (product, rest) = out.split_at_mut(k * n);
        let from = MatRef::new(&v, k, n).unwrap();
        let _ = operator.apply(from, MatMut::new(product, k, n).unwrap(), &mut |_| (), &stop).unwrap();
        if columns {
            let _ = operator.columns(&[0, n - 1], MatMut::new(rest, k, n).unwrap(), &stop).unwrap();
        } else {
            rest.fill(0.0);
        }
        out.extend(operator.diagonal(&stop).unwrap().done().unwrap());
        out
    };
    for n in [300, 2100, 3500] {
        let x = draws(n * 2, 5);
        let x = MatRef::new(&x, n, 2).unwrap();
        let analytic = Analytic { backend: f64::fast(), network: &network, samples: &x, which: AnalyticKernel::Ntk };
        let expected = everything(&mut Panels::new(&analytic), true);
        for ranks in [1, 2, 3, 5] {
            let found = among(ranks, |ranks| everything(&mut Panels::new(&analytic).among(ranks), true));
            assert!(found == expected, "panels of {n} on {ranks} ranks");
        }
    }
    // leaves of 4096 samples
    for n in [5000, 17000] {
        let x = draws(n * 2, 5);
        let x = MatRef::new(&x, n, 2).unwrap();
        for outputs in [MultiOutput::Trace, MultiOutput::Full] {
            let params = Params::new(&network, &theta).unwrap();
            let source = Empirical { backend: f64::fast(), params, samples: &x, outputs };
            let columns = outputs == MultiOutput::Trace;
            let expected = everything(&mut Gradients::new(&source, 3), columns);
            for ranks in [1, 2, 3, 5] {
                let found = among(ranks, |ranks| everything(&mut Gradients::new(&source, 3).among(ranks), columns));
                assert!(found == expected, "gradients of {n} on {ranks} ranks");
                let kept = among(ranks, |ranks| {
                    let mut spaces = Vec::new();
                    let operator = Gradients::new(&source, 3).among(ranks);
                    everything(&mut operator.keeping(&mut spaces, &stop).unwrap().done().unwrap(), columns)
                });
                assert!(kept == expected, "kept gradients of {n} on {ranks} ranks");
            }
        }
    }
}

/// As `docs/mpi.md` counts it: k n G/2P partial sums of panels and k n/P rows to each of the others.
#[test]
fn what_ranks_send_is_counted() {
    let (k, groups, side, stop) = (2, 4, 1024, Stop::new());
    let n = groups * side;
    let network = Fcn::new(2, &[3], 1).unwrap();
    let x = draws(n * 2, 5);
    let x = MatRef::new(&x, n, 2).unwrap();
    let analytic = Analytic { backend: f64::fast(), network: &network, samples: &x, which: AnalyticKernel::Ntk };
    let v = draws(k * n, 1);
    let sent = among(groups, |ranks| {
        let mut out = vec![0.0; k * n];
        let (from, to) = (MatRef::new(&v, k, n).unwrap(), MatMut::new(&mut out, k, n).unwrap());
        let _ = Panels::new(&analytic).among(ranks).apply(from, to, &mut |_| (), &stop).unwrap();
        let own = [ranks.count.load(Ordering::Relaxed) as f64];
        ranks.share(&own).concat()
    });
    // of the groups that lie opposite one another one has made the panels, so that it alone sends
    let partial = |distances: usize| k * side * distances;
    let rows = k * side * (groups - 1);
    let expected = [2, 2, 1, 1].map(|distances| (partial(distances) + rows) as f64);
    assert_eq!(sent, expected);
}

/// Single precision: entries are rounded to it, sums of panels are not.
#[test]
fn single_precision_is_that_of_the_entries() {
    let (widths, n) = ([64], 1500);
    let network = Fcn::new(3, &widths, 1).unwrap();
    let x: Vec<f32> = draws(n * 3, 5).into_iter().map(|x| x as f32).collect();
    let x = MatRef::new(&x, n, 3).unwrap();
    let analytic = Analytic { backend: f32::fast(), network: &network, samples: &x, which: AnalyticKernel::Ntk };
    let kernel: Vec<f64> = whole(&analytic).unwrap().into_iter().map(f64::from).collect();
    check(&mut Panels::new(&analytic), &kernel, 1e-15, true, "panels");
}

#[test]
fn a_difference_is_that_of_its_parts() {
    let (widths, n) = ([9], 30);
    let network = Fcn::new(3, &widths, 1).unwrap();
    let x = draws(n * 3, 5);
    let x = MatRef::new(&x, n, 3).unwrap();
    let theta: Vec<Vec<f64>> = (0..2)
        .map(|seed| {
            let mut theta = vec![0.0; network.sizes().parameters];
            initialize(&network, seed, &mut theta).unwrap();
            theta
        })
        .collect();
    let sources: Vec<_> = theta
        .iter()
        .map(|theta| Empirical {
            backend: f64::fast(),
            params: Params::new(&network, theta).unwrap(),
            samples: &x,
            outputs: MultiOutput::Trace,
        })
        .collect();
    let kernels: Vec<Vec<f64>> = sources.iter().map(|source| whole(source).unwrap()).collect();
    let difference: Vec<f64> = kernels[1].iter().zip(&kernels[0]).map(|(later, earlier)| later - earlier).collect();
    let (mut later, mut earlier) = (Gradients::new(&sources[1], 4), Gradients::new(&sources[0], 4));
    check(&mut Difference { later: &mut later, earlier: &mut earlier }, &difference, 1e-12, true, "difference");
}

/// What the density says of a kernel whose eigenvalues are known lies within four of its standard errors, for many seeds.
#[test]
fn densities_cover_the_whole_spectrum() {
    let (widths, n) = ([64, 64], 600);
    let network = Fcn::new(10, &widths, 1).unwrap();
    let x = draws(n * 10, 5);
    let x = MatRef::new(&x, n, 10).unwrap();
    let source = Analytic { backend: f64::fast(), network: &network, samples: &x, which: AnalyticKernel::Ntk };
    let kernel = whole(&source).unwrap();
    let (mut a, mut values, mut scratch) = (kernel.clone(), vec![0.0; n], vec![0.0; n]);
    f64::fast().symmetric_eigenvalues(MatMut::new(&mut a, n, n).unwrap(), &mut values, &mut scratch).unwrap();
    let trace: f64 = values.iter().sum();
    let entropy: f64 = values.iter().map(|v| -(v / trace) * (v / trace).ln()).sum();
    let frobenius = values.iter().map(|v| v * v).sum::<f64>().sqrt();
    let median = values[n / 2];
    let (mut off, mut errors) = (Vec::new(), Vec::new());
    let mut operator = Panels::new(&source);
    let mut product = |v: MatRef<'_, f64>, w: MatMut<'_, f64>| operator.apply(v, w, &mut |_| (), &Stop::new());
    let ends = outermost(n, Search::of::<f64>(4), &mut product, &Stop::new()).unwrap().done().unwrap();
    let known: Vec<_> =
        ends.largest.iter().zip(&ends.vectors).map(|(ritz, vector)| (ritz.value, &vector[..])).collect();
    let mut sharpest = [f64::INFINITY; 2];
    for (seed, known) in (0..6).flat_map(|seed| [(seed, &known[..]), (seed, &[])]) {
        let effort = Effort { probes: 10, steps: 80, seed };
        let found = density(&mut operator, effort, (trace, known), &mut |_| (), &Stop::new()).unwrap().done().unwrap();
        let sharp = &mut sharpest[usize::from(known.is_empty())];
        *sharp = sharp.min(found.frobenius().error);
        let exactly = [(found.effective_rank(), entropy.exp()), (found.frobenius(), frobenius)];
        let count = found.count_from(median);
        for (estimate, exact) in exactly.into_iter().chain([(count, (n - n / 2) as f64)]) {
            off.push((estimate.value - exact) / estimate.error);
            errors.push(estimate.error / exact);
        }
        // what a polynomial of low degree is, every probe has exactly
        assert!((found.mean_of(|theta| theta).value - trace / n as f64).abs() < 1e-10 * trace / n as f64);
        assert!(found.ends().0 >= values[0] * 0.999 && found.ends().1 <= values[n - 1] * 1.001);
    }
    println!("standard errors off: {off:.2?}");
    let worst = off.iter().fold(0.0, |m: f64, z| m.max(z.abs()));
    let spread = (off.iter().map(|z| z * z).sum::<f64>() / off.len() as f64).sqrt();
    assert!(worst < 6.0 && (0.4..2.0).contains(&spread), "{worst} {spread} {off:?}");
    // what is known of the largest makes the rest sharper
    assert!(sharpest[0] < 0.3 * sharpest[1], "{sharpest:?}");
    // and they are of use
    assert!(errors.iter().all(|error| *error < 0.2), "{errors:?}");
}
