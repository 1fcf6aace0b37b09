//! Swaps inside the model: does the prediction follow the main directions of the embedding and nothing else?

use std::collections::BTreeMap;

use transect_core::figure::{Drawing, Point, Series};
use transect_core::{Better, Figure, Finding, Result, Role, Status, ViewKind};
use transect_stats::mean;
use transect_table::Filter;

use super::{FEWEST, Measured, answer, own_answers};
use crate::opinion::{Opinion, not_assessable, with_estimate};
use crate::study::Study;
use crate::words::{self, Form};

/// What became of the swaps of one image that keep so many directions.
#[derive(Default)]
struct Swaps {
    /// Whether the prediction stayed with the image when its main directions were kept.
    top: Vec<f64>,
    /// The same with random directions of the same variance.
    random: Vec<f64>,
}

pub(super) fn judge(study: &Study<'_>, opinion: &mut Opinion) -> Result<()> {
    let id = "collapse.subspace";
    let measured = Measured::of(study);
    let own = own_answers(study, measured.as_ref());
    // By number of directions kept, then by image.
    let mut swaps: BTreeMap<u32, BTreeMap<usize, Swaps>> = BTreeMap::new();
    let filter = Filter {
        model: study.model.clone(),
        kind: Some(ViewKind::Subspace),
        name: None,
    };
    study.tables.scan(&filter, &mut |m| {
        let (row, Some(donor)) = (m.row as usize, m.donor_row) else {
            return Ok(());
        };
        let told =
            study.rows.get(row).is_some_and(|r| r.role == Role::Target) && m.status == Status::Ok;
        let (Some(Some(mine)), Some(Some(theirs))) = (own.get(row), own.get(donor as usize)) else {
            return Ok(());
        };
        // Where both images get the same answer nothing can be told.
        if !told || mine.is(*theirs) {
            return Ok(());
        }
        let Some(said) = answer(measured.as_ref(), m.pred_class, m.pred_count, &m.scores) else {
            return Ok(());
        };
        let stayed = f64::from(u8::from(said.is(*mine)));
        let of = swaps
            .entry(m.view.value as u32)
            .or_default()
            .entry(row)
            .or_default();
        if m.view.name == "top" {
            of.top.push(stayed);
        } else {
            of.random.push(stayed);
        }
        Ok(())
    })?;
    let (mut top_points, mut random_points) = (Vec::new(), Vec::new());
    for (rank, by_row) in &swaps {
        let whole: Vec<(usize, f64, f64)> = by_row
            .iter()
            .filter(|(_, s)| !s.top.is_empty() && !s.random.is_empty())
            .map(|(&row, s)| {
                let of = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
                (row, of(&s.top), of(&s.random))
            })
            .collect();
        if whole.len() < FEWEST {
            continue;
        }
        let rows: Vec<usize> = whole.iter().map(|w| w.0).collect();
        let units = study.units(&rows)?;
        let id = format!("{id}[rank={rank}]");
        let average = |of: &dyn Fn(&(usize, f64, f64)) -> f64| {
            whole.iter().map(of).sum::<f64>() / whole.len() as f64
        };
        let difference: Vec<f64> = whole.iter().map(|w| w.1 - w.2).collect();
        let e = mean(&difference, &units, &study.settings(&id).range(-1.0, 1.0))?;
        let (kept, by_chance) = (average(&|w| w.1), average(&|w| w.2));
        let mut finding = Finding::new(&id);
        finding.claim = format!(
            "With {} of the embedding kept and the rest taken from an image with another answer, {} of {} keep their answer; with random directions of the same variance {}: {} more.",
            words::counted(*rank as usize, "main direction", "main directions"),
            words::percent(kept),
            words::images(rows.len()),
            words::percent(by_chance),
            Form::Points.estimate(&e)
        );
        finding.unit = String::from("fraction");
        finding.evidence.model.clone_from(&study.model);
        finding.evidence.view = Some("subspace".to_owned());
        let mut finding = with_estimate(finding, &e, study);
        finding.better = Better::Neither;
        finding.caveats.push("described: f(Px₁ + P⊥x₂) follows x₁ alone where the model reads only the directions P; donors are drawn from the target and taken as fixed".to_owned());
        opinion.drafts.push(finding.into());
        let point = |values: Vec<f64>, key: &str| -> Result<Point> {
            let e = mean(
                &values,
                &units,
                &study.settings(&format!("{id}/{key}")).range(0.0, 1.0),
            )?;
            Ok(Point {
                x: f64::from(*rank),
                y: e.estimate,
                low: words::bound(e.low),
                high: words::bound(e.high),
            })
        };
        top_points.push(point(whole.iter().map(|w| w.1).collect(), "top")?);
        random_points.push(point(whole.iter().map(|w| w.2).collect(), "random")?);
    }
    if top_points.is_empty() {
        opinion.drafts.push(
            not_assessable(
                id,
                "Whether predictions follow the main directions of the embedding alone was not assessed: too few images had parts of their embeddings exchanged.",
                "a model that can be run from its embedding on, at least the standard plan, and at least 20 target images with another answer than their donor",
            )
            .into(),
        );
        return Ok(());
    }
    opinion.figures.push(Figure {
        id: id.to_owned(),
        mode: "collapse".to_owned(),
        title: "Does the prediction follow a few directions of the embedding?".to_owned(),
        caption: "Share of images that keep their answer when so many directions of their embedding are kept and the rest is taken from an image with another answer: the main directions, and random ones of the same variance; 95% intervals.".to_owned(),
        drawing: Drawing::Curve {
            x: "directions kept".to_owned(),
            y: "share that keep their answer".to_owned(),
            log_x: false,
            series: vec![
                Series {
                    label: "main directions".to_owned(),
                    points: top_points,
                },
                Series {
                    label: "random directions of the same variance".to_owned(),
                    points: random_points,
                },
            ],
            x_marks: Vec::new(),
            y_marks: Vec::new(),
        },
    });
    Ok(())
}
