//! The study "divergence": under cross-entropy the empirical NTK leaves the NTK as training goes on, at any finite
//! width; under squared error it does not (Yu, Tian, Chen 2025).

pub mod plan;
