//! Predicted masks as run lengths.

use transect_core::{Digest, LabelImage, Result};

/// One predicted label image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskRow {
    /// Manifest row.
    pub row: u32,
    /// Content of the image.
    pub image_sha256: Digest,
    /// Model.
    pub model_id: String,
    /// View, by its id.
    pub view_id: String,
    /// Height in pixels.
    pub rows: u32,
    /// Width in pixels.
    pub columns: u32,
    /// Pairs of (label, length) in row-major order; the lengths sum to rows × columns.
    pub runs: Vec<u32>,
}

impl MaskRow {
    /// The run lengths of a label image.
    pub fn runs_of(mask: &LabelImage) -> Vec<u32> {
        let mut runs: Vec<u32> = Vec::new();
        for &label in mask.labels() {
            match runs.len().checked_sub(2) {
                Some(last) if runs[last] == label => runs[last + 1] += 1,
                _ => runs.extend([label, 1]),
            }
        }
        runs
    }

    /// The label image.
    ///
    /// # Errors
    /// `T102` when the runs do not fill the image.
    pub fn to_labels(&self) -> Result<LabelImage> {
        let size = self.rows as usize * self.columns as usize;
        let mut labels = Vec::with_capacity(size);
        for pair in self.runs.chunks_exact(2) {
            let length = (pair[1] as usize).min(size + 1 - labels.len().min(size));
            labels.extend(std::iter::repeat_n(pair[0], length));
        }
        LabelImage::new(self.rows as usize, self.columns as usize, labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_give_the_mask_back_and_lies_are_refused() {
        let mask = LabelImage::new(2, 3, vec![0, 0, 7, 7, 7, 0]).unwrap();
        let mut row = MaskRow {
            row: 0,
            image_sha256: Digest::default(),
            model_id: "given".into(),
            view_id: "identity".into(),
            rows: 2,
            columns: 3,
            runs: MaskRow::runs_of(&mask),
        };
        assert_eq!(row.runs, [0, 2, 7, 3, 0, 1]);
        assert_eq!(row.to_labels().unwrap(), mask);
        row.runs = vec![1, u32::MAX, 2, u32::MAX];
        assert!(row.to_labels().is_err());
    }
}
