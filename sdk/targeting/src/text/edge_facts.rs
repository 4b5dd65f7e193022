//! What only the edge knows, as text: `revenue >= 10000 in 90 days`, `last_order before 90 days ago`, `trait("city") = "Paris"`.

use endcap_protocol::SegmentId;
use serde_json::Value;

use super::error::TextError;
use super::parse::{Parser, Read, wrong};
use super::token::{Placed, Token};
use crate::condition::{Condition, Op};
use crate::edge_fact::{
    EdgeFact, MAX_ID, MAX_NAME, MAX_TEXT, MAX_TEXTS, PersonFlag, PersonNumber, PersonText, PersonTime, TextTest,
};
use crate::edge_fact_json::{name_of, text_named};
use crate::span::{MAX_DAYS, Span};

impl Parser<'_> {
    /// The leaf that begins with a name; None where only the edge knows no such fact.
    pub(super) fn edge_fact(&mut self, name: &str) -> Option<Read<Condition>> {
        if let Some(flag) = PersonFlag::parse(name) {
            return Some(Ok(Condition::Edge(EdgeFact::Flag(flag))));
        }
        if let Some(fact) = PersonTime::parse(name) {
            return Some(self.time(fact));
        }
        if let Some(fact) = PersonNumber::parse(name).filter(|fact| *fact != PersonNumber::Orders) {
            return Some(self.compared().and_then(|(op, value)| self.windowed(fact, op, value)));
        }
        if let Some(text) = text_named(name) {
            return Some(self.text_test(text));
        }
        match name {
            "segment" => Some(self.segment()),
            "trait" => Some(
                self.quoted_in_parentheses("a trait's name", MAX_NAME)
                    .and_then(|name| self.text_test(PersonText::Trait(name))),
            ),
            "cart_has" => Some(self.cart_has()),
            _ => None,
        }
    }

    /// A comparison of a number that is counted within a span, where one follows.
    pub(super) fn windowed(&mut self, fact: PersonNumber, op: Op, value: i64) -> Read<Condition> {
        let within = if self.take_word("in") { Some(self.span()?) } else { None };
        Ok(Condition::Edge(EdgeFact::Number { fact, within, op, value }))
    }

    fn time(&mut self, fact: PersonTime) -> Read<Condition> {
        if self.take_word("within") {
            return Ok(Condition::Edge(EdgeFact::Within(fact, self.span()?)));
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
        Ok(Condition::Edge(EdgeFact::Before(fact, span)))
    }

    fn span(&mut self) -> Read<Span> {
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

    fn text_test(&mut self, text: PersonText) -> Read<Condition> {
        let edge = |test| Condition::Edge(EdgeFact::Text(text, test));
        let placed = self.next("a comparison of a text, as = \"x\",")?;
        let word = match &placed.token {
            Token::Sign("=") => return self.quoted(MAX_TEXT).map(|one| edge(TextTest::OneOf(vec![one]))),
            Token::Sign("!=") => {
                let other = self.quoted(MAX_TEXT)?;
                return Ok(Condition::Not(Box::new(edge(TextTest::OneOf(vec![other])))));
            }
            Token::Word(word) => word.to_ascii_lowercase(),
            _ => String::new(),
        };
        match word.as_str() {
            "in" => self.quoted_list().map(|all| edge(TextTest::OneOf(all))),
            "contains" => self.quoted(MAX_TEXT).map(|part| edge(TextTest::Contains(part))),
            "starts_with" => self.quoted(MAX_TEXT).map(|start| edge(TextTest::StartsWith(start))),
            "is" if self.take_word("set") => Ok(edge(TextTest::Set)),
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

    fn quoted(&mut self, most: usize) -> Read<String> {
        let placed = self.next("a text in double quotes")?;
        bounded(placed, most)
    }

    fn quoted_in_parentheses(&mut self, what: &str, most: usize) -> Read<String> {
        self.expect(&Token::Open)?;
        let placed = self.next(&format!("{what} in double quotes"))?;
        let text = bounded(placed, most)?;
        self.expect(&Token::Close)?;
        Ok(text)
    }

    fn segment(&mut self) -> Read<Condition> {
        self.expect(&Token::Open)?;
        let placed = self.next("a segment's ID in double quotes")?;
        let id = match &placed.token {
            Token::Text(id) => SegmentId::parse(id).ok(),
            _ => None,
        };
        let wrong = || wrong(placed, "must be a segment's ID of 1 to 64 bytes in double quotes, as segment(\"vip\")");
        let id = id.ok_or_else(wrong)?;
        self.expect(&Token::Close)?;
        Ok(Condition::Edge(EdgeFact::Segment(id)))
    }

    fn cart_has(&mut self) -> Read<Condition> {
        self.expect(&Token::Open)?;
        let placed = self.next("`product` or `category`")?;
        let make = match &placed.token {
            Token::Word(word) if word.eq_ignore_ascii_case("product") => EdgeFact::CartProduct,
            Token::Word(word) if word.eq_ignore_ascii_case("category") => EdgeFact::CartCategory,
            _ => {
                return Err(wrong(
                    placed,
                    "stands where `product` or `category` is expected, as cart_has(category = \"shoes\")",
                ));
            }
        };
        self.expect(&Token::Sign("="))?;
        let id = self.quoted(MAX_ID)?;
        self.expect(&Token::Close)?;
        Ok(Condition::Edge(make(id)))
    }
}

fn bounded(placed: &Placed, most: usize) -> Read<String> {
    match &placed.token {
        Token::Text(text) if (1..=most).contains(&text.len()) => Ok(text.clone()),
        _ => Err(wrong(placed, &format!("must be a text of 1 to {most} bytes in double quotes"))),
    }
}

/// The text of such a leaf.
pub(super) fn print(fact: &EdgeFact) -> String {
    let span = |span: &Span| {
        let (count, unit) = span.parts();
        format!("{count} {unit}")
    };
    match fact {
        EdgeFact::Segment(id) => format!("segment({})", quoted(id.as_str())),
        EdgeFact::Number { fact, within, op, value } => {
            let within = within.as_ref().map(|within| format!(" in {}", span(within)));
            format!("{} {} {value}{}", fact.as_str(), op.as_str(), within.unwrap_or_default())
        }
        EdgeFact::Within(fact, within) => format!("{} within {}", fact.as_str(), span(within)),
        EdgeFact::Before(fact, before) => format!("{} before {} ago", fact.as_str(), span(before)),
        EdgeFact::Text(text, test) => format!("{} {}", text_name(text), print_test(test)),
        EdgeFact::Flag(flag) => flag.as_str().to_owned(),
        EdgeFact::CartProduct(id) => format!("cart_has(product = {})", quoted(id)),
        EdgeFact::CartCategory(id) => format!("cart_has(category = {})", quoted(id)),
    }
}

fn text_name(text: &PersonText) -> String {
    match text {
        PersonText::Trait(name) => format!("trait({})", quoted(name)),
        text => name_of(text).unwrap_or_default(),
    }
}

fn print_test(test: &TextTest) -> String {
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
