//! The words and signs of a text.

use super::error::TextError;

/// A word or a sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name or a keyword.
    Word(String),
    /// A whole number.
    Number(i64),
    /// A text in double quotes, without them.
    Text(String),
    /// A comparison.
    Sign(&'static str),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
    /// `$`, the category that is tried.
    Bound,
}

impl Token {
    /// As it is named in an error.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Word(word) => format!("`{word}`"),
            Self::Number(number) => format!("`{number}`"),
            Self::Text(text) => format!("`{text:?}`"),
            Self::Sign(sign) => format!("`{sign}`"),
            Self::Open => "`(`".to_owned(),
            Self::Close => "`)`".to_owned(),
            Self::Comma => "`,`".to_owned(),
            Self::Bound => "`$`".to_owned(),
        }
    }
}

/// A token with the number of characters before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) at: usize,
}

/// Signs of comparison, the longer before those that they begin with; `==` is taken for `=`.
const SIGNS: [(&str, &str); 7] =
    [(">=", ">="), ("<=", "<="), ("!=", "!="), ("==", "="), (">", ">"), ("<", "<"), ("=", "=")];

/// The tokens of a text.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, TextError> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let at = text.get(..text.len() - rest.len()).map_or(0, |before| before.chars().count());
        let Some(first) = rest.chars().next() else { return Ok(found) };
        let (token, after) = token(first, rest).map_err(|message| TextError { at, message })?;
        found.push(Placed { token, at });
        rest = after;
    }
}

/// The first token of a text that begins with this character, and what comes after it.
fn token(first: char, text: &str) -> Result<(Token, &str), String> {
    let single = |token: Token| Ok((token, text.get(first.len_utf8()..).unwrap_or_default()));
    match first {
        '(' => single(Token::Open),
        ')' => single(Token::Close),
        ',' => single(Token::Comma),
        '$' => single(Token::Bound),
        '"' => quoted(text),
        '-' | '0'..='9' => number(text),
        _ if is_letter(first) => {
            let (word, rest) = split(text, |c| is_letter(c) || c.is_ascii_digit());
            Ok((Token::Word(word.to_owned()), rest))
        }
        _ => match SIGNS.iter().find_map(|(sign, means)| Some((Token::Sign(means), text.strip_prefix(sign)?))) {
            Some(sign) => Ok(sign),
            None => Err(format!("`{first}` means nothing here; texts stand in double quotes")),
        },
    }
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

fn number(text: &str) -> Result<(Token, &str), String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (_, rest) = split(digits, |c| c.is_ascii_digit());
    let written = text.strip_suffix(rest).unwrap_or(text);
    if rest.starts_with(['.', ',']) && rest.chars().nth(1).is_some_and(|c| c.is_ascii_digit()) {
        return Err(format!("numbers are whole and without marks between thousands, as {written}"));
    }
    let number = written.parse().map_err(|_| format!("`{written}` is no number of at most 19 digits"))?;
    Ok((Token::Number(number), rest))
}

/// A text in double quotes is written as in JSON (RFC 8259 §7).
fn quoted(text: &str) -> Result<(Token, &str), String> {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let is_end = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        is_end
    });
    let Some((end, _)) = end else { return Err("the text is not closed by a double quote".to_owned()) };
    let (written, rest) = text.split_at(end + 1);
    let read =
        serde_json::from_str(written).map_err(|_| "the text has an escape that JSON does not have".to_owned())?;
    Ok((Token::Text(read), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_signs_and_texts_have_their_places() {
        let found = tokens("é_1 >= -5(\"a\\\"b\", $)").unwrap();
        let shown: Vec<(usize, String)> = found.iter().map(|placed| (placed.at, placed.token.shown())).collect();
        let expected = [
            (0, "`é_1`"),
            (4, "`>=`"),
            (7, "`-5`"),
            (9, "`(`"),
            (10, "`\"a\\\"b\"`"),
            (16, "`,`"),
            (18, "`$`"),
            (19, "`)`"),
        ];
        assert_eq!(shown, expected.map(|(at, text)| (at, text.to_owned())));
    }

    #[test]
    fn what_is_no_token_is_named_with_its_place() {
        for (text, at, word) in [
            ("orders >= 1.5", 10, "whole"),
            ("orders >= 99999999999999999999", 10, "no number"),
            ("orders & 1", 7, "means nothing"),
            ("url_path matches \"/c", 17, "not closed"),
            ("url_path matches \"\\x\"", 17, "escape"),
            ("orders >= -", 10, "no number"),
        ] {
            let error = tokens(text).unwrap_err();
            assert_eq!(error.at, at, "{text}");
            assert!(error.message.contains(word), "{}", error.message);
        }
    }
}
