//! The words of the page: verdicts, modes, metrics.

use transect_core::Verdict;

/// All verdicts, from what needs attention first to what needs none.
pub(crate) const VERDICTS: [Verdict; 6] = [
    Verdict::Fail,
    Verdict::Warn,
    Verdict::Undecided,
    Verdict::NotAssessable,
    Verdict::Pass,
    Verdict::Described,
];

/// The word that is printed.
pub(crate) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "Pass",
        Verdict::Warn => "Warning",
        Verdict::Fail => "Fail",
        Verdict::Undecided => "Undecided",
        Verdict::NotAssessable => "Not assessable",
        Verdict::Described => "Described",
    }
}

/// The name in class attributes and in the identifier of the icon.
pub(crate) fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Warn => "warn",
        Verdict::Fail => "fail",
        Verdict::Undecided => "undecided",
        Verdict::NotAssessable => "missing",
        Verdict::Described => "described",
    }
}

/// What the word means, for the glossary of the page.
pub(crate) fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => {
            "The whole 95% interval lies on the good side of the threshold for a warning. It says that no harm of that \
             size was found on these images, not that the model will work on others."
        }
        Verdict::Warn => "The whole 95% interval lies beyond the threshold for a warning.",
        Verdict::Fail => {
            "The data contradict \u{201c}no worse than the threshold to fail\u{201d}: p is at most 0.05 after adjusting \
             for every primary finding of the run. Only findings declared primary before the run can fail."
        }
        Verdict::Undecided => {
            "The data do not settle it: the interval reaches to both sides of a threshold, or there are too few groups. \
             It is not a pass. The finding says how many images or groups would settle it."
        }
        Verdict::NotAssessable => {
            "The data cannot answer, however many there are. The finding says what would have to be supplied."
        }
        Verdict::Described => "A number without a threshold: stated, not judged.",
    }
}

/// Title of a failure mode and what its findings say, in plain words.
pub(crate) fn mode(mode: &str) -> (String, &'static str) {
    let (title, intro) = match mode {
        "performance" => (
            "Performance on these images",
            "How well the predictions agree with the truth of these images, with intervals that respect how they were \
             sampled, and how far that is from the claim.",
        ),
        "calibration" => (
            "Confidence",
            "Whether the model's confidence can be believed: of the predictions made with a confidence of 0.8, about \
             80% should be right.",
        ),
        "shift" => (
            "Do the images differ from the reference?",
            "Whether the target looks different from the images that the claim was made on, in what, and whether that \
             does harm. A difference of class mix is kept apart from a difference of appearance.",
        ),
        "robustness" => (
            "How far it bends",
            "How the score falls as the images get worse in physical units. The tolerance is the value at which a tenth \
             of what lies above chance is lost.",
        ),
        "prior" => (
            "What the data offer a lazy learner",
            "What can be had without looking at any object, before any model: by a single number of each image, by its \
             frame, by its file. And what is wrong with the data themselves: the same image twice, hidden strata, \
             doubtful labels.",
        ),
        "shortcut" => (
            "Right for the wrong reason?",
            "Whether predictions follow where an image comes from and not what it shows: its style, its frame, its \
             laboratory. That the domain can be read from the embedding does not show that it is used.",
        ),
        "bias" => (
            "On what is it worse?",
            "Subgroups that a column or an attribute names, against the rest, with intervals that hold over all of them \
             together; and slices that were found on one half of the images and confirmed on the other.",
        ),
        "hallucination" => (
            "Sure without reason?",
            "Wrong answers that were given with confidence, objects where there are none, and how sure it is of what it \
             cannot know.",
        ),
        other => {
            let mut title = other.replace('_', " ");
            if let Some(first) = title.get(..1) {
                let upper = first.to_uppercase();
                title.replace_range(..1, &upper);
            }
            return (title, "");
        }
    };
    (title.to_owned(), intro)
}

/// Title of a failure mode in one or two words.
pub(crate) fn short_mode(name: &str) -> String {
    match name {
        "performance" => "Performance".to_owned(),
        "robustness" => "Robustness".to_owned(),
        "shift" => "Shift".to_owned(),
        "prior" => "Prior".to_owned(),
        other => mode(other).0,
    }
}

/// Place of a mode on the page; modes that are not named come after these, in the order in which they appear.
pub(crate) const MODES: [&str; 4] = ["performance", "shift", "calibration", "robustness"];

/// A metric in words, without what it is about: `performance.accuracy[domain=D2]` gives `accuracy`.
pub(crate) fn metric(id: &str) -> String {
    let base = id.split('[').next().unwrap_or(id);
    let name = base.split_once('.').map_or(base, |(_, name)| name);
    let words = match name {
        "auroc" => "AUROC",
        "mcc" => "Matthews correlation (MCC)",
        "macro_f1" => "macro F1",
        "ece" => "expected calibration error",
        "brier" => "Brier score",
        "nll" => "log loss of the confidences",
        "aurc" => "area under the risk–coverage curve (AURC)",
        "augrc" => "generalised area under the risk–coverage curve (AUGRC)",
        "log_loss_gain" => "log loss that one temperature would gain",
        "errors_in_least_sure" => "errors among the images it is least sure of",
        "mmd" => "distance between the image sets (MMD)",
        "frechet" => "distance between the image sets (Fréchet)",
        "classifier_auc" => "can a classifier tell the two sets apart (AUC)",
        "outside_envelope" => "images outside the reference's range",
        "harm" => "harm: risk on target minus risk on reference",
        "harm_class_mix" => "harm that the class mix explains",
        "harm_conditional" => "harm within classes",
        "harm_along" => "does the risk rise along an attribute",
        "class_mix" => "difference of class mix",
        "carries" => "share of the harm that a trait carries",
        "attribute" => "difference of an attribute",
        "lazy_learner" => "the class, from the format of the files alone",
        "leakage" => "images on both sides of the split",
        "best" => "the best lazy learner",
        "strata" => "hidden strata",
        "stratum" => "two parts by an attribute",
        "separable" => "what holds no chemistry against the label",
        "duplicate_labels" => "duplicates with different truth",
        "straddling_groups" => "groups on both sides of the split",
        "metadata" => "file metadata alone",
        "name_order" => "the order of the files' names",
        "seconds_per_image" => "seconds per image",
        "not_measured" => "images that were not measured",
        "outside_classes" => "images outside the model's classes",
        other => return spelled(other),
    };
    words.to_owned()
}

/// A metric's name with spaces, its abbreviations in capitals, and thresholds of IoU in words: `f1_50` gives
/// `F1 at IoU 0.50`.
fn spelled(name: &str) -> String {
    let parts = name.split(['_', '.']).map(|part| match part {
        "iou" => "IoU".to_owned(),
        "dice" => "Dice".to_owned(),
        "f1" => "F1".to_owned(),
        "mae" => "mean absolute error".to_owned(),
        _ if part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit()) => {
            format!("at IoU 0.{part}")
        }
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join(" ")
}

/// What a finding is about, in words: attributes by theirs, all else as it is.
pub(crate) fn about(id: &str) -> Option<String> {
    let (base, about) = id.split_once('[')?;
    let about = about.strip_suffix(']').unwrap_or(about);
    if [".attribute", ".harm_along", ".stratum"]
        .iter()
        .any(|of| base.ends_with(of))
    {
        let known = transect_core::attribute::ATTRIBUTES
            .iter()
            .find(|a| a.name == about);
        return Some(known.map_or(about, |a| a.words).to_owned());
    }
    Some(about.replacen('=', " = ", 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_put_into_words() {
        for (id, words) in [
            ("performance.accuracy[domain=D2]", "accuracy"),
            (
                "performance.average_precision_50",
                "average precision at IoU 0.50",
            ),
            ("performance.pooled_iou", "pooled IoU"),
            ("robustness.shot_noise.tolerance", "shot noise tolerance"),
            ("odd", "odd"),
            ("a.b[c", "b"),
        ] {
            assert_eq!(metric(id), words);
        }
        for (id, words) in [
            ("performance.accuracy[domain=D2]", Some("domain = D2")),
            ("shift.attribute[noise_sd]", Some("noise")),
            ("shift.attribute[unknown]", Some("unknown")),
            ("shift.harm", None),
            ("a.b[c", Some("c")),
        ] {
            assert_eq!(about(id).as_deref(), words);
        }
    }

    #[test]
    fn unknown_modes_get_a_title() {
        assert_eq!(mode("style_swap").0, "Style swap");
        assert_eq!(mode("").0, "");
        assert_eq!(mode("ångström").0, "ångström");
    }

    #[test]
    fn verdicts_have_words_of_their_own() {
        for pick in [word, class, meaning] {
            let mut all: Vec<&str> = VERDICTS.iter().map(|&v| pick(v)).collect();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), VERDICTS.len());
        }
    }
}
