//! Views: T500 to T599.
use super::codes;
codes! {
    /// A view that no corruption of this name can make.
    UNKNOWN_VIEW = "T501", Usage, "unknown corruption",
        "A plan names a corruption that this version does not have. `transect explain corruptions` lists them.";
    /// A value outside the range of the parameter.
    VIEW_VALUE = "T502", Value, "a view's value is out of range",
        "A view carries a physical value, such as 100 photons or a magnification of 0.5. The value is not a number, or outside the range that the corruption's page states (photons and magnification are over 0, JPEG quality is 1 to 100, falloff is 0 to 1, …).";
    /// A corruption or swap that this image cannot have.
    VIEW_UNSUPPORTED = "T503", Unsupported, "this view does not apply to this image",
        "Some views exist for some images only: JPEG for 8-bit images with one or three channels, a stain shift for red-green-blue images, a swap between images with the same number of channels. The measurement is skipped and counted; no image is converted in silence to make a view apply.";
    /// Defocus in micrometres without what it needs.
    OPTICS_UNKNOWN = "T504", Unsupported, "the microscope is not known well enough",
        "Defocus in micrometres needs the numerical aperture, the wavelength, the refractive index and the pixel size, all declared. Nothing is guessed: declare them, or let the run use the plain Gaussian blur in pixels.";
    /// No donor.
    NO_DONOR = "T505", Unsupported, "no donor for this image",
        "A swap moves a trait of the image to that of another image from a named pool. The pool does not exist among the fits, or it holds no image other than this one.";
    /// A trait that has no value on one of the two sides.
    TRAIT_UNKNOWN = "T506", Unsupported, "a trait could not be estimated",
        "A swap needs the trait's value on the image and on its donor. On one of them it could not be estimated: the image may be constant, tiny, or hold no object, or the two values are not of one sort (a scale from objects against one from texture).";
    /// An image that a view would make too large.
    VIEW_TOO_LARGE = "T507", Limits, "a view would be too large",
        "Magnifying this image would make more than 268,435,456 samples. The measurement is skipped and counted.";
}
