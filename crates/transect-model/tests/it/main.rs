//! Integration tests of transect-model.

mod published;
