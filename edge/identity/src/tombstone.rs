//! Tombstones: the hashes of erased fragments' names.
//!
//! Role in the flow of one event: a shard looks for a tombstone before a fragment begins, and refuses the event if it
//! finds one. So an event that comes late does not bring back a person who asked to be forgotten.

use endcap_protocol::UnixMillis;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::fragment_id::FragmentId;

/// How long the tombstone of a server's record holds, in milliseconds. Requests that are under way end within this
/// time. It does not hold for ever, because the record's name follows from the user ID, and the person may come back as
/// a new customer.
const CLOSED_MS: UnixMillis = 60_000;

/// What is kept of a name: its SHA-256 in hex, or HMAC-SHA-256 (RFC 2104) under the deployment's pepper where it has one.
#[must_use]
pub fn tombstone(name: &str, pepper: &[u8]) -> String {
    let text = ["endcap erased ", name].concat();
    let hash = if pepper.is_empty() {
        Sha256::digest(text)
    } else {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(pepper)
            .unwrap_or_else(|never| unreachable!("HMAC takes keys of any length: {never}"));
        mac.update(text.as_bytes());
        mac.finalize().into_bytes()
    };
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Until when the tombstone of a fragment holds; None: for ever, as that of a browser does.
#[must_use]
pub fn holds_until(fragment: &FragmentId, now: UnixMillis) -> Option<UnixMillis> {
    let servers = ["server~", "claim~"].iter().any(|prefix| fragment.as_str().starts_with(prefix));
    servers.then(|| now.saturating_add(CLOSED_MS))
}

/// Whether a tombstone still holds, by the time that its row has. Rows have 0 for one that holds for ever.
#[must_use]
pub fn still_holds(holds_until: UnixMillis, now: UnixMillis) -> bool {
    holds_until == 0 || holds_until > now
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tombstone_tells_no_name_and_stands_for_one_only() {
        let plain = tombstone("browser-1", b"");
        assert_eq!(plain.len(), 64);
        assert_eq!(plain, tombstone("browser-1", b""));
        assert_ne!(plain, tombstone("browser-2", b""));
        assert_ne!(plain, tombstone("browser-1", b"pepper"));
    }

    #[test]
    fn a_browsers_tombstone_stays_and_a_servers_goes() {
        let of = |name: &str| holds_until(&FragmentId::parse(name).unwrap(), 5);
        assert_eq!(of("browser-1"), None);
        assert_eq!(of("server~00"), Some(60_005));
    }

    #[test]
    fn a_tombstone_holds_up_to_its_time_or_for_ever() {
        assert!(still_holds(0, UnixMillis::MAX));
        assert!(still_holds(60_005, 60_004));
        assert!(!still_holds(60_005, 60_005));
    }
}
