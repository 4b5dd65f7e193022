//! Properties of the event that is being captured, read the way `protocol` wants them.

use endcap_protocol::Props;

use crate::host;

/// The properties themselves, or (from 0) one of their products. They stay in the page (`sdk/js/bag.js`): handing
/// JavaScript values over costs more bytes than asking for what is in them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bag(i32);

impl Bag {
    /// The properties themselves.
    pub(crate) const WHOLE: Self = Self(-1);
}

impl Props for Bag {
    fn text(&self, key: &str) -> Option<String> {
        host::text_of(self.0, key)
    }

    fn number(&self, key: &str) -> Option<f64> {
        Some(host::number_of(self.0, key)).filter(|number| !number.is_nan())
    }

    fn items(&self, _: &str) -> Vec<Self> {
        (0..).take(host::items()).map(Self).collect()
    }
}
