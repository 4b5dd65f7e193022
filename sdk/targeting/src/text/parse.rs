//! Reads a text.

use super::error::{TextError, nearest};
use super::token::{Placed, Token, tokens};
use crate::condition::{Condition, Fact, MAX_CATEGORY, MAX_COUNTED, MAX_DEPTH, MAX_PARTS, MAX_PATTERN, Op, Scope};
use crate::edge_fact::PersonNumber;
use crate::edge_fact_json::names;
use crate::stage::Stage;

/// Longest text, in bytes.
pub const MAX_TEXT: usize = 20_000;
/// Deepest nesting of parentheses, redundant ones too.
const MAX_PARENTHESES: usize = 4 * MAX_DEPTH;

/// Words with a meaning of their own where a part of a condition stands.
const KEYWORDS: [&str; 12] = [
    "not",
    "all",
    "any",
    "at_least",
    "some_category",
    "stage",
    "url_path",
    "first",
    "last",
    "sum",
    "average",
    "distinct",
];

pub(super) type Read<T> = Result<T, TextError>;

/// The condition that a text says.
///
/// # Errors
/// What is wrong, where, and which known word was probably meant.
pub fn parse(text: &str) -> Read<Condition> {
    if text.len() > MAX_TEXT {
        return Err(TextError { at: MAX_TEXT, message: format!("the text is longer than {MAX_TEXT} bytes") });
    }
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: tokens.iter(), end: text.chars().count(), is_bound: false, depth: 0 };
    let condition = parser.either()?;
    if let Some(placed) = parser.tokens.next() {
        let word = match &placed.token {
            Token::Word(word) => nearest(word, ["and", "or"].into_iter()),
            _ => None,
        };
        let meant = word.map_or_else(|| "`and` or `or`".to_owned(), |word| format!("`{word}`"));
        return Err(wrong(placed, &format!("comes after the condition; write {meant} between two parts")));
    }
    if depth(&condition) > MAX_DEPTH {
        return Err(TextError { at: 0, message: format!("is nested too deeply ({MAX_DEPTH} levels at most)") });
    }
    Ok(condition)
}

pub(super) fn wrong(placed: &Placed, message: &str) -> TextError {
    TextError { at: placed.at, message: format!("{} {message}", placed.token.shown()) }
}

fn depth(condition: &Condition) -> usize {
    // What a page gets in the place of `at_least` is one level deeper.
    let own = if matches!(condition, Condition::AtLeast(..)) { 2 } else { 1 };
    own + condition.parts().iter().map(depth).max().unwrap_or_default()
}

pub(super) struct Parser<'a> {
    tokens: std::slice::Iter<'a, Placed>,
    /// Characters of the text.
    end: usize,
    /// Whether a `some_category` stands around.
    is_bound: bool,
    /// Parentheses, `not`s and lists around.
    depth: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn peek(&self) -> Option<&'a Token> {
        self.tokens.as_slice().first().map(|placed| &placed.token)
    }

    /// The token after that.
    pub(super) fn peek_second(&self) -> Option<&'a Token> {
        self.tokens.as_slice().get(1).map(|placed| &placed.token)
    }

    /// Characters before the next token.
    pub(super) fn place(&self) -> usize {
        self.tokens.as_slice().first().map_or(self.end, |placed| placed.at)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word))
    }

    pub(super) fn take(&mut self, token: &Token) -> bool {
        let is_next = self.peek() == Some(token);
        if is_next {
            self.tokens.next();
        }
        is_next
    }

    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let is_next = self.is_word(word);
        if is_next {
            self.tokens.next();
        }
        is_next
    }

    pub(super) fn next(&mut self, expected: &str) -> Read<&'a Placed> {
        let message = || format!("the text ends where {expected} is expected");
        self.tokens.next().ok_or_else(|| TextError { at: self.end, message: message() })
    }

    pub(super) fn expect(&mut self, token: &Token) -> Read<()> {
        let shown = token.shown();
        let placed = self.next(&shown)?;
        if placed.token == *token { Ok(()) } else { Err(wrong(placed, &format!("stands where {shown} is expected"))) }
    }

    /// Parts joined by `or`.
    fn either(&mut self) -> Read<Condition> {
        self.joined("or", Condition::Any, Self::both)
    }

    /// Parts joined by `and`.
    fn both(&mut self) -> Read<Condition> {
        self.joined("and", Condition::All, Self::part)
    }

    fn joined(
        &mut self,
        word: &str,
        join: fn(Vec<Condition>) -> Condition,
        part: fn(&mut Self) -> Read<Condition>,
    ) -> Read<Condition> {
        let first = part(self)?;
        if !self.is_word(word) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.take_word(word) {
            parts.push(part(self)?);
        }
        self.bounded(parts).map(join)
    }

    fn bounded(&self, parts: Vec<Condition>) -> Read<Vec<Condition>> {
        if parts.len() <= MAX_PARTS {
            return Ok(parts);
        }
        let at = self.place();
        Err(TextError { at, message: format!("more than {MAX_PARTS} parts are joined before this") })
    }

    /// Runs `read` one level deeper.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.depth >= MAX_PARENTHESES {
            let at = self.place();
            return Err(TextError { at, message: format!("is nested too deeply ({MAX_DEPTH} levels at most)") });
        }
        self.depth += 1;
        let found = read(self);
        self.depth -= 1;
        found
    }

    fn part(&mut self) -> Read<Condition> {
        let placed = self.next("a condition, as orders >= 1,")?;
        let word = match &placed.token {
            Token::Open => {
                let inner = self.deeper(Self::either)?;
                self.expect(&Token::Close)?;
                return Ok(inner);
            }
            Token::Word(word) => word.to_ascii_lowercase(),
            _ => return Err(wrong(placed, "stands where a condition is expected, as orders >= 1")),
        };
        match word.as_str() {
            "not" => self.deeper(Self::part).map(|part| Condition::Not(Box::new(part))),
            "all" => self.list().map(Condition::All),
            "any" => self.list().map(Condition::Any),
            "at_least" => self.at_least(),
            "some_category" => self.some_category(placed),
            "stage" => self.stage(),
            "url_path" => self.path(),
            name => match self.edge_fact(name) {
                Some(leaf) => leaf,
                None => self.comparison(name, placed),
            },
        }
    }

    fn at_least(&mut self) -> Read<Condition> {
        let placed = self.next("a number")?;
        let least = match &placed.token {
            Token::Number(number) => usize::try_from(*number).unwrap_or_default(),
            _ => {
                return Err(wrong(
                    placed,
                    "stands where a number is expected, as at_least 2 of (viewed, searched, ordered)",
                ));
            }
        };
        if !self.take_word("of") {
            let placed = self.next("`of`")?;
            return Err(wrong(placed, "stands where `of` is expected, as at_least 2 of (viewed, searched, ordered)"));
        }
        let parts = self.deeper(Self::list)?;
        if !(2..=MAX_COUNTED).contains(&parts.len()) || !(1..=parts.len()).contains(&least) {
            let message = format!("does not fit: use 1 to as many as there are, of 2 to {MAX_COUNTED} parts");
            return Err(wrong(placed, &message));
        }
        Ok(Condition::AtLeast(least, parts))
    }

    /// Parts in parentheses, between commas.
    fn list(&mut self) -> Read<Vec<Condition>> {
        self.expect(&Token::Open)?;
        let mut parts = Vec::new();
        if self.take(&Token::Close) {
            return Ok(parts);
        }
        loop {
            parts.push(self.deeper(Self::either)?);
            if !self.take(&Token::Comma) {
                break;
            }
        }
        self.expect(&Token::Close)?;
        self.bounded(parts)
    }

    fn some_category(&mut self, placed: &Placed) -> Read<Condition> {
        if self.is_bound {
            return Err(wrong(placed, "cannot stand inside another some_category"));
        }
        self.expect(&Token::Open)?;
        self.is_bound = true;
        let part = self.deeper(Self::either);
        self.is_bound = false;
        let part = part?;
        self.expect(&Token::Close)?;
        Ok(Condition::SomeCategory(Box::new(part)))
    }

    fn stage(&mut self) -> Read<Condition> {
        if !self.take_word("in") {
            if !self.take(&Token::Sign("=")) {
                let placed = self.next("`=` or `in`")?;
                return Err(wrong(placed, "stands where `=` or `in` is expected, as stage in (new, active)"));
            }
            return self.stage_name().map(|stage| Condition::StageIn(1 << stage.code()));
        }
        self.expect(&Token::Open)?;
        let mut bits = 0;
        loop {
            bits |= 1 << self.stage_name()?.code();
            if !self.take(&Token::Comma) {
                break;
            }
        }
        self.expect(&Token::Close)?;
        Ok(Condition::StageIn(bits))
    }

    fn stage_name(&mut self) -> Read<Stage> {
        let placed = self.next("a stage")?;
        let (Token::Word(name) | Token::Text(name)) = &placed.token else {
            return Err(wrong(placed, "is no stage; use prospect, new, active, sleep, lost or deep"));
        };
        Stage::parse(&name.to_ascii_lowercase()).ok_or_else(|| {
            let known = Stage::ALL.iter().map(|stage| stage.as_str());
            let meant = nearest(name, known).map(|word| format!("; did you mean `{word}`?"));
            let all = "; use prospect, new, active, sleep, lost or deep".to_owned();
            wrong(placed, &format!("is no stage{}", meant.unwrap_or(all)))
        })
    }

    fn path(&mut self) -> Read<Condition> {
        if !self.take_word("matches") {
            let placed = self.next("`matches`")?;
            return Err(wrong(placed, "stands where `matches` is expected, as url_path matches \"/c/*\""));
        }
        let placed = self.next("a pattern in double quotes")?;
        match &placed.token {
            Token::Text(pattern) if (1..=MAX_PATTERN).contains(&pattern.len()) => Ok(Condition::Path(pattern.clone())),
            _ => Err(wrong(placed, "must be a path pattern of 1 to 200 bytes in double quotes, as \"/c/*\"")),
        }
    }

    fn comparison(&mut self, name: &str, placed: &Placed) -> Read<Condition> {
        let Some(fact) = Fact::ALL.into_iter().find(|known| known.as_str() == name) else {
            let others = names();
            let mut known: Vec<&str> = others.iter().map(String::as_str).collect();
            known.extend(Fact::ALL.map(Fact::as_str));
            known.extend(KEYWORDS);
            let meant = nearest(name, known.into_iter());
            let meant = meant.map(|word| format!("; did you mean `{word}`?"));
            let all = || {
                format!(
                    "; use {}, {} or {}",
                    KEYWORDS.join(", "),
                    Fact::ALL.map(Fact::as_str).join(", "),
                    others.join(", ")
                )
            };
            return Err(wrong(placed, &format!("is not known{}", meant.unwrap_or_else(all))));
        };
        let scope = if self.take(&Token::Open) { self.scope(fact)? } else { Scope::All };
        if fact.is_flag() && !matches!(self.peek(), Some(Token::Sign(_))) {
            return Ok(Condition::Compare(fact, scope, Op::Equal, 1));
        }
        let (op, value) = self.compared()?;
        if fact == Fact::Orders && self.is_word("in") {
            return self.windowed(PersonNumber::Orders, op, value);
        }
        Ok(Condition::Compare(fact, scope, op, value))
    }

    /// A sign of comparison and a whole number.
    pub(super) fn compared(&mut self) -> Read<(Op, i64)> {
        let placed = self.next("a comparison, as >= 1,")?;
        let op = match &placed.token {
            Token::Sign(sign) => Op::parse(sign),
            _ => None,
        };
        let op = op.ok_or_else(|| wrong(placed, "stands where a comparison is expected: =, !=, >, >=, < or <="))?;
        let placed = self.next("a whole number")?;
        match &placed.token {
            Token::Number(number) => Ok((op, *number)),
            _ => Err(wrong(placed, "stands where a whole number is expected")),
        }
    }

    /// What stands in parentheses behind a fact, up to the one that closes.
    fn scope(&mut self, fact: Fact) -> Read<Scope> {
        let placed = self.next("`category`")?;
        let is_category = matches!(&placed.token, Token::Word(word) if word.eq_ignore_ascii_case("category"));
        if !is_category {
            return Err(wrong(placed, "stands where `category` is expected, as (category = \"jackets\")"));
        }
        if !fact.takes_category() {
            return Err(wrong(placed, &format!("does not apply to {}", fact.as_str())));
        }
        self.expect(&Token::Sign("="))?;
        let placed = self.next("a category in double quotes")?;
        let scope = match &placed.token {
            Token::Text(name) if name == "$" => Scope::Bound,
            Token::Bound => Scope::Bound,
            Token::Text(name) if (1..=MAX_CATEGORY).contains(&name.len()) => Scope::Named(name.clone()),
            _ => return Err(wrong(placed, "must be a category ID of 1 to 128 bytes in double quotes, or $")),
        };
        if scope == Scope::Bound && !self.is_bound {
            return Err(wrong(placed, "needs an enclosing some_category"));
        }
        self.expect(&Token::Close)?;
        Ok(scope)
    }
}
