//! Tiles: how an image of any size is fed to a model of given sizes.

use transect_core::codes::model as codes;
use transect_core::{Error, Result};

use crate::spec::{AxisKind, Size, Spec};
use crate::tensor::Block;

/// How one axis is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Length of the image along it.
    pub length: usize,
    /// Length of each tile.
    pub tile: usize,
    /// Pixels at each side of a tile that are not used: halo, and what the network itself crops.
    pub margin: usize,
    /// Pixels of the image that one tile gives; where the network takes steps, a multiple of the step, so that every tile
    /// lies on the network's own grid as the whole image would.
    pub core: usize,
    /// Number of tiles.
    pub count: usize,
}

impl Cut {
    /// Where tile `index` begins in the image; negative where padding begins before it.
    pub fn start(&self, index: usize) -> i64 {
        (index * self.core) as i64 - self.margin as i64
    }
}

/// Rows and columns.
pub type Plan = [Cut; 2];

/// Number of tiles of a plan.
pub fn tiles(plan: &Plan) -> usize {
    plan[0].count * plan[1].count
}

/// Plans the tiles for a plane of (rows, columns) that is fed to the network, after any resize.
///
/// A fixed size gives tiles of that size. Where the network takes `min + n · step`, one tile holds the whole image with its
/// margins, if that is at most the largest tile; otherwise tiles are the largest size allowed.
///
/// # Errors
/// `T331` when nothing fits.
pub fn plan(spec: &Spec, rows: usize, columns: usize) -> Result<Plan> {
    Ok([
        cut(spec, AxisKind::Y, rows)?,
        cut(spec, AxisKind::X, columns)?,
    ])
}

fn cut(spec: &Spec, kind: AxisKind, length: usize) -> Result<Cut> {
    let too_small = |tile: usize, margin: usize| {
        Error::new(
            &codes::SIZE_MISMATCH,
            format!("a tile of {tile} pixels has nothing left within margins of {margin}"),
        )
        .help("give a larger --tile, or a smaller halo")
    };
    let Some(input) = spec.input.axis(kind) else {
        return Ok(Cut {
            length,
            tile: length,
            margin: 0,
            core: length,
            count: 1,
        });
    };
    let margin = margin(spec, kind);
    let needed = length + 2 * margin;
    let tile = match input.size {
        Size::Fixed(n) => n,
        Size::Step { min, step, max } => {
            let ceiling = max.unwrap_or(usize::MAX).min(spec.tile.max(min));
            let fit = min + needed.saturating_sub(min).div_ceil(step) * step;
            if fit <= ceiling {
                fit
            } else {
                min + (ceiling - min) / step * step
            }
        }
        Size::Follows { .. } => needed,
    };
    if tile <= 2 * margin {
        return Err(too_small(tile, margin));
    }
    let room = tile - 2 * margin;
    let core = match input.size {
        Size::Step { step, .. } if room < length => {
            if room < step {
                return Err(too_small(tile, margin));
            }
            room / step * step
        }
        _ => room,
    };
    Ok(Cut {
        length,
        tile,
        margin,
        core,
        count: length.div_ceil(core),
    })
}

/// Input pixels at each side of a tile whose output is not used.
fn margin(spec: &Spec, kind: AxisKind) -> usize {
    let Some(output) = spec.output.axis(kind) else {
        return 0;
    };
    let given = spec.input.axis(kind).map(|axis| &axis.size);
    let (factor, offset) = match (&output.size, given) {
        (Size::Follows { factor, offset }, _) if *factor > 0.0 => (*factor, *offset),
        (Size::Fixed(out), Some(Size::Fixed(tile))) if *out > 0 => (*out as f64 / *tile as f64, 0),
        _ => (1.0, 0),
    };
    (output.halo as f64 / factor + (-offset).max(0) as f64 / (2.0 * factor)).ceil() as usize
}

/// Position in an axis of `n` under symmetric padding: the edge pixel is repeated (… 1 0 | 0 1 … n−1 | n−1 …).
pub fn symmetric(position: i64, n: usize) -> usize {
    let period = 2 * n as i64;
    let p = position.rem_euclid(period);
    (if p < n as i64 { p } else { period - 1 - p }) as usize
}

/// Cuts one tile out of a block, with symmetric padding.
pub fn extract(block: &Block, plan: &Plan, row: usize, column: usize) -> Block {
    let [channels, planes, rows, columns] = block.shape;
    let (top, left) = (plan[0].start(row), plan[1].start(column));
    let [height, width] = [plan[0].tile, plan[1].tile];
    let from_rows: Vec<usize> = (0..height as i64)
        .map(|i| symmetric(top + i, rows))
        .collect();
    let from_columns: Vec<usize> = (0..width as i64)
        .map(|i| symmetric(left + i, columns))
        .collect();
    let mut out = Vec::with_capacity(channels * planes * height * width);
    for plane in block.data.chunks(rows * columns) {
        for &r in &from_rows {
            let line = &plane[r * columns..(r + 1) * columns];
            out.extend(from_columns.iter().map(|&c| line[c]));
        }
    }
    Block {
        shape: [channels, planes, height, width],
        data: out,
    }
}
