//! Which channels the predictions use, how many suffice, and whether they use space or spectrum.

use std::collections::BTreeMap;

use transect_core::figure::{Drawing, Point, Series};
use transect_core::view::channel_group;
use transect_core::{Better, Figure, Finding, Result, Role, Status, ViewKind};
use transect_stats::{Estimate, mean, rate, simultaneous_means};
use transect_table::Filter;

use super::{FEWEST, Measured, SUFFICIENT, answer, groups, own_answers};
use crate::drawn::bounded;
use crate::opinion::{Opinion, not_assessable, with_estimate};
use crate::study::Study;
use crate::words::{self, Form};

/// Views by what they take away: name, number, whether it is a swap.
type Key = (String, u32, bool);

/// Whether the prediction changed, by view and image.
type Changes = BTreeMap<Key, BTreeMap<usize, bool>>;

fn changes(study: &Study<'_>) -> Result<Changes> {
    let measured = Measured::of(study);
    let own = own_answers(study, measured.as_ref());
    let mut made = Changes::new();
    for (kind, names) in [
        (
            ViewKind::Ablation,
            &[
                "channels_mean",
                "channels_kept",
                "pixel_shuffled",
                "channel_shuffled",
            ][..],
        ),
        (ViewKind::Swap, &["channels"][..]),
    ] {
        for name in names {
            let filter = Filter {
                model: study.model.clone(),
                kind: Some(kind),
                name: Some((*name).to_owned()),
            };
            study.tables.scan(&filter, &mut |m| {
                let said = answer(measured.as_ref(), m.pred_class, m.pred_count, &m.scores);
                if let (Status::Ok, Some(said), Some(Some(mine))) =
                    (m.status, said, own.get(m.row as usize))
                {
                    made.entry((
                        m.view.name.clone(),
                        m.view.value as u32,
                        kind == ViewKind::Swap,
                    ))
                    .or_default()
                    .insert(m.row as usize, !mine.is(said));
                }
                Ok(())
            })?;
        }
    }
    Ok(made)
}

/// `channel 2`, `channels 4 to 7`, counted from 0.
fn group_words(channels: u32, group: u32) -> String {
    let range = channel_group(channels, group);
    if range.len() == 1 {
        format!("channel {}", range.start)
    } else {
        format!("channels {} to {}", range.start, range.end - 1)
    }
}

pub(super) fn judge(study: &Study<'_>, opinion: &mut Opinion) -> Result<()> {
    let changes = changes(study)?;
    if study.context.channels < 2 {
        let what = if study.context.channels == 1 {
            "the images have one channel"
        } else {
            "the number of channels is not known"
        };
        opinion.drafts.push(
            not_assessable(
                "collapse.channel_use",
                format!("Which channels the predictions use was not assessed: {what}."),
                "images of several channels",
            )
            .into(),
        );
        return Ok(());
    }
    let used = use_of_each(study, &changes, opinion)?;
    if !used {
        opinion.drafts.push(
            not_assessable(
                "collapse.channel_use",
                "Which channels the predictions use was not assessed: too few images were shown to the model without each of them.",
                "a model (not predictions), at least the standard plan, and at least 20 images",
            )
            .into(),
        );
    }
    sufficient(study, &changes, opinion)?;
    space_or_spectrum(study, &changes, opinion)
}

/// Share of predictions that change without each group of channels.
fn use_of_each(study: &Study<'_>, changes: &Changes, opinion: &mut Opinion) -> Result<bool> {
    let groups = groups(study.context);
    let key = |g: u32| ("channels_mean".to_owned(), g, false);
    let rows: Vec<usize> = (0..study.rows.len())
        .filter(|i| (0..groups).all(|g| changes.get(&key(g)).is_some_and(|c| c.contains_key(i))))
        .collect();
    if rows.len() < FEWEST || groups < 2 {
        return Ok(false);
    }
    let columns: Vec<Vec<f64>> = (0..groups)
        .map(|g| {
            rows.iter()
                .map(|i| f64::from(u8::from(changes[&key(g)][i])))
                .collect()
        })
        .collect();
    let id = "collapse.channel_use";
    let units = study.units(&rows)?;
    let together = simultaneous_means(&columns, &units, &study.settings(id).range(0.0, 1.0))?;
    let mut lines = Vec::new();
    for g in 0..groups {
        let place = g as usize;
        let (e, (low, high)) = (&together.estimates[place], together.intervals[place]);
        let name = group_words(study.context.channels, g);
        let mut finding = Finding::new(format!("{id}[group={g}]"));
        let swapped = changes
            .get(&("channels".to_owned(), g, true))
            .map(|c| {
                let of: Vec<bool> = c.values().copied().collect();
                (of.iter().filter(|&&v| v).count(), of.len())
            })
            .filter(|(_, n)| *n >= FEWEST)
            .map_or(String::new(), |(hits, n)| {
                format!(
                    "; with those of another image {} of {n}",
                    words::percent(hits as f64 / n as f64)
                )
            });
        finding.claim = format!(
            "Without {name} (set to their own means) {} of the predictions on {} change (simultaneous 95% interval {}){swapped}.",
            words::percent(e.estimate),
            words::images(rows.len()),
            Form::Percent.range(low, high)
        );
        finding.unit = String::from("fraction");
        finding.evidence.model.clone_from(&study.model);
        finding.evidence.view = Some(format!("ablation:channels_mean={g}"));
        let mut finding = with_estimate(finding, e, study);
        finding.better = Better::Neither;
        finding.interval = (low.is_finite() && high.is_finite()).then_some([low, high]);
        finding.interval_method = Some(together.method.clone());
        finding
            .caveats
            .push("described; a change is another class, or a number that moves by a fifth or more; what two groups both tell, neither is missed for".to_owned());
        lines.push(bounded(name, e.estimate, (low, high), e.n));
        opinion.drafts.push(finding.into());
    }
    opinion.figures.push(Figure {
        id: id.to_owned(),
        mode: "collapse".to_owned(),
        title: "Which channels the predictions use".to_owned(),
        caption: "Share of predictions that change when a group of neighbouring channels is set to its own means; 95% intervals that hold together. Channels are counted from 0.".to_owned(),
        drawing: Drawing::Bars {
            x: "share of predictions that change".to_owned(),
            rows: lines,
        },
    });
    Ok(true)
}

/// The fewest groups of channels that keep the predictions.
fn sufficient(study: &Study<'_>, changes: &Changes, opinion: &mut Opinion) -> Result<()> {
    let id = "collapse.channels_sufficient";
    let groups = groups(study.context);
    let key = |k: u32| ("channels_kept".to_owned(), k, false);
    let rows: Vec<usize> = (0..study.rows.len())
        .filter(|i| {
            groups > 1
                && (1..groups).all(|k| changes.get(&key(k)).is_some_and(|c| c.contains_key(i)))
        })
        .collect();
    if rows.len() < FEWEST {
        return Ok(());
    }
    let units = study.units(&rows)?;
    let mut kept: Vec<(u32, Estimate)> = Vec::new();
    for k in 1..groups {
        let same: Vec<bool> = rows.iter().map(|i| !changes[&key(k)][i]).collect();
        let settings = study.settings(&format!("{id}[{k}]")).range(0.0, 1.0);
        kept.push((k, rate(&same, &units, &settings)?));
    }
    // All groups keep everything. Going down one by one, as long as the share kept is shown to be large enough: a fixed
    // sequence, so that no correction is needed.
    let mut shown = groups;
    for (k, e) in kept.iter().rev() {
        if e.enough && e.lower(0.95) >= SUFFICIENT {
            shown = *k;
        } else {
            break;
        }
    }
    let seen = kept
        .iter()
        .find(|(_, e)| e.estimate >= SUFFICIENT)
        .map_or(groups, |(k, _)| *k);
    let mut finding = Finding::new(id);
    finding.claim = format!(
        "{} of {groups} groups of channels keep {} of the predictions on {}, as seen; {} are shown to (lower 95% bound).",
        seen,
        words::percent(SUFFICIENT),
        words::images(rows.len()),
        shown
    );
    finding.estimate = Some(f64::from(seen));
    finding.unit = String::from("groups of channels");
    finding.n = rows.len() as u64;
    finding.better = Better::Neither;
    finding.evidence.model.clone_from(&study.model);
    finding.evidence.view = Some("ablation:channels_kept".to_owned());
    let elsewhere = rows.iter().all(|&i| study.rows[i].role == Role::Target)
        && changes
            .get(&("channels_mean".to_owned(), 0, false))
            .is_some_and(|c| c.keys().all(|&i| study.rows[i].role == Role::Reference));
    finding.caveats.push(if elsewhere {
        "the order of the groups was taken from reference images, the shares from the target"
            .to_owned()
    } else {
        "the order of the groups was taken from these same images, so the shares are somewhat too high".to_owned()
    });
    finding.caveats.push(
        "described; the other groups are set to their own means, which a model may take for an odd image"
            .to_owned(),
    );
    opinion.drafts.push(finding.into());
    opinion.figures.push(Figure {
        id: id.to_owned(),
        mode: "collapse".to_owned(),
        title: "How many groups of channels suffice".to_owned(),
        caption: "Share of predictions that stay when only the most used groups of channels are kept and the others are set to their own means; 95% intervals.".to_owned(),
        drawing: Drawing::Curve {
            x: "groups of channels kept".to_owned(),
            y: "share of predictions that stay".to_owned(),
            log_x: false,
            series: vec![Series {
                label: "target".to_owned(),
                points: kept
                    .iter()
                    .map(|(k, e)| Point {
                        x: f64::from(*k),
                        y: e.estimate,
                        low: words::bound(e.low),
                        high: words::bound(e.high),
                    })
                    .collect(),
            }],
            x_marks: Vec::new(),
            y_marks: vec![(SUFFICIENT, "suffices".to_owned())],
        },
    });
    Ok(())
}

/// Whether the predictions change more without the arrangement of pixels or without that of channels.
fn space_or_spectrum(study: &Study<'_>, changes: &Changes, opinion: &mut Opinion) -> Result<()> {
    let id = "collapse.space_or_spectrum";
    let of = |name: &str| changes.get(&(name.to_owned(), 0, false));
    let (Some(pixels), Some(channels)) = (of("pixel_shuffled"), of("channel_shuffled")) else {
        return Ok(());
    };
    let rows: Vec<usize> = pixels
        .keys()
        .copied()
        .filter(|i| channels.contains_key(i))
        .collect();
    if rows.len() < FEWEST {
        return Ok(());
    }
    let share = |c: &BTreeMap<usize, bool>| -> f64 {
        rows.iter().filter(|i| c[i]).count() as f64 / rows.len() as f64
    };
    let number = |b: bool| f64::from(u8::from(b));
    let difference: Vec<f64> = rows
        .iter()
        .map(|i| number(pixels[i]) - number(channels[i]))
        .collect();
    let e = mean(
        &difference,
        &study.units(&rows)?,
        &study.settings(id).range(-1.0, 1.0),
    )?;
    let mut finding = Finding::new(id);
    finding.claim = format!(
        "With its pixels in random order {} of the predictions on {} change, with its channels in random order {}: {} more; {}.",
        words::percent(share(pixels)),
        words::images(rows.len()),
        words::percent(share(channels)),
        Form::Points.estimate(&e),
        if e.low > 0.0 {
            "the model reads space more than spectrum"
        } else if e.high < 0.0 {
            "the model reads spectrum more than space"
        } else {
            "neither is shown to matter more"
        }
    );
    finding.unit = String::from("fraction");
    finding.evidence.model.clone_from(&study.model);
    finding.evidence.view = Some("ablation:pixel_shuffled".to_owned());
    let mut finding = with_estimate(finding, &e, study);
    finding.better = Better::Neither;
    finding.caveats.push(
        "described; both orders are far from any image that the model was made for".to_owned(),
    );
    opinion.drafts.push(finding.into());
    Ok(())
}
