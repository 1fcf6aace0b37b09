//! Subspace swaps: a part of an image's embedding is exchanged for a donor's inside the model.

use transect_core::{Digest, Error, Result, codes};
use transect_model::{HeadSession, Session};

use crate::measure_one::Frame;
use crate::predictor::{Predicted, Shown};

/// Predicts an image from x = x₂ + Σ w·q·(q·(x₁ − x₂)), where x₁ is its own embedding, x₂ that of the donor, and q with weights
/// w are the directions that the view keeps of the image itself ([`transect_core::Fits::kept_directions`]). With all
/// directions that is the image itself, with none the donor. Also gives the donor's row. Counts one forward pass, though only
/// the head is run where the image's embedding is among the fits.
///
/// # Errors
/// `T611` where the model has no head, the directions were not fitted, or the pool has no donor with an embedding.
pub(crate) fn exchange(
    session: &mut Session,
    head: &mut Option<HeadSession>,
    shown: &Shown<'_>,
    sha256: Digest,
    frame: &Frame<'_>,
) -> Result<(Predicted, u32)> {
    let not = |why: &str| {
        Error::new(&codes::measure::VIEW_OF_MODEL, why.to_owned()).image(&shown.item.image)
    };
    let view = shown.view;
    if head.is_none() {
        *head = session.model().head_session()?;
    }
    let (Some(head), Some(layer)) = (head, session.model().head_layer().map(str::to_owned)) else {
        return Err(not("the model cannot be run from its embedding on"));
    };
    let kept = frame
        .fits
        .kept_directions(&view.name, view.value as usize)
        .ok_or_else(|| not("the embedding has no such directions"))?;
    let donor = view
        .pool
        .as_ref()
        .and_then(|pool| frame.fits.pools.get(pool))
        .and_then(|pool| pool.donor(frame.context.seed, sha256, view.replicate))
        .ok_or_else(|| not("the pool has no other image"))?;
    let theirs = frame
        .fits
        .embeddings
        .get(&donor.row)
        .ok_or_else(|| not("the donor has no embedding"))?;
    let mut inference_s = 0.0;
    let own = if let Some(own) = frame.fits.embeddings.get(&shown.item.row) {
        own.clone()
    } else {
        let output = session.predict(shown.image, true)?;
        inference_s += output.inference_s;
        output
            .embeddings
            .into_iter()
            .find(|(name, _)| *name == layer)
            .map(|(_, values)| values)
            .ok_or_else(|| not("the image has no embedding"))?
    };
    let mixed = mix(&own, theirs, &kept)
        .ok_or_else(|| not("the embeddings and the directions differ in length"))?;
    let output = head.predict(&mixed, shown.image)?;
    Ok((
        Predicted {
            prediction: output.prediction,
            embeddings: Vec::new(),
            inference_s: inference_s + output.inference_s,
        },
        donor.row,
    ))
}

fn mix(own: &[f32], theirs: &[f32], kept: &[(f64, &[f64])]) -> Option<Vec<f32>> {
    if own.len() != theirs.len() || kept.iter().any(|(_, q)| q.len() != own.len()) {
        return None;
    }
    let step: Vec<f64> = own
        .iter()
        .zip(theirs)
        .map(|(a, b)| f64::from(*a) - f64::from(*b))
        .collect();
    let mut mixed: Vec<f64> = theirs.iter().map(|&v| f64::from(v)).collect();
    for (weight, direction) in kept {
        let along: f64 = direction.iter().zip(&step).map(|(q, s)| q * s).sum();
        for (value, q) in mixed.iter_mut().zip(*direction) {
            *value += weight * along * q;
        }
    }
    Some(mixed.into_iter().map(|v| v as f32).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_directions_give_the_image_and_none_the_donor() {
        let (own, theirs) = ([1.0_f32, -2.0, 5.0], [0.5_f32, 4.0, -1.0]);
        let h = std::f64::consts::FRAC_1_SQRT_2;
        let q = [[h, h, 0.0], [h, -h, 0.0], [0.0, 0.0, 1.0]];
        let all: Vec<(f64, &[f64])> = q.iter().map(|q| (1.0, &q[..])).collect();
        let whole = mix(&own, &theirs, &all).unwrap();
        assert!(whole.iter().zip(&own).all(|(a, b)| (a - b).abs() < 1e-6));
        assert_eq!(mix(&own, &theirs, &[]).unwrap(), theirs);
        let last = mix(&own, &theirs, &all[2..]).unwrap();
        assert_eq!(last, [0.5, 4.0, 5.0]);
        assert!(mix(&own, &theirs[..2], &[]).is_none());
    }
}
