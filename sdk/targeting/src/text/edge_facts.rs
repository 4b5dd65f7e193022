//! What only the edge knows, as text: `revenue >= 10000 in 90 days`, `last_order before 90 days ago`, `trait("city") = "Paris"`.

use endcap_protocol::{FieldError, SegmentId};

use super::error::{TextError, nearest};
use super::events;
use super::leaf::{print_span, print_test, quoted};
use super::parse::{Parser, Read, wrong};
use super::token::Token;
use crate::condition::{Condition, Op};
use crate::customer_score::{GroupModel, ScoreNumber};
use crate::edge_fact::{EdgeFact, MAX_AHEAD, PersonFlag, PersonNumber, PersonText, PersonTime};
use crate::edge_fact_json::{checked, name_of, text_named};
use crate::text_test::{MAX_ID, MAX_NAME, MAX_TEXT, MAX_TEXTS, TextTest};

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
        if let Some(fact) = ScoreNumber::parse(name) {
            let score = |(op, value)| Condition::Edge(EdgeFact::Score { fact, op, value });
            return Some(self.compared().map(score));
        }
        if let Some(model) = GroupModel::parse(name) {
            return Some(self.groups(model));
        }
        if let Some(text) = text_named(name) {
            return Some(self.text_test(text));
        }
        if let Some(leaf) = self.event_fact(name) {
            return Some(leaf.map(|fact| Condition::Edge(EdgeFact::Event(Box::new(fact)))));
        }
        match name {
            "segment" => Some(self.segment().map(|id| Condition::Edge(EdgeFact::Segment(id)))),
            "listed" => Some(self.segment().map(|id| Condition::Edge(EdgeFact::Listed(id)))),
            "entered" => Some(self.entered()),
            "anniversary" => Some(self.anniversary()),
            "trait" => Some(self.a_trait()),
            "cart_has" => Some(self.cart_has()),
            _ => None,
        }
    }

    /// A comparison of a number that is counted within a span, where one follows.
    pub(super) fn windowed(&mut self, fact: PersonNumber, op: Op, value: i64) -> Read<Condition> {
        let within = if self.take_word("in") { Some(self.span()?) } else { None };
        Ok(Condition::Edge(EdgeFact::Number { fact, within, op, value }))
    }

    /// Groups of a model: one, or a list.
    fn groups(&mut self, model: GroupModel) -> Read<Condition> {
        let mut all = Vec::new();
        if self.take(&Token::Sign("!=")) {
            let other = Condition::Edge(EdgeFact::Group(model, vec![self.group(model)?]));
            return Ok(Condition::Not(Box::new(other)));
        }
        if self.take(&Token::Sign("=")) {
            all.push(self.group(model)?);
        } else {
            if !self.take_word("in") {
                let placed = self.next("`in`")?;
                return Err(wrong(
                    placed,
                    &format!("stands where =, != or `in` is expected, as {} in ({})", model.as_str(), example(model)),
                ));
            }
            self.expect(&Token::Open)?;
            all.push(self.group(model)?);
            while self.take(&Token::Comma) {
                all.push(self.group(model)?);
            }
            let placed = self.next("`)`")?;
            match placed.token {
                Token::Close if all.len() <= MAX_TEXTS => {}
                Token::Close => return Err(wrong(placed, &format!("ends a list of more than {MAX_TEXTS} groups"))),
                _ => return Err(wrong(placed, "stands where `)` is expected")),
            }
        }
        Ok(Condition::Edge(EdgeFact::Group(model, all)))
    }

    fn group(&mut self, model: GroupModel) -> Read<&'static str> {
        let placed = self.next("a group")?;
        let name = match &placed.token {
            Token::Word(name) | Token::Text(name) => name.as_str(),
            _ => "",
        };
        model.group(name).ok_or_else(|| {
            let meant = nearest(name, model.groups().iter().copied()).map(|group| format!("; did you mean `{group}`?"));
            let all = || format!("; use {}", model.groups().join(", "));
            wrong(placed, &format!("is no group of {}{}", model.as_str(), meant.unwrap_or_else(all)))
        })
    }

    fn time(&mut self, fact: PersonTime) -> Read<Condition> {
        self.ago(|span| EdgeFact::Within(fact, span), |span| EdgeFact::Before(fact, span)).map(Condition::Edge)
    }

    /// A trait, compared as text, as number, or as a moment.
    fn a_trait(&mut self) -> Read<Condition> {
        let name = self.quoted_in_parentheses("a trait's name", MAX_NAME)?;
        match (self.peek(), self.peek_second()) {
            (Some(Token::Sign(_)), Some(Token::Number(_))) => {
                self.compared().map(|(op, value)| Condition::Edge(EdgeFact::TraitNumber { name, op, value }))
            }
            (Some(Token::Word(word)), _) if ["within", "before"].iter().any(|way| word.eq_ignore_ascii_case(way)) => {
                let within = |span| EdgeFact::TraitWithin(name.clone(), span);
                self.ago(within, |span| EdgeFact::TraitBefore(name.clone(), span)).map(Condition::Edge)
            }
            _ => self.text_test(PersonText::Trait(name)),
        }
    }

    /// A test of a text.
    fn text_test(&mut self, text: PersonText) -> Read<Condition> {
        let at = self.place();
        let is_not = self.take(&Token::Sign("!="));
        let test = if is_not { TextTest::OneOf(vec![self.quoted(MAX_TEXT)?]) } else { self.test()? };
        checked(&text, &test).map_err(|error| misspelt(at, &text, &test, &error))?;
        let edge = Condition::Edge(EdgeFact::Text(text, test));
        Ok(if is_not { Condition::Not(Box::new(edge)) } else { edge })
    }

    /// How long ago somebody entered a segment.
    fn entered(&mut self) -> Read<Condition> {
        let id = self.segment()?;
        let fact = self
            .ago(|span| EdgeFact::EnteredWithin(id.clone(), span), |span| EdgeFact::EnteredBefore(id.clone(), span));
        fact.map(Condition::Edge)
    }

    fn anniversary(&mut self) -> Read<Condition> {
        let name = self.quoted_in_parentheses("a trait's name", MAX_NAME)?;
        if !self.take_word("within") {
            let placed = self.next("`within`")?;
            return Err(wrong(placed, "stands where `within` is expected, as anniversary(\"birthday\") within 7 days"));
        }
        let placed = self.next("a number of days")?;
        let days = match &placed.token {
            Token::Number(days) => u16::try_from(*days).ok().filter(|days| (1..=MAX_AHEAD).contains(days)),
            _ => None,
        };
        let days = days.ok_or_else(|| wrong(placed, &format!("must be 1 to {MAX_AHEAD} days")))?;
        if !self.take_word("days") && !self.take_word("day") {
            let placed = self.next("`days`")?;
            return Err(wrong(placed, "stands where `days` is expected"));
        }
        Ok(Condition::Edge(EdgeFact::Anniversary { name, days }))
    }

    fn segment(&mut self) -> Read<SegmentId> {
        self.expect(&Token::Open)?;
        let placed = self.next("a segment's ID in double quotes")?;
        let id = match &placed.token {
            Token::Text(id) => SegmentId::parse(id).ok(),
            _ => None,
        };
        let wrong = || wrong(placed, "must be a segment's ID of 1 to 64 bytes in double quotes, as segment(\"vip\")");
        let id = id.ok_or_else(wrong)?;
        self.expect(&Token::Close)?;
        Ok(id)
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

/// Two groups of a model.
fn example(model: GroupModel) -> String {
    model.groups().iter().take(2).copied().collect::<Vec<_>>().join(", ")
}

/// The text of such a leaf.
pub(super) fn print(fact: &EdgeFact) -> String {
    let span = print_span;
    match fact {
        EdgeFact::Segment(id) => format!("segment({})", quoted(id.as_str())),
        EdgeFact::TraitNumber { name, op, value } => format!("trait({}) {} {value}", quoted(name), op.as_str()),
        EdgeFact::TraitWithin(name, within) => format!("trait({}) within {}", quoted(name), span(within)),
        EdgeFact::TraitBefore(name, before) => format!("trait({}) before {} ago", quoted(name), span(before)),
        EdgeFact::Listed(id) => format!("listed({})", quoted(id.as_str())),
        EdgeFact::EnteredWithin(id, within) => format!("entered({}) within {}", quoted(id.as_str()), span(within)),
        EdgeFact::EnteredBefore(id, before) => format!("entered({}) before {} ago", quoted(id.as_str()), span(before)),
        EdgeFact::Anniversary { name, days } => format!("anniversary({}) within {days} days", quoted(name)),
        EdgeFact::Number { fact, within, op, value } => {
            let within = within.as_ref().map(|within| format!(" in {}", span(within)));
            format!("{} {} {value}{}", fact.as_str(), op.as_str(), within.unwrap_or_default())
        }
        EdgeFact::Within(fact, within) => format!("{} within {}", fact.as_str(), span(within)),
        EdgeFact::Before(fact, before) => format!("{} before {} ago", fact.as_str(), span(before)),
        EdgeFact::Text(text, test) => format!("{} {}", text_name(text), print_test(test)),
        EdgeFact::Flag(flag) => flag.as_str().to_owned(),
        EdgeFact::Score { fact, op, value } => format!("{} {} {value}", fact.as_str(), op.as_str()),
        EdgeFact::Group(model, groups) => format!("{} in ({})", model.as_str(), groups.join(", ")),
        EdgeFact::CartProduct(id) => format!("cart_has(product = {})", quoted(id)),
        EdgeFact::CartCategory(id) => format!("cart_has(category = {})", quoted(id)),
        EdgeFact::Event(fact) => events::print(fact),
    }
}

/// The text of a span.
fn text_name(text: &PersonText) -> String {
    match text {
        PersonText::Trait(name) => format!("trait({})", quoted(name)),
        text => name_of(text).unwrap_or_default(),
    }
}

/// What is wrong with a text that is never equal to what it is compared with, and the word that was probably meant.
fn misspelt(at: usize, text: &PersonText, test: &TextTest, error: &FieldError) -> TextError {
    let name = name_of(text).unwrap_or_default();
    let meant = match (text, test) {
        (PersonText::Device(what), TextTest::OneOf(all)) => {
            let words = what.words().unwrap_or_default();
            let wrong = all.iter().find(|one| what.mistake(one).is_some());
            wrong.and_then(|wrong| nearest(wrong, words.into_iter())).map(str::to_owned)
        }
        _ => None,
    };
    let meant = meant.map(|word| format!("; did you mean \"{word}\"?")).unwrap_or_default();
    TextError { at, message: format!("what `{name}` is compared with {}{meant}", error.message) }
}
