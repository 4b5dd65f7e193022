//! Time zones, which the platform knows: the domain gets hours.

use endcap_engine::computed_traits::utc_hour;
use endcap_protocol::{FieldError, UnixMillis};
use js_sys::Function;
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    /// `Intl.DateTimeFormat` (ECMA-402 §11).
    #[wasm_bindgen(js_namespace = Intl)]
    type DateTimeFormat;
    /// Throws for a zone that is none; the constructor of `js-sys` does not catch that.
    #[wasm_bindgen(constructor, catch, js_namespace = Intl)]
    fn new(locale: &str, options: &JsValue) -> Result<DateTimeFormat, JsValue>;
    #[wasm_bindgen(method, getter)]
    fn format(this: &DateTimeFormat) -> Function;
}

/// How an hour is written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HourFormat<'a> {
    time_zone: &'a str,
    hour: &'static str,
    hour_cycle: &'static str,
}

/// A time zone of the IANA's list.
pub(crate) struct Zone {
    format: Function,
}

impl Zone {
    /// The zone of a name such as `Europe/Berlin`.
    pub(crate) fn parse(name: &str) -> Result<Self, FieldError> {
        Self::make(name)
            .map_err(|_| FieldError::new("time_zone", "must be a time zone of the IANA's list, such as Europe/Berlin"))
    }

    fn make(name: &str) -> Result<Self, JsValue> {
        let options = HourFormat { time_zone: name, hour: "numeric", hour_cycle: "h23" };
        // The getter's function is bound to its formatter.
        Ok(Self { format: DateTimeFormat::new("en", &serde_wasm_bindgen::to_value(&options)?)?.format() })
    }

    /// The hour of a moment there, 0 to 23.
    pub(crate) fn hour(&self, at: UnixMillis) -> u8 {
        let text = self.format.call1(&JsValue::UNDEFINED, &JsValue::from_f64(at as f64)).ok();
        text.and_then(|text| text.as_string()?.trim().parse().ok()).unwrap_or_else(|| utc_hour(at))
    }
}
