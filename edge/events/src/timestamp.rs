//! Times as servers and other clients write them: ISO 8601 text, the date of a mail (RFC 2822), or a number since 1970.

use endcap_protocol::{DAY_MS, Date, UnixMillis};
use serde_json::Value;

/// Numbers below are seconds, above milliseconds: 10^11 seconds lie in the year 5138, 10^11 milliseconds in 1973.
const SECONDS_BELOW: i64 = 100_000_000_000;
/// Numbers from here are microseconds: of 1973, while as milliseconds they lie in 5138.
const MICROSECONDS_FROM: i64 = 100_000_000_000_000;
/// Numbers from here are nanoseconds.
const NANOSECONDS_FROM: i64 = 100_000_000_000_000_000;

/// The time that a value names, in milliseconds since 1970; None when it is none. A text without a zone is in UTC.
#[must_use]
pub fn read(value: &Value) -> Option<UnixMillis> {
    match value {
        Value::String(text) => {
            let text = text.trim();
            iso(text).or_else(|| mail_date(text)).or_else(|| number(text.parse().ok()?))
        }
        Value::Number(given) => number(given.as_i64().or_else(|| given.as_f64().map(|n| n as i64))?),
        _ => None,
    }
}

/// The time that a page's member names which should be whole milliseconds: a number with decimals, or text.
#[must_use]
pub fn of_member(value: &Value) -> Option<UnixMillis> {
    let whole = |at: f64| Some(at as i64).filter(|at| *at < i64::MAX);
    value.as_i64().or_else(|| value.as_f64().and_then(whole)).or_else(|| read(value))
}

/// Milliseconds for a number that can only be of another unit: seconds between the years 2001 and 5138, microseconds or
/// nanoseconds.
#[must_use]
pub fn of_other_unit(given: i64) -> Option<UnixMillis> {
    let is_other = (1_000_000_000..SECONDS_BELOW).contains(&given) || given >= MICROSECONDS_FROM;
    number(given).filter(|_| is_other)
}

/// Milliseconds for a number since 1970 whose size tells its unit.
fn number(given: i64) -> Option<UnixMillis> {
    match given {
        // A number that is larger became the largest one.
        ..=0 | i64::MAX => None,
        1..SECONDS_BELOW => given.checked_mul(1000),
        SECONDS_BELOW..MICROSECONDS_FROM => Some(given),
        MICROSECONDS_FROM..NANOSECONDS_FROM => Some(given / 1000),
        _ => Some(given / 1_000_000),
    }
}

/// `YYYY-MM-DD` with `T` or a space and `hh:mm[:ss[.fraction]]` and a zone, `Z`, `UTC`, `GMT` or `±hh[:]mm` (ISO 8601, RFC
/// 3339).
fn iso(text: &str) -> Option<UnixMillis> {
    if text.len() > 40 || !text.is_ascii() {
        return None;
    }
    let (date, rest) = text.split_at_checked(10)?;
    let mut parts = date.split('-').map(digits);
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let midnight = days(year, month, day)?.checked_mul(DAY_MS)?;
    let Some(time) = rest.strip_prefix(['T', 't', ' ']) else { return rest.is_empty().then_some(midnight) };
    let of_clock = |mark: char| mark.is_ascii_digit() || matches!(mark, ':' | '.' | ',');
    let (clock, zone) = time.split_at(time.find(|mark| !of_clock(mark)).unwrap_or(time.len()));
    Some(midnight + of_day(clock)? - offset(zone.trim_start())?)
}

/// `[Thu,] 26 Nov 2026 10:00[:00] +0100` (RFC 2822 §3.3 with the zones of §4.3), also with the day behind the month and the
/// name of the zone behind it, as a browser's `Date` writes itself.
fn mail_date(text: &str) -> Option<UnixMillis> {
    if text.len() > 80 {
        return None;
    }
    let words = text.split([' ', ',']).filter(|word| !word.is_empty());
    let mut words = words.skip_while(|word| DAYS.contains(word)).peekable();
    let (first, second) = (words.next()?, words.next()?);
    let (day, month) = match month(first) {
        Some(month) => (digits(second)?, month),
        None => (digits(first)?, month(second)?),
    };
    let year = words.next()?;
    let (clock, zone) = (words.next()?, words.next().unwrap_or_default());
    let year = Some(digits(year)?).filter(|_| year.len() == 4)?;
    Some(days(year, month, day)?.checked_mul(DAY_MS)? + of_day(clock)? - mail_zone(zone)?)
}

/// Names of the days of a week.
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// The number of a month.
fn month(name: &str) -> Option<i64> {
    let all = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let at = all.as_bytes().chunks_exact(3).position(|month| month == name.as_bytes())?;
    i64::try_from(at).ok()?.checked_add(1)
}

/// The zones of mail: those with names are the ones of North America.
fn mail_zone(zone: &str) -> Option<i64> {
    let hours = match zone {
        "EDT" => -4,
        "EST" | "CDT" => -5,
        "CST" | "MDT" => -6,
        "MST" | "PDT" => -7,
        "PST" => -8,
        _ => return offset(zone.strip_prefix("GMT").filter(|rest| !rest.is_empty()).unwrap_or(zone)),
    };
    Some(hours * 3_600_000)
}

/// Milliseconds of `hh:mm[:ss[.fraction]]`.
fn of_day(clock: &str) -> Option<i64> {
    let (clock, fraction) = clock.split_once(['.', ',']).map_or((clock, ""), |(clock, fraction)| (clock, fraction));
    let mut parts = clock.split(':');
    let (hours, minutes) = (digits(parts.next()?)?, digits(parts.next()?)?);
    let seconds = parts.next().map_or(Some(0), digits)?;
    // A leap second is the next one.
    if hours > 23 || minutes > 59 || seconds > 60 || parts.next().is_some() {
        return None;
    }
    let millis: String = fraction.chars().chain("000".chars()).take(3).collect();
    Some(((hours * 60 + minutes) * 60 + seconds) * 1000 + digits(&millis)?)
}

/// Milliseconds that a zone lies ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "" | "Z" | "z" | "UTC" | "GMT" | "UT") {
        return Some(0);
    }
    let (sign, rest) = zone.split_at_checked(1).filter(|(sign, _)| matches!(*sign, "+" | "-"))?;
    let plain = rest.replace(':', "");
    let (hours, minutes) = plain.split_at_checked(2)?;
    let (hours, minutes) = (digits(hours)?, if minutes.is_empty() { 0 } else { digits(minutes)? });
    let ahead = (hours * 60 + minutes) * 60_000;
    (hours <= 15 && minutes <= 59).then_some(if sign == "-" { -ahead } else { ahead })
}

fn digits(text: &str) -> Option<i64> {
    let right = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if right { text.parse().ok() } else { None }
}

/// Days from 1970-01-01 to a date.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    Date::of(year, month, day).map(Date::day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn reads_what_shops_write() {
        let cases = [
            (json!("2021-12-31T19:00:00-05:00"), 1_640_995_200_000),
            (json!("2022-01-01T00:00:00Z"), 1_640_995_200_000),
            (json!("2022-01-01T00:00:00.250+0000"), 1_640_995_200_250),
            (json!("2022-01-01 00:00:00"), 1_640_995_200_000),
            (json!("2022-01-01"), 1_640_995_200_000),
            (json!("2024-02-29T23:59:59.9Z"), 1_709_251_199_900),
            (json!(1_640_995_200), 1_640_995_200_000),
            (json!(1_640_995_200_000_i64), 1_640_995_200_000),
            (json!("1640995200"), 1_640_995_200_000),
            (json!(1_640_995_200_000_000_i64), 1_640_995_200_000),
            (json!("1640995200000000000"), 1_640_995_200_000),
            (json!(1_640_995_200.7), 1_640_995_200_000),
            (json!("2022-01-01 00:00:00 UTC"), 1_640_995_200_000),
            (json!("2022-01-01 00:00:00 +0000"), 1_640_995_200_000),
            (json!("2022-01-01 01:00:00.5 +01:00"), 1_640_995_200_500),
            (json!("Sat, 01 Jan 2022 00:00:00 GMT"), 1_640_995_200_000),
            (json!("Fri, 31 Dec 2021 19:00:00 -0500"), 1_640_995_200_000),
            (json!("31 Dec 2021 19:00 EST"), 1_640_995_200_000),
            (json!("Sat Jan 01 2022 01:00:00 GMT+0100 (Central European Standard Time)"), 1_640_995_200_000),
        ];
        for (value, expected) in cases {
            assert_eq!(read(&value), Some(expected), "{value}");
        }
    }

    #[test]
    fn anything_else_is_no_time() {
        for value in [
            json!(null),
            json!(true),
            json!(0),
            json!(-5),
            json!(1e300),
            json!(""),
            json!("soon"),
            json!("2022-13-01"),
            json!("2023-02-29"),
            json!("2022-01-01T24:00:00Z"),
            json!("2022-01-01T00:00:00+99:00"),
            json!("2022-01-01x"),
            json!("20220101"),
            json!("2022-01-01T00"),
            json!("2022-01-01T00:00:00 Mars"),
            json!("Sat, 32 Jan 2022 00:00:00 GMT"),
            json!("1 Foo 2022 00:00:00 GMT"),
            json!("1 Jan 22 00:00:00 GMT"),
        ] {
            // Eight digits are a number of seconds.
            let expected = (value == json!("20220101")).then_some(20_220_101_000);
            assert_eq!(read(&value), expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "[-0-9:TZ.+ ]{0,40}|\\PC{0,40}") {
            let _ = read(&json!(text));
        }

        #[test]
        fn dates_follow_each_other(day in 0_i64..40_000) {
            let date = Date::from_day(day).to_string();
            prop_assert_eq!(read(&json!(date)), Some(day * DAY_MS));
        }
    }
}
