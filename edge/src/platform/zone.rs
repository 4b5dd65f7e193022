//! Time zones, which the platform knows: the domain gets hours.

use std::rc::Rc;

use endcap_engine::shop::Calendar;
use endcap_engine::shop::calendar::{utc_day, utc_hour};
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

/// How a weekday is written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WeekdayFormat<'a> {
    time_zone: &'a str,
    weekday: &'static str,
}

/// Weekdays from the one that 1970-01-01 was.
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// A time zone of the IANA's list.
pub(crate) struct Zone {
    hour: Function,
    weekday: Function,
}

impl Zone {
    /// The zone of a name such as `Europe/Berlin`.
    pub(crate) fn parse(name: &str) -> Result<Self, FieldError> {
        Self::make(name)
            .map_err(|_| FieldError::new("time_zone", "must be a time zone of the IANA's list, such as Europe/Berlin"))
    }

    fn make(name: &str) -> Result<Self, JsValue> {
        let hour = HourFormat { time_zone: name, hour: "numeric", hour_cycle: "h23" };
        let weekday = WeekdayFormat { time_zone: name, weekday: "short" };
        // The getter's function is bound to its formatter.
        Ok(Self {
            hour: DateTimeFormat::new("en", &serde_wasm_bindgen::to_value(&hour)?)?.format(),
            weekday: DateTimeFormat::new("en", &serde_wasm_bindgen::to_value(&weekday)?)?.format(),
        })
    }

    /// The hour of a moment there, 0 to 23.
    pub(crate) fn hour(&self, at: UnixMillis) -> u8 {
        text(&self.hour, at).and_then(|text| text.trim().parse().ok()).unwrap_or_else(|| utc_hour(at))
    }

    /// The day of a moment there, since 1970-01-01: that of UTC, or one of its neighbours, as the weekday tells.
    pub(crate) fn day(&self, at: UnixMillis) -> i64 {
        let day = utc_day(at);
        let Some(weekday) = text(&self.weekday, at) else { return day };
        let is_there = |day: &i64| {
            let at = usize::try_from(day.rem_euclid(7)).unwrap_or_default();
            WEEKDAYS.get(at).is_some_and(|name| *name == weekday)
        };
        [day, day + 1, day - 1].into_iter().find(is_there).unwrap_or(day)
    }
}

impl endcap_engine::shop::calendar::Zone for Zone {
    fn day(&self, at: UnixMillis) -> i64 {
        Self::day(self, at)
    }

    fn hour(&self, at: UnixMillis) -> u8 {
        Self::hour(self, at)
    }
}

/// The days of the zone of a name; those of UTC where there is no such zone.
pub(crate) fn calendar_of(name: &str) -> Calendar {
    Zone::parse(name).map_or_else(|_| Calendar::default(), |zone| Calendar::new(Rc::new(zone)))
}

fn text(format: &Function, at: UnixMillis) -> Option<String> {
    format.call1(&JsValue::UNDEFINED, &JsValue::from_f64(at as f64)).ok()?.as_string()
}
