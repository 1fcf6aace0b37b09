//! Connected components.

/// Which pixels touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connectivity {
    /// Those that share a side.
    Four,
    /// Those that share a side or a corner.
    Eight,
}

/// Labels the connected components of a mask of (rows, columns): 1 to n in the order of their first pixel, 0 outside.
pub fn components(mask: &[bool], shape: [usize; 2], connectivity: Connectivity) -> Vec<u32> {
    let [_, columns] = shape;
    let mut labels = vec![0_u32; mask.len()];
    // Provisional labels with their parents; a root is its own parent and the smallest of its set.
    let mut parents: Vec<u32> = vec![0];
    for (index, &on) in mask.iter().enumerate() {
        if !on {
            continue;
        }
        let (row, column) = (index / columns, index % columns);
        let mut label = 0;
        let mut join = |neighbour: usize, parents: &mut Vec<u32>| {
            let other = labels[neighbour];
            if other > 0 {
                let root = find(parents, other);
                label = if label == 0 {
                    root
                } else {
                    unite(parents, label, root)
                };
            }
        };
        if column > 0 {
            join(index - 1, &mut parents);
        }
        if row > 0 {
            join(index - columns, &mut parents);
            if connectivity == Connectivity::Eight {
                if column > 0 {
                    join(index - columns - 1, &mut parents);
                }
                if column + 1 < columns {
                    join(index - columns + 1, &mut parents);
                }
            }
        }
        if label == 0 {
            label = parents.len() as u32;
            parents.push(label);
        }
        labels[index] = label;
    }
    let mut numbers = vec![0_u32; parents.len()];
    let mut next = 0;
    for label in labels.iter_mut().filter(|l| **l > 0) {
        let root = find(&mut parents, *label) as usize;
        if numbers[root] == 0 {
            next += 1;
            numbers[root] = next;
        }
        *label = numbers[root];
    }
    labels
}

fn find(parents: &mut [u32], label: u32) -> u32 {
    let mut root = label;
    while parents[root as usize] != root {
        root = parents[root as usize];
    }
    let mut current = label;
    while parents[current as usize] != root {
        current = std::mem::replace(&mut parents[current as usize], root);
    }
    root
}

fn unite(parents: &mut [u32], a: u32, b: u32) -> u32 {
    let (a, b) = (find(parents, a), find(parents, b));
    let (low, high) = (a.min(b), a.max(b));
    parents[high as usize] = low;
    low
}
