//! Who is to be put on a list, or taken off it: as JSON, or as CSV (RFC 4180).

use std::collections::BTreeMap;

use endcap_identity::{Identifier, Namespace};
use endcap_protocol::touch::cut;
use endcap_protocol::{AnonymousId, FieldError, ProfileId};
use endcap_validation::{DomainError, read_json};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most people of one request.
pub const MAX_PEOPLE: usize = 5_000;
/// Largest request, in bytes.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;
/// Most people of whom an answer says why nothing was done.
const MAX_PROBLEMS: usize = 100;
/// The name of the column, or member, that holds profile IDs.
const PROFILE: &str = "profile_id";
/// Names of columns, for messages.
const COLUMNS: &str = "user_id, email, anonymous_id, phone, profile_id and external:…";

/// Changes a list. At most 5,000 people in all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAsk {
    /// People to put on it. Each is named by exactly one of `user_id`, `email`, `anonymous_id`, `phone`, `profile_id` and
    /// `external:…`.
    #[serde(default)]
    pub add: Vec<BTreeMap<String, String>>,
    /// People to take off it.
    #[serde(default)]
    pub remove: Vec<BTreeMap<String, String>>,
}

/// Whom a line names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// A profile.
    Profile(ProfileId),
    /// Who has a browser.
    Browser(AnonymousId),
    /// Who has an identifier.
    Identifier(Identifier),
}

/// A person of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListLine {
    /// Where it stands in the request, as `add[3]` or `line 5`.
    pub place: String,
    /// Whether they are put on the list; else they are taken off it.
    pub on: bool,
    /// Whom it names.
    pub named: Named,
}

/// A request, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListLines {
    /// People that can be looked for.
    pub lines: Vec<ListLine>,
    /// What is wrong with others.
    pub problems: Vec<ListProblem>,
}

/// Why nothing was done about somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ListProblem {
    /// Where they stand in the request, as `add[3]` or `line 5`.
    pub place: String,
    /// Why.
    pub message: String,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct ListChanged {
    /// The segment.
    pub segment: String,
    /// People who were put on it.
    pub added: u64,
    /// People who were taken off it.
    pub removed: u64,
    /// People who were on it, or off it, already.
    pub unchanged: u64,
    /// People of whom nothing was done.
    pub refused: u64,
    /// Why, of the first 100.
    pub problems: Vec<ListProblem>,
}

impl ListChanged {
    /// Notes that nothing was done about somebody.
    pub fn refuse(&mut self, problem: ListProblem) {
        self.refused += 1;
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }
}

impl ListLines {
    /// Reads a request in JSON.
    ///
    /// # Errors
    /// When it is none, or names too many people.
    pub fn of_json(body: &[u8]) -> Result<Self, DomainError> {
        let ListAsk { add, remove } = read_json(body)?;
        check_count(add.len() + remove.len())?;
        let mut read = Self::default();
        read.take("add", true, &add);
        read.take("remove", false, &remove);
        Ok(read)
    }

    fn take(&mut self, list: &str, on: bool, people: &[BTreeMap<String, String>]) {
        for (number, person) in people.iter().enumerate() {
            let place = format!("{list}[{number}]");
            let mut members = person.iter();
            let named = match (members.next(), members.next()) {
                (Some((column, value)), None) => named(column, value),
                _ => Err(format!("must name the person by exactly one of {COLUMNS}")),
            };
            self.put(place, on, named);
        }
    }

    /// Reads a CSV, whose first line names the columns. Of a line the first column counts that names somebody; other columns are
    /// left alone. `;` and tabs separate as well, as some spreadsheets write it.
    ///
    /// # Errors
    /// When it is none, no column names people, or it names too many.
    pub fn of_csv(body: &[u8], on: bool) -> Result<Self, DomainError> {
        // The reader counts a line by its `\r`, and would name the line before.
        let body: Vec<u8> = body
            .iter()
            .enumerate()
            .filter(|(at, byte)| !(**byte == b'\r' && body.get(at + 1) == Some(&b'\n')))
            .map(|(_, byte)| *byte)
            .collect();
        let body = body.as_slice();
        let head = body.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let often = |sign: u8| head.iter().filter(|byte| **byte == sign).count();
        let delimiter = [b',', b';', b'\t'].into_iter().rev().max_by_key(|sign| often(*sign)).unwrap_or(b',');
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(body);
        let wrong = |error: csv::Error| FieldError::new("", format!("is no CSV in UTF-8: {error}"));
        let columns: Vec<String> = reader.headers().map_err(wrong)?.iter().map(column).collect();
        let names = |column: &str| column == PROFILE || Namespace::parse(column).is_some();
        if !columns.iter().any(|column| names(column)) {
            let message = format!("the first line must name a column that says who people are: one of {COLUMNS}");
            return Err(FieldError::new("line 1", message).into());
        }
        let mut read = Self::default();
        for record in reader.records() {
            let record = record.map_err(wrong)?;
            let place = record.position().map_or_else(String::new, |position| format!("line {}", position.line()));
            let cells = columns.iter().zip(&record).map(|(column, cell)| (column, unescaped(cell.trim())));
            let mut filled = cells.filter(|(column, cell)| names(column) && !cell.is_empty());
            let named =
                filled.next().map_or_else(|| Err("names nobody".to_owned()), |(column, cell)| named(column, cell));
            read.put(place, on, named);
            check_count(read.lines.len() + read.problems.len())?;
        }
        Ok(read)
    }

    fn put(&mut self, place: String, on: bool, named: Result<Named, String>) {
        match named {
            Ok(named) => self.lines.push(ListLine { place, on, named }),
            Err(message) => self.problems.push(ListProblem { place, message }),
        }
    }
}

/// Refuses a request that names too many people, before more of it is read.
fn check_count(count: usize) -> Result<(), DomainError> {
    if count <= MAX_PEOPLE {
        return Ok(());
    }
    let message = format!("names more than {MAX_PEOPLE} people; send several requests");
    Err(FieldError::new("", message).into())
}

/// The name of a column: however it is written.
fn column(name: &str) -> String {
    let name = name.trim_start_matches('\u{feff}').trim();
    let lower = name.to_ascii_lowercase();
    // The name of another system may have such signs in it.
    let known = if lower.starts_with("external:") { lower } else { lower.replace([' ', '-'], "_") };
    if known == PROFILE || Namespace::parse(&known).is_some() { known } else { name.to_owned() }
}

/// A cell without the apostrophe that keeps spreadsheets from taking it for a formula, as our own exports write it.
fn unescaped(cell: &str) -> &str {
    let rest = cell.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']));
    rest.unwrap_or(cell)
}

fn named(column: &str, value: &str) -> Result<Named, String> {
    let wrong = |error: FieldError| format!("`{}`: {}", cut(value, 64), error.message);
    if column == PROFILE {
        return ProfileId::parse(value).map(Named::Profile).map_err(wrong);
    }
    match Namespace::parse(column) {
        Some(Namespace::AnonymousId) => AnonymousId::parse(value).map(Named::Browser).map_err(wrong),
        Some(namespace) => Identifier::new(namespace, value).map(Named::Identifier).map_err(wrong),
        None => Err(format!("`{}` names nobody; use one of {COLUMNS}", cut(column, 64))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn user(value: &str) -> Named {
        Named::Identifier(Identifier::new(Namespace::UserId, value).unwrap())
    }

    #[test]
    fn people_are_named_in_json() {
        let body = json!({
            "add": [{"user_id": "c-1"}, {"email": " Ann@Example.org "}, {"user_id": "c-1", "email": "x@y.z"}, {"name": "Ann"}],
            "remove": [{"profile_id": "p-1"}, {"email": "nobody"}, {}],
        });
        let ListLines { lines, problems } = ListLines::of_json(body.to_string().as_bytes()).unwrap();
        let email = Named::Identifier(Identifier::new(Namespace::Email, "ann@example.org").unwrap());
        let named: Vec<_> = lines.into_iter().map(|line| (line.place, line.on, line.named)).collect();
        let profile = Named::Profile(ProfileId::parse("p-1").unwrap());
        let wanted = [("add[0]", true, user("c-1")), ("add[1]", true, email), ("remove[0]", false, profile)];
        assert_eq!(named, wanted.map(|(place, on, named)| (place.to_owned(), on, named)));
        let places: Vec<_> = problems.iter().map(|problem| problem.place.as_str()).collect();
        assert_eq!(places, ["add[2]", "add[3]", "remove[1]", "remove[2]"]);
        assert!(ListLines::of_json(b"{\"put\": []}").is_err());
    }

    #[test]
    fn people_are_named_in_csv_as_spreadsheets_write_it() {
        let read = |text: &str| ListLines::of_csv(text.as_bytes(), true);
        let named = |text: &str| read(text).unwrap().lines.into_iter().map(|line| line.named).collect::<Vec<_>>();
        assert_eq!(named("user_id\nc-1\nc-2\n"), [user("c-1"), user("c-2")]);
        assert_eq!(named("\u{feff}Name;User ID\r\nAnn;c-1\r\n\"Bob; the\";c-2\r\n"), [user("c-1"), user("c-2")]);
        assert_eq!(named("user_id\tname\nc-1\tAnn"), [user("c-1")]);
        // What our own export writes.
        let head = crate::segment::members::CSV_HEAD;
        assert_eq!(named(&format!("{head}'-p,5,c-1,new,2\r\n")), [Named::Profile(ProfileId::parse("-p").unwrap())]);
        assert_eq!(named("email,user_id\n,c-3\n"), [user("c-3")]);
        let crm = Identifier::new(Namespace::parse("external:my-crm").unwrap(), "7").unwrap();
        assert_eq!(named("External:my-crm\n7\n"), [Named::Identifier(crm)]);
        let ListLines { lines, problems } = read("user_id,email\nc-1,\n,\n,nobody\n").unwrap();
        assert_eq!((lines.len(), problems.len()), (1, 2));
        assert_eq!(problems.iter().map(|one| one.place.as_str()).collect::<Vec<_>>(), ["line 3", "line 4"]);
        let ListLines { problems, .. } = read("user_id\r\nc-1\r\n\"\"\r\n").unwrap();
        assert_eq!(problems.iter().map(|one| one.place.as_str()).collect::<Vec<_>>(), ["line 3"]);
        assert!(read("name\nAnn\n").unwrap_err().to_string().contains("user_id"));
        assert!(ListLines::of_csv(b"user_id\n\xff\xfe\n", true).unwrap_err().to_string().contains("UTF-8"));
        assert!(read("").is_err());
    }

    #[test]
    fn a_request_names_so_many_people_at_most() {
        let lines = |count: usize| format!("user_id\n{}", "c\n".repeat(count));
        assert_eq!(ListLines::of_csv(lines(MAX_PEOPLE).as_bytes(), false).unwrap().lines.len(), MAX_PEOPLE);
        assert!(ListLines::of_csv(lines(MAX_PEOPLE + 1).as_bytes(), false).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_an_answer(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
            let _ = ListLines::of_json(&bytes);
            let with_head = [b"user_id,email\n".as_slice(), &bytes].concat();
            let _ = ListLines::of_csv(&with_head, true);
        }
    }
}
