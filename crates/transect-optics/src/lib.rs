//! The virtual microscope: corruptions in physical units, attributes from pixels, scenes with known truth.
