//! The widest arithmetic that the processor has.

/// Runs a function compiled for AVX2 where the processor has it, and for what every processor of its kind has otherwise.
/// Products and sums are never fused and their order is that of the source, so the numbers are the same on all of them.
/// Only what is inlined into the function gains.
pub(crate) fn wide<R>(f: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(f)
}
