//! Watershed by flooding from markers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A pixel that waits to be flooded from: lowest first, and among equals the one that was reached first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Front {
    height: u32,
    age: u64,
    index: usize,
}

/// Maps floats to integers of the same order.
fn ordered(value: f32) -> u32 {
    let bits = value.to_bits();
    if bits >> 31 == 0 {
        bits | 0x8000_0000
    } else {
        !bits
    }
}

/// Floods `height` of (rows, columns) from the markers, within the mask, over shared sides.
///
/// Lower pixels are flooded first; of equal ones, those that were reached first. A pixel takes the label of the one that
/// reached it. Markers outside the mask are dropped. Pixels of the mask that no marker reaches stay 0. No lines are drawn
/// between basins. NaN counts as higher than everything.
pub fn watershed(height: &[f32], markers: &[u32], mask: &[bool], shape: [usize; 2]) -> Vec<u32> {
    let [rows, columns] = shape;
    let mut labels: Vec<u32> = markers
        .iter()
        .zip(mask)
        .map(|(&m, &on)| if on { m } else { 0 })
        .collect();
    let mut queue = BinaryHeap::new();
    // −0 and 0 are one height.
    let level = |index: usize| ordered(height[index] + 0.0);
    for (index, &label) in labels.iter().enumerate() {
        if label > 0 {
            queue.push(Reverse(Front {
                height: level(index),
                age: 0,
                index,
            }));
        }
    }
    let mut age = 0;
    while let Some(Reverse(front)) = queue.pop() {
        let (row, column) = (front.index / columns, front.index % columns);
        let label = labels[front.index];
        let mut reach = |neighbour: usize| {
            if mask[neighbour] && labels[neighbour] == 0 {
                age += 1;
                labels[neighbour] = label;
                queue.push(Reverse(Front {
                    height: level(neighbour),
                    age,
                    index: neighbour,
                }));
            }
        };
        if row > 0 {
            reach(front.index - columns);
        }
        if column > 0 {
            reach(front.index - 1);
        }
        if column + 1 < columns {
            reach(front.index + 1);
        }
        if row + 1 < rows {
            reach(front.index + columns);
        }
    }
    labels
}
