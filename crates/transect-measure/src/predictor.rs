//! What turns a view into a prediction: a session of a model or of a variant of it, or predictions made elsewhere.

use std::sync::Arc;

use transect_core::{
    AUDITED, Digest, Error, Fits, Image, Item, LabelImage, PIXEL_LAYERS, Prediction, Result, View,
    ViewKind, codes,
};
use transect_image::Limits;
use transect_model::{HeadSession, Session};

use crate::exchange::exchange;
use crate::job::{Job, Source};
use crate::measure_one::Frame;
use crate::pixels::{Drawn, kept};
use crate::predictions::Predictions;
use crate::variant;

/// One for each thread.
pub enum Predictor {
    /// A session of a model, and one of its head once that was needed.
    Session(Box<Session>, Option<HeadSession>),
    /// Predictions made elsewhere.
    Predictions(Arc<Predictions>, Limits),
    /// A variant that is no neural network.
    Builtin(variant::Builtin),
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

/// One image, as a predictor sees it.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The row.
    pub item: &'a Item,
    /// The view.
    pub view: &'a View,
    /// Its pixels.
    pub image: &'a Image,
    /// The second annotator's outlines, where there are any; only the variant `annotator` looks at them.
    pub second: Option<&'a LabelImage>,
}

impl Predictor {
    /// A predictor for one thread: of the audited model, or of the variant that `model` names.
    ///
    /// # Errors
    /// That the engine could not make a session; `T610` for a variant that there is not.
    pub fn new(job: &Job, model: &str, fits: &Fits) -> Result<Self> {
        match &job.source {
            _ if model != AUDITED => variant::predictor(job, model, fits),
            Source::Model(given) => Ok(Self::session(given.session()?)),
            Source::Predictions(given) => Ok(Self::Predictions(given.clone(), job.limits)),
            Source::None => Err(Error::new(
                &codes::measure::UNKNOWN_MODEL,
                "a run of images alone has no model",
            )),
        }
    }

    /// The predictor of a session.
    pub(crate) fn session(session: Session) -> Self {
        Self::Session(Box::new(session), None)
    }

    /// Whether its class probabilities are probabilities, and not a class named for certain.
    pub fn has_probabilities(&self) -> bool {
        match self {
            Self::Session(..) => true,
            Self::Predictions(given, _) => given.has_probabilities(),
            Self::Builtin(_) => false,
        }
    }

    /// The prediction for a view.
    ///
    /// # Errors
    /// Whatever the model or the predictions say.
    pub fn predict(&mut self, shown: &Shown<'_>) -> Result<Predicted> {
        let kind = shown.view.kind;
        match self {
            Self::Session(session, _) => {
                let embed = !matches!(kind, ViewKind::Corruption | ViewKind::Search);
                let output = session.predict(shown.image, embed)?;
                Ok(Predicted {
                    prediction: output.prediction,
                    embeddings: output.embeddings,
                    inference_s: output.inference_s,
                })
            }
            Self::Predictions(given, limits) if kind == ViewKind::Identity => Ok(Predicted {
                prediction: given.predict(shown.item, shown.image, limits)?,
                embeddings: Vec::new(),
                inference_s: 0.0,
            }),
            Self::Predictions(..) => Err(Error::new(
                &codes::measure::PREDICTIONS,
                "predictions made elsewhere are of the images themselves; this view has none",
            )
            .image(&shown.item.image)),
            Self::Builtin(builtin) => builtin.predict(shown),
        }
    }

    /// The prediction for an image, with what a decoder makes of some of its pixels beside the embeddings.
    ///
    /// # Errors
    /// As [`Predictor::predict`].
    pub(crate) fn predict_with_pixels(
        &mut self,
        shown: &Shown<'_>,
        drawn: &Drawn,
    ) -> Result<Predicted> {
        let Self::Session(session, _) = self else {
            return self.predict(shown);
        };
        let output = session.predict_with_pixels(shown.image, true, &drawn.places)?;
        let mut embeddings = output.embeddings;
        if let (Some(dense), Some(layer)) = (output.dense, session.model().dense_layer()) {
            let values = kept(drawn.places.len(), &dense.values);
            embeddings.push((format!("{PIXEL_LAYERS}{layer}"), values));
        }
        Ok(Predicted {
            prediction: output.prediction,
            embeddings,
            inference_s: output.inference_s,
        })
    }

    /// The prediction for a subspace swap, and the donor's row.
    ///
    /// # Errors
    /// `T611` for what is no model with a head; whatever the model says.
    pub(crate) fn exchange(
        &mut self,
        shown: &Shown<'_>,
        sha256: Digest,
        frame: &Frame<'_>,
    ) -> Result<(Predicted, u32)> {
        match self {
            Self::Session(session, head) => exchange(session, head, shown, sha256, frame),
            Self::Predictions(..) | Self::Builtin(_) => Err(Error::new(
                &codes::measure::VIEW_OF_MODEL,
                "only a model that is run has an embedding of which a part could be exchanged",
            )
            .image(&shown.item.image)),
        }
    }
}
