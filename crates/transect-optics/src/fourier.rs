//! Fourier transforms of real planes, with plans kept for each thread.

use std::cell::RefCell;
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftPlanner};

use crate::blur::reflect;

thread_local! {
    static REAL: RefCell<RealFftPlanner<f32>> = RefCell::new(RealFftPlanner::new());
    static COMPLEX: RefCell<FftPlanner<f32>> = RefCell::new(FftPlanner::new());
}

/// The plans of a plane of one size: along rows real to complex, along columns complex.
pub(crate) struct Plans {
    rows: usize,
    columns: usize,
    forward: Arc<dyn RealToComplex<f32>>,
    back: Arc<dyn ComplexToReal<f32>>,
    down: Arc<dyn Fft<f32>>,
    up: Arc<dyn Fft<f32>>,
}

impl Plans {
    /// Plans for this size, from the cache of the thread.
    pub(crate) fn new(rows: usize, columns: usize) -> Self {
        let (forward, back) =
            REAL.with_borrow_mut(|p| (p.plan_fft_forward(columns), p.plan_fft_inverse(columns)));
        let (down, up) =
            COMPLEX.with_borrow_mut(|p| (p.plan_fft_forward(rows), p.plan_fft_inverse(rows)));
        Self {
            rows,
            columns,
            forward,
            back,
            down,
            up,
        }
    }

    /// Number of columns of a spectrum.
    pub(crate) fn half(&self) -> usize {
        self.columns / 2 + 1
    }

    /// The spectrum, **transposed**: for each of the `half` column frequencies the `rows` row frequencies. `plane` is
    /// overwritten.
    pub(crate) fn spectrum(&self, plane: &mut [f32]) -> Vec<Complex<f32>> {
        let half = self.half();
        let mut lines = vec![Complex::default(); self.rows * half];
        let mut scratch = self.forward.make_scratch_vec();
        for (line, row) in lines
            .chunks_exact_mut(half)
            .zip(plane.chunks_exact_mut(self.columns))
        {
            // Lengths agree by construction.
            let _ = self.forward.process_with_scratch(row, line, &mut scratch);
        }
        let mut spectrum = transpose(&lines, self.rows, half);
        drop(lines);
        let mut scratch = vec![Complex::default(); self.down.get_inplace_scratch_len()];
        self.down.process_with_scratch(&mut spectrum, &mut scratch);
        spectrum
    }

    /// The plane of a transposed spectrum, not yet divided by rows × columns.
    pub(crate) fn plane(&self, mut spectrum: Vec<Complex<f32>>) -> Vec<f32> {
        let half = self.half();
        let mut scratch = vec![Complex::default(); self.up.get_inplace_scratch_len()];
        self.up.process_with_scratch(&mut spectrum, &mut scratch);
        let mut lines = transpose(&spectrum, half, self.rows);
        let mut plane = vec![0.0; self.rows * self.columns];
        let mut scratch = self.back.make_scratch_vec();
        for (line, row) in lines
            .chunks_exact_mut(half)
            .zip(plane.chunks_exact_mut(self.columns))
        {
            line[0].im = 0.0;
            if self.columns.is_multiple_of(2) {
                line[half - 1].im = 0.0;
            }
            let _ = self.back.process_with_scratch(line, row, &mut scratch);
        }
        plane
    }
}

/// Transposes in tiles, so that both sides stay in the cache.
fn transpose(from: &[Complex<f32>], rows: usize, columns: usize) -> Vec<Complex<f32>> {
    const TILE: usize = 16;
    let mut to = vec![Complex::default(); from.len()];
    for r0 in (0..rows).step_by(TILE) {
        for c0 in (0..columns).step_by(TILE) {
            for r in r0..(r0 + TILE).min(rows) {
                for c in c0..(c0 + TILE).min(columns) {
                    to[c * rows + r] = from[r * columns + c];
                }
            }
        }
    }
    to
}

/// The next length whose only prime factors are 2, 3 and 5, and which is even.
fn smooth(at_least: usize) -> usize {
    let mut n = at_least.max(2).next_multiple_of(2);
    loop {
        let mut rest = n;
        for p in [2, 3, 5] {
            while rest.is_multiple_of(p) {
                rest /= p;
            }
        }
        if rest == 1 {
            return n;
        }
        n += 2;
    }
}

/// The frequency of index `i` of `n`, in cycles per sample, in [−½, ½].
pub(crate) fn frequency(i: usize, n: usize) -> f64 {
    if 2 * i <= n {
        i as f64 / n as f64
    } else {
        (i as f64 - n as f64) / n as f64
    }
}

/// Multiplies the spectrum of a plane by a real, symmetric gain of the frequencies in cycles per pixel (row, column). The
/// plane is continued by reflection for at least the margins on each side.
pub(crate) fn filter(
    plane: &mut [f32],
    rows: usize,
    columns: usize,
    margin_rows: usize,
    margin_columns: usize,
    gain: impl Fn(f64, f64) -> f32,
) {
    let (tall, wide) = (
        smooth(rows + 2 * margin_rows),
        smooth(columns + 2 * margin_columns),
    );
    let source_columns: Vec<usize> = (0..wide)
        .map(|c| reflect(c, margin_columns, columns))
        .collect();
    let mut padded = Vec::with_capacity(tall * wide);
    for r in 0..tall {
        let row = reflect(r, margin_rows, rows) * columns;
        padded.extend(source_columns.iter().map(|&c| plane[row + c]));
    }
    let plans = Plans::new(tall, wide);
    let mut spectrum = plans.spectrum(&mut padded);
    let scale = 1.0 / (tall * wide) as f32;
    for (c, line) in spectrum.chunks_exact_mut(tall).enumerate() {
        let column = frequency(c, wide);
        for (r, value) in line.iter_mut().enumerate() {
            *value *= gain(frequency(r, tall), column) * scale;
        }
    }
    let result = plans.plane(spectrum);
    for (row, source) in plane
        .chunks_exact_mut(columns)
        .zip(result.chunks_exact(wide).skip(margin_rows))
    {
        row.copy_from_slice(&source[margin_columns..margin_columns + columns]);
    }
}
