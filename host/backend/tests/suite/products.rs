//! Matrix products of the fast backend against the portable one, on one thread and two, whole and by rows.

use ntkscope_backend::HostReal;
use ntkscope_core::{Backend, MatMut, MatRef, Portable, Real};

use crate::{bits, epsilon, normals, on};

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

/// Rows, summed index, columns: single elements, vectors, tall, wide, deep; around and across panels and what is
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
fn products_have_the_same_bits_on_any_number_of_threads() {
    fn check<T: HostReal>() {
        for (m, depth, n) in
            [(600, 70, 300), (300, 70, 600), (2600, 300, 10), (10, 300, 1100), (100, 50, 60), (3000, 600, 1)]
        {
            let (a, b) = (Stored::new(1, m, depth, Layout::RowMajor), Stored::new(2, depth, n, Layout::Transposed));
            let c: Vec<T> = normals(3, (m + BORDER.0) * (n + BORDER.1));
            let run = || bits(&multiplied(T::fast(), (T::ONE, T::ONE), a.view(), b.view(), c.clone()));
            let alone = on(1, run);
            for threads in [2, 3, 8] {
                assert!(on(threads, run) == alone, "({m} x {depth}) ({depth} x {n}) on {threads} threads");
            }
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
