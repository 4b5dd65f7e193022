//! Possession: what shows that a request comes from the browser whose anonymous ID it names.
//!
//! An anonymous ID is a name. Scripts, servers and logs see it, so it opens nothing by itself. The edge hands each browser a
//! signed [token](crate::possession_token) for its ID. Until that token first comes back the ID is *open*: whoever names it
//! has it, so that a lost first answer harms nobody. From then on it is *bound*, and a request needs that very token: each
//! client is given another one for an open ID, so the others' are worth nothing then. Requests of one browser that are under way
//! together get the same, in whatever order their answers come. A proof of who the person is begins a new generation, so a token
//! that somebody got before is worth nothing either.
//!
//! Role in the flow of one event: the last question before a batch is applied to its fragment. The state lies beside the
//! fragment and moves with it.

use endcap_protocol::{AnonymousId, ProfileId, UnixMillis};
use serde::{Deserialize, Serialize};

use crate::signed::{Keys, Purpose};
use crate::stated_link::StatedLinks;

/// How long after a change a request that shows the state before may still be on its way, in milliseconds, unless the
/// deployment says otherwise. Pages give up on a request after 20 s. So the answer with the new token may take that long, and a
/// request that was sent just before it arrived as long again.
pub const IN_FLIGHT_MS: UnixMillis = 40_000;

/// Where the numbers of tokens begin that are given to whoever names an open ID. Lower ones are of a version that gave all the
/// same. Each range lies above the one whose tokens it ends, because that version takes any token with a higher number.
const NAMED: u32 = 1 << 30;
/// Where they begin for a visitor whom a route cookie of a version without tokens names.
const ROUTED: u32 = 2 << 30;
/// Where they begin for generations that a proof began.
const PROVED: u32 = 3 << 30;
/// The generation of an ID that such a route cookie took from whoever names it.
const BY_ROUTE: u32 = 1;

/// Who has an anonymous ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Holder {
    /// Whoever names it: no token came back yet.
    #[default]
    Anybody,
    /// Who shows the token.
    TokenHolder,
    /// Another vendor's client, or the shop's server, which cannot hold a token. No browser of ours reads what is under this
    /// ID.
    Vendor,
}

/// The state of one anonymous ID, at one fragment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Possession {
    /// Which token counts: the one of this generation. While nobody showed one: 0, or 1 where only the bearer of an old route
    /// cookie is given one.
    pub generation: u32,
    /// Who has the ID.
    pub holder: Holder,
    /// Whether a proof began the generation.
    pub is_proved: bool,
    /// Whether the visitor logged out: nothing is shown under this ID any more.
    pub is_ended: bool,
    /// When generation or holder last changed; 0: never.
    pub changed_at: UnixMillis,
    /// Whether it is the shop's server that has the ID, because nobody else ever named it; read it by
    /// [`is_the_servers`](Self::is_the_servers).
    #[serde(default)]
    pub is_of_server: bool,
    /// What the shop's server states of whose the browser is, and what the browser says of it.
    #[serde(default)]
    pub links: StatedLinks,
    /// How many people had the browser before this one. Says which of its fragments is the later.
    #[serde(default)]
    pub people_before: u32,
}

/// When a request is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The time.
    pub at: UnixMillis,
    /// How long after a change a request may still show the state before, in milliseconds.
    pub in_flight_ms: UnixMillis,
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
    /// The shop's server.
    Server,
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
    /// Whether its sender keeps a token that it is given.
    pub keeps_token: bool,
    /// Whether it does nothing but take consent back.
    pub only_withdraws: bool,
    /// A number that tells clients apart which show no token: [`client_number`].
    #[serde(default)]
    pub client_number: u32,
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
    /// Judges a request that shows something. `here` is the profile that holds the fragment. `proves` says whether a login of the
    /// request gives it the ID; it is only asked where nothing else shows possession.
    pub fn judge(&self, shown: &Shown, here: &ProfileId, proves: impl FnOnce() -> bool, now: Moment) -> Judgement {
        let holds = |generation, holder| {
            let changed = generation != self.generation || holder != self.holder;
            let changed_at = if changed { now.at } else { self.changed_at };
            let is_of_server = self.is_of_server && holder == Holder::Vendor;
            Judgement::Holds(Self { generation, holder, changed_at, is_of_server, ..self.clone() })
        };
        if shown.client == Client::Server {
            return self.judge_server(shown, now);
        }
        let by_route = shown.old_route.as_ref() == Some(here);
        match (self.holder, shown.client, shown.generation) {
            (Holder::Anybody, Client::Browser, Some(shown)) if self.admits(shown) => holds(shown, Holder::TokenHolder),
            (Holder::TokenHolder, Client::Browser, Some(shown)) if shown == self.generation => {
                holds(shown, Holder::TokenHolder)
            }
            // Who had the ID may refuse to be measured, though the answer with the newer token did not reach them.
            (Holder::TokenHolder, Client::Browser, Some(_)) if shown.only_withdraws => {
                holds(self.generation, self.holder)
            }
            // A route cookie from before there were tokens counts until a token that it earned comes back.
            (Holder::Anybody, Client::Browser, _) if by_route && self.generation <= BY_ROUTE => {
                holds(BY_ROUTE, Holder::Anybody)
            }
            (Holder::TokenHolder, Client::Browser, _) if by_route && self.is_bound_by_name() => {
                holds(BY_ROUTE, Holder::Anybody)
            }
            (Holder::Anybody, ..) if self.is_open() => holds(0, Holder::Anybody),
            (Holder::Vendor, Client::Vendor, _) if !self.is_of_server => holds(self.generation, Holder::Vendor),
            // The first proof ended what tokens from before were worth. The next ones give the present token back, so that a
            // login on one of several domains takes no other's away.
            _ if shown.client == Client::Browser && proves() => {
                let is_first = !self.is_proved || self.holder != Holder::TokenHolder;
                holds(if is_first { self.next_generation() } else { self.generation }, Holder::TokenHolder)
            }
            (Holder::Anybody | Holder::TokenHolder, Client::Browser, _)
                if self.changed_at > now.at.saturating_sub(now.in_flight_ms) =>
            {
                Judgement::InFlight
            }
            _ => Judgement::Unverified,
        }
    }

    /// Judges a request of the shop's server. It has the IDs that nobody else named, and those whose token it forwards, which
    /// shows that the browser has that token.
    fn judge_server(&self, shown: &Shown, now: Moment) -> Judgement {
        match (self.holder, shown.generation) {
            (Holder::Vendor, _) if self.is_of_server => Judgement::Holds(self.clone()),
            (Holder::Anybody, Some(generation)) if self.admits(generation) => {
                Judgement::Holds(Self { generation, holder: Holder::TokenHolder, changed_at: now.at, ..self.clone() })
            }
            (Holder::TokenHolder, Some(generation)) if generation == self.generation => Judgement::Holds(self.clone()),
            _ => Judgement::Unverified,
        }
    }

    /// The state after a proof of who the person is. The first one binds the ID at once, and older tokens are worth nothing.
    /// What a vendor's client proves leaves the ID with that client, and a browser that keeps no token goes without.
    #[must_use]
    pub fn proved(&self, shown: &Shown, now: UnixMillis) -> Self {
        match (shown.client, self.holder) {
            (Client::Browser, Holder::Anybody | Holder::TokenHolder) if shown.keeps_token && !self.is_proved => Self {
                generation: self.next_generation(),
                holder: Holder::TokenHolder,
                is_proved: true,
                is_ended: false,
                changed_at: now,
                ..self.clone()
            },
            (Client::Browser, _) => Self { is_ended: false, ..self.clone() },
            (Client::Vendor, Holder::Anybody) => Self { holder: Holder::Vendor, changed_at: now, ..self.clone() },
            (Client::Vendor | Client::Server, _) => self.clone(),
        }
    }

    /// The state after the visitor logged out: what was under way still counts, and nobody is shown anything any more, because
    /// the next one at this browser may have the token.
    #[must_use]
    pub fn ended(&self) -> Self {
        Self { is_ended: true, ..self.clone() }
    }

    /// The state that a fragment begins with which follows this one's, because another person logs in: nobody proved to be
    /// that one yet.
    #[must_use]
    pub fn inherited(&self) -> Self {
        let people_before = self.people_before.saturating_add(1);
        Self { is_proved: false, is_ended: false, links: self.links.inherited(), people_before, ..self.clone() }
    }

    /// Whether nothing is known of who has the ID.
    #[must_use]
    pub fn says_nothing(&self) -> bool {
        *self == Self { people_before: self.people_before, ..Self::default() }
    }

    /// The state of an ID that another vendor's client was the first to name.
    #[must_use]
    pub fn of_vendor(now: UnixMillis) -> Self {
        Self { holder: Holder::Vendor, changed_at: now, ..Self::default() }
    }

    /// The state of an ID that nobody named before the shop's server did.
    #[must_use]
    pub fn of_server(now: UnixMillis) -> Self {
        Self { is_of_server: true, ..Self::of_vendor(now) }
    }

    /// The generation of the token that is given to who has the ID. While it is open, each client gets another one.
    #[must_use]
    pub fn granted(&self, client_number: u32) -> u32 {
        let client = client_number % NAMED;
        match (self.holder, self.generation) {
            (Holder::Anybody, 0) => NAMED + client,
            (Holder::Anybody, _) => ROUTED + client,
            (Holder::TokenHolder | Holder::Vendor, generation) => generation,
        }
    }

    /// Whether the shop's server has the ID.
    #[must_use]
    pub fn is_the_servers(&self) -> bool {
        self.holder == Holder::Vendor && self.is_of_server
    }

    /// Whether whoever names the ID has it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.holder == Holder::Anybody && self.generation == 0
    }

    /// Whether the first token to come back may be this one.
    fn admits(&self, shown: u32) -> bool {
        self.generation == 0 || shown == self.generation || (ROUTED..PROVED).contains(&shown)
    }

    /// Whether the token that counts was given to somebody who only knew the name.
    fn is_bound_by_name(&self) -> bool {
        !self.is_proved && (self.generation == 0 || (NAMED..ROUTED).contains(&self.generation))
    }

    /// The first generation that a proof begins says nothing of its number's origin, and leaves room for those that follow.
    fn next_generation(&self) -> u32 {
        match self.generation.checked_sub(PROVED) {
            None => PROVED + (self.generation % NAMED) / 2,
            Some(_) => self.generation.saturating_add(1),
        }
    }
}

impl Shown {
    /// What another vendor's client shows: nothing.
    #[must_use]
    pub fn of_vendor() -> Self {
        Self { client: Client::Vendor, ..Self::default() }
    }

    /// What the shop's server shows: the generation of the token that it forwards.
    #[must_use]
    pub fn of_server(generation: Option<u32>) -> Self {
        Self { client: Client::Server, generation, ..Self::default() }
    }

    /// The same request after it was given a token of a generation.
    #[must_use]
    pub fn granted(self, generation: u32) -> Self {
        Self { generation: Some(generation), ..self }
    }
}

/// The number of a client, for an anonymous ID: one for each network address and user agent, as far as they are known. Nobody
/// else can work it out.
#[must_use]
pub fn client_number(keys: &Keys, id: &AnonymousId, address: &str, user_agent: &str) -> u32 {
    keys.number(Purpose::Grant, &format!("{}\n{address}\n{user_agent}", id.as_str()))
}

/// What an ID apart is made from, besides the ID that was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seed<'a> {
    /// A message ID that only the sender knows, or a random one.
    Message(&'a str),
    /// The source of another vendor's client, which cannot take another ID.
    Source(&'a str),
}

/// The new ID under which an unverified request is applied. The same request sent again finds the same, and nobody else can
/// work it out. None when there is no key.
#[must_use]
pub fn id_apart(keys: &Keys, named: &AnonymousId, seed: Seed<'_>) -> Option<AnonymousId> {
    let (kind, seed) = match seed {
        Seed::Message(id) => ("message", id),
        Seed::Source(source) => ("source", source),
    };
    AnonymousId::parse(&keys.opaque(Purpose::Apart, &format!("{}\n{kind}\n{seed}", named.as_str()))?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = 1_000_000;
    const SOON: Moment = Moment { at: NOW + IN_FLIGHT_MS - 1, in_flight_ms: IN_FLIGHT_MS };
    const LATER: Moment = Moment { at: NOW + IN_FLIGHT_MS, in_flight_ms: IN_FLIGHT_MS };

    fn home() -> ProfileId {
        ProfileId::parse("home").unwrap()
    }

    fn bound(generation: u32) -> Possession {
        Possession { generation, holder: Holder::TokenHolder, changed_at: NOW, ..Possession::default() }
    }

    fn proved(generation: u32) -> Possession {
        Possession { is_proved: true, ..bound(generation) }
    }

    /// A page of ours without a token.
    fn nothing() -> Shown {
        Shown { keeps_token: true, ..Shown::default() }
    }

    fn token(generation: u32) -> Shown {
        nothing().granted(generation)
    }

    fn old_route(to: &str) -> Shown {
        Shown { old_route: Some(ProfileId::parse(to).unwrap()), ..nothing() }
    }

    /// The generation and holder after a request that proves nothing; None where it does not have the ID.
    fn after(state: &Possession, shown: &Shown) -> Option<(u32, Holder)> {
        match state.judge(shown, &home(), || false, LATER) {
            Judgement::Holds(state) => Some((state.generation, state.holder)),
            Judgement::InFlight | Judgement::Unverified => None,
        }
    }

    #[test]
    fn an_id_is_open_until_its_token_first_comes_back() {
        let open = Possession::default();
        assert_eq!(after(&open, &nothing()), Some((0, Holder::Anybody)), "a lost first answer harms nobody");
        assert_eq!(after(&open, &token(0)), Some((0, Holder::TokenHolder)));
        assert_eq!(after(&bound(0), &token(0)), Some((0, Holder::TokenHolder)));
        assert_eq!(bound(0).judge(&nothing(), &home(), || false, LATER), Judgement::Unverified);
        assert_eq!(bound(0).judge(&nothing(), &home(), || false, SOON), Judgement::InFlight);
    }

    #[test]
    fn what_changes_nothing_keeps_the_time_of_the_last_change() {
        assert_eq!(bound(0).judge(&token(0), &home(), || false, LATER), Judgement::Holds(bound(0)));
    }

    #[test]
    fn the_first_proof_begins_a_generation_in_which_earlier_tokens_are_worth_nothing() {
        assert_eq!(Possession::default().proved(&nothing(), NOW), proved(PROVED));
        assert_eq!(bound(4).proved(&token(4), NOW), proved(PROVED + 2));
        let next = Possession { people_before: 1, ..proved(PROVED + 3) };
        assert_eq!(proved(PROVED + 2).inherited().proved(&nothing(), NOW), next);
        assert_eq!(bound(1).judge(&token(0), &home(), || false, LATER), Judgement::Unverified);
        assert_eq!(after(&proved(5), &token(4)), None);
    }

    #[test]
    fn later_proofs_give_a_lost_token_back_and_take_none_away() {
        assert_eq!(proved(5).proved(&token(5), NOW), proved(5));
        assert_eq!(proved(5).judge(&nothing(), &home(), || true, LATER), Judgement::Holds(proved(5)));
        assert_eq!(
            bound(1).judge(&nothing(), &home(), || true, SOON),
            Judgement::Holds(Possession { changed_at: SOON.at, ..bound(PROVED) })
        );
        // Another person's login begins a fragment that nobody proved anything at.
        let next = Possession { people_before: 1, ..proved(PROVED + 1) };
        assert_eq!(proved(PROVED).inherited().proved(&token(PROVED), NOW), next);
    }

    #[test]
    fn that_somebody_had_the_browser_before_says_nothing_of_who_has_it() {
        assert!(Possession::default().inherited().inherited().says_nothing());
        assert_eq!(Possession::default().inherited().inherited().people_before, 2);
        assert!(!bound(1).says_nothing() && !Possession::of_vendor(NOW).says_nothing());
    }

    #[test]
    fn a_page_that_keeps_no_token_is_not_bound_by_a_proof() {
        let forgetful = Shown::default();
        assert_eq!(Possession::default().proved(&forgetful, NOW), Possession::default());
    }

    #[test]
    fn nothing_is_shown_after_a_logout_until_the_next_proof() {
        let ended = proved(1).ended();
        assert!(ended.is_ended && after(&ended, &token(1)).is_some(), "what was queued still counts");
        assert!(!ended.proved(&token(1), NOW).is_ended && !ended.inherited().is_ended);
    }

    #[test]
    fn consent_is_taken_back_with_an_older_token_too() {
        let withdraws = Shown { only_withdraws: true, ..token(0) };
        assert_eq!(bound(1).judge(&withdraws, &home(), || false, SOON), Judgement::Holds(bound(1)));
        let stranger = Shown { only_withdraws: true, ..nothing() };
        assert_eq!(after(&bound(1), &stranger), None);
    }

    #[test]
    fn an_old_route_cookie_counts_once_and_beats_who_only_knew_the_name() {
        for state in [Possession::default(), bound(0)] {
            assert_eq!(after(&state, &old_route("home")), Some((1, Holder::Anybody)));
        }
        let upgraded = Possession { generation: 1, changed_at: NOW, ..Possession::default() };
        assert_eq!(after(&upgraded, &old_route("home")), Some((1, Holder::Anybody)), "its answer may be lost too");
        assert_eq!(after(&upgraded, &nothing()), None);
        for named in [0, Possession::default().granted(7)] {
            assert_eq!(after(&upgraded, &token(named)), None);
            assert_eq!(after(&bound(named), &old_route("home")), Some((1, Holder::Anybody)));
        }
        for earned in [1, upgraded.granted(7)] {
            assert_eq!(after(&upgraded, &token(earned)), Some((earned, Holder::TokenHolder)));
            assert_eq!(after(&bound(earned), &old_route("home")), None);
        }
        let proved = bound(Possession::default().granted(7)).proved(&nothing(), NOW);
        assert_eq!(after(&proved, &old_route("home")), None);
        assert_eq!(after(&bound(0), &old_route("elsewhere")), None);
    }

    #[test]
    fn of_the_tokens_of_an_open_id_the_first_to_come_back_is_the_only_one_that_counts() {
        let open = Possession::default();
        let keys = Keys::parse("a:AAAAAAAAAAAAAAAAAAAAAAAA");
        let id = AnonymousId::parse("b").unwrap();
        let [his, theirs, later] = [("192.0.2.1", "Firefox"), ("192.0.2.2", "Firefox"), ("192.0.2.1", "Chrome")]
            .map(|(address, agent)| open.granted(client_number(&keys, &id, address, agent)));
        assert_eq!(open.granted(client_number(&keys, &id, "192.0.2.1", "Firefox")), his, "one browser's are the same");
        let Judgement::Holds(bound) = open.judge(&token(his), &home(), || false, LATER) else { panic!() };
        assert_eq!(bound.granted(9), his, "the same token goes on to count");
        assert_eq!(after(&bound, &token(his)), Some((his, Holder::TokenHolder)));
        for other in [theirs, later, 0] {
            assert_eq!(after(&bound, &token(other)), None, "{other}");
        }
        // A version that took every higher number takes none of those either once a proof began a generation.
        let proved = bound.proved(&token(his), NOW);
        assert!([his, theirs, later].into_iter().all(|given| given < proved.generation));
    }

    #[test]
    fn a_state_that_a_version_without_tokens_left_out_is_read_from_the_token() {
        assert_eq!(after(&Possession::default(), &token(3)), Some((3, Holder::TokenHolder)));
    }

    #[test]
    fn other_vendors_clients_have_ids_of_their_own_and_touch_no_bound_one() {
        let vendors = Possession::of_vendor(NOW);
        assert_eq!(after(&vendors, &Shown::of_vendor()), Some((0, Holder::Vendor)));
        for shown in [nothing(), token(0)] {
            assert_eq!(vendors.judge(&shown, &home(), || false, SOON), Judgement::Unverified);
        }
        assert_eq!(bound(0).judge(&Shown::of_vendor(), &home(), || true, SOON), Judgement::Unverified);
        assert_eq!(after(&Possession::default(), &Shown::of_vendor()), Some((0, Holder::Anybody)));
        assert_eq!(Possession::default().proved(&Shown::of_vendor(), NOW), vendors);
        assert_eq!(bound(2).proved(&Shown::of_vendor(), NOW), bound(2));
    }

    #[test]
    fn the_shops_server_has_what_nobody_else_named_and_what_it_shows_the_token_of() {
        let servers = Possession::of_server(NOW);
        let judged = |state: &Possession, shown: &Shown| state.judge(shown, &home(), || true, SOON);
        assert_eq!(judged(&servers, &Shown::of_server(None)), Judgement::Holds(servers.clone()));
        for shown in [nothing(), token(0), Shown::of_vendor()] {
            assert_eq!(servers.judge(&shown, &home(), || false, SOON), Judgement::Unverified);
        }
        for state in [Possession::default(), bound(7), Possession::of_vendor(NOW)] {
            assert_eq!(judged(&state, &Shown::of_server(None)), Judgement::Unverified, "not even an open one");
        }
        assert_eq!(judged(&bound(7), &Shown::of_server(Some(7))), Judgement::Holds(bound(7)));
        assert_eq!(judged(&bound(7), &Shown::of_server(Some(6))), Judgement::Unverified);
        let Judgement::Holds(state) = judged(&Possession::default(), &Shown::of_server(Some(7))) else { panic!() };
        assert_eq!((state.generation, state.holder), (7, Holder::TokenHolder), "the browser has it, so it came back");
    }

    #[test]
    fn an_id_apart_is_found_again_by_who_sent_the_message_only() {
        let keys = Keys::parse("a:AAAAAAAAAAAAAAAAAAAAAAAA");
        let id = |named: &str, seed| id_apart(&keys, &AnonymousId::parse(named).unwrap(), seed).unwrap();
        assert_eq!(id("b", Seed::Message("m1")), id("b", Seed::Message("m1")));
        assert_ne!(id("b", Seed::Message("m1")), id("b", Seed::Message("m2")));
        assert_ne!(id("b", Seed::Message("m1")), id("c", Seed::Message("m1")));
        assert_ne!(id("b", Seed::Message("shop")), id("b", Seed::Source("shop")), "no message is called like a source");
        assert_eq!(id_apart(&Keys::default(), &AnonymousId::parse("b").unwrap(), Seed::Message("m1")), None);
    }

    #[test]
    fn a_browser_that_proves_whose_an_id_is_takes_it_from_the_server() {
        let taken = match Possession::of_server(NOW).judge(&nothing(), &home(), || true, LATER) {
            Judgement::Holds(state) => state,
            other => panic!("{other:?}"),
        };
        assert!(taken.holder == Holder::TokenHolder && !taken.is_of_server);
        // A version before left the mark.
        let marked = Possession { is_of_server: true, ..bound(PROVED) };
        assert!(!marked.is_the_servers() && Possession::of_server(NOW).is_the_servers());
    }
}
