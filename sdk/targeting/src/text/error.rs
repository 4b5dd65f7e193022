//! What is wrong with a text, and where.

use std::fmt;

use strsim::damerau_levenshtein;

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextError {
    /// Characters before the place, from 0.
    pub at: usize,
    /// What is wrong there, and what to write instead.
    pub message: String,
}

impl fmt::Display for TextError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "at character {}: {}", self.at + 1, self.message)
    }
}

/// The known word that a word was probably meant to be: the one with the fewest letters added, left out, changed or exchanged, if
/// these are no more than a third.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let near = known.map(|known| (damerau_levenshtein(&lower, known), known)).min()?;
    (near.0 * 3 <= near.1.len().max(3)).then_some(near.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_and_a_stranger_is_none() {
        let known = || ["orders", "cart_units", "cart_value"].into_iter();
        assert_eq!(nearest("ordrs", known()), Some("orders"));
        assert_eq!(nearest("Orders", known()), Some("orders"));
        assert_eq!(nearest("cart_vlaue", known()), Some("cart_value"));
        assert_eq!(nearest("birthday", known()), None);
    }
}
