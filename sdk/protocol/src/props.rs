//! Reading an event's properties, wherever they live.
//!
//! The page holds a JavaScript object, the edge a parsed JSON value. One trait over both lets the same parser read
//! e-commerce events in either place.

/// Read access to one object of properties.
pub trait Props: Sized {
    /// The text at `key`; numbers count as text, because shops send numeric product IDs.
    fn text(&self, key: &str) -> Option<String>;
    /// The number at `key`; at the edge no text is one. Never NaN.
    fn number(&self, key: &str) -> Option<f64>;
    /// Whether there is something at `key` that is neither text nor a number, and not nothing. Only the edge asks.
    fn is_other(&self, _key: &str) -> bool {
        false
    }
    /// What is in the list at `key`. An object is one thing where it names a product, else a list by its members, as
    /// languages make of arrays whose keys are not in a row. Empty when there is none.
    fn items(&self, key: &str) -> Vec<Self>;
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

/// Members that only a product has: an object with one of them is no list of products.
#[cfg(feature = "serde")]
pub const OF_A_PRODUCT: [&str; 7] = ["product_id", "sku", "productId", "item_id", "id", "name", "price"];

#[cfg(feature = "serde")]
impl Props for serde_json::Value {
    fn text(&self, key: &str) -> Option<String> {
        text_of(self.get(key)?)
    }

    fn number(&self, key: &str) -> Option<f64> {
        self.get(key)?.as_f64()
    }

    fn is_other(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| matches!(value, Self::Bool(_) | Self::Array(_) | Self::Object(_)))
    }

    fn items(&self, key: &str) -> Vec<Self> {
        match self.get(key) {
            Some(Self::Array(items)) => items.clone(),
            Some(one @ Self::Object(members)) => {
                if OF_A_PRODUCT.iter().any(|key| members.contains_key(*key)) {
                    return vec![one.clone()];
                }
                members.values().cloned().collect()
            }
            _ => Vec::new(),
        }
    }
}
