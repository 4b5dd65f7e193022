//! Reading an event's properties, wherever they live.
//!
//! The page holds a JavaScript object, the edge a parsed JSON value. One trait over both lets the same parser read
//! e-commerce events in either place.

/// Read access to one object of properties.
pub trait Props: Sized {
    /// The text at `key`; numbers count as text, because shops send numeric product IDs.
    fn text(&self, key: &str) -> Option<String>;
    /// The number at `key`; numeric text counts as a number. Never NaN.
    fn number(&self, key: &str) -> Option<f64>;
    /// The objects of the array at `key`, at most `max` of them; empty when there is none.
    fn items(&self, key: &str, max: usize) -> Vec<Self>;
}

/// A value as text, where it is text or a number.
#[cfg(feature = "serde")]
#[must_use]
pub fn text_of(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(feature = "serde")]
impl Props for serde_json::Value {
    fn text(&self, key: &str) -> Option<String> {
        text_of(self.get(key)?)
    }

    fn number(&self, key: &str) -> Option<f64> {
        match self.get(key)? {
            serde_json::Value::Number(number) => number.as_f64(),
            serde_json::Value::String(text) => text.trim().parse().ok().filter(|n: &f64| !n.is_nan()),
            _ => None,
        }
    }

    fn items(&self, key: &str, max: usize) -> Vec<Self> {
        let list = self.get(key).and_then(serde_json::Value::as_array);
        list.map(|items| items.iter().filter(|i| i.is_object()).take(max).cloned().collect()).unwrap_or_default()
    }
}
