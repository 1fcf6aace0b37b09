//! Objects in the truth.

use transect_core::LabelImage;

/// What the truth says of its objects.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Objects {
    /// Connected pieces of one label.
    pub(super) count: usize,
    /// Median over the objects of the diameter of the disc of equal area, pixels.
    pub(super) diameter: f64,
    /// Pixels whose label is not 0.
    pub(super) foreground: usize,
}

fn root(parent: &mut [u32], mut i: u32) -> u32 {
    while parent[i as usize] != i {
        parent[i as usize] = parent[parent[i as usize] as usize];
        i = parent[i as usize];
    }
    i
}

/// Measures the objects; `None` where there are none.
pub(super) fn measure(truth: &LabelImage) -> Option<Objects> {
    let (rows, columns) = (truth.rows(), truth.columns());
    let labels = truth.labels();
    let mut parent: Vec<u32> = (0..labels.len() as u32).collect();
    for r in 0..rows {
        for c in 0..columns {
            let at = r * columns + c;
            if labels[at] == 0 {
                continue;
            }
            let mut join = |other: usize| {
                if labels[other] == labels[at] {
                    let (a, b) = (
                        root(&mut parent, at as u32),
                        root(&mut parent, other as u32),
                    );
                    let (low, high) = (a.min(b), a.max(b));
                    parent[high as usize] = low;
                }
            };
            if c > 0 {
                join(at - 1);
            }
            if r > 0 {
                join(at - columns);
                if c > 0 {
                    join(at - columns - 1);
                }
                if c + 1 < columns {
                    join(at - columns + 1);
                }
            }
        }
    }
    let mut areas = vec![0_u32; labels.len()];
    let mut foreground = 0;
    for at in 0..labels.len() {
        if labels[at] != 0 {
            foreground += 1;
            areas[root(&mut parent, at as u32) as usize] += 1;
        }
    }
    let mut diameters: Vec<f64> = areas
        .iter()
        .filter(|&&a| a > 0)
        .map(|&a| 2.0 * (f64::from(a) / std::f64::consts::PI).sqrt())
        .collect();
    let count = diameters.len();
    let diameter = crate::quantile::median(&mut diameters)?;
    Some(Objects {
        count,
        diameter,
        foreground,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn touching_labels_are_apart_and_pieces_of_one_label_too() {
        let labels =
            LabelImage::new(3, 5, vec![1, 1, 2, 0, 1, 1, 1, 2, 0, 1, 0, 0, 2, 0, 0]).unwrap();
        let objects = measure(&labels).unwrap();
        assert_eq!((objects.count, objects.foreground), (3, 9));
        assert!(measure(&LabelImage::new(1, 1, vec![0]).unwrap()).is_none());
    }
}
