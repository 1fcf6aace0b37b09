//! Variants of a model: its weights drawn anew, another threshold of its decoder.

use std::sync::{Arc, PoisonError};

use transect_core::codes::model as codes;
use transect_core::fit::Normalisation;
use transect_core::{Error, Image, Result};

use crate::engine::EngineSession;
use crate::model::{Model, choose};
use crate::onnx::Open;
use crate::options::{Decode, Normalise};
use crate::process::apply;
use crate::session::{prepare, to_tensor};
use crate::tensor::Tensor;
use crate::tile;

impl Model {
    /// Whether [`Model::reinitialised`] can be made.
    ///
    /// # Errors
    /// `T324` with the operator or tensor that forbids it.
    pub fn can_reinitialise(&self) -> Result<()> {
        self.inner.graph.can_reinitialise()
    }

    /// Number of layers that [`Model::estimate_normalisation`] goes through, in one pass each and image.
    pub fn normalisation_layers(&self) -> usize {
        self.inner.graph.normalisation_layers()
    }

    /// The same graph and specification with weights drawn anew: copy `copy` under a run's seed. What is drawn how stands in
    /// the documentation's page `Models`. `statistics` are those of [`Model::estimate_normalisation`].
    ///
    /// # Errors
    /// `T324` with the operator, tensor or missing statistic that forbids it; the engine's errors.
    pub fn reinitialised(
        &self,
        seed: u64,
        copy: u32,
        statistics: &[Normalisation],
    ) -> Result<Self> {
        let described = serde_json::to_vec(statistics).unwrap_or_default();
        let (seed_bytes, copy_bytes) = (seed.to_le_bytes(), copy.to_le_bytes());
        let what: [&[u8]; 4] = [b"reinit", &seed_bytes, &copy_bytes, &described];
        let wanted =
            transect_core::Digest::of_parts(std::iter::once(&self.fingerprint().0[..]).chain(what));
        // Workers that come to the same copy wait for the first of them to make it.
        let mut last = self
            .inner
            .copy
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = last.as_ref().filter(|m| m.fingerprint() == wanted) {
            return Ok(made.clone());
        }
        let mut graph = self.inner.graph.reinitialise(seed, copy, statistics)?;
        let untapped = Arc::new(graph.clone());
        for name in self.inner.embeddings.iter().chain(&self.inner.dense) {
            graph.tap(name)?;
        }
        let (engine, _) = choose(&self.inner.options, &graph)?;
        let made = self.derived(
            self.inner.spec.clone(),
            (untapped, Arc::from(engine)),
            self.inner.embeddings.clone(),
            &what,
        );
        *last = Some(made.clone());
        Ok(made)
    }

    /// Mean and variance that each `BatchNormalization` of copy `copy` meets on these images, taken together: what the
    /// layers before it give when they are normalised by their own. Layers are estimated one after the other, each in one
    /// pass over all images, so the result is that of one batch that holds them all; the variance is over all values
    /// (divisor n). Of an image that takes several tiles, the one in the middle counts. Empty for a graph without such
    /// layers.
    ///
    /// # Errors
    /// `T324` where weights cannot be drawn anew; those of [`crate::Session::predict`] where no image can be fed.
    pub fn estimate_normalisation(
        &self,
        seed: u64,
        copy: u32,
        images: &[Image],
    ) -> Result<Vec<Normalisation>> {
        let (graph, open) = self.inner.graph.reinitialise_open(seed, copy)?;
        if open.is_empty() {
            return Ok(Vec::new());
        }
        let (mut fed, mut refused) = (Vec::new(), None);
        for image in images {
            match feed(self, image) {
                Ok(tensor) => fed.push(tensor),
                Err(error) => refused = Some(error),
            }
        }
        if let (true, Some(error)) = (fed.is_empty(), refused) {
            return Err(error);
        }
        let (engine, _) = choose(&self.inner.options, &graph)?;
        let mut session = engine.session()?;
        estimate(
            session.as_mut(),
            &self.inner.spec.input.graph_name,
            &fed,
            &open,
        )
    }

    /// The threshold that decides on what an object or the foreground is: of the foreground map under decode `foreground`,
    /// of the interior map under `interior-boundary`. `None` for other decoders, which have none.
    pub fn threshold(&self) -> Option<f64> {
        let spec = &self.inner.spec;
        let value = match spec.decode {
            Decode::Foreground => spec.thresholds.foreground.unwrap_or(0.5),
            Decode::InteriorBoundary => spec.thresholds.interior.unwrap_or(0.5),
            _ => return None,
        };
        // The decimal that was declared, and not that of its nearest float.
        value.to_string().parse().ok()
    }

    /// The same model with another value of [`Model::threshold`]. It gives no embeddings, since they would be the same.
    ///
    /// # Errors
    /// `T309` where the decoder has no threshold, or the value does not lie between 0 and 1.
    pub fn with_threshold(&self, value: f64) -> Result<Self> {
        let mut spec = self.inner.spec.clone();
        let invalid = |why: &str| Error::new(&codes::SPEC_FIELD_INVALID, why.to_owned());
        if !(0.0..=1.0).contains(&value) {
            return Err(invalid("a threshold lies between 0 and 1"));
        }
        match spec.decode {
            Decode::Foreground => spec.thresholds.foreground = Some(value as f32),
            Decode::InteriorBoundary => spec.thresholds.interior = Some(value as f32),
            _ => return Err(invalid("the decoder has no threshold")),
        }
        Ok(self.derived(
            spec,
            (
                Arc::clone(&self.inner.graph),
                Arc::clone(&self.inner.engine),
            ),
            Vec::new(),
            &[b"threshold", &value.to_le_bytes()],
        ))
    }
}

/// The statistics of the open layers of a graph, one layer after the other.
pub(crate) fn estimate(
    session: &mut dyn EngineSession,
    input: &str,
    fed: &[Tensor],
    open: &[Open],
) -> Result<Vec<Normalisation>> {
    let mut done: Vec<Normalisation> = open
        .iter()
        .map(|layer| Normalisation {
            output: layer.output.clone(),
            mean: vec![0.0; layer.channels],
            variance: vec![1.0; layer.channels],
        })
        .collect();
    for (index, layer) in open.iter().enumerate() {
        let mut pooled = vec![Moments::default(); layer.channels];
        for tensor in fed {
            let mut inputs = vec![(input.to_owned(), tensor.clone())];
            for (layer, known) in open.iter().zip(&done) {
                for (name, values) in layer.inputs.iter().zip([&known.mean, &known.variance]) {
                    inputs.push((
                        name.clone(),
                        Tensor {
                            shape: vec![layer.channels],
                            data: values.clone(),
                        },
                    ));
                }
            }
            let results = session.run(inputs, std::slice::from_ref(&layer.tensor))?;
            let Some(tensor) = results.first() else {
                return Err(Error::new(
                    &codes::ENGINE_FAILED,
                    "the engine gave no output",
                ));
            };
            collect(tensor, &mut pooled, &layer.output)?;
        }
        done[index].mean = pooled.iter().map(|m| m.mean as f32).collect();
        done[index].variance = pooled.iter().map(|m| m.variance() as f32).collect();
    }
    Ok(done)
}

/// What is fed to the network for an image; of several tiles the one in the middle.
fn feed(model: &Model, image: &Image) -> Result<Tensor> {
    let spec = &model.inner.spec;
    let block = prepare(model, image)?;
    let plan = tile::plan(spec, block.shape[2], block.shape[3])?;
    let (row, column) = (plan[0].count / 2, plan[1].count / 2);
    let tile = if spec.normalise == Normalise::Whole {
        let mut whole = block.clone();
        apply(&mut whole, &spec.input.operations, Some(&block))?;
        tile::extract(&whole, &plan, row, column)
    } else {
        let mut tile = tile::extract(&block, &plan, row, column);
        apply(&mut tile, &spec.input.operations, None)?;
        tile
    };
    Ok(to_tensor(tile, &spec.input))
}

/// Count, mean and sum of squared deviations.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn of<'a>(values: impl Iterator<Item = &'a f32> + Clone) -> Self {
        let count = values.clone().count() as f64;
        let mean = values.clone().map(|&v| f64::from(v)).sum::<f64>() / count.max(1.0);
        let squares = values.map(|&v| (f64::from(v) - mean).powi(2)).sum();
        Self {
            count,
            mean,
            squares,
        }
    }

    /// Both samples together.
    fn with(self, other: Self) -> Self {
        let count = self.count + other.count;
        if count == 0.0 {
            return self;
        }
        let step = other.mean - self.mean;
        Self {
            count,
            mean: self.mean + step * other.count / count,
            squares: self.squares + other.squares + step * step * self.count * other.count / count,
        }
    }

    fn variance(self) -> f64 {
        self.squares / self.count.max(1.0)
    }
}

/// Adds a tensor of (batch, channel, …) to the moments of its channels.
fn collect(tensor: &Tensor, pooled: &mut [Moments], layer: &str) -> Result<()> {
    let channels = pooled.len();
    if tensor.shape.get(1) != Some(&channels) {
        return Err(Error::new(
            &codes::REINIT_UNSUPPORTED,
            format!(
                "the layer `{layer}` has {channels} channels and is given a tensor of shape {:?}",
                tensor.shape
            ),
        ));
    }
    let size: usize = tensor.shape[2..].iter().product();
    if size == 0 {
        return Ok(());
    }
    for (index, values) in tensor.data.chunks(size).enumerate() {
        let slot = &mut pooled[index % channels];
        *slot = slot.with(Moments::of(values.iter()));
    }
    if let Some(bad) = pooled
        .iter()
        .find(|m| !m.mean.is_finite() || !m.squares.is_finite())
    {
        return Err(Error::new(
            &codes::OUTPUT_NOT_FINITE,
            format!(
                "what the layer `{layer}` normalises has the mean {}",
                bad.mean
            ),
        ));
    }
    Ok(())
}
