//! Arrays that models take and give, and the canonical block that transect works on.

pub use transect_image::npy::Tensor;

/// Samples in the order (channel, plane, row, column).
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// (channel, plane, row, column).
    pub shape: [usize; 4],
    /// The samples.
    pub data: Vec<f32>,
}

impl Block {
    /// A block of zeros.
    pub fn zeros(shape: [usize; 4]) -> Self {
        Self {
            shape,
            data: vec![0.0; shape.iter().product()],
        }
    }

    /// The first sample that is NaN or infinite.
    pub fn not_finite(&self) -> Option<f32> {
        // Without a way out of the loop, many samples are looked at in one step.
        let any = |some: &[f32]| some.iter().fold(false, |any, v| any | !v.is_finite());
        self.data
            .chunks(4096)
            .find(|some| any(some))?
            .iter()
            .copied()
            .find(|v| !v.is_finite())
    }

    /// The rows × columns samples of one channel in one plane.
    ///
    /// # Panics
    /// When there is no such channel or plane.
    pub fn plane(&self, channel: usize, plane: usize) -> &[f32] {
        let size = self.shape[2] * self.shape[3];
        let start = (channel * self.shape[1] + plane) * size;
        &self.data[start..start + size]
    }

    /// The samples of one channel.
    ///
    /// # Panics
    /// When there is no such channel.
    pub fn channel(&self, channel: usize) -> &[f32] {
        let size = self.shape[1] * self.shape[2] * self.shape[3];
        &self.data[channel * size..(channel + 1) * size]
    }
}
