//! Queries of addresses: what lists of the API are asked for.

use std::ops::RangeInclusive;

use endcap_protocol::FieldError;
use endcap_protocol::touch::parameter_value;

/// The query of a URL, as its text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    /// The query of a URL; empty where it has none.
    pub(crate) fn of(url: &'a str) -> Self {
        Self(endcap_events::link::query::of(url))
    }

    /// The text as it stands in the URL.
    pub(crate) fn text(self) -> &'a str {
        self.0
    }

    /// The value of a parameter, its percent-encoding taken off.
    pub(crate) fn get(self, name: &str) -> Option<String> {
        parameter_value(self.0, name)
    }

    /// How many entries a page is to have: the parameter `limit`, at most `most`.
    ///
    /// # Errors
    /// When it is no number from 1 to `most`.
    pub(crate) fn limit(self, default: usize, most: usize) -> Result<usize, FieldError> {
        self.count("limit", default, most)
    }

    /// A number of something: a parameter, at most `most`.
    ///
    /// # Errors
    /// When it is no number from 1 to `most`.
    pub(crate) fn count(self, name: &str, default: usize, most: usize) -> Result<usize, FieldError> {
        let range: RangeInclusive<usize> = 1..=most;
        let Some(text) = self.get(name) else { return Ok(default) };
        let wrong = || FieldError::new(name, format!("must be 1 to {most}"));
        text.parse().ok().filter(|limit| range.contains(limit)).ok_or_else(wrong)
    }

    /// Where a list goes on: the parameter `cursor`, read by `parse`.
    ///
    /// # Errors
    /// As `parse`'s.
    pub(crate) fn cursor<T, E>(self, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<Option<T>, E> {
        self.get("cursor").map(|text| parse(&text)).transpose()
    }
}
