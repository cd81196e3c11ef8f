//! The coefficients of RODAS (Hairer and Wanner, Solving Ordinary Differential Equations II, section IV.10): a stiffly
//! accurate, L-stable Rosenbrock method of order 4 with an estimate of order 3, six stages, one factorization a step.
//!
//! ```text
//! (1/(gamma h) - J) u_i = F(s + alpha_i h, z + sum_j a_ij u_j) + sum_j (c_ij/h) u_j + gamma_i h dF/ds
//! z(s + h) = z + sum_j a_6j u_j + u_6,       error u_6
//! ```
//!
//! with J = dF/dz and dF/ds where the step begins.

/// Stages of a step.
pub(super) const STAGES: usize = 6;

/// gamma
pub(super) const GAMMA: f64 = 0.25;

/// alpha_i
pub(super) const CLOCK: [f64; STAGES] = [0.0, 0.386, 0.21, 0.63, 1.0, 1.0];

/// gamma_i
pub(super) const CLOCK_SLOPE: [f64; STAGES] = [0.25, -0.1043, 0.1035, -0.036_200_000_000_000_23, 0.0, 0.0];

/// a_ij in row i
pub(super) const ARGUMENT: [[f64; STAGES - 1]; STAGES] = [
    [0.0; 5],
    [1.544, 0.0, 0.0, 0.0, 0.0],
    [0.946_678_528_081_582_6, 0.255_701_169_898_328_4, 0.0, 0.0, 0.0],
    [3.314_825_187_068_521, 2.896_124_015_972_201, 0.998_641_913_997_781_7, 0.0, 0.0],
    [1.221_224_509_226_641, 6.019_134_481_288_629, 12.537_083_329_320_87, -0.687_886_036_105_895, 0.0],
    [1.221_224_509_226_641, 6.019_134_481_288_629, 12.537_083_329_320_87, -0.687_886_036_105_895, 1.0],
];

/// c_ij in row i
pub(super) const COUPLING: [[f64; STAGES - 1]; STAGES] = [
    [0.0; 5],
    [-5.6688, 0.0, 0.0, 0.0, 0.0],
    [-2.430_093_356_833_875, -0.206_359_915_709_191_5, 0.0, 0.0, 0.0],
    [-0.107_352_905_815_137_5, -9.594_562_251_023_355, -20.470_286_148_096_16, 0.0, 0.0],
    [7.496_443_313_967_647, -10.246_804_314_643_52, -33.999_903_528_199_05, 11.708_908_932_061_6, 0.0],
    [
        8.083_246_795_921_522,
        -7.981_132_988_064_893,
        -31.521_594_328_743_71,
        16.319_305_431_231_36,
        -6.058_818_238_834_054,
    ],
];
