//! Models that read where an image comes from: its style, its border, its domain.

use transect_core::{AUDITED, Role, Stream, TruthRef, ViewKind};
use transect_table::{EmbeddingRow, MemoryTables};

/// What is planted in a run of classification. The default plants nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Flaw {
    /// Share of the reference's (target's) images that are turned to class 0 (class 1): class and domain go together, and the
    /// model is as good as before.
    pub association: f64,
    /// Share of predictions that another domain's style turns to that domain's class (0 for the reference, 1 for the
    /// target), beyond what any change does: the shortcut.
    pub follows: f64,
    /// Share of predictions that another domain's style turns to any other class: no shortcut, but no robustness either.
    pub confuses: f64,
    /// Share of predictions that any change of style turns to any other class, the controls' too.
    pub fragile: f64,
    /// Share of images whose domain is memorised: they are answered with the class of the domain whose style they have; a random
    /// change leads to the other domain in half of the cases. The shortcut at its worst.
    pub memorises: f64,
    /// Share of images that any style far from their own (another domain's, or a random one as far) turns to the target's class.
    /// No shortcut.
    pub collapses: f64,
    /// Share of images that the model can say nothing of but the target's class where they look as those of the target do, at
    /// home, or under its style, or under a random style as far from the reference's. No shortcut: it knows the reference alone.
    pub lost: f64,
    /// Share of predictions that are drawn anew under another domain's style, from the shares of the predictions of all images.
    /// No shortcut.
    pub forgets: f64,
    /// Share of predictions that the target's style turns to the target's class, and a random change in half of the cases, while
    /// the reference's style changes nothing. It may go with the domain, or be a fall to one class: no shortcut that is shown.
    pub one_way: f64,
    /// Share of predictions that stay when only the border or nothing is left; the others are drawn at random.
    pub without_object: f64,
    /// Share of rows whose class is that of the other domain that the model gets wrong, beyond its other errors.
    pub conflicting: f64,
    /// Distance of the domains in an embedding of eight numbers, in its standard deviations; the classes are 3 apart. 0 makes
    /// no embedding.
    pub decodable: f64,
    /// Spread of what donors do: each donor multiplies the chances above by 1 ± this, evenly.
    pub donors: f64,
}

/// The class that goes with a side.
fn class_of(role: Role) -> u32 {
    u32::from(role == Role::Target)
}

/// Plants a flaw in the tables of a run of classification with reference and target.
pub fn plant(tables: &mut MemoryTables, flaw: &Flaw) {
    let seed = tables.run.context.seed;
    let stream = |row: u32, what: &str| {
        Stream::new(
            seed,
            "anatomy/simulate/shortcut",
            &[&row.to_le_bytes(), what.as_bytes()],
        )
    };
    let k = tables.run.context.classes.len() as u32;
    let roles: Vec<Role> = tables.items.iter().map(|i| i.item.role).collect();
    // Class and domain go together: one name is exchanged for another, in truth and in everything that is predicted.
    let mut renamed = vec![None; roles.len()];
    for record in &mut tables.items {
        let row = record.item.row;
        let Some(class) = record.truth_class else {
            continue;
        };
        let wanted = class_of(record.item.role);
        if wanted != class && stream(row, "class").uniform() < flaw.association {
            renamed[row as usize] = Some((class, wanted));
            record.truth_class = Some(wanted);
            record.item.truth =
                TruthRef::Class(tables.run.context.classes[wanted as usize].clone());
        }
    }
    let truth: Vec<Option<u32>> = tables.items.iter().map(|i| i.truth_class).collect();
    let mut said: Vec<Option<u32>> = vec![None; roles.len()];
    // What is said of the content, before the domain has its say.
    let mut content: Vec<Option<u32>> = vec![None; roles.len()];
    let of_image = |row: usize, what: &str, share: f64| stream(row as u32, what).uniform() < share;
    for m in &mut tables.measurements {
        let row = m.row as usize;
        if let Some((from, to)) = renamed[row] {
            m.pred_class = m.pred_class.map(|c| match c {
                c if c == from => to,
                c if c == to => from,
                c => c,
            });
            if m.outputs.len() > from.max(to) as usize {
                m.outputs.swap(from as usize, to as usize);
            }
        }
        if m.view.kind == ViewKind::Identity && m.model_id == AUDITED {
            let other = class_of(if roles[row] == Role::Target {
                Role::Reference
            } else {
                Role::Target
            });
            if truth[row] == Some(other)
                && stream(m.row, "conflicting").uniform() < flaw.conflicting
            {
                m.pred_class = Some(class_of(roles[row]));
            }
            content[row] = m.pred_class;
            let lost = roles[row] == Role::Target && of_image(row, "lost", flaw.lost);
            if m.pred_class.is_some() && (lost || of_image(row, "memory", flaw.memorises)) {
                m.pred_class = Some(class_of(roles[row]));
            }
            said[row] = m.pred_class;
        }
    }
    // How often a prediction is not yet the donor's class, so that the share that turns is the one that was asked for.
    let free = |role: Role| {
        let of: Vec<u32> = said
            .iter()
            .zip(&roles)
            .filter(|(_, r)| **r != role)
            .filter_map(|(c, _)| *c)
            .collect();
        let n = of.iter().filter(|&&c| c != class_of(role)).count();
        (n as f64 / of.len().max(1) as f64).max(1e-9)
    };
    let free = [free(Role::Reference), free(Role::Target)];
    let all: Vec<u32> = said.iter().copied().flatten().collect();
    for m in &mut tables.measurements {
        let row = m.row as usize;
        if m.model_id != AUDITED {
            continue;
        }
        let Some(own) = said[row] else { continue };
        let mut draw = stream(m.row, &m.view.id());
        let random = draw.below(k.max(2) as usize - 1) as u32;
        let other = (own + 1 + random) % k.max(2);
        let mut class = own;
        match (m.view.kind, m.view.name.as_str()) {
            (ViewKind::Swap, "style" | "style_random") => {
                let donor = m.donor_row.map_or(roles[row], |d| roles[d as usize]);
                let strength = m.donor_row.map_or(1.0, |d| {
                    1.0 + flaw.donors * (2.0 * stream(d, "donor").uniform() - 1.0)
                });
                let cross = m.view.name == "style" && donor != roles[row];
                let random = m.view.name == "style_random";
                let there = class_of(Role::Target);
                if cross && roles[row] == Role::Target && of_image(row, "lost", flaw.lost) {
                    class = content[row].unwrap_or(own);
                }
                if roles[row] == Role::Reference
                    && (cross || random)
                    && of_image(row, "lost", flaw.lost)
                {
                    class = there;
                }
                if (cross || random) && of_image(row, "collapse", flaw.collapses * strength) {
                    class = there;
                }
                let halfway = random && draw.uniform() < 0.5;
                if of_image(row, "one way", flaw.one_way)
                    && ((cross && donor == Role::Target) || halfway)
                {
                    class = there;
                }
                if of_image(row, "memory", flaw.memorises) {
                    class = class_of(match (cross, halfway, roles[row]) {
                        (true, _, _) => donor,
                        (false, true, Role::Target) => Role::Reference,
                        (false, true, Role::Reference) => Role::Target,
                        (false, false, own) => own,
                    });
                }
                if cross && draw.uniform() < flaw.forgets * strength {
                    class = all[draw.below(all.len())];
                }
                if draw.uniform() < flaw.fragile * strength {
                    class = other;
                }
                if cross && draw.uniform() < flaw.confuses * strength {
                    class = other;
                }
                let wanted = class_of(donor);
                if cross
                    && own != wanted
                    && draw.uniform() < flaw.follows / free[wanted as usize] * strength
                {
                    class = wanted;
                }
            }
            (ViewKind::Ablation, "border_only" | "blank") => {
                if draw.uniform() >= flaw.without_object {
                    class = draw.below(k as usize) as u32;
                }
            }
            (ViewKind::Ablation, _) => class = own,
            _ => continue,
        }
        m.pred_class = Some(class);
        if let (Some(score), Some(truth)) = (m.scores.first_mut(), truth[row]) {
            *score = Some(f64::from(u8::from(truth == class)));
        }
    }
    for m in &mut tables.measurements {
        if let (ViewKind::Identity, Some(score), Some(truth), Some(class)) = (
            m.view.kind,
            m.scores.first_mut(),
            truth[m.row as usize],
            m.pred_class,
        ) {
            *score = Some(f64::from(u8::from(truth == class)));
        }
    }
    if flaw.decodable > 0.0 {
        let rows = tables
            .items
            .iter()
            .map(|record| {
                let mut draw = stream(record.item.row, "embedding");
                let mut values: Vec<f32> = (0..8).map(|_| draw.normal() as f32).collect();
                if let Some(class) = record.truth_class {
                    values[class as usize % 4] += 3.0;
                }
                if record.item.role == Role::Target {
                    values[7] += flaw.decodable as f32;
                }
                EmbeddingRow {
                    row: record.item.row,
                    image_sha256: record.image_sha256,
                    view_id: "identity".to_owned(),
                    values,
                }
            })
            .collect();
        tables
            .embeddings
            .insert((AUDITED.to_owned(), "pool".to_owned()), rows);
    }
}
