//! One file for each command.

pub(crate) mod audit;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod explain;
pub(crate) mod gather;
pub(crate) mod inspect;
pub(crate) mod manifest;
pub(crate) mod predict;
