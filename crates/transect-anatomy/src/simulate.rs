//! Tables of simulated runs with planted flaws of graded strength, for tests and for the calibration of the auditor.
//!
//! No image and no model is involved: items have attributes, predictions have outcomes, drawn so that the truth of every
//! finding is known. The run is simulated in full: every view that [`crate::plan`] asks for is measured.

pub mod adversarial;
pub mod baseline;
pub mod bias;
pub mod collapse;
pub mod hallucination;
pub mod metric;
pub mod parts;
pub mod prior;
pub mod shortcut;

use std::collections::BTreeMap;

use transect_core::attribute::ATTRIBUTES;
use transect_core::context::{Ladder, Optics, PlanLevel};
use transect_core::{
    AUDITED, Context, Digest, Item, ItemRecord, Measurement, Modality, Request, Role, RunRecord,
    Selection, Status, Stream, Task, TruthRef, View, ViewKind,
};
use transect_table::{MemoryTables, Timing};

/// What is simulated. The default is a clean run: nothing is wrong, and the claim is true.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Seed of the draws and of the run.
    pub seed: u64,
    /// Classification or instance segmentation.
    pub task: Task,
    /// How much is measured.
    pub plan: PlanLevel,
    /// Number of reference images; 0 for no reference.
    pub reference: usize,
    /// Number of target images.
    pub target: usize,
    /// Number of classes.
    pub classes: usize,
    /// Images in each group; 0 where no group is named.
    pub group_size: usize,
    /// Share of a group's outcomes that follow the group's own draw instead of the image's: the intraclass correlation of
    /// outcomes is about its square.
    pub group_share: f64,
    /// Expected score on the reference: accuracy, or average precision.
    pub reference_score: f64,
    /// Expected score on the target.
    pub target_score: f64,
    /// Claimed value of the task's primary metric.
    pub claim: Option<f64>,
    /// Shift of half of the attributes in the target, in standard deviations.
    pub shift: f64,
    /// Temperature that the stated probabilities are sharpened by: 1 is calibrated, 0.3 is far too sure.
    pub temperature: f64,
    /// Share of the target's images that are turned to class 0, whose risk is `first_class_risk` times the others'.
    pub turned: f64,
    /// See `turned`.
    pub first_class_risk: f64,
    /// Share of the harm that the style of target images carries.
    pub carried: f64,
    /// Share of the score above chance that is lost at the largest severity of every corruption; linear in the severity.
    pub bend: f64,
    /// Share of images that could not be read.
    pub failed: f64,
    /// Whether items and target have truth.
    pub truth: bool,
    /// Whether the model gives class probabilities.
    pub outputs: bool,
    /// Mean seconds an image.
    pub seconds: f64,
    /// Images a day that are needed.
    pub throughput: Option<f64>,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            seed: 1,
            task: Task::Classification,
            plan: PlanLevel::Quick,
            reference: 200,
            target: 200,
            classes: 4,
            group_size: 0,
            group_share: 0.0,
            reference_score: 0.9,
            target_score: 0.9,
            claim: Some(0.9),
            shift: 0.0,
            temperature: 1.0,
            turned: 0.0,
            first_class_risk: 1.0,
            carried: 0.0,
            bend: 0.05,
            failed: 0.0,
            truth: true,
            outputs: true,
            seconds: 0.1,
            throughput: None,
        }
    }
}

/// Attributes that are drawn, with mean and standard deviation.
const DRAWN: [(&str, f64, f64); 12] = [
    ("intensity_mean", 0.3, 0.05),
    ("intensity_sd", 0.1, 0.02),
    ("intensity_q01", 0.02, 0.005),
    ("intensity_q50", 0.25, 0.05),
    ("intensity_q99", 0.8, 0.02),
    ("background", 0.05, 0.01),
    ("contrast", 3.0, 0.5),
    ("snr", 12.0, 2.0),
    ("noise_sd", 0.02, 0.002),
    ("psf_sigma_px", 1.2, 0.05),
    ("unevenness", 0.1, 0.02),
    ("texture_scale_px", 6.0, 1.0),
];

/// Ladders as the virtual microscope has them: one that grows, one that falls, one from infinity.
pub fn ladders() -> Vec<Ladder> {
    let ladder =
        |name: &str, parameter: &str, unit: &str, identity: f64, values: [f64; 5], random: bool| {
            Ladder {
                name: name.to_owned(),
                words: name.replace('_', " "),
                parameter: parameter.to_owned(),
                unit: unit.to_owned(),
                identity,
                values,
                random,
                note: String::new(),
            }
        };
    vec![
        ladder(
            "shot_noise",
            "photons",
            "photons",
            f64::INFINITY,
            [1000.0, 300.0, 100.0, 30.0, 10.0],
            true,
        ),
        ladder(
            "read_noise",
            "read noise",
            "electrons",
            0.0,
            [10.0, 20.0, 40.0, 80.0, 160.0],
            true,
        ),
        ladder(
            "defocus",
            "blur",
            "px",
            0.0,
            [0.5, 1.0, 2.0, 4.0, 8.0],
            false,
        ),
        ladder(
            "magnification",
            "magnification",
            "factor",
            1.0,
            [0.8, 0.65, 0.5, 0.4, 0.3],
            false,
        ),
    ]
}

/// What is true of one image, drawn once: every view shares it, so that views are paired.
struct Latent {
    row: usize,
    role: Role,
    class: usize,
    /// Expected score.
    expected: f64,
    /// Decides the outcome: right when under the probability of being right.
    luck: f64,
    /// Decides what is said instead.
    other: usize,
    /// Decides the number of objects.
    objects: f64,
}

/// The tables of a simulated run.
pub fn tables(scenario: &Scenario) -> MemoryTables {
    tables_of(scenario, crate::plan)
}

/// The tables of a simulated run that measures what one mode asks for, and no more.
pub fn tables_of(scenario: &Scenario, plan: fn(&Context) -> Vec<Request>) -> MemoryTables {
    let s = scenario;
    let classes: Vec<String> = if s.task == Task::Classification {
        (0..s.classes).map(|c| format!("class {c}")).collect()
    } else {
        Vec::new()
    };
    let claims: BTreeMap<String, f64> = s
        .claim
        .map(|claim| {
            (
                transect_score::metric::primary(s.task).name.to_owned(),
                claim,
            )
        })
        .into_iter()
        .collect();
    let context = Context {
        task: s.task,
        modality: Modality::Fluorescence,
        plan: s.plan,
        seed: s.seed,
        score_columns: transect_score::columns(s.task, &classes),
        classes,
        claims,
        domain: Some("laboratory".to_owned()),
        domains: [(s.reference, "A"), (s.target, "B")]
            .into_iter()
            .filter(|(rows, _)| *rows > 0)
            .map(|(_, name)| name.to_owned())
            .collect(),
        group: (s.group_size > 0).then(|| "plate".to_owned()),
        stratum: None,
        has_reference: s.reference > 0,
        has_truth: s.truth,
        optics: Optics::default(),
        ladders: ladders(),
        throughput_per_day: s.throughput,
        ..Context::bare(s.task, Vec::new())
    };
    let (items, latents) = draw(s, &context);
    let requests = plan(&context);
    let measurements = measure(s, &context, &items, &latents, &requests);
    let timings = timings(s, &items);
    let forward_passes = measurements.len() as u64;
    MemoryTables {
        run: RunRecord {
            schema: "transect/run/1".to_owned(),
            version: "0.1.0".to_owned(),
            engine: "simulated".to_owned(),
            model_sha256: None,
            model_name: "simulated".to_owned(),
            data_sha256: Digest::default(),
            plan_sha256: Digest::default(),
            fits_sha256: None,
            context,
            requests,
            forward_passes,
            model_test: "not run".to_owned(),
            notes: Vec::new(),
        },
        items,
        measurements,
        embeddings: BTreeMap::new(),
        elements: Vec::new(),
        traces: Vec::new(),
        timings,
    }
}

fn draw(s: &Scenario, context: &Context) -> (Vec<ItemRecord>, Vec<Latent>) {
    let mut stream = Stream::new(s.seed, "anatomy/simulate/items", &[]);
    let mut items = Vec::new();
    let mut latents = Vec::new();
    let mut group_luck = 0.0;
    for row in 0..s.reference + s.target {
        let role = if row < s.reference {
            Role::Reference
        } else {
            Role::Target
        };
        let within = if role == Role::Reference {
            row
        } else {
            row - s.reference
        };
        if s.group_size > 0 && within % s.group_size == 0 {
            group_luck = stream.uniform();
        }
        let shifted = if role == Role::Target { s.shift } else { 0.0 };
        let mut attributes = vec![None; ATTRIBUTES.len()];
        for (a, attribute) in ATTRIBUTES.iter().enumerate() {
            if let Some(at) = DRAWN.iter().position(|(name, ..)| *name == attribute.name) {
                let (_, mean, sd) = DRAWN[at];
                let move_by = if at % 2 == 0 { shifted } else { 0.0 };
                attributes[a] = Some(mean + sd * (stream.normal() + move_by));
            } else if matches!(attribute.name, "rows_px" | "columns_px") {
                attributes[a] = Some(256.0);
            }
        }
        let mut class = if s.classes > 0 {
            stream.below(s.classes)
        } else {
            0
        };
        let turn = stream.uniform();
        if role == Role::Target && turn < s.turned {
            class = 0;
        }
        let score = if role == Role::Reference {
            s.reference_score
        } else {
            s.target_score
        };
        // The risk of class 0 is a multiple of the others', at an even mix with the score that was asked for.
        let k = s.classes.max(1) as f64;
        let plain = (1.0 - score) * k / (k - 1.0 + s.first_class_risk);
        let risk = if class == 0 {
            plain * s.first_class_risk
        } else {
            plain
        };
        let own_luck = stream.uniform();
        let follows = stream.uniform() < s.group_share;
        let failed = stream.uniform() < s.failed;
        let image_sha256 =
            Digest::of_parts([&s.seed.to_le_bytes()[..], &(row as u64).to_le_bytes()]);
        let truth = match (s.truth, s.task) {
            (false, _) => TruthRef::None,
            (true, Task::Classification) => TruthRef::Class(context.classes[class].clone()),
            (true, _) => TruthRef::Path(format!("truth_{row}.png")),
        };
        items.push(ItemRecord {
            item: Item {
                row: row as u32,
                role,
                manifest: u32::from(role == Role::Target),
                line: within as u32 + 2,
                image: format!("image_{row:05}.png"),
                channels: Vec::new(),
                page: None,
                truth,
                second_truth: TruthRef::None,
                domain: Some(if role == Role::Reference { "A" } else { "B" }.to_owned()),
                group: (s.group_size > 0)
                    .then(|| format!("{role:?} plate {}", within / s.group_size.max(1))),
                stratum: None,
                pair_id: None,
                pixel_size: None,
                columns: BTreeMap::new(),
            },
            image_sha256,
            status: if failed { Status::Failed } else { Status::Ok },
            error_code: failed.then(|| "T101".to_owned()),
            error: failed.then(|| "image cannot be read".to_owned()),
            truth_class: (s.truth && s.task == Task::Classification).then_some(class as u32),
            attributes: if failed {
                vec![None; ATTRIBUTES.len()]
            } else {
                attributes
            },
            profile: None,
            perceptual_hash: None,
            thumbnail: Vec::new(),
        });
        latents.push(Latent {
            row,
            role,
            class,
            expected: (1.0 - risk).clamp(0.0, 1.0),
            luck: if s.group_size > 0 && follows {
                group_luck
            } else {
                own_luck
            },
            other: stream.below(s.classes.max(2) - 1),
            objects: stream.poisson(20.0).max(1.0),
        });
    }
    (items, latents)
}

fn measure(
    s: &Scenario,
    context: &Context,
    items: &[ItemRecord],
    latents: &[Latent],
    requests: &[Request],
) -> Vec<Measurement> {
    let mut measurements = Vec::new();
    // The audited model first, then the others by name.
    let mut models: Vec<&str> = requests.iter().map(|r| r.model.as_str()).collect();
    models.sort_unstable_by_key(|&model| (model != AUDITED, model));
    models.dedup();
    for model in models {
        for latent in latents {
            let item = &items[latent.row];
            let own = of_model(s, latent, model);
            let within = latent.row
                - if latent.role == Role::Target {
                    s.reference
                } else {
                    0
                };
            let views = requests
                .iter()
                .filter(|r| r.model == model)
                .filter(|r| match r.rows {
                    Selection::All => true,
                    Selection::Role(role) => role == latent.role,
                    // Images are drawn alike, so the first of a side are as good a draw as any.
                    Selection::Sample(role, most) => role == latent.role && within < most as usize,
                })
                .flat_map(|r| &r.views);
            for view in views {
                let failed = item.status == Status::Failed;
                let expected = expected(s, &own, view);
                let mut m = Measurement {
                    row: latent.row as u32,
                    image_sha256: item.image_sha256,
                    model_id: model.to_owned(),
                    view: view.clone(),
                    donor_row: donor(s.seed, items, latent.row, view),
                    status: if failed { Status::Failed } else { Status::Ok },
                    error_code: failed.then(|| "T101".to_owned()),
                    error: None,
                    pred_class: None,
                    pred_count: None,
                    confidence: None,
                    outputs: Vec::new(),
                    scores: vec![None; context.score_columns.len()],
                };
                if !failed {
                    match s.task {
                        Task::Classification => classify(s, &own, expected, &mut m),
                        Task::Semantic | Task::Instance => {
                            segment(s, context, &own, expected, &mut m);
                        }
                    }
                }
                measurements.push(m);
            }
        }
    }
    measurements
}

/// What is true of an image under another model than the audited one: the same image, its own luck. Re-initialised copies are
/// at chance, a classical method reaches half of the way, a second annotator nine tenths of what is left; what only changes
/// a threshold is the audited model.
fn of_model(s: &Scenario, latent: &Latent, model: &str) -> Latent {
    let chance = chance(s);
    let expected = match model.split(':').next().unwrap_or_default() {
        "reinit" => chance,
        "builtin" => chance + 0.5 * (latent.expected - chance),
        "annotator" => 1.0 - 0.1 * (1.0 - latent.expected),
        _ => latent.expected,
    };
    let mut luck = latent.luck;
    let mut other = latent.other;
    if model != AUDITED && !model.starts_with("threshold") {
        let mut own = Stream::new(
            s.seed,
            "anatomy/simulate/model",
            &[model.as_bytes(), &(latent.row as u64).to_le_bytes()],
        );
        luck = own.uniform();
        other = own.below(s.classes.max(2) - 1);
    }
    Latent {
        expected,
        luck,
        other,
        ..*latent
    }
}

fn chance(s: &Scenario) -> f64 {
    if s.task == Task::Classification {
        1.0 / s.classes.max(1) as f64
    } else {
        0.0
    }
}

/// The donor of an image under a swap, drawn from the view's pool; never the image itself.
fn donor(seed: u64, items: &[ItemRecord], row: usize, view: &View) -> Option<u32> {
    let pool = view.pool.as_deref()?;
    let donors: Vec<u32> = items
        .iter()
        .map(|i| &i.item)
        .filter(|i| i.row as usize != row)
        .filter(|i| match pool {
            "reference" => i.role == Role::Reference,
            "target" => i.role == Role::Target,
            _ => i.domain.as_deref() == pool.strip_prefix("domain:"),
        })
        .map(|i| i.row)
        .collect();
    let mut stream = Stream::new(
        seed,
        "anatomy/simulate/donor",
        &[&(row as u64).to_le_bytes(), view.id().as_bytes()],
    );
    (!donors.is_empty()).then(|| donors[stream.below(donors.len())])
}

/// Expected score of an image under a view.
fn expected(s: &Scenario, latent: &Latent, view: &View) -> f64 {
    let chance = chance(s);
    match view.kind {
        ViewKind::Corruption => {
            let lost = s.bend * f64::from(view.severity.get()) / 5.0;
            chance + (latent.expected - chance) * (1.0 - lost)
        }
        ViewKind::Swap
            if view.pool.as_deref() == Some("target")
                && matches!(view.name.as_str(), "style" | "all") =>
        {
            latent.expected - s.carried * (s.reference_score - s.target_score)
        }
        // What is taken away was needed.
        ViewKind::Ablation | ViewKind::Surrogate => chance,
        ViewKind::Identity | ViewKind::Swap | ViewKind::Subspace | ViewKind::Search => {
            latent.expected
        }
    }
}

/// A prediction whose stated confidence, at temperature 1, is its probability of being right.
fn classify(s: &Scenario, latent: &Latent, expected: f64, m: &mut Measurement) {
    // Confidences spread around the expected score, evenly, so that some images are surer than others.
    let mut own = Stream::new(
        s.seed,
        "anatomy/simulate/confidence",
        &[&(latent.row as u64).to_le_bytes()],
    );
    let floor = 1.0 / s.classes.max(2) as f64;
    let spread = (1.0 - expected).min(expected - floor).max(0.0);
    let right = (expected + spread * (2.0 * own.uniform() - 1.0)).clamp(0.0, 1.0);
    let correct = latent.luck < right;
    let class = if correct {
        latent.class
    } else {
        (latent.class + 1 + latent.other) % s.classes.max(2)
    };
    let p = right.max(floor + 1e-9);
    let rest = (1.0 - p) / (s.classes.max(2) - 1) as f64;
    let sharp = |p: f64| p.max(1e-12).powf(1.0 / s.temperature);
    let sum = sharp(p) + (s.classes.max(2) - 1) as f64 * sharp(rest);
    let (p, rest) = (sharp(p) / sum, sharp(rest) / sum);
    m.pred_class = Some(class as u32);
    if s.outputs {
        m.outputs = (0..s.classes)
            .map(|c| if c == class { p as f32 } else { rest as f32 })
            .collect();
        m.confidence = Some(p);
    }
    if !s.truth || m.view.kind == ViewKind::Surrogate {
        return;
    }
    m.scores[0] = Some(f64::from(u8::from(correct)));
    if s.outputs {
        let of_truth = f64::from(m.outputs[latent.class]);
        m.scores[1] = Some(-of_truth.max(1e-15).ln());
        m.scores[2] = Some(
            m.outputs
                .iter()
                .enumerate()
                .map(|(c, &p)| (f64::from(p) - f64::from(u8::from(c == latent.class))).powi(2))
                .sum(),
        );
    }
}

/// Counts of objects whose TP/(TP+FP+FN) is near the expected score.
fn segment(s: &Scenario, context: &Context, latent: &Latent, expected: f64, m: &mut Measurement) {
    // There is nothing in a surrogate, and nothing is found.
    let n = if m.view.kind == ViewKind::Surrogate {
        0.0
    } else {
        latent.objects
    };
    // Of n true objects some are found and as many are phantoms: AP = tp/(n + n − tp), so tp = 2nAP/(1 + AP).
    let wanted = 2.0 * n * expected / (1.0 + expected);
    let wobble = (2.0 * latent.luck - 1.0) * 0.25 * n;
    let tp = (wanted + wobble).round().clamp(0.0, n);
    m.pred_count = Some(n);
    if !s.truth {
        return;
    }
    let share = |of: f64| if n > 0.0 { of } else { 1.0 };
    let ap = share(tp / (2.0 * n - tp));
    for (column, score) in context.score_columns.iter().zip(&mut m.scores) {
        *score = Some(match column.name.as_str() {
            name if name.starts_with("tp_") => tp,
            "n_true" | "n_pred" => n,
            "sum_iou_50" => 0.8 * tp,
            "f1_50" => share(tp / n),
            "panoptic_quality" => share(0.8 * tp / n),
            "count_error" => 0.0,
            "intersection" | "n_true_px" => 100.0 * n,
            "union" => 120.0 * n,
            "n_pixels" => 65_536.0,
            _ => ap,
        });
    }
}

fn timings(s: &Scenario, items: &[ItemRecord]) -> Vec<Timing> {
    let mut stream = Stream::new(s.seed, "anatomy/simulate/timings", &[]);
    items
        .iter()
        .map(|i| {
            let total_s = s.seconds * (0.9 + 0.2 * stream.uniform());
            Timing {
                row: i.item.row,
                model_id: AUDITED.to_owned(),
                view_id: "identity".to_owned(),
                view_s: 0.0,
                inference_s: 0.8 * total_s,
                total_s,
            }
        })
        .collect()
}
