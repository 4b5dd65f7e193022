//! Where a call happened, as our own batches say it.

use endcap_protocol::props::text_of;
use endcap_protocol::repair::{RepairCode, Repairs};
use endcap_protocol::touch::cut;
use serde_json::{Map, Value, json};

/// Longest text of the context that is kept, in bytes.
const MAX_TEXT: usize = 512;
/// Longest URL, in bytes, before a campaign is written into it.
const MAX_URL: usize = 1500;
/// The names that a campaign's parts have in a URL; any other part gets `utm_` in front.
const CAMPAIGN: [(&str, &str); 1] = [("name", "utm_campaign")];
/// Most parts of a campaign.
const MAX_PARTS: usize = 10;

/// Reads the context of a call with these properties: page calls say there what the page is.
pub(super) fn read(
    given: &Map<String, Value>,
    properties: &Map<String, Value>,
    repairs: &mut Repairs,
) -> Map<String, Value> {
    let page = object(given, "page", "context.page", repairs);
    let campaign = object(given, "campaign", "context.campaign", repairs);
    let mut of_page = |key: &str| {
        let inner = page.and_then(|page| member(page, "context.page", key, repairs));
        // What properties hold is the shop's own, and may be of any form.
        inner.or_else(|| properties.get(key).and_then(text_of)).unwrap_or_default()
    };
    let (url, search) = (of_page("url"), of_page("search"));
    let (title, referrer) = (of_page("title"), of_page("referrer"));
    let url = with_campaign(whole(url, &search), campaign, repairs);
    let page = json!({"url": url, "title": title, "referrer": referrer});
    let library = given.get("library").filter(|library| !library.is_null());
    let library_kept = library.filter(|library| library.to_string().len() <= MAX_TEXT);
    if library_kept.is_none() && library.is_some() {
        let message = format!("must be at most {MAX_TEXT} bytes: it is left out");
        repairs.note(RepairCode::FieldDropped, || ("context.library".to_owned(), message));
    }
    let mut text = |key: &str| {
        let whole = member(given, "context", key, repairs)?;
        Some(repairs.cut(format_args!("context.{key}"), &whole, MAX_TEXT).to_owned())
    };
    let members = json!({
        "page": page, "zone": text("timezone"), "locale": text("locale"), "user_agent": text("userAgent"),
        "ip": text("ip"), "library": library_kept,
    });
    let Value::Object(members) = members else { return Map::new() };
    members.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

/// A member of an object that is text, or a number; another one is left out.
fn member(of: &Map<String, Value>, path: &str, key: &str, repairs: &mut Repairs) -> Option<String> {
    let value = of.get(key)?;
    let text = text_of(value).filter(|text| !text.is_empty());
    if text.is_none() && !value.is_null() && !value.is_string() {
        left_out(format!("{path}.{key}"), "text", repairs);
    }
    text
}

/// A member that is an object; another one, at `path`, is left out.
pub(super) fn object<'a>(
    of: &'a Map<String, Value>,
    key: &str,
    path: &str,
    repairs: &mut Repairs,
) -> Option<&'a Map<String, Value>> {
    let value = of.get(key).filter(|value| !value.is_null())?;
    if !value.is_object() {
        left_out(path.to_owned(), "an object", repairs);
    }
    value.as_object()
}

fn left_out(path: String, form: &str, repairs: &mut Repairs) {
    repairs.note(RepairCode::FieldDropped, || (path, format!("must be {form}: it is left out")));
}

/// The URL with its query, which some clients send apart.
fn whole(url: String, search: &str) -> String {
    if search.starts_with('?') && !url.is_empty() && !url.contains('?') { url + search } else { url }
}

/// The URL with the campaign in its query, unless it names one: touchpoints are read from there, whoever sent them.
fn with_campaign(url: String, campaign: Option<&Map<String, Value>>, repairs: &mut Repairs) -> String {
    let Some(campaign) = campaign.filter(|_| !url.contains("utm_")) else { return url };
    if url.len() > MAX_URL || campaign.len() > MAX_PARTS {
        let message = format!(
            "must hold at most {MAX_PARTS} parts, beside an address of at most {MAX_URL} bytes: the rest is left out"
        );
        repairs.note(RepairCode::FieldDropped, || ("context.campaign".to_owned(), message));
    }
    if url.len() > MAX_URL {
        return url;
    }
    let parts = campaign.iter().take(MAX_PARTS).filter_map(|(key, value)| {
        let plain = key.len() <= 32 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !plain || value.is_object() || value.is_array() || value.is_boolean() {
            left_out(format!("context.campaign.{}", cut(key, 64)), "text with a plain name", repairs);
        }
        let value = text_of(value).filter(|text| plain && !text.is_empty())?;
        let known = CAMPAIGN.iter().find(|(name, _)| name == key);
        let key = known.map_or_else(|| format!("utm_{key}"), |(_, parameter)| (*parameter).to_owned());
        Some(format!("{key}={}", encode(cut(&value, 100))))
    });
    let query = parts.collect::<Vec<_>>().join("&");
    if query.is_empty() {
        return url;
    }
    let (page, fragment) = url.split_once('#').map_or((url.as_str(), None), |(page, fragment)| (page, Some(fragment)));
    let mark = if page.contains('?') { '&' } else { '?' };
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    format!("{page}{mark}{query}{fragment}")
}

/// Percent-encodes all but unreserved characters (RFC 3986 §2.3).
fn encode(text: &str) -> String {
    let byte = |byte: u8| {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use endcap_protocol::touch::Campaign;
    use proptest::prelude::*;

    fn url(context: &Value, properties: &Value) -> String {
        let read = read(context.as_object().unwrap(), properties.as_object().unwrap(), &mut Repairs::default());
        read["page"]["url"].as_str().unwrap().to_owned()
    }

    #[test]
    fn the_page_comes_from_the_context_or_from_the_properties() {
        let properties = json!({"url": "https://shop.example/p", "search": "?a=1"});
        assert_eq!(url(&json!({}), &properties), "https://shop.example/p?a=1");
        assert_eq!(url(&json!({"page": {"url": "https://shop.example/c"}}), &json!({})), "https://shop.example/c");
    }

    #[test]
    fn a_campaign_is_written_into_a_url_that_has_none() {
        let context = json!({"campaign": {"name": "späte & Sale", "source": "news", "medium": ""},
            "page": {"url": "https://shop.example/?x=1#top"}});
        let expected = "https://shop.example/?x=1&utm_campaign=sp%C3%A4te%20%26%20Sale&utm_source=news#top";
        assert_eq!(url(&context, &json!({})), expected);
        let tagged = json!({"campaign": {"name": "b"}, "page": {"url": "https://shop.example/?utm_campaign=a"}});
        assert_eq!(url(&tagged, &json!({})), "https://shop.example/?utm_campaign=a");
        assert_eq!(url(&json!({"campaign": {"source": "s"}}), &json!({})), "?utm_source=s");
    }

    proptest! {
        #[test]
        fn any_campaign_comes_out_as_it_went_in(source in "[^\\p{C}]{1,20}", page in "(https://s.example/[a-z?&#=]{0,9}|)") {
            let written = url(&json!({"campaign": {"source": source}, "page": {"url": page}}), &json!({}));
            let query = written.split_once('?').unwrap().1.split('#').next().unwrap();
            let read = Campaign::from_query(query).unwrap();
            prop_assert_eq!(&read.utm[0].1, &source);
        }
    }
}
