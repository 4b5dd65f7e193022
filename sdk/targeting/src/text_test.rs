//! How texts are compared, and how long they may be.

/// Longest name of a trait, and longest text that one is compared with, in bytes.
pub(crate) const MAX_NAME: usize = 64;
pub(crate) const MAX_TEXT: usize = 512;
/// Longest ID of a product or category, in bytes.
pub(crate) const MAX_ID: usize = 128;
/// Most texts of one list.
pub(crate) const MAX_TEXTS: usize = 50;

/// How a text is compared, letter by letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextTest {
    /// It is one of these, of which there is one at least.
    OneOf(Vec<String>),
    /// It holds this somewhere.
    Contains(String),
    /// It begins with this.
    StartsWith(String),
    /// It is there, and not empty.
    Set,
}

impl TextTest {
    /// Whether it holds of a text; of none nothing holds.
    #[must_use]
    pub fn holds(&self, text: Option<&str>) -> bool {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return false };
        match self {
            Self::OneOf(all) => all.iter().any(|one| one == text),
            Self::Contains(part) => text.contains(part.as_str()),
            Self::StartsWith(start) => text.starts_with(start.as_str()),
            Self::Set => true,
        }
    }
}
