//! The text of a message: declarative web push JSON, which Safari 18.4 and later shows without a service worker and
//! which ours reads too.

use serde::{Deserialize, Serialize};

use crate::message::MAX_PLAINTEXT;

/// The value of `web_push` that marks a declarative message (the number of the RFC for push).
const DECLARATIVE: u16 = 8030;

/// Direction of the text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// As the text itself suggests.
    #[default]
    Auto,
    /// Left to right.
    Ltr,
    /// Right to left.
    Rtl,
}

/// One notification as a person will see it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// First line; must not be empty.
    pub title: String,
    /// Further text, may be empty.
    pub body: String,
    /// Where a click leads: an absolute https address (or http on this machine, in development).
    pub navigate: String,
    /// A later notification of the same tag replaces this one on the screen.
    pub tag: String,
    /// Language of the text, BCP 47; empty if unknown.
    pub lang: String,
    /// Direction of the text.
    pub dir: Direction,
    /// Address of a picture, may be empty.
    pub icon: String,
    /// Signed reference to this message, which the service worker sends back with what became of it.
    pub token: String,
    /// The message's ID.
    pub message_id: String,
}

/// Why a notification cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// The title is empty; a declarative message without one is not shown.
    #[error("a notification needs a title")]
    NoTitle,
    /// `navigate` is no absolute https address.
    #[error("a notification must lead to an absolute https address")]
    Navigate,
    /// The JSON is longer than a push message may be, even without its body text.
    #[error("the notification is {0} bytes long, at most {MAX_PLAINTEXT} fit")]
    TooLong(usize),
}

/// The JSON on the wire; member order is the order here.
#[derive(Serialize)]
struct Declarative<'a> {
    web_push: u16,
    notification: Shown<'a>,
    mutable: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    title: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    body: &'a str,
    navigate: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    tag: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    lang: &'a str,
    dir: Direction,
    silent: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    icon: &'a str,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    token: &'a str,
    message_id: &'a str,
}

impl Notification {
    /// The message as JSON of at most [`MAX_PLAINTEXT`] bytes. A body too long for that is shortened at a character
    /// boundary and ends with an ellipsis.
    pub fn to_json(&self) -> Result<String, PayloadError> {
        if self.title.trim().is_empty() {
            return Err(PayloadError::NoTitle);
        }
        if !is_address(&self.navigate) {
            return Err(PayloadError::Navigate);
        }
        let whole = self.with_body(&self.body);
        if whole.len() <= MAX_PLAINTEXT {
            return Ok(whole);
        }
        self.shortened().ok_or(PayloadError::TooLong(whole.len()))
    }

    /// The longest beginning of the body that fits, by bisection over characters: escapes make the length of the
    /// JSON differ from that of the text.
    fn shortened(&self) -> Option<String> {
        let ends: Vec<usize> = self.body.char_indices().map(|(at, _)| at).collect();
        let cut = |characters: usize| {
            let kept = ends.get(characters).and_then(|&end| self.body.get(..end)).unwrap_or_default();
            self.with_body(&format!("{}…", kept.trim_end()))
        };
        let counts: Vec<usize> = (0..ends.len()).collect();
        let fitting = counts.partition_point(|&characters| cut(characters).len() <= MAX_PLAINTEXT);
        fitting.checked_sub(1).map(cut)
    }

    fn with_body(&self, body: &str) -> String {
        let message = Declarative {
            web_push: DECLARATIVE,
            notification: Shown {
                title: &self.title,
                body,
                navigate: &self.navigate,
                tag: &self.tag,
                lang: &self.lang,
                dir: self.dir,
                silent: false,
                icon: &self.icon,
                data: Data { token: &self.token, message_id: &self.message_id },
            },
            mutable: true,
        };
        // Plain strings and numbers always serialise; an empty text would fail at the browser, visibly.
        serde_json::to_string(&message).unwrap_or_default()
    }
}

fn is_address(text: &str) -> bool {
    let host = ["https://", "http://127.0.0.1", "http://localhost"].iter().find_map(|start| text.strip_prefix(start));
    let ends_host = |rest: &str| rest.is_empty() || rest.starts_with([':', '/', '?', '#']);
    host.is_some_and(|rest| {
        if text.starts_with("https://") { !rest.is_empty() && !rest.starts_with('/') } else { ends_host(rest) }
    }) && !text.chars().any(|c| c.is_control() || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cart() -> Notification {
        Notification {
            title: "Your cart is waiting".into(),
            body: "Two things are still in it.".into(),
            navigate: "https://shop.example/cart".into(),
            tag: "cart".into(),
            lang: "en".into(),
            token: "1.k1.abc".into(),
            message_id: "m-1".into(),
            ..Notification::default()
        }
    }

    #[test]
    fn the_json_is_declarative_web_push() {
        assert_eq!(
            cart().to_json().unwrap(),
            concat!(
                r#"{"web_push":8030,"notification":{"title":"Your cart is waiting","body":"Two things are still in it.","#,
                r#""navigate":"https://shop.example/cart","tag":"cart","lang":"en","dir":"auto","silent":false,"#,
                r#""data":{"token":"1.k1.abc","message_id":"m-1"}},"mutable":true}"#
            )
        );
    }

    #[test]
    fn a_notification_that_no_browser_would_show_is_refused() {
        assert_eq!(Notification { title: "  ".into(), ..cart() }.to_json(), Err(PayloadError::NoTitle));
        for navigate in [
            "",
            "/cart",
            "javascript:alert(1)",
            "http://shop.example/",
            "https://",
            "https:///x",
            "http://localhost.evil/",
            "https://a b",
        ] {
            let notification = Notification { navigate: navigate.into(), ..cart() };
            assert_eq!(notification.to_json(), Err(PayloadError::Navigate), "{navigate}");
        }
        assert!(Notification { navigate: "http://127.0.0.1:8787/cart".into(), ..cart() }.to_json().is_ok());
        let endless = Notification { title: "x".repeat(5000), ..cart() };
        assert!(matches!(endless.to_json(), Err(PayloadError::TooLong(_))));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn a_long_body_is_shortened_to_what_fits(unit in "[a-z][a-z\"\\\\ \u{e9}\u{1f6d2}\u{1}]{0,7}", times in 1usize..2500) {
            let notification = Notification { body: unit.repeat(times), ..cart() };
            let json = notification.to_json().unwrap();
            prop_assert!(json.len() <= MAX_PLAINTEXT);
            let value: serde_json::Value = serde_json::from_str(&json).unwrap();
            let body = value["notification"]["body"].as_str().unwrap_or_default();
            match body.strip_suffix('…') {
                Some(kept) => prop_assert!(notification.body.starts_with(kept) && json.len() + 64 > MAX_PLAINTEXT),
                None => prop_assert_eq!(body, notification.body.as_str()),
            }
        }
    }
}
