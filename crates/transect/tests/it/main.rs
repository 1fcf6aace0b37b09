//! Tests of the whole program.

mod layers;
