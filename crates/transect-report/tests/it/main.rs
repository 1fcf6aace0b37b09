//! Integration tests of the report.

mod drawings;
mod fixture;
mod json;
mod markup;
mod page;
