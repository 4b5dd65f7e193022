//! What is wrong with one field of outside input.

use std::fmt;

/// A value that was refused, with the place it stood at.
///
/// In the page it says nothing: the texts would outweigh their use there, and the edge, which reads every event again,
/// answers with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Where the value stood, as `events[3].properties.price`.
    #[cfg(feature = "serde")]
    pub path: String,
    /// What was wrong and what is expected, one sentence without a final stop.
    #[cfg(feature = "serde")]
    pub message: String,
}

#[cfg(feature = "serde")]
impl FieldError {
    /// Makes an error for `path`.
    pub fn new(path: impl AsRef<str>, message: impl AsRef<str>) -> Self {
        Self { path: path.as_ref().to_owned(), message: message.as_ref().to_owned() }
    }

    /// The same error seen from one level further out: `price` becomes `properties.price`.
    #[must_use]
    pub fn under(mut self, parent: &str) -> Self {
        let joint = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = [parent, joint, &self.path].concat();
        self
    }
}

#[cfg(not(feature = "serde"))]
impl FieldError {
    /// Makes an error.
    pub fn new(_: impl AsRef<str>, _: impl AsRef<str>) -> Self {
        Self {}
    }

    /// The same error seen from one level further out.
    #[must_use]
    pub fn under(self, _: &str) -> Self {
        self
    }
}

impl fmt::Display for FieldError {
    #[cfg(feature = "serde")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        f.write_str(": ")?;
        f.write_str(&self.message)
    }

    #[cfg(not(feature = "serde"))]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for FieldError {}

#[cfg(all(test, feature = "serde"))]
mod tests {
    use super::*;

    #[test]
    fn paths_nest_from_the_inside_out() {
        let error = FieldError::new("price", "must be a number").under("products[1]").under("properties");
        assert_eq!(error.to_string(), "properties.products[1].price: must be a number");
    }
}
