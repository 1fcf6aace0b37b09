//! Physical pixel size, where a TIFF states it plainly.

use transect_core::PixelSize;

use super::directory::{Directory, File};
use super::tag;

/// Micrometres of a unit.
pub(super) fn micrometres(unit: &str) -> Option<f64> {
    match unit.trim() {
        "um" | "µm" | "μm" | "\\u00B5m" | "\\u00b5m" | "micron" | "microns" | "micrometer"
        | "micrometre" | "micrometers" => Some(1.0),
        "nm" | "nanometer" | "nanometre" => Some(1e-3),
        "mm" | "millimeter" | "millimetre" => Some(1e3),
        "cm" | "centimeter" | "centimetre" => Some(1e4),
        "m" | "meter" | "metre" => Some(1e6),
        "pm" => Some(1e-6),
        "Å" => Some(1e-4),
        "inch" | "in" => Some(25_400.0),
        _ => None,
    }
}

/// Resolutions coarser than this belong to printers, not to microscopes, and are not believed.
const COARSEST_UM: f64 = 10.0;

/// In this order: OME-XML, ImageJ's description, the resolution tags. OME-XML and ImageJ stand in the first directory.
pub(super) fn pixel_size(
    file: &File,
    directory: &Directory,
    first: &Directory,
) -> Option<PixelSize> {
    let description = first.text(file, tag::DESCRIPTION).unwrap_or_default();
    if super::ome::is(&description) {
        return super::ome::pixel_size(&description);
    }
    let resolution = |tag| {
        directory
            .rational(file, tag)
            .or_else(|| first.rational(file, tag))
            .filter(|v| v.is_finite() && *v > 0.0)
    };
    let (x, y) = (
        resolution(tag::X_RESOLUTION)?,
        resolution(tag::Y_RESOLUTION)?,
    );
    if description.starts_with("ImageJ=") {
        let field = |name: &str| {
            description
                .lines()
                .find_map(|l| l.strip_prefix(name)?.strip_prefix('='))
        };
        let unit = micrometres(field("unit")?)?;
        let spacing = field("spacing")
            .and_then(|s| s.trim().parse::<f64>().ok())
            .filter(|s| s.is_finite() && *s > 0.0);
        return Some(PixelSize {
            row_um: unit / y,
            column_um: unit / x,
            plane_um: spacing.map(|s| s * unit),
        });
    }
    let unit = match directory.one(file, tag::RESOLUTION_UNIT).ok().flatten() {
        Some(3) => 1e4,
        // Without the tag, the specification says inch.
        Some(2) | None => 25_400.0,
        Some(_) => return None,
    };
    let size = PixelSize {
        row_um: unit / y,
        column_um: unit / x,
        plane_um: None,
    };
    (size.row_um <= COARSEST_UM && size.column_um <= COARSEST_UM).then_some(size)
}
