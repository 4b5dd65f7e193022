//! The people of a segment, page by page.

use endcap_protocol::UnixMillis;
use endcap_targeting::Stage;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// People of a page where nobody says how many.
pub const DEFAULT_LIMIT: usize = 50;
/// Most people of a page.
pub const MAX_LIMIT: usize = 200;

/// Somebody in a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Member {
    /// Their profile.
    pub profile_id: String,
    /// Since when they are in it, Unix milliseconds.
    pub since: UnixMillis,
    /// User IDs that the shop proved.
    pub user_ids: Vec<String>,
    /// Lifecycle stage.
    #[schemars(with = "String")]
    pub stage: Stage,
    /// Orders.
    pub orders: u32,
}

/// People of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MemberPage {
    /// The segment.
    pub segment: String,
    /// When the page was read, Unix milliseconds.
    pub as_of: i64,
    /// The people.
    pub members: Vec<Member>,
    /// Where to go on; null at the end.
    pub cursor: Option<String>,
}

/// The first line of a CSV of members.
pub const CSV_HEAD: &str = "profile_id,since,user_id,stage,orders\r\n";

impl Member {
    /// The line of a CSV (RFC 4180). The user ID is the first in alphabetical order. What a spreadsheet would take for a formula has an
    /// apostrophe before it (OWASP, "CSV Injection"): some of these names come from browsers.
    #[must_use]
    pub fn csv(&self) -> String {
        let user = self.user_ids.first().map_or("", String::as_str);
        format!("{},{},{},{},{}\r\n", cell(&self.profile_id), self.since, cell(user), self.stage.as_str(), self.orders)
    }
}

fn cell(text: &str) -> String {
    // Some spreadsheets end a cell at a semicolon or a tab.
    let (mut written, mut begins) = (String::with_capacity(text.len()), true);
    for letter in text.chars() {
        if begins && matches!(letter, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\t' | '\r') {
            written.push('\'');
        }
        begins = matches!(letter, ';' | '\t' | '\r' | '\n');
        written.push(letter);
    }
    if written == text && !text.contains([',', ';', '"', '\r', '\n', '\t']) {
        return written;
    }
    format!("\"{}\"", written.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(profile_id: &str) -> Member {
        Member {
            profile_id: profile_id.to_owned(),
            since: 5,
            user_ids: vec!["u,\"1\"".to_owned()],
            stage: Stage::New,
            orders: 1,
        }
    }

    #[test]
    fn a_line_is_quoted_and_no_formula() {
        assert_eq!(member("p-1").csv(), "p-1,5,\"u,\"\"1\"\"\",new,1\r\n");
        assert_eq!(member("x;=1+1").csv(), "\"x;'=1+1\",5,\"u,\"\"1\"\"\",new,1\r\n");
        assert_eq!(member("=cmd()").csv(), "\"'=cmd()\",5,\"u,\"\"1\"\"\",new,1\r\n");
    }
}
