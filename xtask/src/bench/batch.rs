//! Batches as the SDK sends them: visitors who look around, and now and then fill their cart.

use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::runtime::IDENTITY_SECRET;

/// What a visitor does in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Looks around; in every tenth batch something goes into the cart.
    Mixed,
    /// Something goes into the cart in every batch.
    Cart,
    /// Logs in, each time on a browser that was never seen; each person on so many of them.
    Login {
        /// Browsers of one person.
        devices: u64,
    },
}

impl Kind {
    /// For people.
    pub(super) fn name(self) -> String {
        match self {
            Self::Mixed => "everyday batches".to_owned(),
            Self::Cart => "carts".to_owned(),
            Self::Login { devices } => format!("logins on {devices} devices"),
        }
    }
}

/// The time, in milliseconds since 1970.
pub(super) fn now_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}

/// One batch of a visitor.
pub(super) struct Batch {
    /// The visitor's anonymous ID.
    pub(super) anonymous: String,
    /// The body.
    pub(super) body: String,
}

/// Writes one connection's batches. Visitors and products come from a fixed sequence, so that two
/// runs send the same.
pub(super) struct Writer {
    random: u64,
    batches: u64,
    connection: u64,
    size: usize,
    kind: Kind,
}

/// Visitors of each connection: few enough that each sends about ten batches, as in a visit to a shop. No visitor is on two
/// connections: a browser sends its batches one after the other.
const VISITORS: u64 = 64;

/// Products of the demo shop that are looked at: identifier, category, price.
const PRODUCTS: [(&str, &str, &str); 4] = [
    ("fulmar-parka", "jackets", "329.00"),
    ("eider-puffer", "jackets", "219.00"),
    ("scree-boot", "shoes", "189.00"),
    ("storm-lantern", "home", "79.00"),
];

impl Writer {
    /// Starts the sequence of one connection.
    pub(super) fn new(connection: u64, size: usize, kind: Kind) -> Self {
        let random = (connection + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self { random, batches: 0, connection, size, kind }
    }

    /// The next batch.
    pub(super) fn next(&mut self) -> Batch {
        if let Kind::Login { devices } = self.kind {
            self.batches += 1;
            return login(self.connection, self.batches, devices);
        }
        let visitor = self.connection * VISITORS + self.random() % VISITORS;
        // Who sends batches of one sort is nobody who sends others: their cookies are not kept so long.
        let sort = self.size * 2 + usize::from(self.kind == Kind::Cart);
        let anonymous = format!("{:08x}-5ca1-4ab1-8e57-{sort:04x}cafe{:04x}", visitor ^ 0x5eed_0000, visitor & 0xffff);
        self.of(anonymous, visitor)
    }

    /// The next batch of a browser, which is a visitor by this number.
    pub(super) fn of(&mut self, anonymous: String, visitor: u64) -> Batch {
        let now = now_ms();
        self.batches += 1;
        let fills_cart = self.kind == Kind::Cart || self.batches.is_multiple_of(10);
        let mut body = format!(
            "{{\"source\":\"demo\",\"sent_at\":{now},\"anonymous_id\":\"{anonymous}\",\
             \"device_id\":\"{visitor:08x}-d0d0-4ab1-8e57-0000cafe0000\",\
             \"consent\":{{\"analytics\":true,\"personalization\":true,\"marketing\":true}},\"events\":["
        );
        for index in 0..self.size {
            if index > 0 {
                body.push(',');
            }
            let name = match index {
                _ if fills_cart && index + 1 == self.size => "Product Added",
                0 if self.size > 1 => "Product List Viewed",
                _ => "Product Viewed",
            };
            self.event(&mut body, name, now, visitor);
        }
        body.push_str("],\"ask\":{\"slots\":[{\"name\":\"home\",\"limit\":4}],\"url\":\"http://127.0.0.1/\"}}");
        Batch { anonymous, body }
    }

    /// One event. Writing to a text cannot fail.
    fn event(&mut self, body: &mut String, name: &str, now: u128, visitor: u64) {
        let (high, low) = (self.random(), self.random());
        let product = PRODUCTS.get(low as usize % PRODUCTS.len()).copied().unwrap_or_default();
        let (id, category, price) = product;
        let time = now & 0xffff_ffff_ffff;
        let _ = write!(
            body,
            "{{\"message_id\":\"{:08x}-{:04x}-7{:03x}-8{:03x}-{:012x}\",\"type\":\"track\",\"name\":\"{name}\",\
             \"session_id\":\"{visitor:08x}-5e55-4ab1-8e57-0000cafe0000\",\"timestamp\":{now},\
             \"context\":{{\"page\":{{\"url\":\"http://127.0.0.1/p/{id}\",\"path\":\"/p/{id}\",\"title\":\"{id}\",\
             \"referrer\":\"http://127.0.0.1/c/{category}\",\"search\":\"\"}},\"locale\":\"en-US\",\
             \"zone\":\"Europe/Berlin\",\"screen\":{{\"width\":1440,\"height\":900,\"density\":2}},\
             \"library\":{{\"name\":\"endcap\",\"version\":\"0.1.0\"}}}},",
            time >> 16,
            time & 0xffff,
            high & 0xfff,
            (high >> 12) & 0xfff,
            low & 0xffff_ffff_ffff,
        );
        let _ = if name == "Product List Viewed" {
            write!(body, "\"properties\":{{\"list_id\":\"{category}\",\"category\":\"{category}\"}}}}")
        } else {
            write!(
                body,
                "\"properties\":{{\"product_id\":\"{id}\",\"name\":\"{id}\",\"category\":\"{category}\",\
                 \"price\":{price},\"currency\":\"EUR\",\"quantity\":1}}}}"
            )
        };
    }

    /// The next number of the sequence (xorshift64, Marsaglia 2003).
    fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}

/// A login on a browser. With two devices, every person logs in twice.
fn login(connection: u64, number: u64, devices: u64) -> Batch {
    let anonymous = format!("{:08x}-1091-4ab1-8e57-{connection:04x}cafe{devices:04x}", number);
    login_as(anonymous, &format!("login-{devices}-{connection}-{}", number / devices))
}

/// A login of a browser as a user, with the shop's proof.
pub(super) fn login_as(anonymous: String, user: &str) -> Batch {
    let now = now_ms();
    let body = format!(
        "{{\"source\":\"demo\",\"sent_at\":{now},\"anonymous_id\":\"{anonymous}\",\
         \"consent\":{{\"analytics\":true,\"personalization\":true,\"marketing\":true}},\"events\":[\
         {{\"message_id\":\"{anonymous}\",\"type\":\"identify\",\"timestamp\":{now},\"user_id\":\"{user}\",\
         \"proof\":\"{}\"}}]}}",
        proof(user)
    );
    Batch { anonymous, body }
}

fn proof(user: &str) -> String {
    let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(IDENTITY_SECRET.as_bytes()) else { return String::new() };
    mac.update(user.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_json_with_distinct_messages_of_the_visitor() {
        let mut writer = Writer::new(3, 10, Kind::Mixed);
        let Batch { anonymous, body } = writer.next();
        let batch: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(anonymous, batch["anonymous_id"].as_str().unwrap());
        let ids: std::collections::BTreeSet<_> =
            batch["events"].as_array().unwrap().iter().map(|event| event["message_id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), 10);
        assert!(ids.iter().all(|id| id.len() == 36));
    }

    #[test]
    fn every_tenth_batch_fills_the_cart() {
        let mut writer = Writer::new(0, 1, Kind::Mixed);
        let added = (0..30).filter(|_| writer.next().body.contains("Product Added")).count();
        assert_eq!(added, 3);
    }
}
