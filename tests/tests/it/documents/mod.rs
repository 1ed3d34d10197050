//! What is written for people and other programs: JSON Schema, samples, the catalogue.

mod any;
mod catalogue;
mod json_schema;
mod zoo;
