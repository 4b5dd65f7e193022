//! A page view without script: `<noscript><img src="/ec/p.gif?s=shop"></noscript>`.
//!
//! Role in the flow of one event: becomes a batch of one page view, which goes the way of every batch. It counts for the
//! visitor whom the cookie names, because that cookie exists only with consent; without it only if the tag itself says
//! `consent=granted`, which a shop writes where its pages are rendered for somebody who agreed.

use endcap_protocol::cookie::Identity;
use endcap_protocol::limits::URL_BYTES;
use endcap_protocol::touch::cut;
use endcap_protocol::{AnonymousId, DeviceId, FieldError, SourceId, UnixMillis, uuid};
use serde_json::json;

use super::query;
use super::query::parameter;

/// What the tag says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageView {
    /// The source, parameter `s`.
    pub source: SourceId,
    /// The page, parameter `u`; else what the browser says it came from.
    pub url: String,
    /// The page before, parameter `r`.
    pub referrer: String,
    /// The page's title, parameter `n`.
    pub title: String,
    /// Whether the tag says that the visitor agreed to be measured: `consent=granted`.
    pub granted: bool,
}

impl PageView {
    /// Reads the query of an image; `referer` is the header of that name. None where it is no page view, or names no page.
    #[must_use]
    pub fn parse(query: &str, referer: &str) -> Option<Self> {
        // Room for every byte to be escaped.
        let text = |name: &str, max: usize| parameter(query, name, max * 3).unwrap_or_default();
        let event = text("e", 8);
        let url = Some(text("u", URL_BYTES)).filter(|url| !url.is_empty()).unwrap_or_else(|| referer.to_owned());
        let view = Self {
            source: SourceId::parse(&text("s", SourceId::MAX)).ok()?,
            url: cut(&url, URL_BYTES).to_owned(),
            referrer: cut(&text("r", URL_BYTES), URL_BYTES).to_owned(),
            title: cut(&text("n", 200), 200).to_owned(),
            granted: text("consent", 8) == "granted",
        };
        ((event.is_empty() || event == "page") && view.origin().is_some()).then_some(view)
    }

    /// The origin of the page; None where it is no http(s) URL.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        query::origin(&self.url)
    }

    /// The visitor to count it for: the one that the cookie names, else `fresh` if the tag says that they agreed.
    #[must_use]
    pub fn visitor(&self, cookie: Option<Identity>, fresh: impl FnOnce() -> Option<Identity>) -> Option<Identity> {
        cookie.or_else(|| if self.granted { fresh() } else { None })
    }

    /// The batch of this page view.
    ///
    /// What the tag grants is analytics alone. A cookie's visitor has decided before, so nothing is said about consent.
    #[must_use]
    pub fn batch(&self, visitor: &Identity, known: bool, message_id: &str, now: UnixMillis) -> String {
        let mut batch = json!({
            "source": self.source.as_str(),
            "anonymous_id": visitor.anonymous.as_str(),
            "device_id": visitor.device.as_str(),
            "sent_at": now,
            "events": [{
                "message_id": message_id, "type": "page", "name": self.title, "timestamp": now,
                "context": {"page": {"url": self.url, "referrer": self.referrer, "title": self.title}},
            }],
        });
        if let Some(members) = batch.as_object_mut().filter(|_| !known) {
            members.insert("consent".to_owned(), json!({"analytics": true}));
        }
        batch.to_string()
    }
}

/// A fresh identity: device and anonymous ID are random UUIDs, as the SDK makes them.
///
/// # Errors
/// Never: a UUID is a good identifier.
pub fn fresh_identity(device: [u8; 16], anonymous: [u8; 16]) -> Result<Identity, FieldError> {
    Ok(Identity {
        device: DeviceId::parse(&uuid::v4(device))?,
        anonymous: AnonymousId::parse(&uuid::v4(anonymous))?,
        epoch: 0,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ingest::ingest;

    fn fresh() -> Option<Identity> {
        fresh_identity([7; 16], [8; 16]).ok()
    }

    #[test]
    fn becomes_a_batch_that_ingestion_takes() {
        let query =
            "s=shop&e=page&u=https%3A%2F%2Fshop.example%2Fp%3Futm_source%3Dnews&r=https%3A%2F%2Fnews.example%2F";
        let view = PageView::parse(query, "").unwrap();
        assert_eq!((view.origin(), view.granted), (Some("https://shop.example"), false));
        let now = 1_700_000_000_000;
        let batch = view.batch(&fresh().unwrap(), true, &uuid::v7(now, [1; 10]), now);
        let batch = ingest(batch.as_bytes(), now).unwrap();
        assert_eq!((batch.rejected, batch.consent), (Vec::new(), None));
        let context = &batch.events[0].context;
        assert_eq!(context.referrer, "https://news.example/");
        assert_eq!(context.campaign.as_ref().unwrap().utm, [("source", "news".to_owned())]);
    }

    #[test]
    fn without_an_address_of_its_own_the_referer_names_the_page() {
        let view = PageView::parse("s=shop", "https://shop.example/cart").unwrap();
        assert_eq!(view.url, "https://shop.example/cart");
        assert_eq!(PageView::parse("s=shop", ""), None);
        assert_eq!(PageView::parse("s=shop", "javascript:x"), None);
        assert_eq!(PageView::parse("s=", "https://shop.example/"), None);
        assert_eq!(PageView::parse("s=shop&e=order", "https://shop.example/"), None);
    }

    #[test]
    fn nobody_is_counted_without_cookie_or_consent() {
        let view = |query| PageView::parse(query, "https://shop.example/").unwrap();
        assert_eq!(view("s=shop").visitor(None, fresh), None);
        assert_eq!(view("s=shop&consent=denied").visitor(None, fresh), None);
        assert_eq!(view("s=shop").visitor(fresh(), || None), fresh());
        assert_eq!(view("s=shop&consent=granted").visitor(None, fresh), fresh());
        let batch = view("s=shop&consent=granted").batch(&fresh().unwrap(), false, "m", 1_700_000_000_000);
        let consent = ingest(batch.as_bytes(), 1_700_000_000_000).unwrap().consent.unwrap();
        assert!(consent.analytics && !consent.marketing && !consent.personalization);
    }

    proptest! {
        #[test]
        fn any_query_gives_a_good_batch_or_none(query in "([sunrec]=|consent=|&|%[0-9a-f]{2}|\\PC){0,40}", referer in "\\PC{0,40}") {
            if let Some(view) = PageView::parse(&query, &referer) {
                let batch = view.batch(&fresh().unwrap(), false, "m", 1_700_000_000_000);
                prop_assert!(ingest(batch.as_bytes(), 1_700_000_000_000).unwrap().rejected.is_empty());
            }
        }
    }
}
