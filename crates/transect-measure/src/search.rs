//! Searches for the worst case: one view, measured by a seeded sequence of forward passes that knows only what the model says.
//!
//! What is made small is the *objective*: for classes ln p(truth) − ln of the largest other p, below 0 where the prediction is
//! wrong; for areas the IoU; for objects the average precision at 0.5 (with a little of that over all thresholds and of the IoU of
//! the foreground, so that there is a slope to follow). *Found* is a prediction that is wrong, or a score that is at most half of
//! that of the image itself. A search stops when it has found; `natural` then walks back towards the image for as long as its
//! budget lasts. Steps that made it worse are kept as a trace, with one at a quarter of the budget and one at the end.

use transect_core::{Error, Item, Measurement, Prediction, Result, Stream, Task, View, codes};
use transect_optics::perturb::{Mark, Natural, marked, shifted};
use transect_score::{Rules, Truth};
use transect_table::TraceRow;

use crate::load::Loaded;
use crate::measure_one::{Frame, Measured, record};
use crate::predictor::{Predictor, Shown};

/// Score below which there is nothing to halve.
const LEAST_SCORE: f64 = 0.1;

/// Probabilities are taken to be at least this.
const LEAST_PROBABILITY: f64 = 1e-12;

/// Share of the budget after which a trace is kept, so that a search of a quarter of the budget can be read from it.
const CHECKPOINT: u32 = 4;

/// Searches for the worst view within the reach `view.value` in `view.budget` forward passes, and puts the worst one that was seen
/// into the measurement.
///
/// # Errors
/// `T612` where the image itself is wrong or has no truth, `T501` for a search that there is not; what the model says.
pub(crate) fn search(
    item: &Item,
    loaded: &Loaded,
    view: &View,
    predictor: &mut Predictor,
    frame: &Frame<'_>,
    out: &mut Measured,
) -> Result<()> {
    let nothing = |what: &str| {
        Error::new(&codes::measure::NOTHING_TO_LOSE, what.to_owned()).image(&item.image)
    };
    let Some(truth) = &loaded.truth else {
        return Err(nothing("the row has no truth"));
    };
    let mut state = State {
        item,
        loaded,
        truth,
        view,
        predictor,
        frame,
        out,
        clean: None,
        best: None,
        queries: 0,
    };
    let clean = state.look(&loaded.image)?;
    if clean.found || clean.score.is_none_or(|s| s < LEAST_SCORE) {
        return Err(nothing("the image itself is predicted wrongly"));
    }
    state.clean = clean.score;
    // The image itself belongs to what was seen, at distance 0; its pass is not one of the budget.
    state.queries = 0;
    state.keep(&clean, 0.0, Vec::new());
    state.best = Some(clean);
    let stream = Stream::new(
        frame.context.seed,
        "measure/search",
        &[&loaded.sha256.0, view.id().as_bytes()],
    );
    match view.name.as_str() {
        "natural" => state.natural(stream)?,
        "natural_random" => state.natural_random(stream)?,
        "patch" => state.patch(stream)?,
        "linf" => state.square(stream)?,
        "linf_random" => state.random_noise(stream)?,
        name => {
            return Err(Error::new(
                &codes::optics::UNKNOWN_VIEW,
                format!("unknown search `{name}`"),
            ));
        }
    }
    state.finish();
    Ok(())
}

/// One prediction on the way.
#[derive(Debug, Clone)]
struct Look {
    objective: f64,
    score: Option<f64>,
    found: bool,
    measurement: Measurement,
}

struct State<'a> {
    item: &'a Item,
    loaded: &'a Loaded,
    truth: &'a Truth,
    view: &'a View,
    predictor: &'a mut Predictor,
    frame: &'a Frame<'a>,
    out: &'a mut Measured,
    clean: Option<f64>,
    best: Option<Look>,
    queries: u32,
}

impl<'a> State<'a> {
    /// Predicts and scores one image; a forward pass of the budget.
    fn look(&mut self, image: &transect_core::Image) -> Result<Look> {
        let predicted = self.predictor.predict(&Shown {
            item: self.item,
            view: self.view,
            image,
            second: None,
        })?;
        self.queries += 1;
        self.out.timing.inference_s += predicted.inference_s;
        let mut measurement = Measurement {
            scores: vec![None; self.frame.context.score_columns.len()],
            ..self.out.measurement.clone()
        };
        record(
            &mut measurement,
            self.item,
            &predicted.prediction,
            Some(self.truth),
            self.predictor.has_probabilities(),
            &Rules::of(self.frame.context, image.pixel_size),
            self.frame.context,
        )?;
        let column = |name: &str| {
            let columns = &self.frame.context.score_columns;
            let index = columns.iter().position(|c| c.name == name)?;
            measurement.scores.get(index).copied().flatten()
        };
        let (objective, score, found) = if let (Prediction::Classes(classes), Truth::Class(class)) =
            (&predicted.prediction, self.truth)
        {
            let p = |index: usize| f64::from(classes.probabilities[index]).max(LEAST_PROBABILITY);
            let other = (0..classes.probabilities.len())
                .filter(|i| *i != *class as usize)
                .map(p)
                .fold(LEAST_PROBABILITY, f64::max);
            let correct = classes.class() == *class as usize;
            let margin = p(*class as usize).ln() - other.ln();
            (margin, Some(f64::from(u8::from(correct))), !correct)
        } else {
            let score = match self.frame.context.task {
                Task::Semantic => column("iou"),
                _ => column("average_precision_50"),
            };
            let slope = column("average_precision").unwrap_or(0.0) * 0.1
                + column("iou").unwrap_or(0.0) * 0.01;
            let found = match (score, self.clean) {
                (Some(score), Some(clean)) => score <= 0.5 * clean,
                _ => false,
            };
            (score.unwrap_or(f64::INFINITY) + slope, score, found)
        };
        Ok(Look {
            objective,
            score,
            found,
            measurement,
        })
    }

    fn spent(&self) -> bool {
        self.queries >= self.view.budget
    }

    /// A step of the trace.
    fn keep(&mut self, look: &Look, distance: f64, parameters: Vec<f64>) {
        self.out.traces.push(TraceRow {
            row: self.item.row,
            image_sha256: self.loaded.sha256,
            model_id: self.frame.model_id.to_owned(),
            view_id: self.view.id(),
            query: self.queries,
            objective: look.objective,
            score: look.score,
            pred_class: look.measurement.pred_class,
            pred_count: look.measurement.pred_count,
            distance,
            parameters,
        });
    }

    /// Looks at an image and keeps it where it is worse than all before; whether it was.
    fn try_one(
        &mut self,
        image: &transect_core::Image,
        distance: f64,
        parameters: &[f64],
    ) -> Result<Option<bool>> {
        let look = self.look(image)?;
        let worse = self
            .best
            .as_ref()
            .is_none_or(|best| look.objective < best.objective);
        let found = look.found;
        if worse {
            self.keep(&look, distance, parameters.to_vec());
            self.best = Some(look);
        }
        let quarter = self.view.budget / CHECKPOINT;
        if self.queries == quarter && !worse {
            self.mark();
        }
        Ok(worse.then_some(found))
    }

    /// The best so far, written again at the number of passes made now.
    fn mark(&mut self) {
        if let Some(mut last) = self.out.traces.last().cloned() {
            last.query = self.queries;
            self.out.traces.push(last);
        }
    }

    fn finish(&mut self) {
        if self
            .out
            .traces
            .last()
            .is_some_and(|t| t.query != self.queries)
        {
            self.mark();
        }
        if let Some(best) = self.best.take() {
            self.out.measurement = best.measurement;
        }
    }

    fn found(&self) -> bool {
        self.best.as_ref().is_some_and(|b| b.found)
    }

    /// The changes that `natural` and its control move in: the noise is the image's, the same for both.
    fn natural_changes(&self) -> Natural<'a> {
        let noise = Stream::new(
            self.frame.context.seed,
            "measure/search/noise",
            &[&self.loaded.sha256.0],
        );
        Natural::new(&self.loaded.image, self.frame.fits.variation, noise)
    }

    /// Every parameter alone to both ends of its reach; then steps around the worst so far, ever shorter; once found, back along
    /// the line to the image by halving, as long as it is found.
    fn natural(&mut self, mut stream: Stream) -> Result<()> {
        let natural = self.natural_changes();
        let active = natural.active();
        let reach = self.view.value;
        let mut worst = [0.0; 5];
        for axis in (0..5).filter(|a| active[*a]) {
            for sign in [1.0, -1.0] {
                // Blur and noise only grow.
                if self.spent() || self.found() || (sign < 0.0 && (axis == 2 || axis == 3)) {
                    continue;
                }
                let mut p = [0.0; 5];
                p[axis] = sign * reach;
                if self.try_one(&natural.apply(&p), reach, &p)?.is_some() {
                    worst = p;
                }
            }
        }
        while !self.spent() && !self.found() && active.contains(&true) {
            let left = f64::from(self.view.budget - self.queries) / f64::from(self.view.budget);
            let mut p = worst;
            for axis in (0..5).filter(|a| active[*a]) {
                let step = stream.normal() * reach * (0.2 + 0.8 * left);
                let low = if axis == 2 || axis == 3 { 0.0 } else { -reach };
                p[axis] = (p[axis] + step).clamp(low, reach);
            }
            if self.try_one(&natural.apply(&p), size(&p), &p)?.is_some() {
                worst = p;
            }
        }
        if self.found() {
            let (mut near, mut far) = (0.0, 1.0);
            let mut closest: Option<(Look, [f64; 5])> = None;
            for _ in 0..7 {
                if self.spent() {
                    break;
                }
                let middle = f64::midpoint(near, far);
                let p = worst.map(|w| w * middle);
                let look = self.look(&natural.apply(&p))?;
                if look.found {
                    far = middle;
                    closest = Some((look, p));
                } else {
                    near = middle;
                }
            }
            if let Some((look, p)) = closest {
                self.keep(&look, size(&p), p.to_vec());
                self.best = Some(look);
            }
        }
        Ok(())
    }

    /// Uniform draws from the box.
    fn natural_random(&mut self, mut stream: Stream) -> Result<()> {
        let natural = self.natural_changes();
        let active = natural.active();
        let reach = self.view.value;
        while !self.spent() && !self.found() && active.contains(&true) {
            let mut p = [0.0; 5];
            for axis in (0..5).filter(|a| active[*a]) {
                let u = stream.uniform();
                p[axis] = if axis == 2 || axis == 3 {
                    reach * u
                } else {
                    reach * (2.0 * u - 1.0)
                };
            }
            self.try_one(&natural.apply(&p), size(&p), &p)?;
        }
        Ok(())
    }

    /// One mark: half of the budget draws place, shape and colour anew; the other half moves the worst one. Parameters of the
    /// trace: row, column, height, width, colour of each channel.
    fn patch(&mut self, mut stream: Stream) -> Result<()> {
        let loaded = self.loaded;
        let image = &loaded.image;
        let (rows, columns) = (image.rows(), image.columns());
        let area = self.view.value * (rows * columns) as f64;
        let mut worst: Option<Mark> = None;
        while !self.spent() && !self.found() {
            let anew = self.queries < self.view.budget / 2;
            let mark = match &worst {
                Some(worst) if !anew => {
                    let mut mark = worst.clone();
                    let mut moved = |at: usize, length: usize, n: usize| -> usize {
                        let step = stream.normal() * n as f64 / 16.0;
                        (at as f64 + step).round().clamp(0.0, (n - length) as f64) as usize
                    };
                    mark.row = moved(mark.row, mark.height, rows);
                    mark.column = moved(mark.column, mark.width, columns);
                    if stream.uniform() < 0.3 {
                        for c in &mut mark.colour {
                            *c = stream.uniform().round();
                        }
                    }
                    mark
                }
                _ => {
                    // Between square and twice as long as wide, rounded down so that the area is never above the reach.
                    let ratio = 2.0_f64.powf(2.0 * stream.uniform() - 1.0);
                    let fit = |length: f64, n: usize| (length.floor() as usize).clamp(1, n);
                    let height = fit((area * ratio).sqrt(), rows);
                    let width = fit(area / height as f64, columns);
                    Mark {
                        row: stream.below(rows - height + 1),
                        column: stream.below(columns - width + 1),
                        height,
                        width,
                        colour: (0..image.channels())
                            .map(|_| match stream.below(4) {
                                0 => 0.0,
                                1 => 1.0,
                                _ => stream.uniform(),
                            })
                            .collect(),
                    }
                }
            };
            let share = (mark.height * mark.width) as f64 / (rows * columns) as f64;
            let mut parameters = vec![
                mark.row as f64,
                mark.column as f64,
                mark.height as f64,
                mark.width as f64,
            ];
            parameters.extend(&mark.colour);
            if self
                .try_one(&marked(image, &mark), share, &parameters)?
                .is_some()
            {
                worst = Some(mark);
            }
        }
        Ok(())
    }

    /// Square attack (Andriushchenko, Croce, Flammarion and Hein 2020): stripes of ± reach, then squares of ± reach whose side
    /// shrinks as the budget is spent; a step that is worse is kept. Parameters of the trace: the square's row, column and side.
    fn square(&mut self, mut stream: Stream) -> Result<()> {
        let loaded = self.loaded;
        let image = &loaded.image;
        let (rows, columns, channels) = (image.rows(), image.columns(), image.channels());
        let size = image.samples().len() / channels;
        let sign = |stream: &mut Stream| {
            if stream.uniform() < 0.5 {
                -1.0_f32
            } else {
                1.0
            }
        };
        let mut change = vec![0.0_f32; image.samples().len()];
        for channel in change.chunks_exact_mut(size) {
            let stripes: Vec<f32> = (0..columns).map(|_| sign(&mut stream)).collect();
            for line in channel.chunks_exact_mut(columns) {
                line.copy_from_slice(&stripes);
            }
        }
        let reach = self.view.value;
        if !self.spent() {
            // The stripes are the start whether worse or not.
            self.try_one(&shifted(image, &change, reach), reach, &[])?;
        }
        while !self.spent() && !self.found() {
            let done = f64::from(self.queries) / f64::from(self.view.budget);
            let share = 0.8 * schedule(done);
            let side = ((share * (rows * columns) as f64).sqrt().round() as usize)
                .clamp(1, rows.min(columns));
            let (row, column) = (
                stream.below(rows - side + 1),
                stream.below(columns - side + 1),
            );
            let mut tried = change.clone();
            for channel in tried.chunks_exact_mut(size) {
                let value = sign(&mut stream);
                for plane in channel.chunks_exact_mut(rows * columns) {
                    for line in plane.chunks_exact_mut(columns).skip(row).take(side) {
                        line[column..column + side].fill(value);
                    }
                }
            }
            let place = [row as f64, column as f64, side as f64];
            if self
                .try_one(&shifted(image, &tried, reach), reach, &place)?
                .is_some()
            {
                change = tried;
            }
        }
        Ok(())
    }

    /// Draws of ± reach for every sample by itself.
    fn random_noise(&mut self, mut stream: Stream) -> Result<()> {
        let loaded = self.loaded;
        let image = &loaded.image;
        let reach = self.view.value;
        while !self.spent() && !self.found() {
            let mut change = vec![0.0_f32; image.samples().len()];
            for block in change.chunks_mut(64) {
                let bits = stream.bits();
                for (i, c) in block.iter_mut().enumerate() {
                    *c = if bits >> i & 1 == 1 { 1.0 } else { -1.0 };
                }
            }
            self.try_one(&shifted(image, &change, reach), reach, &[])?;
        }
        Ok(())
    }
}

/// The largest of the parameters' sizes.
fn size(p: &[f64; 5]) -> f64 {
    p.iter().fold(0.0, |a, v| a.max(v.abs()))
}

/// Share of the side² of a square after this share of the budget: the halvings of the paper, for a budget of any length.
fn schedule(done: f64) -> f64 {
    match done {
        d if d < 0.001 => 1.0,
        d if d < 0.005 => 0.5,
        d if d < 0.02 => 0.25,
        d if d < 0.05 => 0.125,
        d if d < 0.1 => 1.0 / 16.0,
        d if d < 0.2 => 1.0 / 32.0,
        d if d < 0.4 => 1.0 / 64.0,
        d if d < 0.6 => 1.0 / 128.0,
        d if d < 0.8 => 1.0 / 256.0,
        _ => 1.0 / 512.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_only_shrink() {
        let shares: Vec<f64> = (0..=100).map(|i| schedule(f64::from(i) / 100.0)).collect();
        assert!(shares.windows(2).all(|w| w[0] >= w[1]));
        assert!(shares[0] == 1.0 && shares[100] < 0.01);
    }
}
