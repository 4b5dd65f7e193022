//! Time zones, which the platform knows: the engine gets hours.

use endcap_engine::computed_traits::utc_hour;
use endcap_protocol::{FieldError, UnixMillis};
use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// A time zone of the IANA's list.
pub(crate) struct Zone {
    format: Function,
    formatter: JsValue,
}

impl Zone {
    /// The zone of a name such as `Europe/Berlin`.
    pub(crate) fn parse(name: &str) -> Result<Self, FieldError> {
        Self::make(name)
            .map_err(|_| FieldError::new("time_zone", "must be a time zone of the IANA's list, such as Europe/Berlin"))
    }

    fn make(name: &str) -> Result<Self, JsValue> {
        let intl = Reflect::get(&js_sys::global(), &"Intl".into())?;
        let constructor: Function = Reflect::get(&intl, &"DateTimeFormat".into())?.dyn_into()?;
        let options = Object::new();
        for (key, value) in [("timeZone", name), ("hour", "numeric"), ("hourCycle", "h23")] {
            Reflect::set(&options, &key.into(), &value.into())?;
        }
        let formatter = Reflect::construct(&constructor, &Array::of2(&"en".into(), &options))?;
        let format: Function = Reflect::get(&formatter, &"format".into())?.dyn_into()?;
        Ok(Self { format, formatter })
    }

    /// The hour of a moment there, 0 to 23.
    pub(crate) fn hour(&self, at: UnixMillis) -> u8 {
        let text = self.format.call1(&self.formatter, &JsValue::from_f64(at as f64)).ok();
        text.and_then(|text| text.as_string()?.trim().parse().ok()).unwrap_or_else(|| utc_hour(at))
    }
}
