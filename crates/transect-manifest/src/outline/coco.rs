//! Runs of pixels as COCO writes them: down the columns, beginning with pixels that are outside.

use transect_core::Error;

use super::broken;

/// A mask as lengths of runs, down the first column, then the second, and so on: outside, inside, outside, …
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runs {
    /// Height of the mask.
    pub rows: u32,
    /// Width of the mask.
    pub columns: u32,
    /// Lengths; their sum is `rows × columns`.
    pub counts: Vec<u32>,
}

/// Runs from their lengths.
///
/// # Errors
/// `T024` where the lengths do not add up to the size.
pub fn runs_from_counts(size: [u32; 2], counts: Vec<u32>) -> Result<Runs, Error> {
    let [rows, columns] = size;
    let sum: u64 = counts.iter().map(|c| u64::from(*c)).sum();
    let whole = u64::from(rows) * u64::from(columns);
    if sum != whole {
        return Err(broken(format!(
            "the runs add up to {sum} pixels; {rows} rows of {columns} columns have {whole}"
        )));
    }
    Ok(Runs {
        rows,
        columns,
        counts,
    })
}

/// Runs from COCO's compressed text: each length in groups of five bits, the lowest first, in characters from `0` on; the
/// sixth bit says that another group follows, the fifth of the last is the sign; from the fourth length on it is the
/// difference to the length two before.
///
/// # Errors
/// `T024` for a character outside of `0` to `o`, a text that ends within a length, a negative length, or lengths that do
/// not add up to the size.
pub fn runs_from_text(size: [u32; 2], text: &str) -> Result<Runs, Error> {
    let mut counts: Vec<u32> = Vec::new();
    let (mut value, mut shift) = (0_i64, 0_u32);
    for (at, byte) in text.bytes().enumerate() {
        let group = byte.wrapping_sub(48);
        if group > 63 {
            return Err(broken(format!(
                "character {} of the compressed runs is none of theirs",
                at + 1
            )));
        }
        if shift > 35 {
            return Err(broken("a compressed run is longer than any image"));
        }
        value |= i64::from(group & 0x1f) << shift;
        shift += 5;
        if group & 0x20 != 0 {
            continue;
        }
        if group & 0x10 != 0 {
            value |= -1_i64 << shift;
        }
        if counts.len() > 2 {
            value += i64::from(counts[counts.len() - 2]);
        }
        counts.push(
            u32::try_from(value)
                .map_err(|_| broken(format!("a compressed run has the length {value}")))?,
        );
        (value, shift) = (0, 0);
    }
    if shift > 0 {
        return Err(broken("the compressed runs end within a length"));
    }
    runs_from_counts(size, counts)
}
