//! Answers with a confidence: one for each image, object or sampled pixel, so that images and their parts share one path.

use transect_core::{Result, Role, Task};
use transect_stats::{Matrix, Units};
use transect_table::ElementKind;

use crate::study::{Study, Truth};

/// What is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The class of an image.
    Image,
    /// That there is an object, right where it matches one of the truth at IoU 0.5.
    Object,
    /// The class of a sampled pixel.
    Pixel,
}

impl Part {
    /// The part of a task.
    pub(crate) fn of(task: Task) -> Self {
        match task {
            Task::Classification => Self::Image,
            Task::Semantic => Self::Pixel,
            Task::Instance => Self::Object,
        }
    }

    /// One of them.
    pub(crate) fn one(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Object => "predicted object",
            Self::Pixel => "sampled pixel",
        }
    }

    /// One of them, as that which a number is per.
    pub(crate) fn each(self) -> &'static str {
        match self {
            Self::Image => "an image",
            Self::Object => "a predicted object",
            Self::Pixel => "a sampled pixel",
        }
    }

    /// Several of them.
    pub(crate) fn many(self) -> &'static str {
        match self {
            Self::Image => "images",
            Self::Object => "predicted objects",
            Self::Pixel => "sampled pixels",
        }
    }
}

/// Answers of one side whose truth is known, in the order of rows.
#[derive(Debug, Clone)]
pub(crate) struct Answers {
    /// What each answers.
    pub(crate) part: Part,
    /// The image of each.
    pub(crate) rows: Vec<usize>,
    /// Confidence in the answer, 0 to 1.
    pub(crate) confidence: Vec<f64>,
    /// Whether it is right.
    pub(crate) right: Vec<bool>,
    /// Probabilities that sum to 1: of the classes for images; of wrong and right for parts.
    pub(crate) probabilities: Matrix,
    /// Column of what is true.
    pub(crate) truth: Vec<u32>,
    /// Objects of the truth in these images, and those of them that were missed; 0 but for objects.
    pub(crate) objects: (usize, usize),
}

/// Answers of one side, before they are put into a matrix.
#[derive(Default)]
struct Found {
    rows: Vec<usize>,
    confidence: Vec<f64>,
    right: Vec<bool>,
    data: Vec<f64>,
    truth: Vec<u32>,
    objects: (usize, usize),
}

impl Answers {
    /// Answers that were given with a probability to images, objects or pixels of one side with truth. `None` where there is
    /// none.
    ///
    /// # Errors
    /// When a table cannot be read.
    pub(crate) fn of(study: &Study<'_>, role: Role) -> Result<Option<Self>> {
        let part = Part::of(study.context.task);
        let columns = if part == Part::Image {
            study.context.classes.len()
        } else {
            2
        };
        let found = if part == Part::Image {
            images(study, role)
        } else {
            parts(study, role)?
        };
        if found.rows.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            part,
            probabilities: Matrix::new(found.rows.len(), columns, found.data)?,
            rows: found.rows,
            confidence: found.confidence,
            right: found.right,
            truth: found.truth,
            objects: found.objects,
        }))
    }

    /// Number of answers.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Number of images with answers.
    pub(crate) fn images(&self) -> usize {
        let mut rows = self.rows.clone();
        rows.dedup();
        rows.len()
    }

    /// The units of some answers: the groups of their images, each image its own where none is named, so that parts of an
    /// image stay together.
    ///
    /// # Errors
    /// `T701` for no answers.
    pub(crate) fn units(&self, study: &Study<'_>, at: &[usize]) -> Result<Units> {
        let rows: Vec<usize> = at.iter().map(|&a| self.rows[a]).collect();
        if self.part == Part::Image {
            study.units(&rows)
        } else {
            study.units_of_parts(&rows)
        }
    }

    /// Images of wrong answers, the surest first, each once.
    pub(crate) fn surest_errors(&self, study: &Study<'_>, most: usize) -> Vec<String> {
        let mut wrong: Vec<usize> = (0..self.len()).filter(|&a| !self.right[a]).collect();
        wrong.sort_by(|&a, &b| {
            self.confidence[b]
                .total_cmp(&self.confidence[a])
                .then(a.cmp(&b))
        });
        let mut named: Vec<usize> = Vec::new();
        for at in wrong {
            if named.len() == most {
                break;
            }
            if !named.contains(&self.rows[at]) {
                named.push(self.rows[at]);
            }
        }
        named.into_iter().map(|row| study.image(row)).collect()
    }
}

/// Whether numbers are within 0 and 1 and sum to 1, to a rounding of 1e-3.
fn are_probabilities(outputs: &[f32]) -> bool {
    outputs.iter().all(|p| (0.0..=1.001).contains(p))
        && (outputs.iter().map(|&p| f64::from(p)).sum::<f64>() - 1.0).abs() <= 1e-3
}

fn images(study: &Study<'_>, role: Role) -> Found {
    let k = study.context.classes.len();
    let mut found = Found::default();
    for i in study.scored(role) {
        let row = &study.rows[i];
        let (Some(class), Some(seen)) = (row.truth_class, &row.seen) else {
            continue;
        };
        if class as usize >= k || seen.outputs.len() != k || !are_probabilities(&seen.outputs) {
            continue;
        }
        // Scaled to sum to 1 exactly.
        let sum: f64 = seen.outputs.iter().map(|&p| f64::from(p)).sum();
        let scaled = seen
            .outputs
            .iter()
            .map(|&p| (f64::from(p) / sum).clamp(0.0, 1.0));
        found.confidence.push(scaled.clone().fold(0.0, f64::max));
        found.data.extend(scaled);
        found.rows.push(i);
        found.right.push(row.score == Some(1.0));
        found.truth.push(class);
    }
    found
}

fn parts(study: &Study<'_>, role: Role) -> Result<Found> {
    let mut found = Found::default();
    let Some(model) = &study.model else {
        return Ok(found);
    };
    let mut parts: Vec<(usize, f64, bool)> = Vec::new();
    let objects = &mut found.objects;
    study.tables.scan_elements(model, &mut |e| {
        let i = e.row as usize;
        let known = study
            .rows
            .get(i)
            .is_some_and(|r| r.role == role && r.truth == Truth::Known && r.score.is_some());
        if e.view_id != "identity" || !known {
            return Ok(());
        }
        let right = match e.kind {
            ElementKind::Object => {
                objects.0 += usize::from(e.truth.is_some());
                objects.1 += usize::from(e.truth.is_some() && e.pred.is_none());
                if e.pred.is_none() {
                    return Ok(());
                }
                e.truth.is_some()
            }
            ElementKind::Pixel => match (e.truth, e.pred) {
                (Some(truth), Some(pred)) => truth == pred,
                _ => return Ok(()),
            },
        };
        if let Some(c) = e.confidence.filter(|c| (-1e-3..=1.001).contains(c)) {
            parts.push((i, f64::from(c).clamp(0.0, 1.0), right));
        }
        Ok(())
    })?;
    // By row; equals stay in the order of the table.
    parts.sort_by_key(|p| p.0);
    for (row, confidence, right) in parts {
        found.rows.push(row);
        found.confidence.push(confidence);
        found.right.push(right);
        found.data.extend([1.0 - confidence, confidence]);
        found.truth.push(u32::from(right));
    }
    Ok(found)
}
