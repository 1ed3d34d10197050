//! The app.
/// An app.
#[derive(Debug)]
pub struct App;
