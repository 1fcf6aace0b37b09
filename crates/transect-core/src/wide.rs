//! The widest arithmetic that the processor has.

/// Runs a block compiled for AVX2 where the processor has it, and for what every processor of its kind has otherwise.
///
/// What the block uses is named with its type before it, references with the lifetime `'a`. Products and sums are never
/// fused and their order is that of the source, so the numbers are the same on all processors. Only what is inlined into the
/// block gains.
///
/// ```
/// let (mut values, factor) = (vec![1.0_f32, 2.0, 3.0], 2.0);
/// let all = values.as_mut_slice();
/// transect_core::wide!(|all: &'a mut [f32], factor: f32| {
///     for value in all {
///         *value *= factor;
///     }
/// });
/// assert_eq!(values, [2.0, 4.0, 6.0]);
/// ```
#[macro_export]
macro_rules! wide {
    (|$($name:ident: $kind:ty),+| $block:block) => {{
        struct Block<'a> {
            $($name: $kind,)+
            lifetime: std::marker::PhantomData<&'a ()>,
        }
        impl<'a> $crate::pulp::WithSimd for Block<'a> {
            type Output = ();

            #[allow(clippy::inline_always, reason = "the block is compiled where it is called")]
            #[inline(always)]
            fn with_simd<S: $crate::pulp::Simd>(self, _: S) {
                let Self { $($name,)+ .. } = self;
                $block
            }
        }
        $crate::pulp::Arch::new().dispatch(Block {
            $($name,)+
            lifetime: std::marker::PhantomData,
        });
    }};
}
