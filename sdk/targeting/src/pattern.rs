//! Page patterns: literal text with `*` for any run of characters.

/// Whether all of `text` matches `pattern`, both in UTF-8. Each star takes as little as it can and more where the rest does not follow,
/// so it is never recursive, and no slower than the product of both lengths.
#[must_use]
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    // Where the last star stands, and how much of the text lies before what comes after it.
    let mut star = None;
    while let Some(byte) = text.get(read) {
        match pattern.get(at) {
            Some(b'*') => star = Some((at, read)),
            Some(wanted) if wanted == byte => read += 1,
            _ => {
                let Some((place, taken)) = star else { return false };
                (at, read) = (place, taken + 1);
                star = Some((place, read));
            }
        }
        at += 1;
    }
    pattern.iter().skip(at).all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_run() {
        let cases = [
            ("/cart", "/cart", true),
            ("/cart", "/cart/", false),
            ("/c/*", "/c/shoes", true),
            ("/c/*", "/p/shoes", false),
            ("*", "", true),
            ("*/sale*", "/c/sale-1", true),
            ("/a*b*c", "/axbxc", true),
            ("/a*b*c", "/axbx", false),
            ("/ab*ba", "/aba", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} on {text}");
        }
    }
}
