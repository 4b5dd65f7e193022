//! What people do: browsers and servers with the batches they send, the same for every run of a seed.

use std::collections::BTreeSet;

use endcap_events::ingest::{Batch, ingest_as};
use endcap_identity::rules::ClaimPolicy;
use endcap_identity::{Identifier, IdentityRules, Namespace, StatedLink, Witness, proof};
use endcap_protocol::{UnixMillis, UserId};
use endcap_validation::Trust;
use serde_json::{Value, json};

use crate::random::Random;

pub(crate) const NOW: UnixMillis = 1_763_800_000_000;
pub(crate) const SECRET: &[u8] = b"the shop's secret";
/// The source of the shop's own pages and server.
pub(crate) const SHOP: &str = "shop";
/// A source whose claims some shops trust.
const TRUSTED: &str = "app";
pub(crate) const USERS: [&str; 6] = ["ann", "bob", "cy", "dee", "guest", "null"];
const EMAILS: [&str; 4] = ["Ann@shop.example", "bob@shop.example", "office@shop.example", "guest@shop.example"];
/// Orders that a browser and the shop's server may both tell of.
pub(crate) const ORDERS: [&str; 2] = ["1001", "1002"];
const PHONES: [&str; 2] = ["+81 90-1234-5678", "+819012345679"];

/// A browser, or a server's record of somebody, with what it sends.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    pub(crate) name: String,
    /// The anonymous ID that it names: its own, or a thief's that of somebody else.
    pub(crate) named: String,
    pub(crate) trust: Trust,
    pub(crate) source: &'static str,
    pub(crate) batches: Vec<Vec<Value>>,
    /// The browser of which a server states with each batch that it is the user's.
    pub(crate) states: Option<String>,
    /// What one knows who comes once all is at rest.
    pub(crate) late: Option<Late>,
}

/// What a thief knows besides an anonymous ID.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Late {
    /// The profile that has it.
    pub(crate) knows_row: bool,
    /// A token that they were given while the ID was open.
    pub(crate) has_old_token: bool,
}

impl Sender {
    pub(crate) fn new(name: &str, trust: Trust, source: &'static str, batches: Vec<Vec<Value>>) -> Self {
        let named = name.to_owned();
        Self { name: named.clone(), named, trust, source, batches, states: None, late: None }
    }
}

/// Everything that happens from outside.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script {
    pub(crate) senders: Vec<Sender>,
    /// Browsers have several tabs that send at once.
    pub(crate) tabs: bool,
    pub(crate) rules: IdentityRules,
    /// Whether browsers have to show that their anonymous IDs are theirs.
    pub(crate) asks: bool,
}

impl Script {
    pub(crate) fn of(seed: u64) -> Self {
        let mut random = Random::new(seed.wrapping_mul(0x1234_5678_9abc_def1));
        let tabs = random.percent(30);
        let mut rules = IdentityRules::default();
        if random.percent(20) {
            rules.merges_per_hour = 2;
        }
        if random.percent(20) {
            rules.fragments_per_identifier = 2;
        }
        if random.percent(15) {
            rules.claims.insert("*".to_owned(), ClaimPolicy::Proof);
        }
        if random.percent(25) {
            rules.claims.insert(TRUSTED.to_owned(), ClaimPolicy::Trust);
        }
        let mut senders = Vec::new();
        for browser in 0..=random.below(4) {
            senders.push(browser_that(&mut random, &format!("b{browser}")));
            if random.percent(20) {
                // Logged out: a new anonymous ID.
                senders.push(browser_that(&mut random, &format!("b{browser}r")));
            }
        }
        let browsers = senders.len();
        for server in 0..random.below(4) {
            senders.push(server_that(&mut random, server, browsers));
        }
        Self { senders, tabs, rules, asks: false }
    }

    /// The event of a message ID, and its sender.
    pub(crate) fn event(&self, message: &str) -> Option<(&Sender, &Value)> {
        let mut all = self.senders.iter().flat_map(|sender| sender.batches.iter().flatten().map(move |e| (sender, e)));
        all.find(|(_, event)| event["message_id"] == message)
    }

    /// The user that an event names. `null` and its like are nobody.
    fn user_of(event: &Value) -> Option<UserId> {
        event["user_id"]
            .as_str()
            .filter(|user| !["guest", "null"].contains(user))
            .and_then(|user| UserId::parse(user).ok())
    }

    /// Whether something proves the user of an event.
    pub(crate) fn is_proved(sender: &Sender, event: &Value) -> bool {
        sender.trust == Trust::Fact
            || Self::user_of(event).is_some_and(|user| event["proof"] == proof::prove(SECRET, &user))
    }

    /// Whether an event is a browser's login with a proof.
    pub(crate) fn is_login(sender: &Sender, event: &Value) -> bool {
        sender.trust == Trust::Claim && event["type"] == "identify" && Self::is_proved(sender, event)
    }

    /// Whether somebody logs in without a proof after another person within one batch. If its answer is lost, it comes again
    /// without the token that the first of them earned, and nothing shows whose the rest is.
    pub(crate) fn has_unproved_login_after_another(&self) -> bool {
        let is_one = |sender: &Sender, batch: &Vec<Value>| {
            let logins: Vec<&Value> = batch.iter().filter(|event| Self::user_of(event).is_some()).collect();
            logins.windows(2).any(|two| two[0]["user_id"] != two[1]["user_id"] && !Self::is_proved(sender, two[1]))
        };
        self.senders.iter().any(|sender| sender.batches.iter().any(|batch| is_one(sender, batch)))
    }

    /// Browsers that prove nothing, that no server names, and whose claims are trusted by nobody: strangers.
    pub(crate) fn strangers(&self) -> BTreeSet<usize> {
        let events = || self.senders.iter().flat_map(|sender| sender.batches.iter().flatten());
        let named = |name: &str| events().any(|event| event["identifiers"]["anonymous_id"] == name);
        let stranger = |sender: &Sender| {
            let proves = sender.batches.iter().flatten().any(|event| Self::is_proved(sender, event));
            sender.trust == Trust::Claim && !proves && !named(&sender.name) && !self.rules.trusts_claims(sender.source)
        };
        (0..self.senders.len()).filter(|index| stranger(&self.senders[*index])).collect()
    }

    /// A batch as the edge reads it.
    pub(crate) fn batch(&self, sender: usize, index: usize) -> Option<Batch> {
        let sender = self.senders.get(sender)?;
        Some(read(sender, &sender.named, sender.batches.get(index)?))
    }

    /// What a server states with a batch, as the browser's history gets it.
    pub(crate) fn statement(&self, sender: usize, index: usize) -> Option<(Batch, Vec<StatedLink>)> {
        let sender = self.senders.get(sender)?;
        let browser = sender.states.as_ref()?;
        let link = |event: &Value| {
            let identifier = Identifier::new(Namespace::UserId, event["user_id"].as_str()?).unwrap();
            let order = event["properties"]["order_id"].as_str().map(str::to_owned);
            let (at, message_id) = (event["timestamp"].as_i64()?, event["message_id"].as_str()?.to_owned());
            Some(StatedLink {
                identifier,
                order,
                witness: Witness { at, message_id, source: sender.source.to_owned() },
            })
        };
        let links: Vec<StatedLink> = sender.batches.get(index)?.iter().filter_map(link).collect();
        (!links.is_empty()).then(|| (read(sender, browser, &[]), links))
    }
}

/// Events of a history as the edge reads them.
fn read(sender: &Sender, anonymous_id: &str, events: &[Value]) -> Batch {
    let consent = json!({"analytics": true, "personalization": true, "marketing": true});
    let body = json!({"source": sender.source, "anonymous_id": anonymous_id, "consent": consent, "events": events});
    let batch = ingest_as(body.to_string().as_bytes(), NOW, sender.trust).unwrap();
    assert!(batch.rejected.is_empty(), "{:?}", batch.rejected);
    batch
}

pub(crate) fn event(random: &mut Random, sender: &str, count: &mut usize, kind: &str, more: &Value) -> Value {
    *count += 1;
    // Times of different senders never meet, those of one go forward.
    let place = sender.bytes().fold(0_i64, |sum, byte| (sum * 31 + i64::from(byte)) % 97);
    let at = NOW - 6_000_000 + (*count as i64 * 500 + random.below(400) as i64) * 97 + place;
    let mut event =
        json!({"message_id": format!("{sender}.{count}"), "type": kind, "timestamp": at, "session_id": sender});
    for (key, value) in more.as_object().unwrap() {
        event[key] = value.clone();
    }
    event
}

pub(crate) fn browsing(random: &mut Random, sender: &str, count: &mut usize) -> Value {
    let product = *random.pick(&["boot", "clog", "coat"]);
    let properties = json!({"product_id": product, "category": "c", "price": 10, "quantity": 1});
    let (name, properties) = match random.below(4) {
        0 => ("Product Added", properties),
        1 => ("Order Completed", json!({"order_id": format!("{sender}-{count}"), "products": [properties]})),
        _ => ("Product Viewed", properties),
    };
    event(random, sender, count, "track", &json!({"name": name, "properties": properties}))
}

pub(crate) fn browser_that(random: &mut Random, name: &str) -> Sender {
    let mut count = 0;
    let mut batches = Vec::new();
    for _ in 0..=random.below(4) {
        let mut events = Vec::new();
        for _ in 0..=random.below(3) {
            if random.percent(45) {
                let user = *random.pick(&USERS);
                let proof = random.percent(60).then(|| proof::prove(SECRET, &UserId::parse(user).unwrap()));
                let email = random.percent(30).then(|| *random.pick(&EMAILS));
                let traits = json!({"email": email, "city": format!("{name}-{count}")});
                let more = json!({"user_id": user, "proof": proof, "traits": traits});
                events.push(event(random, name, &mut count, "identify", &more));
            } else {
                events.push(browsing(random, name, &mut count));
            }
        }
        batches.push(events);
    }
    let source = if random.percent(30) { TRUSTED } else { SHOP };
    Sender::new(name, Trust::Claim, source, batches)
}

fn server_that(random: &mut Random, number: usize, browsers: usize) -> Sender {
    let (name, mut count, mut batches) = (format!("server~{number}"), 0, Vec::new());
    let user = *random.pick(&USERS[..4]);
    for _ in 0..=random.below(2) {
        let mut named = serde_json::Map::new();
        for (kind, values) in [("email", &EMAILS[..]), ("phone", &PHONES[..])] {
            if random.percent(60) {
                named.insert(kind.to_owned(), json!(random.pick(values)));
            }
        }
        if random.percent(25) {
            named.insert("anonymous_id".to_owned(), json!(format!("b{}", random.below(browsers))));
        }
        let mut more = json!({"name": "Paid", "identifiers": named});
        if random.percent(70) {
            more["user_id"] = json!(user);
        }
        let kind = if random.percent(25) {
            more["user_id"] = json!(user);
            more["previous_id"] = json!(random.pick(&USERS[..4]));
            "identify"
        } else {
            "track"
        };
        batches.push(vec![event(random, &name, &mut count, kind, &more)]);
    }
    Sender::new(&name, Trust::Fact, SHOP, batches)
}
