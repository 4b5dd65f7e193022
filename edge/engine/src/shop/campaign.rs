//! Campaigns: what is shown to whom, when and how often.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use endcap_protocol::{CampaignId, FieldError};
use endcap_targeting::compile::Compiled;
use endcap_targeting::condition::Condition;
use endcap_targeting::decided::{Decided, asked, decided, most_bytes};
use endcap_targeting::edge_fact::EdgeFact;
use endcap_targeting::{Program, compile};
use endcap_validation::hash::digest;
use endcap_validation::json::is_default;
use endcap_validation::placeholder::{self, Placeholder, for_pages};
use endcap_validation::text::check_text;
use endcap_validation::url::check_url;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::rule_schemas;
use crate::condition_forms::as_json;

/// A campaign as it is saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// What people call it.
    pub name: String,
    /// Whether it runs.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Which comes first where several could be shown: the highest, -1,000 to 1,000.
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: i16,
    /// What kind of campaign it is.
    #[serde(rename = "type")]
    pub kind: CampaignType,
    /// To whom: a condition over behaviour and page. A text is kept as the JSON that it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<rule_schemas::ConditionOrText>")]
    pub condition: Option<Value>,
    /// When: a trigger in the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<rule_schemas::Trigger>")]
    pub trigger: Option<Value>,
    /// How often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<rule_schemas::Frequency>")]
    pub frequency: Option<Value>,
    /// Where: path patterns to include and exclude.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<rule_schemas::Pages>")]
    pub pages: Option<Value>,
    /// What the visitor sees.
    pub content: Content,
}

impl Definition {
    /// The same with its condition as JSON.
    ///
    /// # Errors
    /// What is wrong with a condition that was written as text.
    pub fn with_json_condition(mut self) -> Result<Self, FieldError> {
        self.condition = self.condition.map(as_json).transpose()?;
        Ok(self)
    }
}

fn yes() -> bool {
    true
}

/// Kinds of campaigns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CampaignType {
    /// A pop-up in the page.
    Popup,
}

/// What the visitor sees. `{{category}}` in a text stands for the category that the condition found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// How it looks.
    #[serde(default)]
    pub template: Template,
    /// Heading.
    pub title: String,
    /// Text.
    #[serde(default)]
    pub body: String,
    /// The button.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cta: Option<CallToAction>,
    /// Label of the button that closes it.
    #[serde(default = "no_thanks")]
    pub dismiss: String,
    /// Products to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub products: Option<ContentProducts>,
}

fn no_thanks() -> String {
    "No thanks".to_owned()
}

/// How a pop-up looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// A dialog in the middle of the page.
    #[default]
    Card,
    /// A strip at the lower edge that lets the page be used.
    Banner,
}

/// A button that leads somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallToAction {
    /// Label.
    pub label: String,
    /// Where it leads; `{{category_id}}` stands for the category's ID.
    pub url: String,
}

/// Which products a pop-up shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentProducts {
    /// Where they come from.
    pub from: ProductsFrom,
    /// How many, 1 to 6.
    pub limit: usize,
}

/// Where a pop-up's products come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProductsFrom {
    /// The category that the condition found.
    Category,
    /// What goes with the cart.
    Cart,
    /// What goes with the products viewed last.
    Viewed,
}

/// A campaign that was checked and compiled.
#[derive(Debug, Clone, PartialEq)]
pub struct Campaign {
    /// Its ID.
    pub id: CampaignId,
    /// Counts up with each change.
    pub version: u32,
    /// As it was saved.
    pub definition: Definition,
    /// Its rules as they were saved.
    pub compiled: Compiled,
    /// What it asks that only the edge knows.
    asked: Vec<EdgeFact>,
    /// Its rules by the answers: the answer to the first question is the lowest bit of the place. None where the campaign is shown to
    /// nobody with these answers.
    variants: Vec<Option<Variant>>,
    /// Whether a text has a placeholder that nothing ever fills, where an earlier version saved one: such a campaign is never
    /// shown.
    pub unfilled: bool,
}

/// A campaign's rules where it is decided what only the edge knows.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// The rules.
    pub compiled: Compiled,
    /// What pages get, the same for every visitor with these answers.
    pub part: StoredPart,
}

/// What of a campaign is the same for every visitor, as the page reads it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CampaignPart {
    /// Its rules, binary, base64url.
    pub program: String,
    /// The condition's leaves in words, for debug views.
    pub labels: Vec<String>,
    /// What the visitor sees.
    pub popup: Content,
}

/// That part, made once for each version of the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredPart {
    /// The name of its file, a digest of its content.
    pub name: String,
    /// The file's text, JSON.
    pub text: String,
    /// What the text says.
    pub content: CampaignPart,
    /// The rules in binary form.
    pub rules: Vec<u8>,
}

impl StoredPart {
    fn new(compiled: &Compiled, popup: &Content) -> Result<Self, FieldError> {
        let rules = compiled.program.encode();
        let (labels, popup) = (compiled.labels.clone(), popup.for_pages());
        let content = CampaignPart { program: BASE64.encode(&rules), labels, popup };
        let text = serde_json::to_string(&content).map_err(|error| FieldError::new("", error.to_string()))?;
        Ok(Self { name: digest(&[&text]), text, content, rules })
    }

    /// Bytes of the text.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.text.len()
    }
}

/// Most bytes that a condition may have once each `at_least` is taken apart, before what the edge knows is left out: so it is not much
/// work to find out what a page gets of it.
const MAX_TAKEN_APART: usize = 4 * RULES_BYTES;
/// Most questions that only the edge can answer: each doubles what is kept of the campaign.
const MAX_ASKED: usize = 4;
/// Most bytes of a campaign's rules in binary form.
const RULES_BYTES: usize = 16 * 1024;

impl Campaign {
    /// Checks and compiles a definition.
    ///
    /// # Errors
    /// The field that is wrong, with its path.
    pub fn new(id: CampaignId, version: u32, definition: Definition) -> Result<Self, FieldError> {
        check_text("name", &definition.name, 200)?;
        definition.content.check().map_err(|e| e.under("content"))?;
        let rules = serde_json::to_value(&definition).map_err(|e| FieldError::new("", e.to_string()))?;
        let compiled = compile::compile(&rules)?;
        let asked = asked(&compiled.program.condition);
        if asked.len() > MAX_ASKED {
            let message = format!(
                "asks for more than {MAX_ASKED} things that only the edge knows; make a segment of some of them"
            );
            return Err(FieldError::new("condition", message));
        }
        let condition = &compiled.program.condition;
        let counts = condition.some(&|part| matches!(part, Condition::AtLeast(..)));
        if counts && most_bytes(condition) > MAX_TAKEN_APART {
            let message = "is too large once each `at_least` is taken apart for the page; list fewer parts there, or make a segment of \
                           some of them";
            return Err(FieldError::new("condition", message));
        }
        let answer = |place: usize, fact: &EdgeFact| {
            let bit = asked.iter().position(|asked| asked == fact);
            bit.is_some_and(|bit| place >> bit & 1 == 1)
        };
        let variant = |place| Variant::new(&compiled, &|fact| answer(place, fact), &definition.content);
        let variants = (0..1 << asked.len()).map(variant).collect::<Result<_, _>>()?;
        let finds = Finds::of(&compiled.program.condition);
        // What is filled sometimes was saved by earlier versions, and goes on as it was.
        let earlier = if finds == Finds::Never { finds } else { Finds::Always };
        let unfilled = definition.content.check_placeholders(earlier).is_err();
        Ok(Self { id, version, definition, compiled, asked, variants, unfilled })
    }

    /// Checks what only campaigns that are saved from now on have to keep to.
    ///
    /// # Errors
    /// The field that is out of range.
    pub fn check_bounds(&self) -> Result<(), FieldError> {
        if !(-1000..=1000).contains(&self.definition.priority) {
            return Err(FieldError::new("priority", "must be -1000 to 1000"));
        }
        if self.variants.iter().flatten().any(|variant| variant.part.rules.len() > RULES_BYTES) {
            return Err(FieldError::new("condition", "is too large: make several campaigns of it"));
        }
        let finds = Finds::of(&self.compiled.program.condition);
        self.definition.content.check_placeholders(finds).map_err(|error| error.under("content"))
    }
}

impl Campaign {
    /// Its rules for somebody. None for those whom it is never shown to, whatever they do before the edge is asked again.
    #[must_use]
    pub fn variant(&self, holds: impl Fn(&EdgeFact) -> bool) -> Option<&Variant> {
        let bits = self.asked.iter().enumerate().map(|(bit, fact)| usize::from(holds(fact)) << bit);
        self.variants.get(bits.sum::<usize>())?.as_ref()
    }

    /// Its parts that pages may ask for.
    pub fn parts(&self) -> impl Iterator<Item = &StoredPart> {
        self.variants.iter().flatten().map(|variant| &variant.part)
    }

    /// What it asks that only the edge knows.
    #[must_use]
    pub fn asked(&self) -> &[EdgeFact] {
        &self.asked
    }
}

impl Variant {
    fn new(
        compiled: &Compiled,
        holds: &dyn Fn(&EdgeFact) -> bool,
        content: &Content,
    ) -> Result<Option<Self>, FieldError> {
        let Decided { condition, leaves } = decided(&compiled.program.condition, holds);
        let asks = !asked(&compiled.program.condition).is_empty();
        if condition == Condition::Any(Vec::new()) && asks {
            return Ok(None);
        }
        let labels = leaves.into_iter().filter_map(|leaf| compiled.labels.get(leaf).cloned()).collect();
        let compiled = Compiled { program: Program { condition, ..compiled.program.clone() }, labels };
        let part = StoredPart::new(&compiled, content)?;
        Ok(Some(Self { compiled, part }))
    }
}

/// Whether a condition that holds has found a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Finds {
    Never,
    Sometimes,
    Always,
}

impl Finds {
    /// Of a condition: all parts of `all` hold, only one of `any` has to.
    fn of(condition: &Condition) -> Self {
        match condition {
            Condition::SomeCategory(_) => Self::Always,
            Condition::All(parts) => parts.iter().map(Self::of).max().unwrap_or(Self::Never),
            Condition::Any(parts) => {
                let found = || parts.iter().map(Self::of);
                if found().min() == found().max() { found().next().unwrap_or(Self::Never) } else { Self::Sometimes }
            }
            Condition::AtLeast(least, parts) => {
                let is = |finds| parts.iter().filter(|part| Self::of(part) == finds).count();
                match (is(Self::Never), is(Self::Always)) {
                    (never, _) if never == parts.len() => Self::Never,
                    (_, always) if parts.len() - always < *least => Self::Always,
                    _ => Self::Sometimes,
                }
            }
            Condition::Not(_) | Condition::Compare(..) => Self::Never,
            Condition::StageIn(_) | Condition::Path(_) | Condition::Edge(_) => Self::Never,
        }
    }
}

/// What a text may stand for.
const PLACEHOLDERS: [&str; 2] = ["category", "category_id"];

impl Content {
    /// Every text that a visitor reads or follows, with its path.
    fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let own = [("title", &self.title), ("body", &self.body), ("dismiss", &self.dismiss)];
        let button = self.cta.iter().flat_map(|cta| [("cta.label", &cta.label), ("cta.url", &cta.url)]);
        own.into_iter().chain(button).map(|(path, text)| (path, text.as_str()))
    }

    /// Whether a text names the category that the condition finds.
    #[must_use]
    pub fn names_category(&self) -> bool {
        self.texts().any(|(_, text)| placeholder::all(text).any(|one| one.name == "category"))
    }

    /// The same with its texts as pages read them.
    fn for_pages(&self) -> Self {
        let cta =
            |CallToAction { label, url }: &CallToAction| CallToAction { label: for_pages(label), url: for_pages(url) };
        Self {
            title: for_pages(&self.title),
            body: for_pages(&self.body),
            dismiss: for_pages(&self.dismiss),
            cta: self.cta.as_ref().map(cta),
            ..self.clone()
        }
    }

    /// Refuses placeholders that nothing fills, or not always.
    fn check_placeholders(&self, finds: Finds) -> Result<(), FieldError> {
        for (path, text) in self.texts() {
            placeholder::check(path, text, &PLACEHOLDERS)?;
            let mut all = placeholder::all(text);
            let unfilled = match finds {
                Finds::Always => None,
                Finds::Sometimes => all.find(|one| one.fallback.is_none()),
                Finds::Never => all.next(),
            };
            let Some(Placeholder { name, .. }) = unfilled else { continue };
            let message = if finds == Finds::Never {
                "names a category, and the condition finds none: it needs some_category with \"category\": \"$\""
                    .to_owned()
            } else {
                format!(
                    "names a category, and the condition can hold without one: write what stands there then, \
                     such as {{{{{name} | \"everything\"}}}}"
                )
            };
            return Err(FieldError::new(path, message));
        }
        Ok(())
    }

    fn check(&self) -> Result<(), FieldError> {
        check_text("title", &self.title, 200)?;
        check_text("dismiss", &self.dismiss, 60)?;
        if !self.body.is_empty() {
            check_text("body", &self.body, 1000)?;
        }
        if let Some(cta) = &self.cta {
            check_text("cta.label", &cta.label, 60)?;
            check_url("cta.url", &placeholder::without_fallbacks(&cta.url))?;
        }
        match &self.products {
            Some(products) if !(1..=6).contains(&products.limit) => {
                Err(FieldError::new("products.limit", "must be 1 to 6"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn campaign(value: Value) -> Result<Campaign, FieldError> {
        let definition = serde_json::from_value(value).map_err(|e| FieldError::new("", e.to_string()))?;
        Campaign::new(CampaignId::parse("c1")?, 1, definition)
    }

    #[test]
    fn texts_hold_placeholders_that_something_fills() {
        let saved = |title: &str, condition: Value| {
            let made =
                campaign(json!({"name": "n", "type": "popup", "content": {"title": title}, "condition": condition,
                "trigger": {"exit_intent": true}}));
            made.unwrap().check_bounds().map_err(|error| error.to_string())
        };
        let finds =
            json!({"all": [{"some_category": {"fact": "products_viewed", "category": "$", "op": ">=", "value": 2}}]});
        let plain = json!({"fact": "orders", "op": "=", "value": 0});
        assert_eq!(saved("Still thinking about {{category}}?", finds.clone()), Ok(()));
        assert_eq!(saved("Welcome", plain.clone()), Ok(()));
        let either = json!({"any": [finds, plain]});
        assert!(saved("All {{category}}", either.clone()).unwrap_err().contains("{{category | \"everything\"}}"));
        assert_eq!(saved("All {{ category | \"of it\" }}", either.clone()), Ok(()));
        let led = |url: &str| {
            let made =
                campaign(json!({"name": "n", "type": "popup", "condition": either, "trigger": {"exit_intent": true},
                "content": {"title": "t", "cta": {"label": "l", "url": url}}}));
            made.and_then(|made| {
                made.check_bounds().map(|()| made.parts().map(|part| part.text.clone()).collect::<String>())
            })
            .map_err(|error| error.to_string())
        };
        let text = led("/c/{{ category_id | \"all of it\" }}").unwrap();
        assert!(text.contains("/c/{{category_id|all of it}}"), "{text}");
        assert!(led("{{category_id | \"//evil.example\"}}").is_err() && led("/a b").is_err());
        let unknown = saved("Hi {{first_name}}", finds).unwrap_err();
        assert_eq!(unknown, "content.title: holds {{first_name}}, which is none of {{category}}, {{category_id}}");
        assert!(
            saved("All {{category}}", plain)
                .unwrap_err()
                .starts_with("content.title: names a category, and the condition finds none")
        );
    }

    #[test]
    fn a_right_campaign_compiles() {
        let made = campaign(json!({"name": "n", "type": "popup", "content": {"title": "Hi {{category}}"},
            "condition": {"fact": "orders", "op": "=", "value": 0}, "trigger": {"exit_intent": true}}));
        assert_eq!(made.unwrap().compiled.labels, ["orders = 0"]);
    }

    #[test]
    fn wrong_campaigns_are_refused_by_path() {
        let content = json!({"title": "t"});
        let cases = [
            (json!({"name": "", "type": "popup", "content": content}), "name"),
            (json!({"name": "n", "type": "popup", "content": {"title": ""}}), "content.title"),
            (
                json!({"name": "n", "type": "popup",
                    "content": {"title": "t", "cta": {"label": "l", "url": "javascript:alert(1)"}}}),
                "content.cta.url",
            ),
            (
                json!({"name": "n", "type": "popup", "content": content, "condition": {"all": [{"not": 1}]}}),
                "condition.all[0].not",
            ),
        ];
        for (value, path) in cases {
            assert_eq!(campaign(value).unwrap_err().path, path);
        }
    }

    #[test]
    fn a_page_gets_so_many_of_some_parts_taken_apart() {
        let made = |condition: Value| {
            campaign(json!({"name": "n", "type": "popup", "content": {"title": "t"}, "condition": condition,
                "trigger": {"exit_intent": true}}))
        };
        let leaf = |fact: &str, value: i64| json!({"fact": fact, "op": ">=", "value": value});
        let parts = json!([{"fact": "segment", "id": "a"}, leaf("cart_units", 1), leaf("page_views", 2)]);
        let two = made(json!({"at_least": 2, "of": parts})).unwrap();
        let rules = |is_in: bool| {
            let compiled = &two.variant(|_| is_in).unwrap().compiled;
            (endcap_targeting::text::print(&compiled.program.condition), compiled.labels.clone())
        };
        let labels = ["cart_units >= 1", "page_views >= 2"].map(str::to_owned).to_vec();
        assert_eq!(rules(false), ("cart_units >= 1 and page_views >= 2".to_owned(), labels));
        let (text, labels) = rules(true);
        assert_eq!((text.as_str(), labels.len()), ("all(cart_units >= 1) or all(page_views >= 2)", 2));
        let three = made(json!({"at_least": 3, "of": parts})).unwrap();
        assert!(three.variant(|_| false).is_none(), "nobody else can get it");

        let ten = |part: &Value| json!({"at_least": 5, "of": vec![part; 10]});
        assert!(made(ten(&leaf("orders", 1))).is_ok());
        let nested = made(ten(&ten(&leaf("orders", 1)))).unwrap_err();
        assert_eq!(nested.path, "condition");
        assert!(nested.message.contains("`at_least`"), "{}", nested.message);
        let found = json!({"some_category": {"fact": "segment", "id": "a"}});
        assert!(made(ten(&ten(&found))).is_err(), "what finds a category stays, though the page knows nothing of it");
        for (wrong, path) in [
            (json!({"at_least": 0, "of": parts}), "condition.at_least"),
            (json!({"at_least": 4, "of": parts}), "condition.at_least"),
            (json!({"at_least": 1, "of": [parts[0]]}), "condition.of"),
            (json!({"at_least": 1}), "condition.of"),
            (json!({"at_least": 1, "of": parts, "all": []}), "condition.all"),
            (json!({"at_least": 1, "of": [parts[0], {"fact": "x"}]}), "condition.of[1].fact"),
        ] {
            assert_eq!(made(wrong.clone()).unwrap_err().path, path, "{wrong}");
        }
    }
}
