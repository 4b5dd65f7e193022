//! Text that browsers write and strict readers refuse.

use std::borrow::Cow;

/// Replaces escaped halves of surrogate pairs that stand alone by U+FFFD. `JSON.stringify` writes them where a shop cut
/// a text through an emoji (ECMA-262 §25.5.2.3), and one such title must not cost an order.
#[must_use]
pub fn repair_surrogates(json: &str) -> Cow<'_, str> {
    // Most texts hold no escape at all, and one byte is found faster than three.
    if !json.contains('\\') || (!json.contains("\\ud") && !json.contains("\\uD")) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let length = match (unit(escape), unit(escape.get(6..).unwrap_or_default())) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => 0,
            (Some(_), _) => 6,
            // The escaped character may be of any length where the text is no JSON.
            (None, _) => 1 + escape.chars().nth(1).map_or(0, char::len_utf8),
        };
        let (kept, after) = escape.split_at_checked(length).unwrap_or((escape, ""));
        out.push_str(if length == 0 { "\\ufffd" } else { kept });
        rest = if length == 0 { escape.get(6..).unwrap_or_default() } else { after };
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The UTF-16 code unit of the escape that `text` begins with.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok().filter(|_| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lone_halves_are_replaced_and_nothing_else() {
        let cases = [
            (r#""plain""#, r#""plain""#),
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
            (r#""\uD83D\uDE00\n""#, r#""\uD83D\uDE00\n""#),
            (r#""cut \ud83d""#, r#""cut \ufffd""#),
            (r#""\ude00 cut""#, r#""\ufffd cut""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\\ud83d""#, r#""\\ud83d""#),
            (r#""\\\ud83d""#, r#""\\\ufffd""#),
            (r#""\ud83d\n""#, r#""\ufffd\n""#),
        ];
        for (sent, expected) in cases {
            assert_eq!(repair_surrogates(sent), expected);
        }
    }

    proptest! {
        #[test]
        fn any_units_become_readable_text(units in proptest::collection::vec(any::<u16>(), 0..40)) {
            let escaped: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
            let read: String = serde_json::from_str(&repair_surrogates(&format!("\"{escaped}\""))).unwrap();
            prop_assert_eq!(read, String::from_utf16_lossy(&units));
        }

        #[test]
        fn any_text_is_mended_without_panic_and_only_once(text in r#"([\\udD89a-f0-9"é😀]|.){0,60}"#) {
            let repaired = repair_surrogates(&text).into_owned();
            prop_assert_eq!(repair_surrogates(&repaired), repaired.as_str());
        }
    }
}
