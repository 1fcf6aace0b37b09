//! Objects and sampled pixels with confidences whose worth is known.

use transect_core::{AUDITED, Status, Stream, Task, ViewKind};
use transect_table::{ElementKind, ElementRow, MemoryTables};

/// What the parts of every image are like. The default is honest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parts {
    /// Parts of an image.
    pub each: usize,
    /// Temperature that the stated confidence is sharpened by: 1 is calibrated, 0.3 is far too sure.
    pub temperature: f64,
    /// Share of parts that share their luck with the other parts of the image: how alike they are.
    pub alike: f64,
    /// One confidence for all, and the share that is wrong, instead of confidences that are drawn.
    pub fixed: Option<(f64, f64)>,
    /// Objects of the truth that are missed, for each part.
    pub missed: f64,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            each: 20,
            temperature: 1.0,
            alike: 0.2,
            fixed: None,
            missed: 0.1,
        }
    }
}

/// Gives every image that was measured its objects (instances) or sampled pixels (semantic).
pub fn plant(tables: &mut MemoryTables, parts: &Parts) {
    let pixels = tables.run.context.task == Task::Semantic;
    let seed = tables.run.context.seed;
    let mut made = Vec::new();
    for m in tables.measurements.iter().filter(|m| {
        m.view.kind == ViewKind::Identity && m.model_id == AUDITED && m.status == Status::Ok
    }) {
        let mut stream = Stream::new(
            seed,
            "anatomy/simulate/parts",
            &[&u64::from(m.row).to_le_bytes()],
        );
        let shared = stream.uniform();
        for part in 0..parts.each as u32 {
            let logit = 1.5 + 1.5 * stream.normal();
            let p = 1.0 / (1.0 + (-logit).exp());
            let own = stream.uniform();
            let luck = if stream.uniform() < parts.alike {
                shared
            } else {
                own
            };
            let (right, confidence) = match parts.fixed {
                Some((confidence, wrong)) => (luck >= wrong, confidence),
                None => (luck < p, 1.0 / (1.0 + (-logit / parts.temperature).exp())),
            };
            let row = ElementRow {
                row: m.row,
                image_sha256: m.image_sha256,
                model_id: m.model_id.clone(),
                view_id: m.view.id(),
                kind: if pixels {
                    ElementKind::Pixel
                } else {
                    ElementKind::Object
                },
                truth: match (pixels, right) {
                    (true, right) => Some(u32::from(right)),
                    (false, true) => Some(part + 1),
                    (false, false) => None,
                },
                pred: Some(if pixels { 1 } else { part + 1 }),
                confidence: Some(confidence as f32),
                iou: None,
                area_px: 1.0,
                place_px: [0.0, 0.0],
            };
            if !pixels && stream.uniform() < parts.missed {
                made.push(ElementRow {
                    truth: Some(1000 + part),
                    pred: None,
                    confidence: None,
                    ..row.clone()
                });
            }
            made.push(row);
        }
    }
    tables.elements = made;
}
