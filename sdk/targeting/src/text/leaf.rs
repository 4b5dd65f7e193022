//! What leaves of conditions have in common as text: texts, spans and how they are compared.

use serde_json::Value;

use super::error::TextError;
use super::parse::{Parser, Read, wrong};
use super::token::{Placed, Token};
use crate::span::{MAX_DAYS, Span};
use crate::text_test::{MAX_TEXT, MAX_TEXTS, TextTest};

impl Parser<'_> {
    pub(super) fn ago<T>(&mut self, within: impl FnOnce(Span) -> T, before: impl FnOnce(Span) -> T) -> Read<T> {
        if self.take_word("within") {
            return self.span().map(within);
        }
        if !self.take_word("before") {
            let placed = self.next("`within` or `before`")?;
            return Err(wrong(
                placed,
                "stands where `within` or `before` is expected, as last_order before 90 days ago",
            ));
        }
        let span = self.span()?;
        if !self.take_word("ago") {
            let placed = self.next("`ago`")?;
            return Err(wrong(placed, "stands where `ago` is expected"));
        }
        Ok(before(span))
    }

    pub(super) fn span(&mut self) -> Read<Span> {
        let placed = self.next("a span, as 14 days,")?;
        let count = match &placed.token {
            Token::Number(count) => *count,
            _ => return Err(wrong(placed, "stands where a span is expected, as 14 days")),
        };
        let unit = self.next("minutes, hours or days")?;
        let read = match &unit.token {
            Token::Word(word) => Span::of(count, &word.to_ascii_lowercase()),
            _ => None,
        };
        let bounds = format!("is no span; use 1 to 2879 minutes, 1 to 47 hours or 1 to {MAX_DAYS} days");
        read.ok_or_else(|| TextError {
            at: placed.at,
            message: format!("{} {} {bounds}", placed.token.shown(), unit.token.shown()),
        })
    }

    pub(super) fn test(&mut self) -> Read<TextTest> {
        let placed = self.next("a comparison of a text, as = \"x\",")?;
        let word = match &placed.token {
            Token::Sign("=") => return self.quoted(MAX_TEXT).map(|one| TextTest::OneOf(vec![one])),
            Token::Word(word) => word.to_ascii_lowercase(),
            _ => String::new(),
        };
        match word.as_str() {
            "in" => self.quoted_list().map(TextTest::OneOf),
            "contains" => self.quoted(MAX_TEXT).map(TextTest::Contains),
            "starts_with" => self.quoted(MAX_TEXT).map(TextTest::StartsWith),
            "is" if self.take_word("set") => Ok(TextTest::Set),
            _ => Err(wrong(placed, "stands where =, !=, in, contains, starts_with or `is set` is expected")),
        }
    }

    fn quoted_list(&mut self) -> Read<Vec<String>> {
        self.expect(&Token::Open)?;
        let mut all = vec![self.quoted(MAX_TEXT)?];
        while self.take(&Token::Comma) {
            all.push(self.quoted(MAX_TEXT)?);
        }
        let placed = self.next("`)`")?;
        match placed.token {
            Token::Close if all.len() <= MAX_TEXTS => Ok(all),
            Token::Close => Err(wrong(placed, &format!("ends a list of more than {MAX_TEXTS} texts"))),
            _ => Err(wrong(placed, "stands where `)` is expected")),
        }
    }

    pub(super) fn quoted(&mut self, most: usize) -> Read<String> {
        let placed = self.next("a text in double quotes")?;
        bounded(placed, most)
    }

    pub(super) fn quoted_in_parentheses(&mut self, what: &str, most: usize) -> Read<String> {
        self.expect(&Token::Open)?;
        let placed = self.next(&format!("{what} in double quotes"))?;
        let text = bounded(placed, most)?;
        self.expect(&Token::Close)?;
        Ok(text)
    }
}

pub(super) fn bounded(placed: &Placed, most: usize) -> Read<String> {
    match &placed.token {
        Token::Text(text) if (1..=most).contains(&text.len()) => Ok(text.clone()),
        _ => Err(wrong(placed, &format!("must be a text of 1 to {most} bytes in double quotes"))),
    }
}

pub(super) fn print_span(span: &Span) -> String {
    let (count, unit) = span.parts();
    format!("{count} {unit}")
}

/// The text of a test.
pub(super) fn print_test(test: &TextTest) -> String {
    match test {
        TextTest::OneOf(all) => match all.as_slice() {
            [one] => format!("= {}", quoted(one)),
            all => format!("in ({})", all.iter().map(|one| quoted(one)).collect::<Vec<_>>().join(", ")),
        },
        TextTest::Contains(part) => format!("contains {}", quoted(part)),
        TextTest::StartsWith(start) => format!("starts_with {}", quoted(start)),
        TextTest::Set => "is set".to_owned(),
    }
}

/// A text in double quotes, as JSON writes it.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
