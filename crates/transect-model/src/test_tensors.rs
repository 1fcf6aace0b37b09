//! The model's own test: "the model works here; your images differ".

use transect_core::codes::model as codes;
use transect_core::{Error, Result};
use transect_image::Limits;

use crate::model::{Model, read_limited};
use crate::process::apply;
use crate::session::from_tensor;
use crate::tensor::{Block, Tensor};

/// Allowed absolute difference.
pub const ATOL: f64 = 1e-3;
/// Allowed difference relative to the expected value.
pub const RTOL: f64 = 1e-3;
/// Allowed share of values that differ by more than `ATOL + RTOL · |expected|`, per million.
pub const MISMATCHES_PPM: f64 = 100.0;

/// What came of the model's own test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TestOutcome {
    /// The specification names no test tensors.
    Absent,
    /// They were run.
    Run {
        /// Whether at most 100 of a million values differ by more than 1e-3 + 1e-3 · |expected|.
        passed: bool,
        /// The largest absolute difference.
        largest: f64,
        /// Values that differ by more than is allowed.
        mismatches: usize,
        /// Values compared.
        values: usize,
    },
}

pub(crate) fn run(model: &Model) -> Result<TestOutcome> {
    let spec = model.spec();
    let (Some(input), Some(expected)) = (&spec.input.test, &spec.output.test) else {
        return Ok(TestOutcome::Absent);
    };
    let read = |path: &std::path::Path| -> Result<Tensor> {
        let limits = Limits::default();
        let bytes = read_limited(path, limits.max_file_bytes)?;
        let tensor = transect_image::npy::read(&bytes, &path.display().to_string(), &limits)
            .map_err(|mut error| {
                error.message = format!("the test tensor cannot be read: {}", error.message);
                error.code = &codes::TEST_TENSORS;
                error
            })?;
        Ok(tensor)
    };
    let (input, expected) = (read(input)?, read(expected)?);
    let odd = |error: Error| {
        Error::new(
            &codes::TEST_TENSORS,
            format!("the test input does not fit: {}", error.message),
        )
        .at(spec.input.test.clone().unwrap_or_default())
    };
    let raw: Block = from_tensor(input.clone(), &spec.input).map_err(odd)?;
    let mut fed = raw.clone();
    apply(&mut fed, &spec.input.operations, Some(&raw))?;
    let result = model
        .session()?
        .run_tensor(crate::session::to_tensor(fed, &spec.input))?;
    let mut output = from_tensor(result, &spec.output)?;
    apply(&mut output, &spec.output.operations, Some(&raw))?;
    let expected = from_tensor(expected, &spec.output).map_err(|error| {
        Error::new(
            &codes::TEST_TENSORS,
            format!("the test output does not fit: {}", error.message),
        )
    })?;
    if expected.shape != output.shape {
        return Err(Error::new(
            &codes::TEST_TENSORS,
            format!(
                "the model gives {:?} for the test input, the test output has {:?} (channel, plane, row, column)",
                output.shape, expected.shape
            ),
        ));
    }
    let (mut largest, mut mismatches) = (0.0_f64, 0);
    for (&got, &want) in output.data.iter().zip(&expected.data) {
        let difference = (f64::from(got) - f64::from(want)).abs();
        if difference > largest || difference.is_nan() {
            largest = difference;
        }
        // NaN is a mismatch too.
        if !matches!(
            difference.partial_cmp(&(ATOL + RTOL * f64::from(want).abs())),
            Some(std::cmp::Ordering::Less | std::cmp::Ordering::Equal)
        ) {
            mismatches += 1;
        }
    }
    let values = output.data.len();
    let passed = mismatches as f64 * 1e6 <= MISMATCHES_PPM * values as f64;
    Ok(TestOutcome::Run {
        passed,
        largest,
        mismatches,
        values,
    })
}
