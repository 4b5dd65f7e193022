//! Small text operations for the browser build: the standard library's own are made for speed on long texts, and cost
//! kilobytes that every page would load.

/// Appends a number in decimal digits, without the formatting machinery.
pub fn push_decimal(out: &mut String, value: u64) {
    if value > 9 {
        push_decimal(out, value / 10);
    }
    push_digit(out, (value % 10) as u8);
}

/// Appends one digit of a number to base 16 or less; a larger value is nothing.
pub fn push_digit(out: &mut String, digit: u8) {
    const DIGITS: &str = "0123456789abcdef";
    let at = usize::from(digit);
    out.push_str(DIGITS.get(at..=at).unwrap_or_default());
}

/// The number that decimal digits stand for; None for anything else, and for more than 15 digits.
#[must_use]
pub fn integer(text: &str) -> Option<u64> {
    let mut value = 0_u64;
    for byte in text.bytes().take(16) {
        value = value * 10 + u64::from(byte.is_ascii_digit().then(|| byte - b'0')?);
    }
    (1..16).contains(&text.len()).then_some(value)
}

/// What stands before and after the first `mark`, which is not empty. As [`str::split_once`].
#[must_use]
pub fn split_once<'a>(text: &'a str, mark: &str) -> Option<(&'a str, &'a str)> {
    let at = text.as_bytes().windows(mark.len().max(1)).position(|part| part == mark.as_bytes())?;
    Some((text.get(..at)?, text.get(at + mark.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_are_written_as_the_standard_library_writes_them(value in any::<u64>()) {
            let mut text = String::new();
            push_decimal(&mut text, value);
            prop_assert_eq!(text, value.to_string());
        }

        #[test]
        fn numbers_are_read_as_they_are_written(value in 0..1_000_000_000_000_000_u64, other in "[0-9a.+-]{0,20}") {
            prop_assert_eq!(integer(&value.to_string()), Some(value));
            let plain = other.len() < 16 && other.bytes().all(|byte| byte.is_ascii_digit());
            prop_assert_eq!(integer(&other), other.parse().ok().filter(|_| plain));
        }

        #[test]
        fn split_once_splits_where_the_standard_library_splits(text in "[ab{é]{0,12}", mark in "[ab{é]{1,3}") {
            prop_assert_eq!(split_once(&text, &mark), text.split_once(mark.as_str()));
        }
    }
}
