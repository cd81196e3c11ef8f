//! The fast backend against the portable one: the same results to rounding, and bits that depend neither on the
//! number of threads nor on how a kernel is cut into blocks of whole tiles.

mod decompositions;
mod lanczos;
mod vector;

use ntkscope::backend::HostReal;
use ntkscope_core::forward::Params;
use ntkscope_core::init::{Normals, initialize};
use ntkscope_core::kernel::{
    AnalyticKernel, MultiOutput, Tangent, analytic, analytic_scratch, structured, structured_scratch, tangent,
    tangent_len,
};
use ntkscope_core::network::{Bias, Fcn, Mirrored, Network};
use ntkscope_core::{Backend, MatMut, MatRef, Portable, Real};

fn normals<T: Real>(seed: u64, len: usize) -> Vec<T> {
    let mut stream = Normals::new(seed);
    (0..len).map(|_| T::from_f64(stream.draw())).collect()
}

/// The unit of rounding.
fn epsilon<T: Real>() -> f64 {
    if std::mem::size_of::<T>() == 4 { f64::from(f32::EPSILON) } else { f64::EPSILON }
}

fn bits<T: Real>(numbers: &[T]) -> Vec<u64> {
    numbers.iter().map(|v| v.to_f64().to_bits()).collect()
}

/// `work` with this many threads.
fn on<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

/// How a factor lies in memory.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Layout {
    RowMajor,
    Transposed,
    /// a block within a larger matrix
    Block,
    TransposedBlock,
}

const LAYOUTS: [Layout; 4] = [Layout::RowMajor, Layout::Transposed, Layout::Block, Layout::TransposedBlock];

struct Stored<T> {
    data: Vec<T>,
    rows: usize,
    cols: usize,
    layout: Layout,
}

impl<T: Real> Stored<T> {
    fn new(seed: u64, rows: usize, cols: usize, layout: Layout) -> Self {
        let len = match layout {
            Layout::RowMajor | Layout::Transposed => rows * cols,
            Layout::Block | Layout::TransposedBlock => (rows + 3) * (cols + 5),
        };
        Self { data: normals(seed, len), rows, cols, layout }
    }
    fn absolute(&self) -> Self {
        let data = self.data.iter().map(|v| v.abs()).collect();
        Self { data, rows: self.rows, cols: self.cols, layout: self.layout }
    }
    fn view(&self) -> MatRef<'_, T> {
        let (rows, cols) = (self.rows, self.cols);
        match self.layout {
            Layout::RowMajor => MatRef::new(&self.data, rows, cols).unwrap(),
            Layout::Transposed => MatRef::new(&self.data, cols, rows).unwrap().t(),
            Layout::Block => {
                let whole = MatRef::new(&self.data, rows + 3, cols + 5).unwrap();
                whole.block(2..2 + rows, 3..3 + cols)
            }
            Layout::TransposedBlock => {
                let whole = MatRef::new(&self.data, cols + 5, rows + 3).unwrap();
                whole.block(3..3 + cols, 2..2 + rows).t()
            }
        }
    }
}

/// C, a block within a larger matrix whose other elements must stay as they are.
const BORDER: (usize, usize) = (2, 3);

fn multiplied<T: Real>(
    backend: &dyn Backend<T>,
    (alpha, beta): (T, T),
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    mut surrounded: Vec<T>,
) -> Vec<T> {
    let (m, n) = (a.rows(), b.cols());
    let whole = MatMut::new(&mut surrounded, m + BORDER.0, n + BORDER.1).unwrap();
    backend.gemm(alpha, a, b, beta, whole.block(1..1 + m, 2..2 + n));
    surrounded
}

/// Whether element `at` of C with its border belongs to C.
fn inside(at: usize, m: usize, n: usize) -> bool {
    let (i, j) = (at / (n + BORDER.1), at % (n + BORDER.1));
    (1..1 + m).contains(&i) && (2..2 + n).contains(&j)
}

fn check_product<T: HostReal>(m: usize, depth: usize, n: usize, layouts: (Layout, Layout), factors: (f64, f64)) {
    let what = format!("({m} x {depth}) ({depth} x {n}), {layouts:?}, alpha and beta {factors:?}");
    let (a, b) = (Stored::<T>::new(1, m, depth, layouts.0), Stored::<T>::new(2, depth, n, layouts.1));
    let scale = (T::from_f64(factors.0), T::from_f64(factors.1));
    let mut c: Vec<T> = normals(3, (m + BORDER.0) * (n + BORDER.1));
    if factors.1 == 0.0 {
        // C must not be read
        (0..c.len()).filter(|at| inside(*at, m, n)).for_each(|at| c[at] = T::from_f64(f64::NAN));
    }
    let fast = multiplied(T::fast(), scale, a.view(), b.view(), c.clone());
    let portable = multiplied(&Portable, scale, a.view(), b.view(), c.clone());
    // what the terms of each sum amount to without their signs bounds its rounding
    let size = {
        let c = c.iter().map(|v| if v.is_finite() { v.abs() } else { T::ZERO }).collect();
        let (a, b) = (a.absolute(), b.absolute());
        multiplied(&Portable, (scale.0.abs(), scale.1.abs()), a.view(), b.view(), c)
    };
    for at in 0..c.len() {
        let (f, p) = (fast[at].to_f64(), portable[at].to_f64());
        if inside(at, m, n) {
            let allowed = 2.0 * (depth as f64 + 2.0) * epsilon::<T>() * size[at].to_f64();
            assert!((f - p).abs() <= allowed, "{what}, element {at}: {f:e} and {p:e}, apart more than {allowed:e}");
        } else {
            assert_eq!(f.to_bits(), c[at].to_f64().to_bits(), "{what}: element {at} beside C was written");
        }
    }
}

/// Rows, summed index, columns: single elements, vectors, tall, wide, deep; around and across panels of 256 and what is
/// transposed at a time.
const SHAPES: [(usize, usize, usize); 17] = [
    (1, 1, 1),
    (1, 1, 7),
    (7, 1, 1),
    (1, 300, 1),
    (1, 40, 517),
    (517, 40, 1),
    (2, 3, 5),
    (17, 1000, 19),
    (1000, 2, 3),
    (3, 2, 1000),
    (255, 65, 257),
    (256, 64, 256),
    (257, 64, 255),
    (513, 33, 100),
    (100, 33, 513),
    (600, 2, 1300),
    (40, 700, 300),
];

fn check_products<T: HostReal>() {
    for (m, depth, n) in SHAPES {
        check_product::<T>(m, depth, n, (Layout::RowMajor, Layout::RowMajor), (1.0, 0.0));
        check_product::<T>(m, depth, n, (Layout::RowMajor, Layout::Transposed), (-0.5, 1.0));
    }
    for left in LAYOUTS {
        for right in LAYOUTS {
            for factors in [(1.0, 0.0), (1.0, 1.0), (-2.5, 0.25), (0.0, 1.5)] {
                check_product::<T>(29, 31, 23, (left, right), factors);
            }
            check_product::<T>(300, 20, 290, (left, right), (1.5, -1.0));
        }
    }
}

#[test]
fn products_f64() {
    check_products::<f64>();
}

#[test]
fn products_f32() {
    check_products::<f32>();
}

#[test]
fn products_have_the_same_bits_on_one_thread_and_two() {
    fn check<T: HostReal>() {
        for (m, depth, n) in [(600, 70, 300), (300, 70, 600), (1025, 300, 10), (100, 50, 60)] {
            let (a, b) = (Stored::new(1, m, depth, Layout::RowMajor), Stored::new(2, depth, n, Layout::Transposed));
            let c: Vec<T> = normals(3, (m + BORDER.0) * (n + BORDER.1));
            let run = || bits(&multiplied(T::fast(), (T::ONE, T::ONE), a.view(), b.view(), c.clone()));
            assert!(on(1, run) == on(2, run), "({m} x {depth}) ({depth} x {n})");
        }
    }
    check::<f32>();
    check::<f64>();
}

/// Rows by themselves have the bits that they have among others, so samples may be worked on in blocks.
#[test]
fn a_row_of_a_product_does_not_depend_on_the_rows_beside_it() {
    fn check<T: HostReal>() {
        for (m, depth, n) in
            [(300, 300, 300), (300, 700, 40), (300, 1, 700), (300, 300, 438), (300, 2, 30), (70, 1100, 1), (90, 65, 3)]
        {
            for layout in [Layout::RowMajor, Layout::Transposed] {
                let (a, b) = (Stored::<T>::new(1, m, depth, Layout::RowMajor), Stored::<T>::new(2, depth, n, layout));
                for factor in [1.0, 0.3] {
                    let rows = |rows: std::ops::Range<usize>| {
                        let mut c = vec![T::ONE; rows.len() * n];
                        let out = MatMut::new(&mut c, rows.len(), n).unwrap();
                        T::fast().gemm(T::from_f64(factor), a.view().block(rows, 0..depth), b.view(), T::ZERO, out);
                        bits(&c)
                    };
                    let whole = rows(0..m);
                    for part in [0..1, 5..7, 0..6, 3..40, 32..m, m - 44..m, m - 1..m] {
                        let same = rows(part.clone()) == whole[part.start * n..part.end * n];
                        assert!(same, "rows {part:?} of ({m} x {depth}) ({depth} x {n}), B {layout:?}, alpha {factor}");
                    }
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

/// A network at its initialization and samples.
struct Case<N, T> {
    network: N,
    theta: Vec<T>,
    x: Vec<T>,
    n: usize,
}

impl<N: Network, T: HostReal> Case<N, T> {
    fn new(network: N, n: usize) -> Self {
        let sizes = network.sizes();
        let mut theta = vec![T::ZERO; sizes.parameters];
        initialize(&network, 7, &mut theta).unwrap();
        Self { x: normals(8, n * sizes.inputs), network, theta, n }
    }
    fn samples(&self, rows: std::ops::Range<usize>) -> MatRef<'_, T> {
        let d = self.network.sizes().inputs;
        MatRef::new(&self.x[rows.start * d..rows.end * d], rows.len(), d).unwrap()
    }
    fn with_tangent<R>(
        &self,
        backend: &dyn Backend<T>,
        rows: std::ops::Range<usize>,
        work: impl FnOnce(&Tangent<'_, N, T>) -> R,
    ) -> R {
        let mut buffer = vec![T::ZERO; tangent_len(self.network.sizes(), rows.len())];
        let params = Params::new(&self.network, &self.theta).unwrap();
        work(&tangent(backend, params, self.samples(rows), &mut buffer).unwrap())
    }
    fn empirical(&self, backend: &dyn Backend<T>, outputs: MultiOutput) -> Vec<T> {
        let rows = self.n * if outputs == MultiOutput::Full { self.network.sizes().outputs } else { 1 };
        let mut kernel = vec![T::ZERO; rows * rows];
        let mut scratch = vec![T::ZERO; structured_scratch(backend.tile(), rows, rows)];
        self.with_tangent(backend, 0..self.n, |tangent| {
            let kernel = MatMut::new(&mut kernel, rows, rows).unwrap();
            structured(backend, tangent, None, outputs, kernel, &mut scratch).unwrap();
        });
        kernel
    }
    fn infinite(&self, backend: &dyn Backend<T>, which: AnalyticKernel) -> Vec<T> {
        let (n, mut kernel) = (self.n, vec![T::ZERO; self.n * self.n]);
        let mut scratch = vec![T::ZERO; analytic_scratch(backend.tile(), n, n)];
        let out = MatMut::new(&mut kernel, n, n).unwrap();
        analytic(backend, &self.network, which, self.samples(0..n), None, out, &mut scratch).unwrap();
        kernel
    }
}

#[track_caller]
fn assert_close<T: Real>(fast: &[T], portable: &[T], what: &str) {
    let tolerance = if std::mem::size_of::<T>() == 4 { 1e-4 } else { 1e-12 };
    let largest = portable.iter().fold(0.0, |m: f64, v| m.max(v.to_f64().abs()));
    for (at, (f, p)) in fast.iter().zip(portable).enumerate() {
        let apart = (f.to_f64() - p.to_f64()).abs();
        assert!(apart <= tolerance * largest, "{what}, entry {at}: {f:?} and {p:?}, largest {largest:e}");
    }
}

fn check_kernels<N: Network, T: HostReal>(network: N, n: usize) {
    let case = Case::<N, T>::new(network, n);
    let last = case.network.sizes().outputs - 1;
    for outputs in [MultiOutput::Trace, MultiOutput::Full, MultiOutput::Class(last)] {
        let what = format!("{outputs:?}, n {n}, {:?}", case.network.sizes());
        assert_close(&case.empirical(T::fast(), outputs), &case.empirical(&Portable, outputs), &what);
    }
    for which in [AnalyticKernel::Ntk, AnalyticKernel::Nngp] {
        assert_close(&case.infinite(T::fast(), which), &case.infinite(&Portable, which), &format!("{which:?}, n {n}"));
    }
}

fn check_all_kernels<T: HostReal>() {
    let shallow = Fcn::new(1, &[1], 1).unwrap();
    check_kernels::<_, T>(shallow.with_bias(Bias::None, 1.0), 1);
    check_kernels::<_, T>(Fcn::new(5, &[70, 41], 1).unwrap().with_bias(Bias::Input, 0.5), 131);
    check_kernels::<_, T>(Mirrored(Fcn::new(5, &[24, 24, 24], 3).unwrap().with_bias(Bias::All, 1.0)), 37);
}

#[test]
fn kernels_f64() {
    check_all_kernels::<f64>();
}

#[test]
fn kernels_f32() {
    check_all_kernels::<f32>();
}

#[test]
fn kernels_have_the_same_bits_on_one_thread_and_two() {
    fn check<T: HostReal>() {
        let case = Case::<_, T>::new(Mirrored(Fcn::new(6, &[150, 90], 2).unwrap()), 300);
        for outputs in [MultiOutput::Trace, MultiOutput::Full] {
            let kernel = |threads| on(threads, || bits(&case.empirical(T::fast(), outputs)));
            assert!(kernel(1) == kernel(2), "{outputs:?}");
        }
        let kernel = |threads| on(threads, || bits(&case.infinite(T::fast(), AnalyticKernel::Ntk)));
        assert!(kernel(1) == kernel(2), "analytic");
    }
    check::<f32>();
    check::<f64>();
}

/// Samples cut at whole tiles, each part with a forward and a backward pass of its own, against all at once.
fn check_blocks<T: HostReal>(backend: &dyn Backend<T>, n: usize, cuts: &[usize], widths: &[usize], outputs: usize) {
    let case = Case::<_, T>::new(Fcn::new(20, widths, outputs).unwrap().with_bias(Bias::All, 1.0), n);
    let whole = case.empirical(backend, MultiOutput::Trace);
    let whole_analytic = case.infinite(backend, AnalyticKernel::Ntk);
    let parts: Vec<_> = cuts.windows(2).map(|cut| cut[0]..cut[1]).collect();
    for left in &parts {
        for right in parts.iter().filter(|right| right.start <= left.start) {
            let (rows, cols) = (left.len(), right.len());
            let mut kernel = vec![T::ZERO; rows * cols];
            let mut scratch = vec![T::ZERO; structured_scratch(backend.tile(), rows, cols)];
            case.with_tangent(backend, left.clone(), |a| {
                case.with_tangent(backend, right.clone(), |b| {
                    let kernel = MatMut::new(&mut kernel, rows, cols).unwrap();
                    structured(backend, a, Some(b), MultiOutput::Trace, kernel, &mut scratch).unwrap();
                });
            });
            let compare = |block: &[T], whole: &[T], what: &str| {
                let same = |i: usize, j: usize| {
                    let at = (left.start + i) * n + right.start + j;
                    // above the diagonal the kernel of all samples is mirrored
                    right.start + j > left.start + i
                        || block[i * cols + j].to_f64().to_bits() == whole[at].to_f64().to_bits()
                };
                let different = (0..rows * cols).filter(|e| !same(e / cols, e % cols)).count();
                assert_eq!(different, 0, "{what}, {widths:?}: of rows {left:?}, columns {right:?} so many differ");
            };
            compare(&kernel, &whole, "empirical");
            let mut scratch = vec![T::ZERO; analytic_scratch(backend.tile(), rows, cols)];
            let (x, y) = (case.samples(left.clone()), case.samples(right.clone()));
            let out = MatMut::new(&mut kernel, rows, cols).unwrap();
            analytic(backend, &case.network, AnalyticKernel::Ntk, x, Some(y), out, &mut scratch).unwrap();
            compare(&kernel, &whole_analytic, "analytic");
        }
    }
}

#[test]
fn blocks_of_whole_tiles_have_the_bits_of_the_whole() {
    fn check<T: HostReal>() {
        for widths in [&[300, 300][..], &[64], &[40, 700]] {
            check_blocks::<T>(T::fast(), 300, &[0, 128, 300], widths, 1);
            check_blocks::<T>(T::fast(), 300, &[0, 256, 300], widths, 3);
        }
        check_blocks::<T>(T::fast(), 257, &[0, 128, 256, 257], &[30, 30], 1);
        check_blocks::<T>(&Portable, 75, &[0, 32, 75], &[20, 33], 2);
    }
    check::<f32>();
    check::<f64>();
}
