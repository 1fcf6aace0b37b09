//! Euclidean distance to the background.

/// For each pixel of the mask the squared distance to the nearest pixel outside it, in pixels between centres; 0 outside.
///
/// Pixels beyond the image are not background. A mask without any background is infinitely deep.
pub fn distance_squared(mask: &[bool], shape: [usize; 2]) -> Vec<f64> {
    let [rows, columns] = shape;
    let mut distance = vec![f64::INFINITY; mask.len()];
    // Down and up each column: the distance to the nearest background pixel of that column.
    for column in 0..columns {
        for forward in [true, false] {
            let mut last = f64::INFINITY;
            for step in 0..rows {
                let row = if forward { step } else { rows - 1 - step };
                let index = row * columns + column;
                last = if mask[index] { last + 1.0 } else { 0.0 };
                distance[index] = f64::min(distance[index], last);
            }
        }
    }
    // Along each row: the lower envelope of the parabolas that stand on those.
    let mut line = vec![0.0; columns];
    let mut feet: Vec<usize> = Vec::with_capacity(columns);
    let mut borders: Vec<f64> = Vec::with_capacity(columns);
    for row in distance.chunks_mut(columns.max(1)) {
        for (value, &d) in line.iter_mut().zip(row.iter()) {
            *value = d * d;
        }
        feet.clear();
        borders.clear();
        for (x, &value) in line.iter().enumerate() {
            if value.is_infinite() {
                continue;
            }
            let mut border = f64::NEG_INFINITY;
            while let Some(&foot) = feet.last() {
                let (a, b) = (foot as f64, x as f64);
                let meet = ((value + b * b) - (line[foot] + a * a)) / (2.0 * (b - a));
                let from = borders.last().copied().unwrap_or(f64::NEG_INFINITY);
                if meet > from {
                    border = meet;
                    break;
                }
                feet.pop();
                borders.pop();
            }
            feet.push(x);
            borders.push(border);
        }
        if feet.is_empty() {
            row.fill(f64::INFINITY);
            continue;
        }
        let mut current = 0;
        for (x, value) in row.iter_mut().enumerate() {
            while current + 1 < feet.len() && borders[current + 1] < x as f64 {
                current += 1;
            }
            let step = x as f64 - feet[current] as f64;
            *value = step * step + line[feet[current]];
        }
    }
    distance
}
