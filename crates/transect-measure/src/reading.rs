//! How far the reference runner's reading of a model's description is from ours, on the images of a run.

use transect_model::RunnerDifference;

use crate::estimate::SAMPLE;
use crate::job::{Job, Source};
use crate::load::load;

/// A difference that is no larger than this share of the tensor's span is rounding in single precision.
const ROUNDING: f64 = 1e-5;

/// The largest difference on a few images, in words; `None` where the two readings are one, where they cannot be told from
/// single images, and where none of the images could be read.
///
/// The images are those that [`crate::estimate()`] tries, so they are the same ones every time.
pub fn runner_note(job: &Job) -> Option<String> {
    let Source::Model(model) = &job.source else {
        return None;
    };
    model.spec().runner.as_ref()?;
    let n = job.dataset.items.len();
    let tried = SAMPLE.min(n);
    let differences: Vec<RunnerDifference> = (0..tried)
        .filter_map(|step| load(job, &job.dataset.items[step * n / tried]).ok())
        .filter_map(|loaded| model.runner_difference(&loaded.image).ok().flatten())
        .collect();
    words(&differences)
}

fn words(differences: &[RunnerDifference]) -> Option<String> {
    let share = |d: &RunnerDifference| {
        if d.largest == 0.0 {
            0.0
        } else {
            d.largest / d.span
        }
    };
    let worst = differences
        .iter()
        .max_by(|a, b| share(a).total_cmp(&share(b)))?;
    let images = match differences.len() {
        1 => "one image that was tried".to_owned(),
        count => format!("{count} images that were tried"),
    };
    Some(if share(worst) <= ROUNDING {
        format!(
            "on the {images}, the tensor that bioimageio.core would feed is the one that is fed, to rounding"
        )
    } else {
        format!(
            "on the {images}, the tensor that bioimageio.core would feed differs from the one that is fed by up to {:.3e}, where the latter spans {:.3e}",
            worst.largest, worst.span
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_image_is_told_by_its_share_of_the_span() {
        let at = |largest, span| RunnerDifference { largest, span };
        assert_eq!(words(&[]), None);
        let text = words(&[at(0.5, 100.0), at(0.25, 1.0), at(0.0, 0.0)]).unwrap();
        assert!(
            text.contains("3 images") && text.contains("2.500e-1") && text.contains("1.000e0"),
            "{text}"
        );
        let text = words(&[at(1e-6, 1.0)]).unwrap();
        assert!(
            text.contains("one image") && text.contains("rounding"),
            "{text}"
        );
        // A constant tensor that the other reading makes another one is no rounding.
        assert!(words(&[at(1e-9, 0.0)]).unwrap().contains("differs"));
    }
}
