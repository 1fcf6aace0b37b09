//! Masks of classes against masks of classes.

use transect_core::{Error, LabelImage, Result, codes};

use crate::columns::semantic::counted;
use crate::rules::Rules;
use crate::surface::{Outline, compare};

/// Intersection over union; both empty is 1, by declaration.
pub(crate) fn iou(intersection: f64, union: f64) -> f64 {
    if union > 0.0 {
        intersection / union
    } else {
        1.0
    }
}

/// 2·intersection over the sum of both sizes, which is union + intersection; both empty is 1, by declaration.
pub(crate) fn dice(intersection: f64, union: f64) -> f64 {
    if union > 0.0 {
        2.0 * intersection / (union + intersection)
    } else {
        1.0
    }
}

/// Mean of a ratio over the classes that occur in truth or prediction; `None` where none does.
pub(crate) fn macro_mean(
    counts: impl Iterator<Item = (f64, f64)>,
    ratio: fn(f64, f64) -> f64,
) -> Option<f64> {
    let (mut sum, mut n) = (0.0, 0.0);
    for (intersection, union) in counts {
        if union > 0.0 {
            sum += ratio(intersection, union);
            n += 1.0;
        }
    }
    (n > 0.0).then(|| sum / n)
}

/// Refuses two label images of different size.
pub(crate) fn same_size(truth: &LabelImage, pred: &LabelImage) -> Result<()> {
    if (truth.rows(), truth.columns()) == (pred.rows(), pred.columns()) {
        return Ok(());
    }
    Err(Error::new(
        &codes::truth::TRUTH_SHAPE,
        format!(
            "the truth has {} rows and {} columns, the prediction {} and {}",
            truth.rows(),
            truth.columns(),
            pred.rows(),
            pred.columns()
        ),
    ))
}

/// `iou`, `dice`, `n_pixels`, `hd95`, `surface_dice`, then four counts for each counted class.
pub(crate) fn score(
    rules: &Rules,
    truth: &LabelImage,
    ignore: Option<u32>,
    labels_are_foreground: bool,
    pred: &LabelImage,
) -> Result<Vec<Option<f64>>> {
    same_size(truth, pred)?;
    let n_classes = rules.n_classes;
    let k = n_classes.max(2);
    let mut n_true = vec![0_u64; k];
    let mut n_pred = vec![0_u64; k];
    let mut both = vec![0_u64; k];
    let mut n_pixels = 0_u64;
    for (position, (&t, &p)) in truth.labels().iter().zip(pred.labels()).enumerate() {
        if ignore == Some(t) {
            continue;
        }
        let t = if labels_are_foreground {
            usize::from(t > 0)
        } else {
            t as usize
        };
        let p = p as usize;
        if t >= k || p >= k {
            let place = (position / truth.columns(), position % truth.columns());
            return Err(if t >= k {
                Error::new(
                    &codes::truth::TRUTH_CLASS,
                    format!(
                        "the mask holds {t} at row {}, column {}; the model has classes 0 to {}",
                        place.0,
                        place.1,
                        k - 1
                    ),
                )
                .help("map it with --class-map, or declare it as the ignore value")
            } else {
                Error::new(
                    &codes::truth::PREDICTION_UNUSABLE,
                    format!(
                        "class {p} is predicted at row {}, column {}; the model has classes 0 to {}",
                        place.0,
                        place.1,
                        k - 1
                    ),
                )
            });
        }
        n_pixels += 1;
        n_true[t] += 1;
        n_pred[p] += 1;
        if t == p {
            both[t] += 1;
        }
    }
    let first = usize::from(counted(n_classes) == 1);
    let blocks: Vec<[f64; 4]> = (first..k)
        .map(|c| {
            let union = n_true[c] + n_pred[c] - both[c];
            [
                both[c] as f64,
                union as f64,
                n_true[c] as f64,
                n_pred[c] as f64,
            ]
        })
        .collect();
    let value = |ratio: fn(f64, f64) -> f64| {
        if n_pixels == 0 {
            None
        } else if first == 1 {
            Some(ratio(blocks[0][0], blocks[0][1]))
        } else {
            macro_mean(blocks.iter().map(|b| (b[0], b[1])), ratio)
        }
    };
    let class_of = |t: u32| {
        if labels_are_foreground {
            u32::from(t > 0)
        } else {
            t
        }
    };
    let mut surfaces = Vec::new();
    for (class, block) in (first..k).zip(&blocks) {
        // Of several classes those that occur are compared; one foreground always is.
        if n_pixels == 0 || (first == 0 && block[1] == 0.0) {
            continue;
        }
        let shape = [truth.rows(), truth.columns()];
        let outline = |of: &LabelImage, class_of: &dyn Fn(u32) -> u32| {
            Outline::of(shape[0], shape[1], |at| {
                ignore != Some(truth.labels()[at]) && class_of(of.labels()[at]) == class as u32
            })
        };
        surfaces.push(compare(
            &outline(truth, &class_of),
            &outline(pred, &|p| p),
            shape,
            rules.tolerance_px,
        ));
    }
    let surface = |which: usize| -> Option<f64> {
        let values: Vec<f64> = surfaces.iter().filter_map(|s| s[which]).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    let mut scores = vec![
        value(iou),
        value(dice),
        Some(n_pixels as f64),
        surface(0),
        surface(1),
    ];
    scores.extend(blocks.iter().flatten().map(|&count| Some(count)));
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(labels: &[u32]) -> LabelImage {
        LabelImage::new(1, labels.len(), labels.to_vec()).unwrap()
    }

    fn rules(n_classes: usize) -> Rules {
        Rules::new(transect_core::Task::Semantic, n_classes)
    }

    #[test]
    fn empties_are_as_declared() {
        let empty = row(&[0, 0, 0]);
        let some = row(&[0, 1, 0]);
        assert_eq!(
            score(&rules(2), &empty, None, false, &empty).unwrap()[..2],
            [Some(1.0), Some(1.0)]
        );
        assert_eq!(
            score(&rules(2), &some, None, false, &empty).unwrap()[..2],
            [Some(0.0), Some(0.0)]
        );
        assert_eq!(
            score(&rules(2), &empty, None, false, &some).unwrap()[..2],
            [Some(0.0), Some(0.0)]
        );
        let ignored = score(&rules(2), &row(&[9, 9, 9]), Some(9), false, &some).unwrap();
        assert_eq!(
            ignored[..3],
            [None, None, Some(0.0)],
            "nothing to judge is no score"
        );
    }

    #[test]
    fn ignored_pixels_count_nowhere() {
        let scores = score(
            &rules(2),
            &row(&[1, 1, 9, 0, 9]),
            Some(9),
            false,
            &row(&[1, 0, 1, 1, 0]),
        )
        .unwrap();
        // Judged: truth 1 1 0, prediction 1 0 1.
        assert_eq!(
            [&scores[..3], &scores[5..]].concat(),
            [
                Some(1.0 / 3.0),
                Some(0.5),
                Some(3.0),
                Some(1.0),
                Some(3.0),
                Some(2.0),
                Some(2.0)
            ]
        );
    }

    #[test]
    fn labels_of_objects_stand_for_one_foreground() {
        let labels = row(&[0, 7, 7, 900, 0]);
        let pred = row(&[0, 1, 1, 1, 1]);
        assert_eq!(
            score(&rules(2), &labels, None, true, &pred).unwrap()[0],
            Some(0.75)
        );
        assert_eq!(
            score(&rules(2), &labels, None, false, &pred)
                .unwrap_err()
                .code
                .id,
            "T202"
        );
    }

    #[test]
    fn classes_that_occur_nowhere_do_not_enter_the_mean() {
        let scores = score(
            &rules(4),
            &row(&[0, 0, 1, 1]),
            None,
            false,
            &row(&[0, 0, 1, 0]),
        )
        .unwrap();
        let expected = 7.0 / 12.0;
        assert!((scores[0].unwrap() - expected).abs() < 1e-15);
        assert_eq!(scores.len(), 5 + 4 * 4);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(
            score(&rules(2), &row(&[0]), None, false, &row(&[0, 1]))
                .unwrap_err()
                .code
                .id,
            "T201"
        );
        assert_eq!(
            score(&rules(3), &row(&[3]), None, false, &row(&[0]))
                .unwrap_err()
                .code
                .id,
            "T202"
        );
        assert_eq!(
            score(&rules(3), &row(&[0]), None, false, &row(&[3]))
                .unwrap_err()
                .code
                .id,
            "T204"
        );
    }
}
