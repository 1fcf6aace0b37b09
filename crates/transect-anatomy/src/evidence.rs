//! Queries that a reader can run over a run's tables: what findings rest on, in SQL.
//!
//! `measurements`, `elements`, `traces` and `timings` hold rows of every model of a run. So every query over them is made
//! here, and is of the audited model alone or has one line for each model; a test holds all findings to it.

use transect_core::finding::Evidence;
use transect_core::{Role, ViewKind};
use transect_table::embedding_file;

use crate::study::Study;
use crate::words::quoted;

/// The rows of the target, for queries with items as `i`.
pub(crate) const TARGET: &str = "i.role = 'target'";
/// Measurements and their items.
const MEASURED: &str = "'measurements.parquet' m JOIN 'items.parquet' i USING (row)";
/// Elements and their items.
const PARTS: &str = "'elements.parquet' e JOIN 'items.parquet' i USING (row)";

/// The rows of one side.
pub(crate) fn side(role: Role) -> &'static str {
    match role {
        Role::Target => TARGET,
        Role::Reference => "i.role = 'reference'",
    }
}

/// A query, and what it is of.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    model: Option<String>,
    view: String,
    what: String,
    from: &'static str,
    filters: Vec<String>,
    rows: Option<String>,
    by: Option<String>,
}

impl Query {
    /// `what` of the images themselves under the audited model: measurements as `m`, items as `i`.
    pub(crate) fn images(study: &Study<'_>, what: impl Into<String>) -> Self {
        let filters = vec![
            of_audited(study, "m"),
            "m.view_id = 'identity'".to_owned(),
            "m.status = 'ok'".to_owned(),
        ];
        Self::over(study, MEASURED, "identity", what, filters)
    }

    /// `what` of the images themselves for each model that saw them, in a line of its own.
    pub(crate) fn models(study: &Study<'_>, what: impl Into<String>) -> Self {
        let filters = vec![
            "m.view_id = 'identity'".to_owned(),
            "m.status = 'ok'".to_owned(),
        ];
        Self::over(study, MEASURED, "identity", what, filters).by("m.model_id")
    }

    /// `what` of views of one kind under the audited model: of one name, or of all for none.
    pub(crate) fn views(
        study: &Study<'_>,
        kind: ViewKind,
        name: Option<&str>,
        what: impl Into<String>,
    ) -> Self {
        let mut filters = vec![
            of_audited(study, "m"),
            format!("m.view_kind = {}", quoted(kind.word())),
        ];
        if let Some(name) = name {
            filters.push(format!("m.view_name = {}", quoted(name)));
        }
        filters.push("m.status = 'ok'".to_owned());
        let view = format!("{}:{}", kind.word(), name.unwrap_or_default());
        Self::over(study, MEASURED, view, what, filters)
    }

    /// `what` of the images themselves and of one corruption of them under the audited model.
    pub(crate) fn corruption(study: &Study<'_>, name: &str, what: impl Into<String>) -> Self {
        let filters = vec![
            of_audited(study, "m"),
            "m.status = 'ok'".to_owned(),
            format!(
                "(m.view_id = 'identity' OR m.view_kind = 'corruption' AND m.view_name = {})",
                quoted(name)
            ),
        ];
        Self::over(study, MEASURED, name, what, filters)
    }

    /// `what` of objects and pixels of the images themselves, where there is truth, under the audited model: elements as `e`,
    /// items as `i`.
    pub(crate) fn elements(study: &Study<'_>, what: impl Into<String>) -> Self {
        let filters = vec![
            of_audited(study, "e"),
            "e.view_id = 'identity'".to_owned(),
            "i.truth_kind <> 'none'".to_owned(),
        ];
        Self::over(study, PARTS, "identity", what, filters)
    }

    fn over(
        study: &Study<'_>,
        from: &'static str,
        view: impl Into<String>,
        what: impl Into<String>,
        filters: Vec<String>,
    ) -> Self {
        Self {
            model: study.model.clone(),
            view: view.into(),
            what: what.into(),
            from,
            filters,
            rows: None,
            by: None,
        }
    }

    /// Only rows where this holds; said in the evidence.
    pub(crate) fn rows(mut self, predicate: impl Into<String>) -> Self {
        self.rows = Some(predicate.into());
        self
    }

    /// Only the target.
    pub(crate) fn of_target(self) -> Self {
        self.rows(TARGET)
    }

    /// A further condition, of what is queried and not of the rows.
    pub(crate) fn and(mut self, predicate: impl Into<String>) -> Self {
        self.filters.push(predicate.into());
        self
    }

    /// A line for each value of these columns, which stand first, in their order.
    pub(crate) fn by(mut self, columns: impl Into<String>) -> Self {
        self.by = Some(columns.into());
        self
    }

    fn sql(&self) -> String {
        let conditions: Vec<&str> = self
            .filters
            .iter()
            .chain(&self.rows)
            .map(String::as_str)
            .collect();
        let (columns, lines) = match &self.by {
            Some(by) => (format!("{by}, "), " GROUP BY ALL ORDER BY ALL"),
            None => (String::new(), ""),
        };
        format!(
            "SELECT {columns}{} FROM {} WHERE {}{lines}",
            self.what,
            self.from,
            conditions.join(" AND ")
        )
    }
}

impl From<Query> for Evidence {
    fn from(query: Query) -> Self {
        Self {
            sql: Some(query.sql()),
            model: query.model,
            view: Some(query.view),
            rows: query.rows,
        }
    }
}

/// `what` of the target's images themselves under the audited model.
pub(crate) fn of_target(study: &Study<'_>, what: impl Into<String>) -> Evidence {
    Query::images(study, what).of_target().into()
}

/// The condition that a table's rows are of the audited model. No row is where no model was run.
fn of_audited(study: &Study<'_>, table: &str) -> String {
    format!(
        "{table}.model_id = {}",
        quoted(study.model.as_deref().unwrap_or_default())
    )
}

/// Rows that were not measured, by the code that says why. Classes that the model does not have are counted elsewhere.
pub(crate) fn not_measured(study: &Study<'_>) -> Evidence {
    Evidence {
        model: study.model.clone(),
        view: Some("identity".to_owned()),
        rows: None,
        sql: Some(format!(
            "SELECT coalesce(m.error_code, i.error_code, 'no code') AS code, count(*) FROM 'items.parquet' i LEFT JOIN 'measurements.parquet' m ON m.row = i.row AND m.view_id = 'identity' AND {} WHERE m.status IS DISTINCT FROM 'ok' AND NOT (i.truth_kind = 'class' AND i.truth_class IS NULL) GROUP BY code ORDER BY code",
            of_audited(study, "m")
        )),
    }
}

/// Share of the images that a search was run on whose answer it broke within `budget` forward passes, by this test of a step
/// `t` against the image itself `c`.
pub(crate) fn broken(study: &Study<'_>, view_id: &str, budget: u32, test: &str) -> Evidence {
    Evidence {
        model: study.model.clone(),
        view: Some(view_id.to_owned()),
        rows: Some(TARGET.to_owned()),
        sql: Some(format!(
            "SELECT avg(CAST(broken AS DOUBLE)) FROM (SELECT t.row, bool_or(coalesce({test}, false)) AS broken FROM 'traces.parquet' t JOIN 'traces.parquet' c USING (row, model_id, view_id) JOIN 'measurements.parquet' m USING (row, model_id, view_id) WHERE {} AND m.view_id = {} AND m.status = 'ok' AND c.query = 0 AND t.query <= {budget} GROUP BY t.row)",
            of_audited(study, "m"),
            quoted(view_id)
        )),
    }
}

/// Seconds of the images themselves under the audited model: median, 95th percentile and mean.
pub(crate) fn seconds(study: &Study<'_>) -> Evidence {
    Evidence {
        model: study.model.clone(),
        view: Some("identity".to_owned()),
        rows: None,
        sql: Some(format!(
            "SELECT median(t.total_s), quantile_cont(t.total_s, 0.95), avg(t.total_s) FROM 'timings.parquet' t WHERE t.view_id = 'identity' AND {}",
            of_audited(study, "t")
        )),
    }
}

/// Embeddings of the images themselves in one layer of the audited model, with the columns of their items; all of the
/// embedding's own for none.
pub(crate) fn embeddings(study: &Study<'_>, layer: &str, columns: &str) -> Evidence {
    let model = study.model.as_deref().unwrap_or_default();
    let comma = if columns.is_empty() { "" } else { ", " };
    Evidence {
        model: study.model.clone(),
        view: Some("identity".to_owned()),
        rows: None,
        sql: Some(format!(
            "SELECT e.*{comma}{columns} FROM {} e JOIN 'items.parquet' i USING (row) WHERE e.view_id = 'identity'",
            quoted(&embedding_file(model, layer))
        )),
    }
}

/// Share of answers that a moved style changes, by swap, pool of donors, domain and side, under the audited model.
pub(crate) fn style_swaps(study: &Study<'_>) -> Evidence {
    Evidence {
        model: study.model.clone(),
        view: Some("swap:style".to_owned()),
        rows: None,
        sql: Some(format!(
            "SELECT s.view_name, s.pool, i.domain, i.role, count(*), avg(CAST(s.pred_class <> m.pred_class AS DOUBLE)) AS flips FROM 'measurements.parquet' s JOIN 'measurements.parquet' m USING (row, model_id) JOIN 'items.parquet' i USING (row) WHERE {} AND m.view_id = 'identity' AND s.view_id LIKE 'swap:style%' AND s.status = 'ok' GROUP BY ALL ORDER BY ALL",
            of_audited(study, "s")
        )),
    }
}
