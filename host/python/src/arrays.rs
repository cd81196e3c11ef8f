//! Arrays of numpy: read where they lie, refused where they cannot be, handed out without a copy.

use std::sync::OnceLock;

use ntkscope::backend::HostReal;
use ntkscope::files::Dtype;
use ntkscope_core::{MatRef, Real};
use numpy::ndarray::{ArrayD, IxDyn};
use numpy::{
    Element, IntoPyArray, PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyReadwriteArrayDyn,
    PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyBool, PyInt};

use crate::error::{NotFinite, value, wrong_type};

/// A scalar of arrays.
pub(crate) trait Scalar: HostReal + Element + Copy {
    const DTYPE: Dtype;
}
impl Scalar for f32 {
    const DTYPE: Dtype = Dtype::F32;
}
impl Scalar for f64 {
    const DTYPE: Dtype = Dtype::F64;
}

/// numpy's name of a precision.
pub(crate) const fn dtype_name(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::F32 => "float32",
        Dtype::F64 => "float64",
    }
}

/// The precision that `dtype=` asks for: a name, or anything whose numpy dtype has one.
pub(crate) fn dtype_of(object: &Bound<'_, PyAny>) -> PyResult<Dtype> {
    // as the command line has them
    let name = object.extract::<String>().unwrap_or_default();
    if let Some(dtype) = [Dtype::F32, Dtype::F64].into_iter().find(|dtype| dtype.name() == name) {
        return Ok(dtype);
    }
    let of_numpy = object.py().import("numpy")?.getattr("dtype")?;
    let name = of_numpy.call1((object,)).and_then(|dtype| dtype.getattr("name")?.extract::<String>());
    match name.as_deref() {
        Ok("float32") => Ok(Dtype::F32),
        Ok("float64") => Ok(Dtype::F64),
        Ok(other) => Err(wrong_type(format!("dtype: {other}; give float32 or float64"))),
        Err(_) => Err(wrong_type(format!("dtype: {}; give float32 or float64", object.repr()?))),
    }
}

/// The name that settings have for what ``dtype=`` asks for.
#[pyfunction]
pub(crate) fn _scalar(dtype: &Bound<'_, PyAny>) -> PyResult<&'static str> {
    Ok(dtype_of(dtype)?.name())
}

/// The count that an argument of this name gives.
///
/// # Errors
/// TypeError for what is no whole number, ValueError for a negative one.
pub(crate) fn count(name: &str, given: &Bound<'_, PyAny>) -> PyResult<usize> {
    let whole = given.extract::<usize>();
    match whole {
        Ok(count) if !given.is_instance_of::<PyBool>() => Ok(count),
        _ => {
            let text = format!("{name}: {}; give a whole number of 0 or more", given.repr()?);
            Err(if given.is_instance_of::<PyInt>() { value(text) } else { wrong_type(text) })
        }
    }
}

/// An array of numbers that are read in place, row-major.
pub(crate) enum Numbers<'py> {
    F32(PyReadonlyArrayDyn<'py, f32>),
    F64(PyReadonlyArrayDyn<'py, f64>),
}

impl<'py> Numbers<'py> {
    /// float32 or float64, native, C-contiguous; `name` is the argument's.
    ///
    /// # Errors
    /// TypeError for everything else, with what makes it one.
    pub(crate) fn new(name: &str, object: &Bound<'py, PyAny>) -> PyResult<Self> {
        let Ok(array) = object.cast::<PyUntypedArray>() else {
            let kind = object.get_type().name()?;
            return Err(wrong_type(format!(
                "{name}: {kind}; give a numpy array, as numpy.asarray({name}, dtype=numpy.float64)"
            )));
        };
        if object.hasattr("mask")? && object.hasattr("filled")? {
            return Err(wrong_type(format!("{name}: masked array, whose mask would be lost; use {name}.filled(...)")));
        }
        let dtype = array.dtype();
        let kind = dtype.str()?.to_string();
        match (dtype.kind(), dtype.itemsize()) {
            (b'f', 4 | 8) => {}
            (b'f', _) | (b'i' | b'u' | b'b', _) => {
                return Err(wrong_type(format!("{name}: {kind}; use {name}.astype(numpy.float32) or float64")));
            }
            _ => return Err(wrong_type(format!("{name}: {kind}; give numbers, float32 or float64"))),
        }
        if dtype.is_native_byteorder() == Some(false) {
            let text =
                format!("{name}: foreign byte order ({kind}); use {name}.astype(numpy.{})", dtype.getattr("name")?);
            return Err(wrong_type(text));
        }
        if !array.is_c_contiguous() {
            let what = if array.is_fortran_contiguous() { "Fortran-ordered" } else { "strided" };
            return Err(wrong_type(format!("{name}: {what}; use numpy.ascontiguousarray({name})")));
        }
        if !object.getattr("flags")?.getattr("aligned")?.extract::<bool>()? {
            return Err(wrong_type(format!("{name}: not aligned in memory; use {name}.copy()")));
        }
        let busy = |_| wrong_type(format!("{name}: is written to by another call"));
        if dtype.itemsize() == 4 {
            Ok(Self::F32(object.cast::<PyArrayDyn<f32>>()?.try_readonly().map_err(busy)?))
        } else {
            Ok(Self::F64(object.cast::<PyArrayDyn<f64>>()?.try_readonly().map_err(busy)?))
        }
    }

    /// The same with rows and columns, at least one of each, and finite numbers: samples `(n, d)`.
    ///
    /// # Errors
    /// TypeError, ValueError for a shape, [`NotFinite`] with the place.
    pub(crate) fn samples(name: &str, object: &Bound<'py, PyAny>) -> PyResult<Self> {
        let numbers = Self::new(name, object)?;
        match *numbers.shape() {
            [0, _] => return Err(value(format!("{name}: no samples, shape {}", shown(numbers.shape())))),
            [_, 0] => return Err(value(format!("{name}: samples without numbers, shape {}", shown(numbers.shape())))),
            [_, _] => {}
            [_] => {
                let text = format!(
                    "{name}: 1-dimensional; one sample is a row: {name}[numpy.newaxis, :], or {name}[:, numpy.newaxis] for \
                     samples of one number"
                );
                return Err(value(text));
            }
            _ => {
                let text = format!(
                    "{name}: shape {}; one sample is a row: {name}.reshape(len({name}), -1)",
                    shown(numbers.shape())
                );
                return Err(value(text));
            }
        }
        numbers.check_finite(name)?;
        Ok(numbers)
    }

    /// # Errors
    /// [`NotFinite`] with the place of the first.
    pub(crate) fn check_finite(&self, name: &str) -> PyResult<()> {
        fn first<T: Real>(numbers: &[T]) -> Option<(usize, f64)> {
            first_unfit(numbers).map(|at| (at, numbers[at].to_f64()))
        }
        let found = match self {
            Self::F32(array) => first(array.as_slice()?),
            Self::F64(array) => first(array.as_slice()?),
        };
        let Some((mut at, number)) = found else { return Ok(()) };
        let mut place: Vec<String> = Vec::new();
        for size in self.shape().iter().rev() {
            place.insert(0, (at % size).to_string());
            at /= size;
        }
        let number = if number.is_nan() { "nan" } else { "infinite" };
        Err(NotFinite::new_err(format!("{name}[{}] is {number}", place.join(", "))))
    }

    pub(crate) fn shape(&self) -> &[usize] {
        match self {
            Self::F32(array) => array.shape(),
            Self::F64(array) => array.shape(),
        }
    }
    pub(crate) fn dtype(&self) -> Dtype {
        match self {
            Self::F32(_) => Dtype::F32,
            Self::F64(_) => Dtype::F64,
        }
    }
    /// All of them in double precision.
    pub(crate) fn to_f64(&self) -> PyResult<Vec<f64>> {
        Ok(match self {
            Self::F32(array) => array.as_slice()?.iter().map(|v| f64::from(*v)).collect(),
            Self::F64(array) => array.as_slice()?.to_vec(),
        })
    }
}

/// Samples in the scalar of a computation: where they lie if they are of it, else converted.
pub(crate) enum Rows<'a, T> {
    Lent(&'a [T], usize),
    Converted(Vec<T>, usize),
}

impl<T: Real> Rows<'_, T> {
    /// `(n, d)`
    pub(crate) fn view(&self) -> Result<MatRef<'_, T>, ntkscope_core::Error> {
        let (numbers, d) = match self {
            Self::Lent(numbers, d) => (*numbers, *d),
            Self::Converted(numbers, d) => (&numbers[..], *d),
        };
        MatRef::new(numbers, numbers.len() / d, d)
    }
}

/// The samples of a matrix in the scalar T.
pub(crate) trait AsRows<T> {
    fn rows(&self) -> PyResult<Rows<'_, T>>;
}

macro_rules! as_rows {
    ($scalar:ty, $own:ident, $other:ident) => {
        impl AsRows<$scalar> for Numbers<'_> {
            fn rows(&self) -> PyResult<Rows<'_, $scalar>> {
                let d = self.shape()[1];
                Ok(match self {
                    Self::$own(array) => Rows::Lent(array.as_slice()?, d),
                    Self::$other(array) => {
                        let mut converted = Vec::new();
                        let numbers: Vec<f64> = array.as_slice()?.iter().map(|v| Real::to_f64(*v)).collect();
                        ntkscope::kernel::convert(&numbers, d, &mut converted).map_err(crate::error::Fault::from)?;
                        Rows::Converted(converted, d)
                    }
                })
            }
        }
    };
}
as_rows!(f32, F32, F64);
as_rows!(f64, F64, F32);

/// A fresh array of these numbers, row-major, whose memory is theirs.
pub(crate) fn array<'py, T: Element>(py: Python<'py>, shape: &[usize], numbers: Vec<T>) -> PyResult<Bound<'py, PyAny>> {
    let array = ArrayD::from_shape_vec(IxDyn(shape), numbers).map_err(|error| value(error.to_string()))?;
    Ok(array.into_pyarray(py).into_any())
}

/// The array that `out=` names, to be written in place.
///
/// # Errors
/// TypeError or ValueError where it has another type or shape, another order, or is read-only.
pub(crate) fn out_array<'py, T: Scalar>(
    object: &Bound<'py, PyAny>,
    shape: &[usize],
) -> PyResult<PyReadwriteArrayDyn<'py, T>> {
    let Ok(array) = object.cast::<PyArrayDyn<T>>() else {
        let what = match object.cast::<PyUntypedArray>() {
            Ok(array) => array.dtype().str()?.to_string(),
            Err(_) => object.get_type().name()?.to_string(),
        };
        return Err(wrong_type(format!(
            "out: {what}; give a numpy array of {}, or a path that ends with .npy",
            dtype_name(T::DTYPE)
        )));
    };
    if array.shape() != shape {
        return Err(value(format!("out: shape {}, but the kernel has {}", shown(array.shape()), shown(shape))));
    }
    if !array.is_c_contiguous() {
        return Err(wrong_type("out: must be C-contiguous".to_owned()));
    }
    array.try_readwrite().map_err(|_| value("out: is read-only, or is one of the inputs"))
}

/// A shape as Python writes it.
pub(crate) fn shown(shape: &[usize]) -> String {
    match shape {
        [one] => format!("({one},)"),
        many => format!("({})", many.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// Numbers in double precision as those of a scalar, as they lie where it is the same; others are made once, and `kept`.
pub(crate) trait Lend<T> {
    fn lend<'a>(numbers: &'a [f64], kept: &'a OnceLock<Vec<f32>>) -> &'a [T];
}
impl Lend<f64> for f64 {
    fn lend<'a>(numbers: &'a [f64], _: &'a OnceLock<Vec<f32>>) -> &'a [f64] {
        numbers
    }
}
impl Lend<f32> for f64 {
    fn lend<'a>(numbers: &'a [f64], kept: &'a OnceLock<Vec<f32>>) -> &'a [f32] {
        kept.get_or_init(|| numbers.iter().map(|v| *v as f32).collect())
    }
}

/// Place of the first number that is not finite.
pub(crate) fn first_unfit<T: Real>(numbers: &[T]) -> Option<usize> {
    // without a way out of the loop several are looked at in one instruction
    let unfit = |some: &[T]| some.iter().fold(false, |unfit, v| unfit | !v.is_finite());
    let at = numbers.chunks(AT_ONCE).position(unfit)? * AT_ONCE;
    numbers[at..].iter().position(|v| !v.is_finite()).map(|more| at + more)
}
/// Numbers that are looked at in one go.
const AT_ONCE: usize = 512;
