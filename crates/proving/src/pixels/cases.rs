//! The cases: each planted flaw, and the same data with the flaw turned off.

use super::images::Scenario;
use super::models::{Reader, Region, Segmenter, logit};

/// What is audited.
#[derive(Debug, Clone)]
pub enum Model {
    /// A classifier.
    Reader(Reader),
    /// A classifier with weights at random, others in each audit.
    Untrained(Reader),
    /// A segmenter, on scenes.
    Segmenter(Segmenter),
}

/// What a finding must say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sign {
    /// It fails.
    Fails,
    /// It warns, or fails: findings that are no primaries cannot fail.
    Warns,
    /// Its estimate, which has no verdict, is at most this.
    AtMost(f64),
}

/// A finding that a planted flaw must bring, and turning it off must take away.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    /// Id.
    pub finding: &'static str,
    /// What it must say.
    pub sign: Sign,
}

/// One audit's model and data.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The model.
    pub model: Model,
    /// The images.
    pub scenario: Scenario,
}

/// A flaw and its control.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name.
    pub id: &'static str,
    /// In words, for the page.
    pub words: &'static str,
    /// What must be found.
    pub expected: Vec<Expected>,
    /// With the flaw; `None` where the case is a control only.
    pub planted: Option<Setup>,
    /// Without it.
    pub control: Setup,
    /// Whether nothing at all is wrong with the control, so that no primary finding may fail.
    pub clean: bool,
}

fn fails(finding: &'static str) -> Expected {
    Expected {
        finding,
        sign: Sign::Fails,
    }
}

fn warns(finding: &'static str) -> Expected {
    Expected {
        finding,
        sign: Sign::Warns,
    }
}

fn unused(finding: &'static str) -> Expected {
    Expected {
        finding,
        sign: Sign::AtMost(0.02),
    }
}

fn reads(reader: Reader, scenario: &Scenario) -> Setup {
    Setup {
        model: Model::Reader(reader),
        scenario: scenario.clone(),
    }
}

/// The good model on these images.
fn good(scenario: &Scenario) -> Setup {
    reads(
        Reader::good(scenario.channels, scenario.label_noise),
        scenario,
    )
}

/// Every case, in the order of the page.
pub fn all() -> Vec<Case> {
    vec![
        mean(),
        channel(),
        mark(),
        frame(),
        domain(),
        domain_in_part(),
        subgroup("subgroup", 120),
        subgroup("two_hundred_subgroup", 200),
        temperature("overconfident", 120, 0.2, 0.4),
        temperature("two_hundred_overconfident", 200, 0.25, 0.3),
        phantoms(),
        untrained(),
        untrained_beside_brightness(),
        clean("clean", "nothing is wrong", 0.03),
        clean(
            "label_noise",
            "nothing is wrong but 10% of the labels",
            0.10,
        ),
    ]
}

fn mean() -> Case {
    let scenario = Scenario {
        level: (0.30, 0.40),
        brighter: 0.15,
        bright_goes_with_class: 0.65,
        ..Scenario::default()
    };
    Case {
        id: "mean",
        words: "reads the mean intensity and nothing else, where bright images are of one class in 65%",
        expected: vec![fails("collapse.one_dimensional")],
        planted: Some(reads(Reader::of_region(Region::All, 0.44, 0.35), &scenario)),
        control: good(&scenario),
        clean: true,
    }
}

fn channel() -> Case {
    let scenario = Scenario {
        channels: 3,
        ..Scenario::default()
    };
    let one = Reader {
        shape: vec![0.0, 100.0, 0.0],
        // Where its channel shows nothing, it is right half of the time.
        sure: logit(2.0 / 3.0),
        ..Reader::good(3, 0.03)
    };
    Case {
        id: "one_channel",
        words: "reads one of three channels, where the shape is in any of them",
        // Nothing changes without the other two.
        expected: vec![
            unused("collapse.channel_use[group=0]"),
            unused("collapse.channel_use[group=2]"),
        ],
        planted: Some(reads(one, &scenario)),
        control: good(&scenario),
        clean: true,
    }
}

fn mark() -> Case {
    let scenario = Scenario {
        level: (0.30, 0.35),
        mark: 0.25,
        ..Scenario::default()
    };
    Case {
        id: "corner_mark",
        words: "reads a mark in the corner that every image of one class has",
        expected: vec![warns("shortcut.without_object[border_only]")],
        planted: Some(reads(
            Reader::of_region(Region::Mark, 0.45, 0.03),
            &scenario,
        )),
        control: good(&scenario),
        // The mark is in the data: a baseline reads it as well as the model reads the shape.
        clean: false,
    }
}

fn frame() -> Case {
    let scenario = Scenario {
        level: (0.30, 0.32),
        frame: 0.12,
        ..Scenario::default()
    };
    Case {
        id: "background",
        words: "reads the background at the edge, which is brighter in one class",
        expected: vec![warns("shortcut.without_object[border_only]")],
        planted: Some(reads(
            Reader::of_region(Region::Frame, 0.37, 0.03),
            &scenario,
        )),
        control: good(&scenario),
        clean: false,
    }
}

/// Two domains, a dark and a bright one; of each, 85% are of one class.
fn two_domains() -> Scenario {
    Scenario {
        level: (0.25, 0.30),
        brighter: 0.25,
        bright_goes_with_class: 0.85,
        domains: true,
        ..Scenario::default()
    }
}

fn domain() -> Case {
    let scenario = two_domains();
    Case {
        id: "domain",
        words: "answers with the class that is common in the image's domain (85%), which it tells by the brightness",
        expected: vec![fails("shortcut.style_swap_flip_rate")],
        planted: Some(reads(Reader::of_region(Region::All, 0.41, 0.15), &scenario)),
        control: good(&scenario),
        clean: true,
    }
}

fn domain_in_part() -> Case {
    let scenario = two_domains();
    let reader = Reader {
        // As large as what the shape gives, so that each decides about half of the images in which they differ.
        readings: vec![(Region::All, 0.416 - 1.0, 100.0)],
        bias: -100.0,
        ..Reader::good(1, 0.08)
    };
    Case {
        id: "part_domain",
        words: "weighs the shape against the brightness of the domain, each deciding about half of the images in which they differ",
        expected: vec![fails("shortcut.style_swap_flip_rate")],
        planted: Some(reads(reader, &scenario)),
        control: good(&scenario),
        clean: true,
    }
}

fn subgroup(id: &'static str, images: usize) -> Case {
    let scenario = Scenario {
        images,
        ..Scenario::default()
    };
    let biased = Reader {
        // Above this brightness, a third of the images, it answers with class 1 whatever the shape is.
        readings: vec![(Region::All, 0.4656, 4_000.0)],
        ..Reader::good(1, 0.03)
    };
    Case {
        id,
        words: if images == 120 {
            "answers with one class on the brightest third, and is wrong on half of it"
        } else {
            "the same with 200 images a side"
        },
        expected: vec![fails("bias.worst_subgroup")],
        planted: Some(reads(biased, &scenario)),
        control: good(&scenario),
        clean: true,
    }
}

fn temperature(id: &'static str, images: usize, label_noise: f64, temperature: f64) -> Case {
    let scenario = Scenario {
        images,
        label_noise,
        ..Scenario::default()
    };
    let mut sure = Reader::good(1, label_noise);
    sure.sure /= temperature;
    Case {
        id,
        words: if images == 120 {
            "as right as the good model on 20% wrong labels, its probabilities sharpened by a temperature of 0.4"
        } else {
            "the same with a temperature of 0.3, 25% wrong labels and 200 images a side, the material strength of the simulated tables"
        },
        expected: vec![fails("calibration.log_loss_gain")],
        planted: Some(reads(sure, &scenario)),
        control: good(&scenario),
        clean: true,
    }
}

fn phantoms() -> Case {
    let scene = |segmenter| Setup {
        model: Model::Segmenter(segmenter),
        scenario: Scenario {
            images: 60,
            ..Scenario::default()
        },
    };
    Case {
        id: "phantoms",
        words: "outlines what is above 1.2 deviations of the image: on an empty field, noise",
        expected: vec![fails("hallucination.phantom_objects")],
        planted: Some(scene(Segmenter::Deviations)),
        control: scene(Segmenter::Level),
        // Otsu's method does as well on discs as a level does.
        clean: false,
    }
}

fn untrained() -> Case {
    let scenario = Scenario::default();
    Case {
        id: "untrained",
        words: "weights at random",
        expected: vec![
            fails("baseline.prediction_gain"),
            fails("metric.separation"),
        ],
        planted: Some(Setup {
            model: Model::Untrained(Reader::good(1, 0.4)),
            scenario: scenario.clone(),
        }),
        control: good(&scenario),
        clean: true,
    }
}

fn untrained_beside_brightness() -> Case {
    let scenario = Scenario {
        domains: false,
        ..two_domains()
    };
    Case {
        id: "brightness_untrained",
        words: "weights at random, where brightness tells the class of 85%, so that a lazy learner gets somewhere",
        expected: vec![fails("baseline.prediction_gain")],
        planted: Some(Setup {
            model: Model::Untrained(Reader::good(1, 0.4)),
            scenario: scenario.clone(),
        }),
        control: good(&scenario),
        clean: true,
    }
}

fn clean(id: &'static str, words: &'static str, label_noise: f64) -> Case {
    Case {
        id,
        words,
        expected: Vec::new(),
        planted: None,
        control: good(&Scenario {
            label_noise,
            ..Scenario::default()
        }),
        clean: true,
    }
}
