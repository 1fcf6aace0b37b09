//! What turns a view into a prediction: a session of a model, or predictions made elsewhere.

use std::sync::Arc;

use transect_core::{Error, Image, Item, Prediction, Result, ViewKind, codes};
use transect_image::Limits;
use transect_model::Session;

use crate::job::Source;
use crate::predictions::Predictions;

/// One for each thread.
pub enum Predictor {
    /// A session of a model.
    Session(Box<Session>),
    /// Predictions made elsewhere.
    Predictions(Arc<Predictions>, Limits),
}

/// What came of one view.
#[derive(Debug)]
pub struct Predicted {
    /// The decoded prediction.
    pub prediction: Prediction,
    /// Embeddings by layer.
    pub embeddings: Vec<(String, Vec<f32>)>,
    /// Seconds in the engine.
    pub inference_s: f64,
}

impl Predictor {
    /// A predictor for one thread.
    ///
    /// # Errors
    /// That the engine could not make a session.
    pub fn new(source: &Source, limits: &Limits) -> Result<Self> {
        Ok(match source {
            Source::Model(model) => Self::Session(Box::new(model.session()?)),
            Source::Predictions(given) => Self::Predictions(given.clone(), *limits),
        })
    }

    /// Whether its class probabilities are probabilities, and not a class named for certain.
    pub fn has_probabilities(&self) -> bool {
        match self {
            Self::Session(_) => true,
            Self::Predictions(given, _) => given.has_probabilities(),
        }
    }

    /// The prediction for a view.
    ///
    /// # Errors
    /// Whatever the model or the predictions say.
    pub fn predict(&mut self, item: &Item, kind: ViewKind, image: &Image) -> Result<Predicted> {
        match self {
            Self::Session(session) => {
                let output = session.predict(image, kind != ViewKind::Corruption)?;
                Ok(Predicted {
                    prediction: output.prediction,
                    embeddings: output.embeddings,
                    inference_s: output.inference_s,
                })
            }
            Self::Predictions(given, limits) if kind == ViewKind::Identity => Ok(Predicted {
                prediction: given.predict(item, image, limits)?,
                embeddings: Vec::new(),
                inference_s: 0.0,
            }),
            Self::Predictions(..) => Err(Error::new(
                &codes::measure::PREDICTIONS,
                "predictions made elsewhere are of the images themselves; this view has none",
            )
            .image(&item.image)),
        }
    }
}
