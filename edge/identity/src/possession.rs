//! Possession: what shows that a request comes from the browser whose anonymous ID it names.
//!
//! An anonymous ID is a name. Scripts, servers and logs see it, so it opens nothing by itself. The edge hands each browser a
//! signed [token](crate::possession_token) for its ID. Until that token first comes back the ID is *open*: whoever names it
//! has it, so that a lost first answer harms nobody. From then on it is *bound*, and a request needs the token of the present
//! generation. A proof of who the person is begins a new generation, so a token that somebody got before is worth nothing.
//!
//! Role in the flow of one event: the last question before a batch is applied to its fragment. The state lies beside the
//! fragment and moves with it.

use endcap_protocol::{AnonymousId, ProfileId, UnixMillis};
use serde::{Deserialize, Serialize};

use crate::signed::{Keys, Purpose};

/// How long after a change a request that shows the state before may still be on its way, in milliseconds, unless the
/// deployment says otherwise. Pages give up on a request after 20 s.
pub const IN_FLIGHT_MS: UnixMillis = 30_000;

/// Who has an anonymous ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Holder {
    /// Whoever names it: no token came back yet.
    #[default]
    Anybody,
    /// Who shows the token.
    TokenHolder,
    /// Another vendor's client, which names itself and cannot hold a token. No browser of ours reads what is under this ID.
    Vendor,
}

/// The state of one anonymous ID, at one fragment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Possession {
    /// Which tokens count: those of this generation.
    pub generation: u32,
    /// Who has the ID.
    pub holder: Holder,
    /// When generation or holder last changed; 0: never.
    pub changed_at: UnixMillis,
}

/// What sort of client sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Client {
    /// A page or service worker of ours.
    #[default]
    Browser,
    /// Another vendor's client.
    Vendor,
}

/// What a request shows of an anonymous ID. It was read where the request came in, and its signatures were checked there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Shown {
    /// Who sent it.
    pub client: Client,
    /// The generation of the ID's token.
    pub generation: Option<u32>,
    /// The profile that a route cookie of a version without tokens names.
    pub old_route: Option<ProfileId>,
    /// The request was found unverified before, and is applied under a new ID.
    pub apart: bool,
}

/// What the state says about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// The request has the ID; this is the state after it.
    Holds(Possession),
    /// It lacks a token that is so new that the request may have been under way before it. It has to come again.
    InFlight,
    /// It does not have the ID.
    Unverified,
}

impl Possession {
    /// Judges a request that shows something. `here` is the profile that holds the fragment. `proves` says whether the
    /// request proves to be that profile's person; it is only asked where nothing else shows possession. `in_flight_ms` is
    /// how long after a change a request may still show the state before.
    pub fn judge(
        &self,
        shown: &Shown,
        here: &ProfileId,
        proves: impl FnOnce() -> bool,
        in_flight_ms: UnixMillis,
        now: UnixMillis,
    ) -> Judgement {
        let holds = |generation, holder| {
            let changed = generation != self.generation || holder != self.holder;
            Judgement::Holds(Self { generation, holder, changed_at: if changed { now } else { self.changed_at } })
        };
        let by_route = shown.old_route.as_ref() == Some(here);
        match (self.holder, shown.client, shown.generation) {
            (Holder::Anybody | Holder::TokenHolder, Client::Browser, Some(shown)) if shown == self.generation => {
                holds(shown, Holder::TokenHolder)
            }
            // A version without tokens wrote the row since, and left the state out. The signature says what it was.
            (Holder::Anybody, Client::Browser, Some(shown)) if shown > self.generation => {
                holds(shown, Holder::TokenHolder)
            }
            // A route cookie from before there were tokens counts until a token of the generation that it begins comes back.
            (Holder::Anybody, Client::Browser, _) if by_route && self.generation <= 1 => holds(1, Holder::Anybody),
            (Holder::TokenHolder, Client::Browser, _) if by_route && self.generation == 0 => holds(1, Holder::Anybody),
            (Holder::Anybody, ..) if self.generation == 0 => holds(0, Holder::Anybody),
            (Holder::Vendor, Client::Vendor, _) => holds(self.generation, Holder::Vendor),
            _ if shown.client == Client::Browser && proves() => holds(self.next_generation(), Holder::TokenHolder),
            (Holder::Anybody | Holder::TokenHolder, Client::Browser, _)
                if self.changed_at > now.saturating_sub(in_flight_ms) =>
            {
                Judgement::InFlight
            }
            _ => Judgement::Unverified,
        }
    }

    /// The state after a proof of who the person is: bound at once, and older tokens are worth nothing. What a vendor's
    /// client proves leaves the ID with that client.
    #[must_use]
    pub fn proved(&self, client: Client, now: UnixMillis) -> Self {
        let (generation, holder) = match client {
            Client::Browser => (self.next_generation(), Holder::TokenHolder),
            Client::Vendor if self.holder == Holder::Anybody => (self.generation, Holder::Vendor),
            Client::Vendor => return self.clone(),
        };
        Self { generation, holder, changed_at: now }
    }

    /// The state of an ID that another vendor's client was the first to name.
    #[must_use]
    pub fn of_vendor(now: UnixMillis) -> Self {
        Self { generation: 0, holder: Holder::Vendor, changed_at: now }
    }

    fn next_generation(&self) -> u32 {
        self.generation.saturating_add(1)
    }
}

impl Shown {
    /// What another vendor's client shows: nothing.
    #[must_use]
    pub fn of_vendor() -> Self {
        Self { client: Client::Vendor, ..Self::default() }
    }

    /// The same request after it was given a token of a generation.
    #[must_use]
    pub fn granted(self, generation: u32) -> Self {
        Self { generation: Some(generation), ..self }
    }
}

/// The new ID under which an unverified request is applied. The same request sent again finds the same, and nobody else can
/// work it out: `seed` is a message ID that only its sender knows, or the source of another vendor's client. None when
/// there is no key.
#[must_use]
pub fn id_apart(keys: &Keys, named: &AnonymousId, seed: &str) -> Option<AnonymousId> {
    AnonymousId::parse(&keys.opaque(Purpose::Apart, &format!("{}\n{seed}", named.as_str()))?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = 1_000_000;
    const LATER: UnixMillis = NOW + IN_FLIGHT_MS;

    fn home() -> ProfileId {
        ProfileId::parse("home").unwrap()
    }

    fn bound(generation: u32) -> Possession {
        Possession { generation, holder: Holder::TokenHolder, changed_at: NOW }
    }

    fn token(generation: u32) -> Shown {
        Shown::default().granted(generation)
    }

    fn old_route(to: &str) -> Shown {
        Shown { old_route: Some(ProfileId::parse(to).unwrap()), ..Shown::default() }
    }

    /// The generation and holder after a request; None where it does not have the ID.
    fn after(state: &Possession, shown: &Shown, now: UnixMillis) -> Option<(u32, Holder)> {
        match state.judge(shown, &home(), || false, IN_FLIGHT_MS, now) {
            Judgement::Holds(state) => Some((state.generation, state.holder)),
            Judgement::InFlight | Judgement::Unverified => None,
        }
    }

    #[test]
    fn an_id_is_open_until_its_token_first_comes_back() {
        let open = Possession::default();
        assert_eq!(
            after(&open, &Shown::default(), NOW),
            Some((0, Holder::Anybody)),
            "a lost first answer harms nobody"
        );
        assert_eq!(after(&open, &token(0), NOW), Some((0, Holder::TokenHolder)));
        assert_eq!(after(&bound(0), &token(0), LATER), Some((0, Holder::TokenHolder)));
        assert_eq!(bound(0).judge(&Shown::default(), &home(), || false, IN_FLIGHT_MS, LATER), Judgement::Unverified);
        assert_eq!(bound(0).judge(&Shown::default(), &home(), || false, IN_FLIGHT_MS, LATER - 1), Judgement::InFlight);
    }

    #[test]
    fn what_changes_nothing_keeps_the_time_of_the_last_change() {
        assert_eq!(bound(0).judge(&token(0), &home(), || false, IN_FLIGHT_MS, LATER), Judgement::Holds(bound(0)));
    }

    #[test]
    fn a_proof_begins_a_generation_in_which_earlier_tokens_are_worth_nothing() {
        assert_eq!(Possession::default().proved(Client::Browser, NOW), bound(1));
        assert_eq!(bound(4).proved(Client::Browser, NOW), bound(5));
        assert_eq!(bound(1).judge(&token(0), &home(), || false, IN_FLIGHT_MS, LATER), Judgement::Unverified);
        assert_eq!(
            bound(1).judge(&token(0), &home(), || true, IN_FLIGHT_MS, NOW),
            Judgement::Holds(bound(2)),
            "a lost cookie is recovered"
        );
    }

    #[test]
    fn an_old_route_cookie_counts_once_and_beats_who_only_knew_the_name() {
        for state in [Possession::default(), bound(0)] {
            assert_eq!(after(&state, &old_route("home"), LATER), Some((1, Holder::Anybody)));
        }
        let upgraded = Possession { generation: 1, holder: Holder::Anybody, changed_at: NOW };
        assert_eq!(
            after(&upgraded, &old_route("home"), LATER),
            Some((1, Holder::Anybody)),
            "its answer may be lost too"
        );
        assert_eq!(after(&upgraded, &Shown::default(), LATER), None);
        assert_eq!(after(&upgraded, &token(0), LATER), None);
        assert_eq!(after(&upgraded, &token(1), LATER), Some((1, Holder::TokenHolder)));
        assert_eq!(after(&bound(1), &old_route("home"), LATER), None);
        assert_eq!(after(&bound(0), &old_route("elsewhere"), LATER), None);
    }

    #[test]
    fn a_state_that_a_version_without_tokens_left_out_is_read_from_the_token() {
        assert_eq!(after(&Possession::default(), &token(3), NOW), Some((3, Holder::TokenHolder)));
        assert_eq!(after(&bound(2), &token(3), LATER), None, "no token of a later generation was made");
    }

    #[test]
    fn other_vendors_clients_have_ids_of_their_own_and_touch_no_bound_one() {
        let vendors = Possession::of_vendor(NOW);
        assert_eq!(after(&vendors, &Shown::of_vendor(), LATER), Some((0, Holder::Vendor)));
        assert_eq!(vendors.judge(&Shown::default(), &home(), || false, IN_FLIGHT_MS, NOW), Judgement::Unverified);
        assert_eq!(bound(0).judge(&Shown::of_vendor(), &home(), || true, IN_FLIGHT_MS, LATER), Judgement::Unverified);
        assert_eq!(after(&Possession::default(), &Shown::of_vendor(), NOW), Some((0, Holder::Anybody)));
        assert_eq!(Possession::default().proved(Client::Vendor, NOW), vendors);
        assert_eq!(bound(2).proved(Client::Vendor, LATER), bound(2));
    }

    #[test]
    fn an_id_apart_is_found_again_by_who_sent_the_message_only() {
        let keys = Keys::parse("a:AAAAAAAAAAAAAAAAAAAAAAAA");
        let id = |named: &str, seed| id_apart(&keys, &AnonymousId::parse(named).unwrap(), seed).unwrap();
        assert_eq!(id("b", "m1"), id("b", "m1"));
        assert!(id("b", "m1") != id("b", "m2") && id("b", "m1") != id("c", "m1"));
        assert_eq!(id_apart(&Keys::default(), &AnonymousId::parse("b").unwrap(), "m1"), None);
    }
}
