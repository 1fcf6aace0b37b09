//! What every model of the run made of the images themselves.

use std::collections::BTreeMap;

use transect_core::{Result, Status};
use transect_score::metric;
use transect_table::Filter;

use crate::study::{Seen, Study, Truth};

/// Answers of one model, by row.
pub(super) type Answers = BTreeMap<usize, Seen>;

/// Answers of every model but the audited one, whose are in the study.
pub(super) struct Models {
    by_name: BTreeMap<String, Answers>,
}

impl Models {
    pub(super) fn read(study: &Study<'_>) -> Result<Self> {
        let mut by_name: BTreeMap<String, Answers> = BTreeMap::new();
        study.tables.scan(&Filter::identity(), &mut |m| {
            let row = m.row as usize;
            let known = study.rows.get(row).is_some_and(|r| r.truth == Truth::Known);
            if study.model.as_ref() == Some(&m.model_id) || m.status != Status::Ok || !known {
                return Ok(());
            }
            by_name
                .entry(m.model_id.clone())
                .or_default()
                .entry(row)
                .or_insert_with(|| Seen::of(m));
            Ok(())
        })?;
        Ok(Self { by_name })
    }

    /// Answers of the model of this name.
    pub(super) fn of(&self, name: &str) -> Option<&Answers> {
        self.by_name.get(name)
    }

    /// Every model whose name begins so, in the order of the alphabet.
    pub(super) fn beginning(&self, prefix: &str) -> Vec<(&str, &Answers)> {
        self.by_name
            .iter()
            .filter(|(name, _)| name.starts_with(prefix))
            .map(|(name, answers)| (name.as_str(), answers))
            .collect()
    }

    /// Every model, in the order of the alphabet.
    pub(super) fn all(&self) -> Vec<(&str, &Answers)> {
        self.beginning("")
    }
}

/// Some rows under one model as the metrics take them; every row must be there.
pub(super) fn metric_rows(
    study: &Study<'_>,
    answers: &Answers,
    rows: &[usize],
) -> Result<metric::Rows> {
    let mut data = metric::Rows::new(study.context.task, study.context.classes.len());
    for i in rows {
        if let Some(seen) = answers.get(i) {
            data.push(
                study.rows[*i].truth_class,
                seen.pred_class,
                &seen.outputs,
                &seen.scores,
            )?;
        }
    }
    Ok(data)
}

/// Column of a score.
pub(super) fn column(study: &Study<'_>, name: &str) -> Option<usize> {
    study
        .context
        .score_columns
        .iter()
        .position(|c| c.name == name)
}

/// A score of an answer, where it has one.
pub(super) fn score(seen: &Seen, column: usize) -> Option<f64> {
    seen.scores
        .get(column)
        .copied()
        .flatten()
        .filter(|v| v.is_finite())
}
