//! Amounts as people and shop systems write them: `1.299,00 €`, `CHF 1'299.–`, `NT$1,299`.

/// An amount that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// The number, times ten for each decimal that was asked for, rounded half away from zero.
    pub scaled: i64,
    /// How surely.
    pub reading: Reading,
}

/// How surely an amount was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reading {
    /// There is one way to read it.
    Plain,
    /// One separator stands before three digits: it parts thousands, or decimals where the currency has three. Or one mark parts both.
    Ambiguous,
    /// There is more than one number; the first one counts.
    Loose,
}

/// What the digits of a number were parted by.
#[derive(Default)]
struct Run {
    points: u32,
    commas: u32,
    groups: u32,
    /// The last of the separators that may stand before decimals.
    last: char,
    /// Digits before the first separator, digits since the last one, and whether the number begins with 0.
    head: u32,
    tail: u32,
    zero: bool,
}

/// What parts thousands and never decimals: spaces, also narrow ones, and apostrophes.
fn is_group_mark(mark: char) -> bool {
    matches!(mark, ' ' | '\'' | '\u{a0}' | '\u{2009}' | '\u{202f}' | '\u{2019}' | '_')
}

/// Reads the first number of a text with so many decimals, at most 3. None where there is none, or one of more than 15 digits.
#[must_use]
pub fn read(text: &str, decimals: u32) -> Option<Amount> {
    let start = text.find(|mark: char| mark.is_ascii_digit())?;
    let (before, number) = (text.get(..start)?, text.get(start..)?);
    // ".50" begins with its decimal point, "Rs.50" does not.
    let led = before.strip_suffix(['.', ',']);
    let fraction_only = led.is_some_and(|led| !led.ends_with(|mark: char| mark.is_alphabetic()));
    let length = run_length(number);
    let (digits, rest) = (number.get(..length)?, number.get(length..)?);
    let run = Run::of(digits);
    let (parts, ambiguous) = if fraction_only { (run.tail, false) } else { run.decimals(decimals) };
    let scaled = scale(digits, parts, decimals)?;
    let before = before.trim();
    let minus = ['-', '\u{2212}'];
    let negative = before.starts_with(minus)
        || before.ends_with(minus)
        || (before.starts_with('(') && rest.trim_end().ends_with(')'));
    let reading = if rest.contains(|mark: char| mark.is_ascii_digit()) {
        Reading::Loose
    } else if ambiguous {
        Reading::Ambiguous
    } else {
        Reading::Plain
    };
    Some(Amount { scaled: if negative { -scaled } else { scaled }, reading })
}

/// Bytes of the number at the front: a separator belongs to it where a digit follows, a space where exactly three do.
fn run_length(text: &str) -> usize {
    let mut end = 0;
    let mut before = 0;
    for (at, mark) in text.char_indices() {
        if mark.is_ascii_digit() {
            end = at + 1;
            continue;
        }
        let next = text.get(at + mark.len_utf8()..).unwrap_or_default();
        let digits = next.bytes().take_while(u8::is_ascii_digit).count();
        let parts = match mark {
            '.' | ',' => digits > 0,
            _ => is_group_mark(mark) && digits == 3,
        };
        if !parts || end != at || end == before {
            break;
        }
        before = at + mark.len_utf8();
    }
    end
}

impl Run {
    fn of(digits: &str) -> Self {
        let mut run = Self { zero: digits.starts_with('0'), ..Self::default() };
        for mark in digits.chars() {
            match mark {
                '0'..='9' => {
                    run.tail += 1;
                    continue;
                }
                '.' => run.points += 1,
                ',' => run.commas += 1,
                _ => run.groups += 1,
            }
            if run.points + run.commas + run.groups == 1 {
                run.head = run.tail;
            }
            run.last = mark;
            run.tail = 0;
        }
        run
    }

    /// How many of the last digits are decimals, and whether there is another way to see it.
    fn decimals(&self, wanted: u32) -> (u32, bool) {
        let Self { points, commas, groups, last, head, tail, zero } = *self;
        let (same, other) = match last {
            '.' => (points, commas),
            ',' => (commas, points),
            _ => return (0, false),
        };
        if same > 1 {
            // 1.299.000. A last group of one or two digits is none, but decimals behind the same mark: 1,299,00.
            let decimals = if tail < 3 { tail } else { 0 };
            return (decimals, other > 0 || tail != 3);
        }
        if other > 0 || groups > 0 || tail != 3 || head > 3 || zero {
            return (tail, false);
        }
        (if wanted == 3 { tail } else { 0 }, true)
    }
}

/// The digits as a number whose last `parts` are decimals, times ten for each of `decimals`.
fn scale(digits: &str, parts: u32, decimals: u32) -> Option<i64> {
    let count = digits.bytes().filter(u8::is_ascii_digit).count() as u32;
    let (mut value, mut seen, mut up) = (0_i64, 0_u32, false);
    let wanted = (count - parts) + decimals;
    for digit in digits.bytes().filter(u8::is_ascii_digit).map(|byte| i64::from(byte - b'0')) {
        if seen < wanted {
            value = value.checked_mul(10)?.checked_add(digit)?;
        } else if seen == wanted {
            up = digit > 4;
        }
        seen += 1;
    }
    while seen < wanted {
        value = value.checked_mul(10)?;
        seen += 1;
    }
    value.checked_add(i64::from(up))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cents(text: &str) -> Option<(i64, Reading)> {
        read(text, 2).map(|amount| (amount.scaled, amount.reading))
    }

    #[test]
    fn amounts_are_read_as_a_person_would() {
        use Reading::Plain;
        for (text, wanted) in [
            ("25,00", 2500),
            ("25.00", 2500),
            ("$25.00", 2500),
            ("25,00 €", 2500),
            ("1.299,00 €", 129_900),
            ("1,299.00", 129_900),
            ("CHF 1'299.–", 129_900),
            ("1'299.50", 129_950),
            ("1 299,50 zł", 129_950),
            ("1\u{202f}299,50 €", 129_950),
            ("1\u{a0}299 €", 129_900),
            ("12,34,567.50", 123_456_750),
            ("1.299.000", 129_900_000),
            ("1.299.000,5", 129_900_050),
            ("25,-", 2500),
            ("25", 2500),
            (" 25 ", 2500),
            (".5", 50),
            ("Rs.500", 50_000),
            ("0.125", 13),
            ("0,004", 0),
            ("1299.123", 129_912),
            ("1299.125", 129_913),
            ("12.3456", 1235),
            ("-25.00", -2500),
            ("-$25", -2500),
            ("$-25", -2500),
            ("(25.00)", -2500),
            ("\u{2212}25", -2500),
            ("0", 0),
        ] {
            assert_eq!(cents(text), Some((wanted, Plain)), "{text}");
        }
    }

    #[test]
    fn where_two_readings_are_possible_the_decimals_decide() {
        assert_eq!(cents("1,299"), Some((129_900, Reading::Ambiguous)));
        assert_eq!(cents("NT$1,299"), Some((129_900, Reading::Ambiguous)));
        assert_eq!(read("1.299", 3), Some(Amount { scaled: 1299, reading: Reading::Ambiguous }));
        assert_eq!(read("1.299", 0), Some(Amount { scaled: 1299, reading: Reading::Ambiguous }));
        for text in ["1,299,00", "1.299.00", "1.2990.00"] {
            assert_eq!(cents(text).map(|read| read.1), Some(Reading::Ambiguous), "{text}");
        }
        assert_eq!(cents("1,299,00"), Some((129_900, Reading::Ambiguous)));
        assert_eq!(cents("1.299.5"), Some((129_950, Reading::Ambiguous)));
    }

    #[test]
    fn of_several_numbers_the_first_counts() {
        assert_eq!(cents("25.00 (incl. 19% VAT)"), Some((2500, Reading::Loose)));
        assert_eq!(cents("2 for 10"), Some((200, Reading::Loose)));
        assert_eq!(cents("25 30"), Some((2500, Reading::Loose)));
    }

    #[test]
    fn what_holds_no_number_is_none() {
        for text in ["", "-", "free", "€", "NaN", "99999999999999999999999"] {
            assert_eq!(cents(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "[-0-9.,' €()A-z]{0,30}|\\PC{0,20}", decimals in 0_u32..4) {
            let _ = read(&text, decimals);
        }

        #[test]
        fn every_way_to_write_an_amount_gives_the_same(minor in 0_i64..1_000_000_000_000) {
            let (major, cents) = (minor / 100, minor % 100);
            let digits = major.to_string();
            for (group, point) in [("", "."), ("", ","), (",", "."), (".", ","), ("'", "."), (" ", ","), ("\u{202f}", ",")] {
                let mut grouped = String::new();
                for (at, digit) in digits.char_indices() {
                    if at > 0 && (digits.len() - at) % 3 == 0 {
                        grouped.push_str(group);
                    }
                    grouped.push(digit);
                }
                for text in [format!("{grouped}{point}{cents:02}"), format!("€ {grouped}{point}{cents:02}")] {
                    prop_assert_eq!(self::cents(&text), Some((minor, Reading::Plain)), "{}", text);
                }
            }
        }
    }
}
