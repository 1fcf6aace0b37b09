//! A run, put together for the failure modes: items joined with what the model made of them.

use std::collections::BTreeMap;

use transect_core::{Context, Measurement, ModelId, Result, Role, Status, Task, TruthRef};
use transect_score::metric;
use transect_stats::{Settings, Units};
use transect_table::{Filter, Tables};

/// What is known of an image's truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// No truth was given.
    None,
    /// There is truth in the model's terms.
    Known,
    /// The truth is a class that the model does not have: counted apart, never scored.
    Outside,
}

/// What the model made of the image itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Whether it was measured.
    pub status: Status,
    /// Code of the error, where not.
    pub error_code: Option<String>,
    /// Predicted class.
    pub pred_class: Option<u32>,
    /// Predicted number of objects.
    pub pred_count: Option<f64>,
    /// Confidence.
    pub confidence: Option<f64>,
    /// Class probabilities; empty where there are none.
    pub outputs: Vec<f32>,
    /// Scores in the order of the run's score columns.
    pub scores: Vec<Option<f64>>,
}

impl Seen {
    /// What a measurement says.
    pub(crate) fn of(m: &Measurement) -> Self {
        Self {
            status: m.status,
            error_code: m.error_code.clone(),
            pred_class: m.pred_class,
            pred_count: m.pred_count,
            confidence: m.confidence,
            outputs: m.outputs.clone(),
            scores: m.scores.clone(),
        }
    }
}

/// One image of the study, with what it belongs to as indices.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Which side.
    pub role: Role,
    /// Index into [`Study::domains`].
    pub domain: Option<usize>,
    /// Group that is resampled: the manifest's group, or the image's content where no group was named, so that an image
    /// that is listed twice is not taken for two.
    pub group: usize,
    /// Index into [`Study::strata`]; 0 where none was named.
    pub stratum: usize,
    /// What is known of its truth.
    pub truth: Truth,
    /// Index of the true class, for classification.
    pub truth_class: Option<u32>,
    /// What the model made of it; `None` where nothing was recorded.
    pub seen: Option<Seen>,
    /// Score of this image, 0 to 1, higher is better; see [`primary_score`]. `None` where it was not scored.
    pub score: Option<f64>,
}

impl Row {
    /// Risk of this image: 1 − score.
    pub fn risk(&self) -> Option<f64> {
        self.score.map(|s| 1.0 - s)
    }
}

/// What became of the rows of one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Rows.
    pub rows: u64,
    /// Rows with a score.
    pub scored: u64,
    /// Rows that failed.
    pub failed: u64,
    /// Rows that were skipped, or that nothing was recorded of.
    pub skipped: u64,
    /// Rows whose truth is a class that the model does not have.
    pub outside: u64,
    /// Rows without truth.
    pub without_truth: u64,
}

/// A run, put together: what `judge` of a failure mode sees. It holds a few numbers for each item; views are scanned.
#[derive(Clone)]
pub struct Study<'a> {
    /// The tables, for what is scanned.
    pub tables: &'a dyn Tables,
    /// What was known of the run beforehand.
    pub context: &'a Context,
    /// The model that was audited: the first of the run. `None` where nothing was measured.
    pub model: Option<ModelId>,
    /// One for each item, at the index of its row.
    pub rows: Vec<Row>,
    /// Names of the domains, in the order of the alphabet.
    pub domains: Vec<String>,
    /// Names of the strata, in the order of the alphabet.
    pub strata: Vec<String>,
    /// Number of groups.
    pub groups: usize,
    /// Column of the score of one image, `None` where the run has none, and then no image has a score.
    pub score_column: Option<usize>,
}

/// Column of the score of one image: 0 to 1, higher is better. Risk is 1 − it.
///
/// Classification: `correct`, whether the class is right. Semantic: `iou`, the image's IoU. Instances:
/// `average_precision_50`, TP/(TP+FP+FN) at IoU 0.5. `None` where the run has no such column.
pub fn primary_score(context: &Context) -> Option<usize> {
    let wanted = match context.task {
        Task::Classification => "correct",
        Task::Semantic => "iou",
        Task::Instance => "average_precision_50",
    };
    context.score_columns.iter().position(|c| c.name == wanted)
}

/// The score of one image from a measurement's scores.
pub(crate) fn score_of(column: Option<usize>, scores: &[Option<f64>]) -> Option<f64> {
    scores
        .get(column?)
        .copied()
        .flatten()
        .filter(|s| s.is_finite())
}

/// Sorted names and the index of each.
fn names<'s>(all: impl Iterator<Item = Option<&'s str>>) -> (Vec<String>, BTreeMap<String, usize>) {
    let mut index: BTreeMap<String, usize> = BTreeMap::new();
    for name in all.flatten() {
        if !index.contains_key(name) {
            index.insert(name.to_owned(), 0);
        }
    }
    for (i, value) in index.values_mut().enumerate() {
        *value = i;
    }
    (index.keys().cloned().collect(), index)
}

impl<'a> Study<'a> {
    /// Joins items with the measurements of the images themselves.
    ///
    /// # Errors
    /// When a table cannot be read.
    pub fn new(tables: &'a dyn Tables) -> Result<Self> {
        let context = &tables.run().context;
        let items = tables.items();
        let (domains, domain_index) = names(items.iter().map(|i| i.item.domain.as_deref()));
        let (strata, stratum_index) = names(items.iter().map(|i| i.item.stratum.as_deref()));
        let mut group_index: BTreeMap<(u8, Vec<u8>), usize> = BTreeMap::new();
        let column = primary_score(context);
        let mut rows = Vec::with_capacity(items.len());
        for record in items {
            let item = &record.item;
            // A row without a group of its own stands for itself, by content; by its name where it could not be read.
            let key = match (&item.group, record.status) {
                (Some(group), _) => (0, group.as_bytes().to_vec()),
                (None, Status::Failed) => (2, item.row.to_le_bytes().to_vec()),
                (None, _) => (1, record.image_sha256.0.to_vec()),
            };
            let next = group_index.len();
            let group = *group_index.entry(key).or_insert(next);
            let truth = match &item.truth {
                TruthRef::None => Truth::None,
                TruthRef::Class(_) if record.truth_class.is_none() => Truth::Outside,
                TruthRef::Class(_) | TruthRef::Path(_) => Truth::Known,
            };
            rows.push(Row {
                role: item.role,
                domain: item
                    .domain
                    .as_ref()
                    .and_then(|d| domain_index.get(d).copied()),
                group,
                stratum: item
                    .stratum
                    .as_ref()
                    .and_then(|s| stratum_index.get(s).copied())
                    .unwrap_or(0),
                truth,
                truth_class: record.truth_class,
                seen: None,
                score: None,
            });
        }
        let mut model: Option<ModelId> = None;
        tables.scan(&Filter::identity(), &mut |m| {
            let model = model.get_or_insert_with(|| m.model_id.clone());
            let Some(row) = rows.get_mut(m.row as usize) else {
                return Ok(());
            };
            if *model != m.model_id || row.seen.is_some() {
                return Ok(());
            }
            if m.status == Status::Ok && row.truth == Truth::Known {
                row.score = score_of(column, &m.scores);
            }
            row.seen = Some(Seen::of(m));
            Ok(())
        })?;
        let groups = group_index.len();
        Ok(Self {
            tables,
            context,
            model,
            rows,
            domains,
            strata,
            groups,
            score_column: column,
        })
    }

    /// Rows of one side, in order.
    pub fn side(&self, role: Role) -> Vec<usize> {
        (0..self.rows.len())
            .filter(|&i| self.rows[i].role == role)
            .collect()
    }

    /// Rows of one side that have a score, in order.
    pub fn scored(&self, role: Role) -> Vec<usize> {
        (0..self.rows.len())
            .filter(|&i| self.rows[i].role == role && self.rows[i].score.is_some())
            .collect()
    }

    /// What became of one side.
    pub fn counts(&self, role: Role) -> Counts {
        let mut counts = Counts::default();
        for row in self.rows.iter().filter(|r| r.role == role) {
            counts.rows += 1;
            let status = row.seen.as_ref().map(|s| s.status);
            match (status, row.truth, row.score) {
                (_, Truth::Outside, _) => counts.outside += 1,
                (Some(Status::Failed), ..) | (Some(Status::Ok), Truth::Known, None) => {
                    counts.failed += 1;
                }
                (_, _, Some(_)) => counts.scored += 1,
                (Some(Status::Ok), Truth::None, None) => counts.without_truth += 1,
                (Some(Status::Skipped) | None, ..) => counts.skipped += 1,
            }
        }
        counts
    }

    /// Name of an image, as the manifest has it.
    pub fn image(&self, row: usize) -> String {
        self.tables
            .items()
            .get(row)
            .map(|i| i.item.image.clone())
            .unwrap_or_default()
    }

    /// The column of the score of one image in `measurements.parquet`.
    pub fn score_sql(&self) -> String {
        self.score_column.map_or_else(
            || "NULL".to_owned(),
            |column| format!("m.score_{}", self.context.score_columns[column].name),
        )
    }

    /// How many images of a query are scored, and their mean risk.
    pub(crate) fn risk_sql(&self) -> String {
        let score = self.score_sql();
        format!("count({score}) AS n, avg(1 - {score}) AS risk")
    }

    /// Whether groups were named, or some image is listed twice, so that rows are not each their own group.
    pub fn grouped(&self) -> bool {
        self.context.group.is_some() || self.groups < self.rows.len()
    }

    /// The units of inference of some rows: groups are resampled, strata are fixed.
    ///
    /// # Errors
    /// `T701` for no rows.
    pub fn units(&self, rows: &[usize]) -> Result<Units> {
        let groups: Vec<usize> = rows.iter().map(|&i| self.rows[i].group).collect();
        let strata: Vec<usize> = rows.iter().map(|&i| self.rows[i].stratum).collect();
        Units::new(
            rows.len(),
            self.grouped().then_some(groups.as_slice()),
            (self.strata.len() > 1).then_some(strata.as_slice()),
        )
    }

    /// The units of parts of images (objects, pixels), given the image of each: a group as it was named, else the image.
    ///
    /// # Errors
    /// `T701` for no rows.
    pub fn units_of_parts(&self, rows: &[usize]) -> Result<Units> {
        let groups: Vec<usize> = rows.iter().map(|&i| self.rows[i].group).collect();
        let strata: Vec<usize> = rows.iter().map(|&i| self.rows[i].stratum).collect();
        Units::new(
            rows.len(),
            Some(groups.as_slice()),
            (self.strata.len() > 1).then_some(strata.as_slice()),
        )
    }

    /// The same units without strata, for what compares sides as they are.
    ///
    /// # Errors
    /// `T701` for no rows.
    pub fn units_over_strata(&self, rows: &[usize]) -> Result<Units> {
        let groups: Vec<usize> = rows.iter().map(|&i| self.rows[i].group).collect();
        Units::new::<usize>(
            rows.len(),
            self.grouped().then_some(groups.as_slice()),
            None,
        )
    }

    /// Some rows as the metrics take them. Rows that were not measured are left out.
    ///
    /// # Errors
    /// `T205` when a measurement does not have the scores of the plan.
    pub fn metric_rows(&self, rows: &[usize]) -> Result<metric::Rows> {
        let mut data = metric::Rows::new(self.context.task, self.context.classes.len());
        for &i in rows {
            let row = &self.rows[i];
            if let Some(seen) = &row.seen {
                data.push(
                    row.truth_class,
                    seen.pred_class,
                    &seen.outputs,
                    &seen.scores,
                )?;
            }
        }
        Ok(data)
    }

    /// A stable key for random streams and an interval's settings for a finding of this id.
    pub fn settings(&self, id: &str) -> Settings {
        Settings::new(self.context.seed, format!("anatomy/{id}"))
    }

    /// Names of the domains of some rows, in the order of the alphabet, such as `D1 and D2`; `None` where no domain is
    /// named.
    pub fn domain_words(&self, rows: &[usize]) -> Option<String> {
        let mut present = vec![false; self.domains.len()];
        for &i in rows {
            if let Some(domain) = self.rows[i].domain {
                present[domain] = true;
            }
        }
        let names: Vec<&str> = self
            .domains
            .iter()
            .zip(&present)
            .filter(|(_, here)| **here)
            .map(|(name, _)| name.as_str())
            .collect();
        match names.as_slice() {
            [] => None,
            [one] => Some((*one).to_owned()),
            [first @ .., last] if names.len() <= 4 => {
                Some(format!("{} and {last}", first.join(", ")))
            }
            _ => Some(format!("{} domains", names.len())),
        }
    }
}
