//! Currencies as shops write them: ISO 4217 codes, signs and spellings.

use crate::money::parse_currency;

/// The codes of ISO 4217 in use, one after the other (SIX, list one of 2025, without funds and metals).
const ISO: &str = "AEDAFNALLAMDAOAARSAUDAWGAZNBAMBBDBDTBGNBHDBIFBMDBNDBOBBRLBSDBTNBWPBYNBZDCADCDFCHFCLPCNYCOPCRCCUPCVECZKDJFDKKDOPDZD\
    EGPERNETBEURFJDFKPGBPGELGHSGIPGMDGNFGTQGYDHKDHNLHTGHUFIDRILSINRIQDIRRISKJMDJODJPYKESKGSKHRKMFKPWKRWKWDKYDKZTLAKLBPLKRLRDLSL\
    LYDMADMDLMGAMKDMMKMNTMOPMRUMURMVRMWKMXNMYRMZNNADNGNNIONOKNPRNZDOMRPABPENPGKPHPPKRPLNPYGQARRONRSDRUBRWFSARSBDSCRSDGSEKSGDSHP\
    SLESOSSRDSSPSTNSVCSYPSZLTHBTJSTMTTNDTOPTRYTTDTWDTZSUAHUGXUSDUYUUZSVEDVESVNDVUVWSTXAFXCDXCGXOFXPFYERZARZMWZWG";

/// What was made of a currency's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It is a code.
    Code([u8; 3]),
    /// It is a sign or a spelling of this one.
    Sign([u8; 3]),
}

/// Signs and spellings by currency, in lower case. The first of those that share a sign is the one that it means where the
/// shop's own currency is none of them.
const SIGNS: [(&str, &str); 54] = [
    ("€", "EUR"),
    ("euro", "EUR"),
    ("euros", "EUR"),
    ("£", "GBP"),
    ("£", "EGP"),
    ("gbp£", "GBP"),
    ("us$", "USD"),
    ("u$s", "USD"),
    ("usd$", "USD"),
    ("dollar", "USD"),
    ("dollars", "USD"),
    (
        "$",
        "USD CAD AUD NZD TWD HKD SGD MXN ARS CLP COP UYU BBD BMD BND BSD BZD FJD GYD JMD KYD LRD NAD SBD SRD TTD XCD",
    ),
    ("ca$", "CAD"),
    ("c$", "CAD"),
    ("cad$", "CAD"),
    ("a$", "AUD"),
    ("au$", "AUD"),
    ("nz$", "NZD"),
    ("nt$", "TWD"),
    ("nt", "TWD"),
    ("ntd", "TWD"),
    ("新台幣", "TWD"),
    ("hk$", "HKD"),
    ("s$", "SGD"),
    ("mx$", "MXN"),
    ("r$", "BRL"),
    ("¥", "JPY CNY"),
    ("円", "JPY"),
    ("yen", "JPY"),
    ("jp¥", "JPY"),
    ("元", "CNY TWD HKD"),
    ("rmb", "CNY"),
    ("cn¥", "CNY"),
    ("人民币", "CNY"),
    ("₩", "KRW"),
    ("원", "KRW"),
    ("₹", "INR"),
    ("rs", "INR PKR LKR NPR MUR"),
    ("rs.", "INR PKR LKR NPR MUR"),
    ("₽", "RUB"),
    ("руб", "RUB"),
    ("₴", "UAH"),
    ("₺", "TRY"),
    ("tl", "TRY"),
    ("₫", "VND"),
    ("฿", "THB"),
    ("₱", "PHP"),
    ("₪", "ILS"),
    ("zł", "PLN"),
    ("kč", "CZK"),
    ("ft", "HUF"),
    ("kr", "SEK NOK DKK ISK"),
    ("kr.", "DKK SEK NOK ISK"),
    ("fr.", "CHF"),
];

/// Reads a currency's text. A sign of several currencies means the shop's own where that is one of them.
#[must_use]
pub fn read(text: &str, shop: [u8; 3]) -> Option<Written> {
    let text = text.trim();
    let lower = text.to_lowercase().replace('￥', "¥").replace('＄', "$");
    let sign = SIGNS.iter().find(|(sign, _)| *sign == lower);
    if let Some((_, codes)) = sign {
        let mut codes = codes.split(' ').filter_map(parse_currency);
        let first = codes.clone().next()?;
        return Some(Written::Sign(codes.find(|code| *code == shop).unwrap_or(first)));
    }
    parse_currency(text).map(Written::Code)
}

/// The currency that stands beside an amount, as in `NT$1,299` and `25,00 EUR`.
#[must_use]
pub fn beside(amount: &str, shop: [u8; 3]) -> Option<[u8; 3]> {
    let is_word = |mark: char| {
        !mark.is_ascii_digit()
            && !mark.is_whitespace()
            && !matches!(mark, ',' | '-' | '–' | '\'' | '(' | ')' | '\u{2212}')
    };
    let words = amount.split(|mark| !is_word(mark)).map(|word| word.trim_matches('.')).filter(|word| !word.is_empty());
    words.into_iter().find_map(|word| match read(word, shop) {
        Some(Written::Sign(code)) => Some(code),
        // Any three letters look like a code.
        Some(Written::Code(code)) => ISO.as_bytes().chunks_exact(3).any(|iso| iso == word.as_bytes()).then_some(code),
        None => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_signs_and_spellings_are_read() {
        for (text, wanted) in [
            ("EUR", Written::Code(*b"EUR")),
            (" EUR ", Written::Code(*b"EUR")),
            ("eur", Written::Code(*b"EUR")),
            ("€", Written::Sign(*b"EUR")),
            ("Euro", Written::Sign(*b"EUR")),
            ("$", Written::Sign(*b"USD")),
            ("NT$", Written::Sign(*b"TWD")),
            ("￥", Written::Sign(*b"JPY")),
            ("Kč", Written::Sign(*b"CZK")),
            ("RMB", Written::Sign(*b"CNY")),
        ] {
            assert_eq!(read(text, *b"EUR"), Some(wanted), "{text}");
        }
        for text in ["", " ", "money", "E€R", "12"] {
            assert_eq!(read(text, *b"EUR"), None, "{text}");
        }
    }

    #[test]
    fn a_shared_sign_means_the_shops_own_currency() {
        assert_eq!(read("$", *b"CAD"), Some(Written::Sign(*b"CAD")));
        assert_eq!(read("kr", *b"NOK"), Some(Written::Sign(*b"NOK")));
        assert_eq!(read("¥", *b"CNY"), Some(Written::Sign(*b"CNY")));
    }

    #[test]
    fn an_amount_may_name_its_currency() {
        for (text, wanted) in [
            ("$25.00", Some(*b"USD")),
            ("25,00 €", Some(*b"EUR")),
            ("CHF 1'299.–", Some(*b"CHF")),
            ("NT$1,299", Some(*b"TWD")),
            ("25.00", None),
            ("25.00 incl. VAT", None),
            ("Rs.500", Some(*b"INR")),
        ] {
            assert_eq!(beside(text, *b"EUR"), wanted, "{text}");
        }
    }

    #[test]
    fn every_sign_names_codes() {
        for (sign, codes) in SIGNS {
            assert!(codes.split(' ').all(|code| parse_currency(code).is_some()), "{sign}");
            assert_eq!(sign, sign.to_lowercase());
        }
    }
}
