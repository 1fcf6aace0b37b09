//! Gaussian blur.

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
    if sigma_columns > 0.0 {
        let kernel = half_kernel(sigma_columns);
        let radius = kernel.len() - 1;
        if radius > 0 {
            let mut line = vec![0.0_f32; columns + 2 * radius];
            for row in plane.chunks_exact_mut(columns) {
                line[radius..radius + columns].copy_from_slice(row);
                for i in 0..radius {
                    line[i] = row[reflect(i, radius, columns)];
                    line[radius + columns + i] = row[reflect(columns + i, 0, columns)];
                }
                for (out, centre) in row.iter_mut().zip(&line[radius..]) {
                    *out = kernel[0] * centre;
                }
                for (k, &weight) in kernel.iter().enumerate().skip(1) {
                    let left = &line[radius - k..radius - k + columns];
                    let right = &line[radius + k..radius + k + columns];
                    for ((out, a), b) in row.iter_mut().zip(left).zip(right) {
                        *out += weight * (a + b);
                    }
                }
            }
        }
    }
    if sigma_rows > 0.0 {
        let kernel = half_kernel(sigma_rows);
        let radius = kernel.len() - 1;
        if radius > 0 {
            // Bands of columns keep the source rows of one output row in the cache.
            const BAND: usize = 256;
            let mut source = vec![0.0_f32; rows * BAND.min(columns)];
            for start in (0..columns).step_by(BAND) {
                let width = BAND.min(columns - start);
                for row in 0..rows {
                    source[row * width..(row + 1) * width].copy_from_slice(
                        &plane[row * columns + start..row * columns + start + width],
                    );
                }
                for row in 0..rows {
                    let out = &mut plane[row * columns + start..row * columns + start + width];
                    for (o, centre) in out.iter_mut().zip(&source[row * width..(row + 1) * width]) {
                        *o = kernel[0] * centre;
                    }
                    for (k, &weight) in kernel.iter().enumerate().skip(1) {
                        let above = reflect(row, k, rows) * width;
                        let below = reflect(row + k, 0, rows) * width;
                        for ((o, a), b) in out
                            .iter_mut()
                            .zip(&source[above..above + width])
                            .zip(&source[below..below + width])
                        {
                            *o += weight * (a + b);
                        }
                    }
                }
            }
        }
    }
}
