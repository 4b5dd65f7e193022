//! Judging a campaign by its compiled bytes: whether it may be shown to a visitor on a page, the same at the edge and in
//! the page.
//!
//! The bytes are read once from front to back and never become a tree: that would be a quarter of the page's rule
//! engine. [`evaluate`](crate::evaluate::evaluate) says the same of the tree, and why not.

use crate::Behaviour;
use crate::codec::{Damaged, Reader};
use crate::condition::{MAX_DEPTH, read_category, read_fact, read_op};
use crate::evaluate::{PageFacts, number};
use crate::frequency::Frequency;
use crate::pattern::matches;
use crate::program::VERSION;
use crate::trigger::Trigger;

/// How a campaign stands with a visitor on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Eligibility<'a> {
    /// It may be shown once its trigger happens, with the category for which its condition held, if it asked for one.
    Eligible(Trigger, Option<&'a str>),
    /// It is not for this page.
    Elsewhere,
    /// It was shown as often as its frequency cap allows.
    Capped,
    /// Its condition does not hold.
    Unmet,
}

/// Judges the campaign `id` by the binary form of its [`Program`](crate::Program).
///
/// # Errors
/// When the form is damaged, nested too deeply, or of another version.
pub fn judge<'a>(
    program: &[u8],
    id: &str,
    behaviour: &'a Behaviour,
    page: &PageFacts<'_>,
) -> Result<Eligibility<'a>, Damaged> {
    let mut run = Run { input: Reader::new(program), behaviour, page, category: None };
    if run.input.byte() != VERSION {
        return Err(Damaged);
    }
    let holds = run.condition(None, true, MAX_DEPTH);
    let trigger = Trigger::read(&mut run.input);
    let frequency = Frequency::read(&mut run.input);
    let included = run.some_path(true);
    let excluded = run.some_path(false);
    run.input.done().map(|()| {
        if !included || excluded {
            Eligibility::Elsewhere
        } else if !behaviour.seen.allows(&frequency, id, &behaviour.session, page.now) {
            Eligibility::Capped
        } else if holds {
            Eligibility::Eligible(trigger, run.category)
        } else {
            Eligibility::Unmet
        }
    })
}

struct Run<'r, 'a: 'r> {
    input: Reader<'r>,
    behaviour: &'a Behaviour,
    page: &'r PageFacts<'r>,
    category: Option<&'a str>,
}

impl<'r, 'a: 'r> Run<'r, 'a> {
    /// Whether the page's path matches one of a list of patterns; `empty` where there are none.
    fn some_path(&mut self, empty: bool) -> bool {
        let count = self.input.count();
        let mut some = empty && count == 0;
        for _ in 0..count {
            some |= self.on_path();
        }
        some
    }

    fn on_path(&mut self) -> bool {
        matches(self.input.slice(), self.page.path.as_bytes())
    }

    /// Reads a condition to its end and says whether it holds. One that is not `live` is only read: an earlier part has
    /// decided already. `depth`: how many levels may follow. A part that does not hold binds no category.
    fn condition(&mut self, bound: Option<&'a str>, live: bool, depth: usize) -> bool {
        let before = self.category;
        let code = self.input.byte();
        if code < 4 && depth == 0 || code == 3 && bound.is_some() {
            self.input.fail();
        }
        let inner = depth.saturating_sub(1);
        let holds = match code {
            0 | 1 => {
                let every = code == 0;
                let mut holds = every;
                for _ in 0..self.input.count() {
                    let open = holds == every;
                    let part = self.condition(bound, live && open, inner);
                    holds = if open { part } else { holds };
                }
                holds
            }
            2 => !self.condition(bound, live, inner),
            3 => self.some_category(live, inner),
            4 => self.comparison(bound),
            5 => self.input.byte() >> self.behaviour.stage.code() & 1 == 1,
            6 => self.on_path(),
            _ => {
                self.input.fail();
                false
            }
        };
        if !holds {
            self.category = before;
        }
        holds
    }

    fn comparison(&mut self, bound: Option<&'a str>) -> bool {
        let (fact, op) = (read_fact(&mut self.input), read_op(&mut self.input));
        let category = read_category(&mut self.input, bound);
        let value = self.input.signed();
        number(self.behaviour, self.page.now, fact, category).is_some_and(|number| op.holds(number, value))
    }

    /// Tries the condition that follows for each category that the visitor met, from the most recent.
    fn some_category(&mut self, live: bool, depth: usize) -> bool {
        let start = self.input;
        // It is read once in any case, so that what comes after it is found.
        self.condition(Some(""), false, depth);
        let end = self.input;
        if !live || end.done().is_err() {
            return false;
        }
        for category in self.behaviour.categories_by_recency() {
            self.input = start;
            if self.condition(Some(category), true, depth) {
                self.category = Some(category);
                return true;
            }
        }
        self.input = end;
        false
    }
}
