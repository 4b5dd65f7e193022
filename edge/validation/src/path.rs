//! Names in paths: `/api/campaigns/{id}` and the like.
//!
//! Role in the flow of one event: before it. A segment is decoded once, where it becomes an identifier, and never again.

use std::borrow::Cow;

use endcap_protocol::FieldError;

/// The name that one segment of a path spells, its percent-encoding taken off (RFC 3986 §2.1). A `+` is a plus there.
/// `field` is what the name is called in an error.
///
/// # Errors
/// When the text is several segments, an escape is not two hexadecimal digits, or the bytes are no UTF-8.
pub fn segment<'a>(text: &'a str, field: &str) -> Result<Cow<'a, str>, FieldError> {
    if text.contains('/') {
        return Err(FieldError::new(field, "must be one segment of the path; write %2F for a slash"));
    }
    if !text.contains('%') {
        return Ok(Cow::Borrowed(text));
    }
    let wrong = || FieldError::new(field, "must be percent-encoded UTF-8 (RFC 3986): % and two hexadecimal digits");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => digit(rest.next()).zip(digit(rest.next())).map(|(high, low)| high << 4 | low).ok_or_else(wrong)?,
            plain => plain,
        });
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| wrong())
}

fn digit(byte: Option<u8>) -> Option<u8> {
    char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_are_taken_off_once() {
        for (text, name) in [
            ("plain", "plain"),
            ("s%20x", "s x"),
            ("s%2520x", "s%20x"),
            ("a%2Fb", "a/b"),
            ("a+b", "a+b"),
            ("%c3%a4%C3%A4", "ää"),
            ("", ""),
        ] {
            assert_eq!(segment(text, "id").as_deref(), Ok(name), "{text}");
        }
    }

    #[test]
    fn what_is_no_encoded_name_is_refused_by_its_field() {
        for text in ["%", "a%2", "%zz", "%+1", "%ff", "%c3", "%C3%", "%ed%a0%80", "a/b", "/"] {
            assert_eq!(segment(text, "id").map_err(|error| error.path), Err("id".to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_name_can_be_written_in_a_path(name in ".{0,40}") {
            let written: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let read = segment(&written, "id");
            prop_assert_eq!(read.as_deref(), Ok(name.as_str()));
        }
    }
}
