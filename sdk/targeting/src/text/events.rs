//! Questions about what a person did, as text: `viewed(category = "jackets") >= 3 in 14 days`, `last(searched) within 2 hours`,
//! `sum(ordered, value) >= 10000`, `event("Quiz Finished", result = "dry") >= 1 after viewed`.

use endcap_protocol::Date;

use super::error::TextError;
use super::leaf::{bounded, print_span, print_test, quoted};
use super::parse::{Parser, Read, wrong};
use super::token::{Placed, Token, tokens};
use crate::condition::Op;
use crate::event_query::{
    EventFact, EventName, EventQuery, EventSelector, EventTime, KnownEvent, LAST_HOUR, MAX_FILTERS, Measure,
    PropertyFilter, PropertyTest, WEEKDAYS, Which,
};
use crate::event_query_json::{MAX_EVENT, MEASURES, NAMED, is_event, measure_of, weekdays, word_of};
use crate::text_test::{MAX_NAME, TextTest};

impl Parser<'_> {
    /// The leaf that begins with a name; None where that is no event's, and nothing of events.
    pub(super) fn event_fact(&mut self, name: &str) -> Option<Read<EventFact>> {
        if let Some(which) = Which::parse(name) {
            return Some(self.when(which));
        }
        if MEASURES.contains(&name) {
            return Some(self.measured(name));
        }
        is_event(name).then(|| {
            let selector = self.selector(name)?;
            self.event_compared(selector, Measure::Count)
        })
    }

    fn measured(&mut self, word: &str) -> Read<EventFact> {
        self.expect(&Token::Open)?;
        let selector = self.named_selector()?;
        self.expect(&Token::Comma)?;
        let at = self.place();
        let property = self.property()?;
        if word != "distinct" && EventTime::parse(&property).is_some() {
            return Err(TextError { at, message: format!("`{property}` is no number; use distinct") });
        }
        self.expect(&Token::Close)?;
        let measure = measure_of(word, property).unwrap_or(Measure::Count);
        self.event_compared(selector, measure)
    }

    fn when(&mut self, which: Which) -> Read<EventFact> {
        self.expect(&Token::Open)?;
        let query = EventQuery::of_times(self.named_selector()?);
        self.expect(&Token::Close)?;
        self.ago(
            |span| EventFact::Within(which, query.clone(), span),
            |span| EventFact::Before(which, query.clone(), span),
        )
    }

    /// The comparison behind events; without one, that there are some.
    fn event_compared(&mut self, selector: EventSelector, measure: Measure) -> Read<EventFact> {
        let is_compared = matches!(self.peek(), Some(Token::Sign(_))) || measure != Measure::Count;
        let at = self.place();
        let (op, value) = if is_compared { self.compared()? } else { (Op::AtLeast, 1) };
        let (low, high) = measure.bounds();
        if !(low..=high).contains(&value) {
            return Err(TextError { at, message: format!("`{value}` must be {low} to {high}") });
        }
        let within = if self.take_word("in") { Some(self.span()?) } else { None };
        let after = if self.take_word("after") { Some(EventQuery::of_times(self.named_selector()?)) } else { None };
        Ok(EventFact::Compared { query: EventQuery::new(selector, measure, value), within, after, op, value })
    }

    /// Events with their word.
    fn named_selector(&mut self) -> Read<EventSelector> {
        let placed = self.next("an event, as viewed,")?;
        match &placed.token {
            Token::Word(word) if is_event(&word.to_ascii_lowercase()) => self.selector(&word.to_ascii_lowercase()),
            _ => Err(wrong(placed, "stands where an event is expected, as viewed(category = \"jackets\")")),
        }
    }

    /// What stands behind the word of an event.
    fn selector(&mut self, word: &str) -> Read<EventSelector> {
        if let Some(known) = KnownEvent::parse(word) {
            let is_open = self.take(&Token::Open);
            let filters = if is_open && !self.take(&Token::Close) { self.filters()? } else { Vec::new() };
            return Ok(EventSelector { name: EventName::Known(known), filters });
        }
        self.expect(&Token::Open)?;
        let placed = self.next("an event's name in double quotes")?;
        let name = EventName::Named(bounded(placed, MAX_EVENT)?);
        let filters = if self.take(&Token::Comma) {
            self.filters()?
        } else {
            self.expect(&Token::Close)?;
            Vec::new()
        };
        Ok(EventSelector { name, filters })
    }

    /// Properties between commas, up to the parenthesis that closes.
    fn filters(&mut self) -> Read<Vec<PropertyFilter>> {
        let mut filters = vec![self.filter()?];
        while self.take(&Token::Comma) {
            filters.push(self.filter()?);
        }
        let placed = self.next("`)`")?;
        match placed.token {
            Token::Close if filters.len() <= MAX_FILTERS => Ok(filters),
            Token::Close => Err(wrong(placed, &format!("ends a list of more than {MAX_FILTERS} properties"))),
            _ => Err(wrong(placed, "stands where `,` or `)` is expected")),
        }
    }

    fn filter(&mut self) -> Read<PropertyFilter> {
        let property = self.property()?;
        if let Some(time) = EventTime::parse(&property) {
            return Ok(PropertyFilter { property, test: self.time_test(time)? });
        }
        let is_number = matches!((self.peek(), self.peek_second()), (Some(Token::Sign(_)), Some(Token::Number(_))));
        if is_number {
            let (op, number) = self.compared()?;
            return Ok(PropertyFilter { property, test: PropertyTest::Number(op, number) });
        }
        Ok(PropertyFilter { property, test: PropertyTest::Text(self.test()?) })
    }

    /// What the time of an event has to be.
    fn time_test(&mut self, time: EventTime) -> Read<PropertyTest> {
        let at = self.place();
        let wrong = |message: String| TextError { at, message };
        match time {
            EventTime::Date => self.dated().map(|(op, date)| PropertyTest::Date(op, date)),
            EventTime::Hour => match self.compared()? {
                (op, hour) if (0..=LAST_HOUR).contains(&hour) => Ok(PropertyTest::Number(op, hour)),
                (_, hour) => Err(wrong(format!("`{hour}` must be 0 to {LAST_HOUR}"))),
            },
            EventTime::Weekday => match self.test()? {
                TextTest::OneOf(given) => match weekdays(&given) {
                    Ok(all) => Ok(PropertyTest::Text(TextTest::OneOf(all))),
                    Err(_) => Err(wrong(format!("names no weekday; use {}", WEEKDAYS.join(", ")))),
                },
                _ => Err(wrong("compares a weekday otherwise than by = or in".to_owned())),
            },
        }
    }

    /// A sign of comparison and a date.
    fn dated(&mut self) -> Read<(Op, Date)> {
        let placed = self.next("a comparison, as >= \"2026-11-01\",")?;
        let op = match &placed.token {
            Token::Sign(sign) => Op::parse(sign),
            _ => None,
        };
        let op = op.ok_or_else(|| wrong(placed, "stands where a comparison is expected: =, !=, >, >=, < or <="))?;
        let placed = self.next("a date in double quotes")?;
        let date = match &placed.token {
            Token::Text(text) => Date::parse(text),
            _ => None,
        };
        Ok((op, date.ok_or_else(|| wrong(placed, "must be a date in double quotes, as \"2026-11-29\""))?))
    }

    fn property(&mut self) -> Read<String> {
        let placed = self.next("a property, as category,")?;
        match &placed.token {
            Token::Word(word) if word.len() <= MAX_NAME => Ok(word.clone()),
            Token::Text(_) => bounded(placed, MAX_NAME),
            _ => Err(wrong(placed, "stands where a property is expected, as category = \"jackets\"")),
        }
    }
}

/// The text of such a leaf.
pub(super) fn print(fact: &EventFact) -> String {
    match fact {
        EventFact::Compared { query, within, after, op, value } => {
            let number = print_measured(query.selector(), query.measure());
            let within = within.map(|span| format!(" in {}", print_span(&span))).unwrap_or_default();
            let after = after.as_ref().map(|after| format!(" after {}", print_selector(after.selector())));
            // An event alone says that it happened.
            let says_it_happened = (query.measure(), op, value) == (&Measure::Count, &Op::AtLeast, &1);
            let compared = if says_it_happened { String::new() } else { format!(" {} {value}", op.as_str()) };
            format!("{number}{compared}{within}{}", after.unwrap_or_default())
        }
        EventFact::Within(which, query, span) => {
            format!("{}({}) within {}", which.as_str(), print_selector(query.selector()), print_span(span))
        }
        EventFact::Before(which, query, span) => {
            format!("{}({}) before {} ago", which.as_str(), print_selector(query.selector()), print_span(span))
        }
    }
}

fn print_measured(selector: &EventSelector, measure: &Measure) -> String {
    let events = print_selector(selector);
    match (word_of(measure), measure.property()) {
        (Some(word), Some(property)) => format!("{word}({events}, {})", print_property(property)),
        _ => events,
    }
}

fn print_selector(selector: &EventSelector) -> String {
    let filters = selector.filters.iter().map(|PropertyFilter { property, test }| {
        let test = match test {
            PropertyTest::Text(test) => print_test(test),
            PropertyTest::Number(op, number) => format!("{} {number}", op.as_str()),
            PropertyTest::Date(op, date) => format!("{} {}", op.as_str(), quoted(&date.to_string())),
        };
        format!("{} {test}", print_property(property))
    });
    let named = match &selector.name {
        EventName::Named(name) => Some(quoted(name)),
        EventName::Known(_) => None,
    };
    let inside: Vec<String> = named.into_iter().chain(filters).collect();
    let word = match &selector.name {
        EventName::Named(_) => NAMED,
        EventName::Known(known) => known.as_str(),
    };
    if inside.is_empty() { word.to_owned() } else { format!("{word}({})", inside.join(", ")) }
}

/// A property is a word of its own where it can be.
fn print_property(property: &str) -> String {
    let is_word =
        matches!(tokens(property).as_deref(), Ok([Placed { token: Token::Word(word), .. }]) if word == property);
    if is_word { property.to_owned() } else { quoted(property) }
}
