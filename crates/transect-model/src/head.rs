//! A model from its embedding on: what is left to run when a part of the embedding was exchanged.

use std::sync::Arc;

use transect_core::codes::model as codes;
use transect_core::{Error, Image, Result, Task};

use crate::engine::{Engine, EngineSession};
use crate::model::{Model, choose};
use crate::session::{Output, finish, fixed, from_tensor, prepare, to_tensor};
use crate::spec::{AxisKind, Size};
use crate::tensor::{Block, Tensor};

/// How far the head may be from the whole model on the probe, relative to the largest output.
const TOLERANCE: f32 = 1e-5;

/// The part of a model behind an embedding that is one vector for each image.
#[derive(Debug)]
pub(crate) struct Head {
    layer: String,
    /// Shape of the embedding in the graph: one axis is longer than 1 at most.
    shape: Vec<usize>,
    engine: Arc<dyn Engine>,
}

/// The head of a model with an engine's session of its own.
pub struct HeadSession {
    model: Model,
    engine: Box<dyn EngineSession>,
}

impl std::fmt::Debug for HeadSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HeadSession")
            .field("layer", &self.model.head_layer())
            .finish_non_exhaustive()
    }
}

impl Model {
    /// The first embedding from which on the model can be run by itself: a classifier's, one vector for each image, and what
    /// follows depends on nothing else. Found by one forward pass on zeros, when it is first asked for.
    pub fn head_layer(&self) -> Option<&str> {
        self.head().map(|head| head.layer.as_str())
    }

    /// Length of the embedding at [`Model::head_layer`].
    pub fn head_length(&self) -> Option<usize> {
        self.head().map(|head| head.shape.iter().product())
    }

    fn head(&self) -> Option<&Head> {
        self.inner
            .head
            .get_or_init(|| {
                self.inner
                    .embeddings
                    .iter()
                    .find_map(|layer| find(self, layer).ok().flatten())
            })
            .as_ref()
    }

    /// A session of the part behind the embedding; `None` for a model without [`Model::head_layer`].
    ///
    /// # Errors
    /// `T322` when the engine cannot make one.
    pub fn head_session(&self) -> Result<Option<HeadSession>> {
        let Some(head) = self.head() else {
            return Ok(None);
        };
        Ok(Some(HeadSession {
            model: self.clone(),
            engine: head.engine.session()?,
        }))
    }
}

impl HeadSession {
    /// What the model says of an image whose embedding is this one. The image is needed only where postprocessing looks
    /// at the input.
    ///
    /// # Errors
    /// `T335` where the embedding has another length; those of [`crate::Session::predict`].
    pub fn predict(&mut self, embedding: &[f32], image: &Image) -> Result<Output> {
        let inner = Arc::clone(&self.model.inner);
        let Some(head) = self.model.head() else {
            return Err(Error::new(&codes::ENGINE_FAILED, "the model has no head"));
        };
        let length: usize = head.shape.iter().product();
        if embedding.len() != length {
            return Err(Error::new(
                &codes::OUTPUT_SHAPE,
                format!(
                    "the embedding has {} values, the model's {length}",
                    embedding.len()
                ),
            ));
        }
        let block = prepare(&self.model, image)?;
        let tensor = Tensor {
            shape: head.shape.clone(),
            data: embedding.to_vec(),
        };
        let start = (inner.clock)();
        let results = self.engine.run(
            vec![(head.layer.clone(), tensor)],
            std::slice::from_ref(&inner.spec.output.graph_name),
        )?;
        let inference_s = (inner.clock)() - start;
        let output = results
            .into_iter()
            .next()
            .ok_or_else(|| Error::new(&codes::ENGINE_FAILED, "the engine gave no output"))?;
        let output = from_tensor(output, &inner.spec.output)?;
        let prediction = finish(&inner.spec, output, &block, [image.rows(), image.columns()])?;
        Ok(Output {
            prediction,
            embeddings: Vec::new(),
            inference_s,
            passes: 1,
            fed: None,
            dense: None,
        })
    }
}

/// The head behind a layer, checked on one pass of zeros.
fn find(model: &Model, layer: &str) -> Result<Option<Head>> {
    let inner = &model.inner;
    let spec = &inner.spec;
    let output = &spec.output.graph_name;
    if spec.task != Task::Classification || inner.graph.head(layer, output, &[1]).is_none() {
        return Ok(None);
    }
    let axis = |kind| match spec.input.axis(kind).map(|a| &a.size) {
        Some(Size::Step { min, .. }) => *min,
        _ => fixed(spec.input.axis(kind)).unwrap_or(1),
    };
    let [rows, columns] = spec
        .resize
        .as_ref()
        .map_or([axis(AxisKind::Y), axis(AxisKind::X)], |r| r.size);
    let zeros = Block::zeros([model.input_channels(), axis(AxisKind::Z), rows, columns]);
    let fed = (spec.input.graph_name.clone(), to_tensor(zeros, &spec.input));
    let mut session = inner.engine.session()?;
    let whole = session.run(vec![fed], &[layer.to_owned(), output.clone()])?;
    let [embedding, whole] = whole.as_slice() else {
        return Ok(None);
    };
    if embedding.shape.iter().filter(|&&n| n > 1).count() > 1 {
        return Ok(None);
    }
    let Some(graph) = inner.graph.head(layer, output, &embedding.shape) else {
        return Ok(None);
    };
    let (engine, _) = choose(&inner.options, &graph)?;
    let head = engine.session()?.run(
        vec![(layer.to_owned(), embedding.clone())],
        std::slice::from_ref(output),
    )?;
    let same = head.first().is_some_and(|head| {
        let scale = whole.data.iter().fold(1.0_f32, |m, v| m.max(v.abs()));
        head.shape == whole.shape
            && head
                .data
                .iter()
                .zip(&whole.data)
                .all(|(a, b)| (a - b).abs() <= TOLERANCE * scale)
    });
    Ok(same.then(|| Head {
        layer: layer.to_owned(),
        shape: embedding.shape.clone(),
        engine: Arc::from(engine),
    }))
}
