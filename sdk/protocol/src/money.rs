//! Money as integer minor units with an ISO 4217 currency.

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money {
    /// Minor units (cents, pence; whole yen).
    pub minor: i64,
    /// ISO 4217 code, upper case.
    pub currency: [u8; 3],
}

/// Largest amount accepted, in minor units: exact in a double, with head room for sums (SQLite hands integers out as
/// doubles).
pub const MAX_MINOR: i64 = 1_000_000_000_000;

/// Parses an ISO 4217 code in either case.
#[must_use]
pub fn parse_currency(text: &str) -> Option<[u8; 3]> {
    let code: [u8; 3] = text.as_bytes().try_into().ok()?;
    code.iter().all(u8::is_ascii_alphabetic).then(|| code.map(|b| b.to_ascii_uppercase()))
}

/// Decimal places of a currency (ISO 4217 table A.1); two unless listed.
#[must_use]
pub fn exponent(currency: [u8; 3]) -> u32 {
    // Codes in a row are a third of the code of a comparison for each. The first seven have three places, the others none.
    const LISTED: &[u8] = b"BHDIQDJODKWDLYDOMRTNDBIFCLPDJFGNFISKJPYKMFKRWPYGRWFUGXUYIVNDVUVXAFXOFXPF";
    match LISTED.chunks_exact(3).position(|code| code == currency) {
        None => 2,
        Some(0..7) => 3,
        Some(_) => 0,
    }
}

/// A decimal amount of major units in minor units, half away from zero. None when it is not finite or over
/// [`MAX_MINOR`].
#[must_use]
pub fn to_minor(major: f64, currency: [u8; 3]) -> Option<i64> {
    let mut scaled = major;
    for _ in 0..exponent(currency) {
        scaled *= 10.0;
    }
    // The nearest double of 1.005 lies just below it; one part in 10^12 brings decimal halves back over the edge.
    let rounded = round(scaled * (1.0 + 1e-12));
    (major.is_finite() && (-MAX_MINOR..=MAX_MINOR).contains(&rounded)).then_some(rounded)
}

/// The nearest whole number, half away from zero; the nearest that there is for what is out of range.
pub(crate) fn round(number: f64) -> i64 {
    if number < 0.0 { (number - 0.5) as i64 } else { (number + 0.5) as i64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_half_away_from_zero() {
        assert_eq!(to_minor(1.005, *b"EUR"), Some(101));
        assert_eq!(to_minor(-1.005, *b"EUR"), Some(-101));
        assert_eq!(to_minor(19.99, *b"EUR"), Some(1999));
        assert_eq!(to_minor(1200.0, *b"JPY"), Some(1200));
        assert_eq!(to_minor(1.2345, *b"KWD"), Some(1235));
    }

    #[test]
    fn places_follow_the_standard() {
        for (places, codes) in
            [(0, "JPY KRW CLP ISK VND XAF XPF UGX BIF"), (2, "EUR USD TWD HUF CHF"), (3, "KWD BHD TND OMR JOD")]
        {
            for code in codes.split(' ').filter_map(parse_currency) {
                assert_eq!(exponent(code), places, "{code:?}");
            }
        }
    }

    #[test]
    fn refuses_what_no_shop_charges() {
        assert_eq!(to_minor(f64::NAN, *b"EUR"), None);
        assert_eq!(to_minor(f64::INFINITY, *b"EUR"), None);
        assert_eq!(to_minor(1e300, *b"EUR"), None);
        assert_eq!(parse_currency("eur"), Some(*b"EUR"));
        assert_eq!(parse_currency("EURO"), None);
    }
}
