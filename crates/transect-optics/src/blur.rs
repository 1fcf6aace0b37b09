//! Gaussian blur.

use transect_core::wide;

/// Index `at − back` into `n` samples continued by reflection about the edges of the outermost samples (… b a | a b c | c b …).
pub(crate) fn reflect(at: usize, back: usize, n: usize) -> usize {
    let period = 2 * n;
    let folded = (at + (period - back % period)) % period;
    if folded < n {
        folded
    } else {
        2 * n - 1 - folded
    }
}

/// Half of a normalised Gaussian kernel, centre first, cut at four standard deviations.
fn half_kernel(sigma: f64) -> Vec<f32> {
    let radius = (4.0 * sigma + 0.5) as usize;
    let weights: Vec<f64> = (0..=radius)
        .map(|i| (-0.5 * (i as f64 / sigma).powi(2)).exp())
        .collect();
    let sum = weights[0] + 2.0 * weights[1..].iter().sum::<f64>();
    weights.iter().map(|w| (w / sum) as f32).collect()
}

/// Samples that are computed side by side.
const SIDE_BY_SIDE: usize = 32;

/// The kernel's sums at neighbouring samples, the first at `centre`; neighbours of the kernel lie `stride` apart.
#[expect(clippy::inline_always, reason = "compiled for what `wide` finds")]
#[inline(always)]
fn sums(source: &[f32], centre: usize, stride: usize, kernel: &[f32]) -> [f32; SIDE_BY_SIDE] {
    let mut sums = [0.0; SIDE_BY_SIDE];
    for (sum, value) in sums.iter_mut().zip(&source[centre..centre + SIDE_BY_SIDE]) {
        *sum = kernel[0] * value;
    }
    for (k, &weight) in kernel.iter().enumerate().skip(1) {
        let before = &source[centre - k * stride..][..SIDE_BY_SIDE];
        let after = &source[centre + k * stride..][..SIDE_BY_SIDE];
        for ((sum, a), b) in sums.iter_mut().zip(before).zip(after) {
            *sum += weight * (a + b);
        }
    }
    sums
}

/// Along rows.
#[expect(clippy::inline_always, reason = "compiled for what `wide` finds")]
#[inline(always)]
fn across(plane: &mut [f32], columns: usize, kernel: &[f32]) {
    let radius = kernel.len() - 1;
    let mut line = vec![0.0_f32; columns.next_multiple_of(SIDE_BY_SIDE) + 2 * radius];
    for row in plane.chunks_exact_mut(columns) {
        line[radius..radius + columns].copy_from_slice(row);
        for i in 0..radius {
            line[i] = row[reflect(i, radius, columns)];
            line[radius + columns + i] = row[reflect(columns + i, 0, columns)];
        }
        for (i, out) in row.chunks_mut(SIDE_BY_SIDE).enumerate() {
            let sums = sums(&line, radius + i * SIDE_BY_SIDE, 1, kernel);
            out.copy_from_slice(&sums[..out.len()]);
        }
    }
}

/// Along columns.
#[expect(clippy::inline_always, reason = "compiled for what `wide` finds")]
#[inline(always)]
fn down(plane: &mut [f32], rows: usize, columns: usize, kernel: &[f32]) {
    let radius = kernel.len() - 1;
    // Bands of columns stay in the cache, continued above and below.
    let mut band = vec![0.0_f32; (rows + 2 * radius) * SIDE_BY_SIDE];
    let sources: Vec<usize> = (0..rows + 2 * radius)
        .map(|row| reflect(row, radius, rows) * columns)
        .collect();
    for start in (0..columns).step_by(SIDE_BY_SIDE) {
        let width = SIDE_BY_SIDE.min(columns - start);
        for (line, from) in band.chunks_exact_mut(SIDE_BY_SIDE).zip(&sources) {
            line[..width].copy_from_slice(&plane[from + start..][..width]);
        }
        for (row, out) in plane.chunks_exact_mut(columns).enumerate() {
            let sums = sums(&band, (row + radius) * SIDE_BY_SIDE, SIDE_BY_SIDE, kernel);
            out[start..start + width].copy_from_slice(&sums[..width]);
        }
    }
}

/// Convolves one plane with a Gaussian of the given standard deviations in pixels, edges reflected, kernel cut at four
/// standard deviations (as SciPy's `gaussian_filter` with its defaults). A standard deviation of 0, or one so small that
/// the kernel is a single tap, leaves its axis as it is.
pub(crate) fn gaussian(
    plane: &mut [f32],
    rows: usize,
    columns: usize,
    sigma_rows: f64,
    sigma_columns: f64,
) {
    let kernel = |sigma: f64| {
        (sigma > 0.0)
            .then(|| half_kernel(sigma))
            .filter(|k| k.len() > 1)
    };
    if let Some(kernel) = kernel(sigma_columns) {
        let kernel = kernel.as_slice();
        let plane = &mut *plane;
        wide!(|plane: &'a mut [f32], columns: usize, kernel: &'a [f32]| {
            across(plane, columns, kernel);
        });
    }
    if let Some(kernel) = kernel(sigma_rows) {
        let kernel = kernel.as_slice();
        wide!(
            |plane: &'a mut [f32], rows: usize, columns: usize, kernel: &'a [f32]| {
                down(plane, rows, columns, kernel);
            }
        );
    }
}

/// Replaces each sample of a plane by the mean over a square of 2·`radius` + 1 pixels a side, three times over: close to a Gaussian
/// with a standard deviation of √(radius·(radius + 1)) pixels, at a cost that does not depend on it. Edges are reflected.
pub(crate) fn boxes(plane: &mut [f32], rows: usize, columns: usize, radius: usize) {
    let per = 1.0 / (2 * radius + 1) as f64;
    let sources: Vec<usize> = (0..columns + 2 * radius)
        .map(|c| reflect(c, radius, columns))
        .collect();
    let mut line = vec![0.0_f32; columns];
    for row in plane.chunks_exact_mut(columns) {
        for _ in 0..3 {
            line.copy_from_slice(row);
            let mut sum: f64 = sources[..2 * radius]
                .iter()
                .map(|&c| f64::from(line[c]))
                .sum();
            let (left, right) = (&sources[..columns], &sources[2 * radius..]);
            for ((out, &left), &right) in row.iter_mut().zip(left).zip(right) {
                sum += f64::from(line[right]);
                *out = (sum * per) as f32;
                sum -= f64::from(line[left]);
            }
        }
    }
    let sources: Vec<usize> = (0..rows + 2 * radius)
        .map(|r| reflect(r, radius, rows) * columns)
        .collect();
    let mut sums = vec![0.0_f64; columns];
    for _ in 0..3 {
        let before = plane.to_vec();
        sums.fill(0.0);
        let add = |sums: &mut [f64], at: usize| {
            for (sum, value) in sums.iter_mut().zip(&before[at..at + columns]) {
                *sum += f64::from(*value);
            }
        };
        for &source in &sources[..2 * radius] {
            add(&mut sums, source);
        }
        for (r, out) in plane.chunks_exact_mut(columns).enumerate() {
            add(&mut sums, sources[r + 2 * radius]);
            let left = &before[sources[r]..][..columns];
            for ((out, sum), left) in out.iter_mut().zip(&mut sums).zip(left) {
                *out = (*sum * per) as f32;
                *sum -= f64::from(*left);
            }
        }
    }
}
