//! The widest arithmetic that the processor has.

/// Runs a block compiled for AVX2 where the processor has it, and for what every processor of its kind has otherwise. What the
/// block uses is named with its type before it. Products and sums are never fused and their order is that of the source, so
/// the numbers are the same on all of them. Only what is inlined into the block gains.
macro_rules! wide {
    (|$($name:ident: $kind:ty),+| $block:block) => {{
        struct Block<'a> {
            $($name: $kind),+
        }
        impl<'a> pulp::WithSimd for Block<'a> {
            type Output = ();

            #[allow(clippy::inline_always, reason = "the block is compiled where it is called")]
            #[inline(always)]
            fn with_simd<S: pulp::Simd>(self, _: S) {
                let Self { $($name),+ } = self;
                $block
            }
        }
        pulp::Arch::new().dispatch(Block { $($name),+ });
    }};
}
pub(crate) use wide;
