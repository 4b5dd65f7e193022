//! Scripts in which names are no keys: thieves know browsers' anonymous IDs, and the shop's server states whose browsers are.

use endcap_identity::proof;
use endcap_protocol::UserId;
use endcap_validation::Trust;
use serde_json::{Value, json};

use crate::random::Random;
use crate::script::{Late, ORDERS, SECRET, SHOP, Script, Sender, USERS, browser_that, browsing, event};

impl Script {
    /// A script of this kind.
    pub(crate) fn contested(seed: u64) -> Self {
        let mut random = Random::new(seed.wrapping_mul(0x1234_5678_9abc_def1) ^ 0xc0de);
        let mut script = Self { asks: true, tabs: random.percent(20), ..Self::default() };
        // Names as long as real ones: those of a browser's later fragments are hashed.
        let long = if random.percent(40) { "-0123456789abcdef0123456789abcdef" } else { "" };
        let browsers: Vec<String> = (0..=random.below(3)).map(|browser| format!("b{browser}{long}")).collect();
        let without_proofs = random.percent(40);
        for browser in &browsers {
            let mut sender = browser_that(&mut random, browser);
            tell_of_orders(&mut random, &mut sender);
            log_out(&mut random, &mut sender);
            for event in sender.batches.iter_mut().flatten().filter(|_| without_proofs) {
                event["proof"] = Value::Null;
            }
            script.senders.push(sender);
        }
        // Thieves name whom the server names, more often than not.
        let known = *random.pick(&USERS[..4]);
        for number in 0..random.below(4) {
            script.senders.push(server_that(&mut random, number, known, &browsers));
        }
        for number in 0..random.below(3) {
            script.senders.push(thief_that(&mut random, &format!("t{number}{long}"), known, &browsers));
        }
        for number in 0..=random.below(2) {
            let late = Late { knows_row: random.percent(50), has_old_token: random.percent(50) };
            let thief = thief_that(&mut random, &format!("l{number}"), known, &browsers);
            script.senders.push(Sender { late: Some(late), ..thief });
        }
        script
    }
}

/// Some of a browser's events are orders that the shop's server may tell of as well.
fn tell_of_orders(random: &mut Random, sender: &mut Sender) {
    for event in sender.batches.iter_mut().flatten().filter(|event| event["type"] == "track") {
        if random.percent(60) {
            event["name"] = json!("Order Completed");
            event["properties"] = json!({"order_id": random.pick(&ORDERS), "products": []});
        }
    }
}

/// Some of a browser's events are logouts, mostly after a login in the same batch.
fn log_out(random: &mut Random, sender: &mut Sender) {
    for event in sender.batches.iter_mut().flat_map(|batch| batch.iter_mut().skip(1)) {
        if event["type"] == "track" && random.percent(20) {
            event["type"] = json!("reset");
            event["properties"] = json!({});
        }
    }
}

/// Somebody who names another's browser, and can prove to be nobody but themselves.
fn thief_that(random: &mut Random, name: &str, known: &str, browsers: &[String]) -> Sender {
    let (mut count, mut batches) = (0, Vec::new());
    // Early thieves may be people who use the browser as well.
    let own = if name.starts_with('t') && random.percent(30) { known.to_owned() } else { format!("user of {name}") };
    let proof = proof::prove(SECRET, &UserId::parse(&own).unwrap());
    for _ in 0..=random.below(4) {
        let mut events: Vec<Value> = Vec::new();
        for _ in 0..=random.below(2) {
            events.push(match random.below(10) {
                0 | 1 => event(random, name, &mut count, "identify", &json!({"user_id": own, "proof": proof})),
                2 | 3 => {
                    let user = if random.percent(60) { known } else { *random.pick(&USERS[..4]) };
                    event(random, name, &mut count, "identify", &json!({"user_id": user, "traits": {"city": name}}))
                }
                4 => event(random, name, &mut count, "reset", &json!({})),
                _ => browsing(random, name, &mut count),
            });
        }
        batches.push(events);
    }
    let named = random.pick(browsers).clone();
    Sender { named, ..Sender::new(name, Trust::Claim, SHOP, batches) }
}

/// The shop's server, which read a browser's ID and tells of its user, or of an order.
fn server_that(random: &mut Random, number: usize, known: &str, browsers: &[String]) -> Sender {
    let (name, mut count, mut batches) = (format!("server~{number}"), 0, Vec::new());
    let user = if random.percent(60) { known } else { *random.pick(&USERS[..4]) };
    for _ in 0..=random.below(2) {
        let more = if random.percent(50) {
            let order = json!({"order_id": random.pick(&ORDERS), "products": []});
            json!({"name": "Order Completed", "properties": order, "user_id": user})
        } else {
            json!({"name": "Signed Up", "user_id": user})
        };
        batches.push(vec![event(random, &name, &mut count, "track", &more)]);
    }
    let states = Some(random.pick(browsers).clone());
    Sender { states, ..Sender::new(&name, Trust::Fact, SHOP, batches) }
}
