//! Channels in random order, or some of them without what they show.

use transect_core::view::channel_group;
use transect_core::{Image, LabelImage, Result, Stream, View};

use super::{bad_value, level};
use crate::corruption::changed;
use crate::view::{Made, MakeContext, unsupported};

/// Channels in an order that is drawn once for the whole run.
pub(super) fn shuffled(
    image: &Image,
    truth: Option<&LabelImage>,
    context: &MakeContext<'_>,
) -> Result<Made> {
    let channels = image.channels();
    if channels < 2 {
        return Err(unsupported("one channel has no order"));
    }
    let mut order: Vec<usize> = (0..channels).collect();
    let mut stream = Stream::new(
        context.seed,
        "optics/channel_shuffled",
        &[&(channels as u64).to_le_bytes()],
    );
    // Some channel has to move.
    while order.iter().enumerate().all(|(i, &c)| i == c) {
        stream.shuffle(&mut order);
    }
    let size = image.samples().len() / channels;
    Ok(changed(image, truth, |channel, samples| {
        let from = order[channel] * size;
        samples.copy_from_slice(&image.samples()[from..from + size]);
    }))
}

/// The groups of an image's channels, and the one that the value names.
fn group(image: &Image, view: &View) -> Result<std::ops::Range<u32>> {
    let group = channel_group(image.channels() as u32, view.value as u32);
    if view.value < 0.0 || view.value.fract() != 0.0 || group.is_empty() {
        return Err(bad_value(view, "the number of a group of channels, from 0"));
    }
    Ok(group)
}

/// The channels of one group set to their own means.
pub(super) fn mean(image: &Image, truth: Option<&LabelImage>, view: &View) -> Result<Made> {
    let group = group(image, view)?;
    Ok(changed(image, truth, |channel, samples| {
        if group.contains(&(channel as u32)) {
            level(samples);
        }
    }))
}

/// All groups of channels but the `value` most used ones set to their own means.
pub(super) fn kept(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    context: &MakeContext<'_>,
) -> Result<Made> {
    let order = &context.fits.channel_order;
    if order.is_empty() {
        return Err(unsupported("which channels are used most is not known"));
    }
    if view.value < 0.0 || view.value.fract() != 0.0 || view.value > order.len() as f64 {
        return Err(bad_value(view, "a number of groups of channels"));
    }
    let kept: Vec<std::ops::Range<u32>> = order
        .iter()
        .take(view.value as usize)
        .map(|&g| channel_group(image.channels() as u32, g))
        .collect();
    Ok(changed(image, truth, |channel, samples| {
        if !kept.iter().any(|g| g.contains(&(channel as u32))) {
            level(samples);
        }
    }))
}
