//! What is tested on: samples, networks, backends that cut their work differently.

use ntkscope_core::init::Normals;
use ntkscope_core::network::{Activation, Bias, Fcn, ResNet, Trained};
use ntkscope_core::{Backend, Error, MatMut, MatRef, Portable, Real, Tile};

/// n samples of d numbers, row-major.
#[derive(Clone, Debug)]
pub struct Samples<T> {
    pub values: Vec<T>,
    pub n: usize,
    pub d: usize,
}

impl<T: Real> Samples<T> {
    pub fn from_rows(rows: &[Vec<f64>]) -> Self {
        let d = rows.first().map_or(0, Vec::len);
        Self { values: rows.iter().flatten().map(|x| T::from_f64(*x)).collect(), n: rows.len(), d }
    }
    /// Independent N(0,1) numbers.
    pub fn gaussian(n: usize, d: usize, seed: u64) -> Self {
        let mut normals = Normals::new(seed);
        Self { values: (0..n * d).map(|_| T::from_f64(normals.draw())).collect(), n, d }
    }
    /// n samples of d zeros.
    pub fn zeros(n: usize, d: usize) -> Self {
        Self { values: vec![T::ZERO; n * d], n, d }
    }
    /// One sample for every d of the values.
    pub fn from_values(values: &[T], d: usize) -> Self {
        Self { values: values.to_vec(), n: values.len() / d, d }
    }
    pub fn view(&self) -> MatRef<'_, T> {
        MatRef::new(&self.values, self.n, self.d).expect("n x d values")
    }
    /// The samples of these indices, in that order.
    pub fn select(&self, indices: &[usize]) -> Self {
        let values = indices.iter().flat_map(|i| &self.values[i * self.d..][..self.d]).copied().collect();
        Self { values, n: indices.len(), d: self.d }
    }
    pub fn map<U: Real>(&self) -> Samples<U> {
        Samples { values: self.values.iter().map(|x| U::from_f64(x.to_f64())).collect(), n: self.n, d: self.d }
    }
    /// Every sample with the number 1 after it.
    pub fn with_one(&self) -> Self {
        let rows = self.values.chunks_exact(self.d);
        let values = rows.flat_map(|row| row.iter().copied().chain([T::ONE])).collect();
        Self { values, n: self.n, d: self.d + 1 }
    }
}

/// The six points (cos, sin)(i pi/3), i = 1..6: three antipodal pairs.
pub fn six_points<T: Real>() -> Samples<T> {
    let (half, sine) = (0.5, 0.75f64.sqrt());
    let rows = [[half, sine], [-half, sine], [-1.0, 0.0], [-half, -sine], [half, -sine], [1.0, 0.0]];
    Samples::from_rows(&rows.map(|row| row.to_vec()))
}

/// Their labels 0, 1, 0, 1, 0, 1: the two points of every pair differ.
pub const SIX_LABELS: [usize; 6] = [0, 1, 0, 1, 0, 1];

/// The network of a name in the golden file: inputs d, hidden widths, one output.
pub fn named<'a>(name: &str, d: usize, widths: &'a [usize]) -> Fcn<'a> {
    let plain = Fcn::new(d, widths, 1).expect("positive widths");
    let network = match name {
        "lin0" => Ok(plain),
        "bias1" => plain.with_bias(Bias::Input, 1.0),
        "hidden" => plain.with_bias(Bias::Hidden, 1.0),
        "ball05" => plain.with_bias(Bias::All, 0.5),
        "ball1" => plain.with_bias(Bias::All, 1.0),
        "nt_sw2_2_sb2_001" => plain.with_variances(2.0 / d as f64, 2.0).and_then(|fcn| fcn.with_bias(Bias::All, 0.1)),
        _ => panic!("no network is called {name}"),
    };
    network.expect("scales that are not negative")
}

/// A residual network of one output with a bias at the input, and in the branches where `p` is their scale.
pub fn biased_residual(inputs: usize, (width, depth): (usize, usize), alpha: f64, p: Option<f64>) -> ResNet {
    let plain = ResNet::new(inputs, width, depth, 1, alpha).expect("positive sizes");
    let biased = plain.with_input_bias(1.0).expect("a scale");
    p.map_or(biased, |p| biased.with_branch_bias(p).expect("a scale"))
}

/// One network of the grid of awkward shapes, with its samples.
#[derive(Clone, Debug)]
pub struct Shape {
    pub inputs: usize,
    pub widths: Vec<usize>,
    pub outputs: usize,
    pub bias: Bias,
    pub activation: Activation,
    /// samples on the left and on the right
    pub batch: (usize, usize),
    pub seed: u64,
}

impl Shape {
    pub fn network(&self) -> Fcn<'_> {
        Fcn::new(self.inputs, &self.widths, self.outputs)
            .and_then(|fcn| fcn.with_activation(self.activation).with_bias(self.bias, 0.7)?.with_variances(1.3, 1.9))
            .expect("positive sizes")
    }
    pub fn left<T: Real>(&self) -> Samples<T> {
        Samples::gaussian(self.batch.0, self.inputs, self.seed + 1000)
    }
    pub fn right<T: Real>(&self) -> Samples<T> {
        Samples::gaussian(self.batch.1, self.inputs, self.seed + 2000)
    }
}

/// Every combination of biases and activation on shapes with ones, primes and a tile's border (32) in them.
pub fn shapes() -> Vec<Shape> {
    // inputs, widths, outputs, samples left and right
    type Size = (usize, &'static [usize], usize, (usize, usize));
    let sizes: [Size; 9] = [
        (1, &[1], 1, (1, 1)),
        (1, &[1, 1, 1], 1, (3, 2)),
        (3, &[1], 2, (5, 1)),
        (2, &[7], 1, (1, 6)),
        (2, &[5, 3], 3, (4, 5)),
        (5, &[4, 9, 2], 1, (7, 3)),
        (4, &[1, 6], 4, (2, 33)),
        (3, &[13, 1, 5], 2, (34, 31)),
        (7, &[17, 12], 1, (33, 65)),
    ];
    let mut all = Vec::new();
    for biases in [&[Bias::None, Bias::Input, Bias::All][..], &[Bias::Hidden]] {
        for (inputs, widths, outputs, batch) in sizes {
            for bias in biases {
                for activation in [Activation::Relu, Activation::Erf] {
                    let seed = 7 * all.len() as u64 + 1;
                    all.push(Shape { inputs, widths: widths.to_vec(), outputs, bias: *bias, activation, batch, seed });
                }
            }
        }
    }
    all
}

/// Residual networks on such shapes, with the shape that has their samples: every combination of biases and of what
/// is trained.
pub fn residual_shapes() -> Vec<(ResNet, Shape)> {
    // inputs, width, depth, outputs, samples left and right, alpha
    type Size = (usize, usize, usize, usize, (usize, usize), f64);
    let sizes: [Size; 6] = [
        (1, 1, 1, 1, (1, 1), 1.0),
        (2, 7, 1, 1, (6, 2), 0.5),
        (3, 1, 3, 2, (5, 3), 0.7),
        (2, 5, 2, 3, (4, 5), 1.0),
        (4, 6, 3, 1, (2, 33), 0.3),
        (5, 13, 2, 2, (34, 31), 1.0),
    ];
    let mut all = Vec::new();
    for biases in [&[Bias::None, Bias::Input][..], &[Bias::Hidden]] {
        for (inputs, width, depth, outputs, batch, alpha) in sizes {
            for bias in biases.iter().copied() {
                for trained in [Trained::All, Trained::Branches] {
                    let plain = ResNet::new(inputs, width, depth, outputs, alpha).expect("positive sizes");
                    let network = match bias {
                        Bias::None => Ok(plain),
                        Bias::Input => plain.with_input_bias(0.7),
                        _ => plain.with_input_bias(0.7).and_then(|resnet| resnet.with_branch_bias(0.9)),
                    };
                    let network = network.expect("scales that are not negative").with_trained(trained);
                    let (seed, activation) = (11 * all.len() as u64 + 500, Activation::Relu);
                    let shape = Shape { inputs, widths: vec![width; depth], outputs, bias, activation, batch, seed };
                    all.push((network, shape));
                }
            }
        }
    }
    all
}

/// `Portable` with another tile, whose bands may come in reverse order.
#[derive(Clone, Copy, Debug)]
pub struct Tiled {
    pub tile: usize,
    pub reversed: bool,
}

impl<T: Real> Backend<T> for Tiled {
    fn tile(&self) -> Tile {
        Tile::new(2 * self.tile + 1, self.tile, 8)
    }
    fn gemm(&self, alpha: T, a: MatRef<'_, T>, b: MatRef<'_, T>, beta: T, c: MatMut<'_, T>) {
        Portable.gemm(alpha, a, b, beta, c);
    }
    fn symmetric_eigenvalues(&self, a: MatMut<'_, T>, values: &mut [T], scratch: &mut [T]) -> Result<(), Error> {
        Portable.symmetric_eigenvalues(a, values, scratch)
    }
    fn symmetric_eigen(
        &self,
        a: MatMut<'_, T>,
        values: &mut [T],
        vectors: MatMut<'_, T>,
        scratch: &mut [T],
    ) -> Result<(), Error> {
        Portable.symmetric_eigen(a, values, vectors, scratch)
    }
    fn cholesky(&self, a: MatMut<'_, T>) -> Result<(), Error> {
        Portable.cholesky(a)
    }
    fn for_each_band(
        &self,
        out: MatMut<'_, T>,
        rows_per_band: usize,
        scratch: &mut [T],
        work: &(dyn Fn(usize, MatMut<'_, T>, &mut [T]) + Sync),
    ) {
        let (mut first, mut rest, mut bands) = (0, out, Vec::new());
        while rest.rows() > 0 {
            let rows = rows_per_band.min(rest.rows());
            let (band, tail) = rest.split_at_row(rows);
            bands.push((first, band));
            first += rows;
            rest = tail;
        }
        if self.reversed {
            bands.reverse();
        }
        for (first, band) in bands {
            // what another band left behind must not matter
            scratch.fill(T::from_f64(f64::NAN));
            work(first, band, scratch);
        }
    }
}
