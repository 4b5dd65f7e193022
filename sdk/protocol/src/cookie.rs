//! The script-readable identity: one text kept both in the cookie `ec_id` and in storage.
//!
//! Format `1.<device id>.<anonymous id>.<epoch>`. The epoch counts resets; where the two copies disagree the higher
//! one wins, so a reset in one tab is never undone by an older copy elsewhere.

use crate::text::{integer, push_decimal, split_once};
use crate::{AnonymousId, DeviceId};

/// Name of the script-readable cookie.
pub const ID_COOKIE: &str = "ec_id";
/// Name of the signed, HttpOnly cookie that routes a visitor to their profile.
pub const ROUTE_COOKIE: &str = "ec_r";
/// Name of the signed, HttpOnly cookie that shows whose an anonymous ID is; over https with `__Host-` in front.
pub const POSSESSION_COOKIE: &str = "ec_t";
/// How long they live, in seconds: 400 days, the longest that browsers keep (RFC 6265bis §5.5).
pub const MAX_AGE_SECONDS: u32 = 400 * 86_400;

/// A browser's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The installation.
    pub device: DeviceId,
    /// The browser since the last reset.
    pub anonymous: AnonymousId,
    /// Number of resets so far.
    pub epoch: u32,
}

impl Identity {
    /// The stored text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::from("1.");
        text.push_str(self.device.as_str());
        text.push_str(".");
        text.push_str(self.anonymous.as_str());
        text.push_str(".");
        push_decimal(&mut text, self.epoch.into());
        text
    }

    /// Parses the stored text; None when it is damaged or of an unknown version.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (device, rest) = split_once(text.strip_prefix("1.")?, ".")?;
        let (anonymous, epoch) = split_once(rest, ".")?;
        Some(Self {
            device: DeviceId::parse(device).ok()?,
            anonymous: AnonymousId::parse(anonymous).ok()?,
            epoch: u32::try_from(integer(epoch)?).ok()?,
        })
    }

    /// The copy to trust of two: the higher epoch, else the first.
    #[must_use]
    pub fn newer(first: Option<Self>, second: Option<Self>) -> Option<Self> {
        match (first, second) {
            (Some(a), Some(b)) => Some(if b.epoch > a.epoch { b } else { a }),
            (a, b) => a.or(b),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(epoch: u32) -> Identity {
        Identity { device: DeviceId::parse("d").unwrap(), anonymous: AnonymousId::parse("a").unwrap(), epoch }
    }

    #[test]
    fn round_trips_and_refuses_damage() {
        assert_eq!(Identity::parse(&identity(3).to_text()), Some(identity(3)));
        for text in ["", "2.d.a.0", "1.d.a", "1.d.a.x", "1.d.a.0.0", "1..a.0"] {
            assert_eq!(Identity::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_newer_reset_epoch_wins() {
        assert_eq!(Identity::newer(Some(identity(1)), Some(identity(2))), Some(identity(2)));
        assert_eq!(Identity::newer(Some(identity(2)), Some(identity(1))), Some(identity(2)));
        assert_eq!(Identity::newer(None, Some(identity(0))), Some(identity(0)));
    }
}
