//! What the decoder makes of single pixels: values of the tensor that feeds the last convolution.

use crate::onnx::Graph;
use crate::session::Core;
use crate::spec::{AxisKind, Spec};
use crate::tensor::Tensor;

/// Values of [`crate::Model::dense_layer`] at some pixels of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense {
    /// Values of each pixel.
    pub channels: usize,
    /// Pixel after pixel, in the order in which they were asked for.
    pub values: Vec<f32>,
}

/// The dense layer of a model of maps whose output has rows before columns, as tensors of convolutions do.
pub(crate) fn layer(spec: &Spec, graph: &Graph) -> Option<String> {
    if spec.task == transect_core::Task::Classification {
        return None;
    }
    let place = |kind: AxisKind| spec.output.axes.iter().position(|a| a.kind == kind);
    (place(AxisKind::Y)? < place(AxisKind::X)?)
        .then(|| graph.dense_layer(&spec.output.graph_name))
        .flatten()
}

/// Reads values at pixels, tile by tile.
pub(crate) struct Reader<'a> {
    layer: &'a str,
    pixels: &'a [[usize; 2]],
    image: [usize; 2],
    channels: usize,
    values: Vec<f32>,
    read: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(layer: &'a str, pixels: &'a [[usize; 2]], image: [usize; 2]) -> Self {
        Self {
            layer,
            pixels,
            image,
            channels: 0,
            values: Vec::new(),
            read: 0,
        }
    }

    /// The tensor that is read.
    pub(crate) fn layer(&self) -> &'a str {
        self.layer
    }

    /// Reads the pixels that a tile holds, from its tensor of (1, channels, rows, columns).
    pub(crate) fn read(
        &mut self,
        tensor: &Tensor,
        cores: &[Core; 2],
        tile: [usize; 2],
        tiles: [usize; 2],
    ) {
        let [1, channels, rows, columns] = *tensor.shape.as_slice() else {
            return;
        };
        if channels == 0 || rows == 0 || columns == 0 {
            return;
        }
        if self.channels == 0 {
            self.channels = channels;
            self.values = vec![0.0; channels * self.pixels.len()];
        }
        if self.channels != channels {
            return;
        }
        let length = [rows, columns];
        for (pixel, out) in self.pixels.iter().zip(self.values.chunks_mut(channels)) {
            let mut at = [0; 2];
            let inside = (0..2).all(|axis| {
                let core = &cores[axis];
                let place = nearest(pixel[axis], self.image[axis], core.whole);
                let holder = (place / core.length.max(1)).min(tiles[axis] - 1);
                at[axis] = within(
                    core.first + place - holder * core.length,
                    core.of,
                    length[axis],
                );
                holder == tile[axis]
            });
            if inside {
                for (channel, value) in out.iter_mut().enumerate() {
                    *value = tensor.data[(channel * rows + at[0]) * columns + at[1]];
                }
                self.read += 1;
            }
        }
    }

    /// What was read; `None` where the tensor was no map, or some pixel was in no tile.
    pub(crate) fn finish(self) -> Option<Dense> {
        (self.channels > 0 && self.read == self.pixels.len()).then_some(Dense {
            channels: self.channels,
            values: self.values,
        })
    }
}

/// The pixel of an axis of `to` that holds the centre of a pixel of an axis of `from`.
fn nearest(pixel: usize, from: usize, to: usize) -> usize {
    ((2 * pixel + 1) * to / (2 * from.max(1))).min(to.saturating_sub(1))
}

/// The place in a tensor of `length` that an output of `of` pixels has at `pixel`: the last convolution keeps the middle of the
/// axis (its padding is the same on both sides) and enlarges or shrinks by a whole number.
fn within(pixel: usize, of: usize, length: usize) -> usize {
    let (pixel, of, length) = (pixel as i64, of.max(1) as i64, length as i64);
    let nearest_whole = |a: i64, b: i64| ((2 * a + b) / (2 * b)).max(1);
    let at = if length >= of {
        let step = nearest_whole(length, of);
        pixel * step + step / 2 + (length - of * step).div_euclid(2)
    } else {
        let step = nearest_whole(of, length);
        (pixel + (length * step - of).div_euclid(2)).div_euclid(step)
    };
    at.clamp(0, length - 1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_other_grids_are_the_nearest() {
        // The same grid, one twice as fine, one twice as coarse.
        assert_eq!(
            (0..4).map(|p| nearest(p, 4, 4)).collect::<Vec<_>>(),
            [0, 1, 2, 3]
        );
        assert_eq!(
            (0..4).map(|p| nearest(p, 4, 2)).collect::<Vec<_>>(),
            [0, 0, 1, 1]
        );
        assert_eq!((0..2).map(|p| nearest(p, 2, 4)).collect::<Vec<_>>(), [1, 3]);
        // Same size; a 3 × 3 convolution without padding; upsampling by two and by four with two pixels cut off each end.
        assert_eq!(
            (0..3).map(|p| within(p, 3, 3)).collect::<Vec<_>>(),
            [0, 1, 2]
        );
        assert_eq!(
            (0..30).map(|p| within(p, 30, 32)).collect::<Vec<_>>(),
            (1..31).collect::<Vec<_>>()
        );
        assert_eq!(
            (0..4).map(|p| within(p, 4, 2)).collect::<Vec<_>>(),
            [0, 0, 1, 1]
        );
        let cut: Vec<usize> = (0..12).map(|p| within(p, 12, 4)).collect();
        assert_eq!(cut, [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]);
        let cropped: Vec<usize> = (0..10).map(|p| within(p, 10, 6)).collect();
        assert_eq!(cropped, [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]);
    }
}
