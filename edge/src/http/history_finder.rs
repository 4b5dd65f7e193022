//! Which history an event goes to that no browser of ours sent.
//!
//! A browser's history takes what the shop's server says of it only where the server passes on the browser's token, or where
//! nobody but the server ever named that ID. Everything else goes to a history that the server keeps: of the user, where it
//! names one, or of the order. That the browser is theirs is a stated link, which waits for the browser to say the same. What
//! names neither is kept beside the browser, and joins nobody.

use std::collections::BTreeMap;
use std::rc::Rc;

use endcap_engine::shop::Snapshot;
use endcap_events::ingest::Warning;
use endcap_events::server::history_batch::{Item, Token};
use endcap_events::server::{Action, ServerEvent};
use endcap_identity::possession_token::HeldTokens;
use endcap_identity::rules::AliasPolicy;
use endcap_identity::server_fragment::{Of, derived, foreign, is_claims};
use endcap_identity::{Identifier, IdentityRules, Namespace, StatedLink};
use endcap_protocol::{AnonymousId, FieldError, SourceId, UserId};
use endcap_validation::Trust;
use worker::Env;

use crate::platform::clock;
use crate::platform::config::{Config, config};
use crate::platform::error::EdgeError;
use crate::rpc::{graph, snapshots};

/// By what right somebody speaks of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Authority {
    /// Another vendor's client: it claims.
    Client,
    /// The shop's server: what it says of users is a fact.
    Server,
    /// Somebody who follows a link that we signed for its recipient.
    SignedLink,
}

impl Authority {
    /// That of a sender who is believed so far.
    pub(super) fn of(trust: Trust) -> Self {
        match trust {
            Trust::Claim => Self::Client,
            Trust::Fact => Self::Server,
        }
    }

    /// How far the sender is believed.
    pub(super) fn trust(self) -> Trust {
        if self == Self::Client { Trust::Claim } else { Trust::Fact }
    }
}

/// An event with its place.
pub(super) struct Placed {
    /// The event, for its history.
    pub(super) item: Item,
    /// How far it is believed there.
    pub(super) trust: Trust,
    /// What it states of a browser's history, to which it does not go.
    pub(super) link: Option<(AnonymousId, StatedLink)>,
    /// That it was meant to go there.
    pub(super) warning: Option<Warning>,
}

/// The history that an event goes to.
struct Addressee {
    history: AnonymousId,
    token: Token,
    /// For an alias the earlier user ID, if somebody has it.
    previous: Option<UserId>,
    /// Whether the event was meant for a browser, and is kept beside it.
    is_beside: bool,
    /// The browser that is said to be somebody's.
    stated: Option<(AnonymousId, Identifier)>,
}

impl Addressee {
    /// A history that nobody asks about.
    fn of(history: AnonymousId) -> Self {
        Self { history, token: Token::Unasked, previous: None, is_beside: false, stated: None }
    }
}

/// Finds the histories that events belong to.
pub(super) struct HistoryFinder<'a> {
    pub(super) env: &'a Env,
    pub(super) source: &'a SourceId,
    pub(super) authority: Authority,
    /// Whether what the server says of a browser was refused there, and goes beside it.
    pub(super) keeps_beside: bool,
    config: Rc<Config>,
    /// The shop's rules, which nobody but its server is judged by here.
    snapshot: Option<Rc<Snapshot>>,
    /// User IDs that were asked for in this request, and whether somebody has them.
    known: BTreeMap<UserId, bool>,
}

impl<'a> HistoryFinder<'a> {
    /// A finder for events of one source.
    pub(super) async fn of(env: &'a Env, source: &'a SourceId, authority: Authority) -> Result<Self, EdgeError> {
        let snapshot = match authority {
            Authority::Server => Some(snapshots::current(env, clock::now()).await?),
            Authority::Client | Authority::SignedLink => None,
        };
        let config = config(env);
        Ok(Self { env, source, authority, keeps_beside: false, config, snapshot, known: BTreeMap::new() })
    }

    /// Finds the place of an event, the one at `index` of the request; or what is wrong with whom it names.
    pub(super) async fn place(
        &mut self,
        index: usize,
        event: &ServerEvent,
    ) -> Result<Result<Placed, FieldError>, EdgeError> {
        let Addressee { history, token, previous, is_beside, stated } = match self.addressee(event).await? {
            Ok(addressee) => addressee,
            Err(error) => return Ok(Err(error)),
        };
        let link = stated.map(|(browser, identifier)| {
            let link = event.stated(identifier, self.source, clock::now());
            (browser, link)
        });
        let meant =
            [(event.who.possession.is_some(), "context.possession"), (event.who.user_id.is_none(), "anonymousId")];
        let meant = meant.into_iter().find(|(is_meant, _)| *is_meant && is_beside);
        let warning = meant.map(|(_, path)| Warning::beside_browser(event.message_id.as_str(), path));
        let trust = if is_claims(&history) { Trust::Claim } else { self.authority.trust() };
        let named = (is_beside && event.who.user_id.is_none()).then(|| event.beside_browser());
        let (consent, event) = (event.consent, named.as_ref().unwrap_or(event).to_wire(previous.as_ref()));
        Ok(Ok(Placed { item: Item { index, history, token, consent, event }, trust, link, warning }))
    }

    async fn addressee(&mut self, event: &ServerEvent) -> Result<Result<Addressee, FieldError>, EdgeError> {
        let who = &event.who;
        // Each event of a history carries its identifiers, so the graph assigns the history once it knows the person.
        Ok(match (&event.action, &who.anonymous_id, &who.user_id, &who.email) {
            (Action::Alias { previous }, _, user, _) => return self.alias(event, user.as_ref(), previous).await,
            (_, Some(browser), user, _) if self.asks() => self.of_browser(event, browser, user.as_ref()),
            (_, Some(browser), ..) => Ok(Addressee::of(browser.clone())),
            (_, None, Some(user), _) => self.kept(Of::User(user.as_str())).map(Addressee::of),
            (_, None, None, Some(email)) => self.kept(Of::Email(email)).map(Addressee::of),
            (_, None, None, None) => Err(FieldError::new("anonymous_id", "is required where there is no user ID")),
        })
    }

    fn rules(&self) -> Option<&IdentityRules> {
        self.snapshot.as_ref().map(|snapshot| &snapshot.settings.identity)
    }

    /// Whether a browser's ID has to be shown: not where no key signs tokens.
    fn asks(&self) -> bool {
        self.authority == Authority::Server && !self.config.keys.is_empty()
    }

    /// What the shop's server says of a browser.
    fn of_browser(
        &self,
        event: &ServerEvent,
        browser: &AnonymousId,
        user: Option<&UserId>,
    ) -> Result<Addressee, FieldError> {
        let at = |token| Ok(Addressee { token, ..Addressee::of(browser.clone()) });
        let named = user.map(|user| Identifier::new(Namespace::UserId, user.as_str())).transpose()?;
        let named = named.filter(|named| !self.rules().is_some_and(|rules| rules.blocks(named)));
        let tokens = event.who.possession.as_deref().map(HeldTokens::parse);
        match tokens.and_then(|tokens| tokens.generation_of(&self.config.keys, browser)) {
            Some(generation) if !self.keeps_beside => return at(Token::Shown(generation)),
            None if named.is_none() && !self.keeps_beside => return at(Token::Missing),
            _ => {}
        }
        let beside = |history: AnonymousId| Addressee { is_beside: true, ..Addressee::of(history) };
        let (history, identifier) = match (named, event.order()) {
            (Some(user), _) => (self.kept(Of::User(&user.value))?, user),
            (None, Some(order)) => {
                let history = self.kept(Of::Order { browser, order: &order })?;
                let identifier = Identifier::new(Namespace::AnonymousId, history.as_str())?;
                (history, identifier)
            }
            // Nothing says who was meant. Anybody may have put the ID where the server read it, so nothing here is anybody's.
            (None, None) => return derived(self.source, Trust::Claim, Of::Browser(browser)).map(beside),
        };
        Ok(Addressee { stated: Some((browser.clone(), identifier)), ..beside(history) })
    }

    /// The history that the sender keeps of somebody.
    fn kept(&self, of: Of<'_>) -> Result<AnonymousId, FieldError> {
        derived(self.source, self.authority.trust(), of)
    }

    /// An alias goes to the history that its earlier ID names, a known user's, or it says whose a browser is.
    async fn alias(
        &mut self,
        event: &ServerEvent,
        user: Option<&UserId>,
        previous: &str,
    ) -> Result<Result<Addressee, FieldError>, EdgeError> {
        let Some(user) = user else { return Ok(Err(FieldError::new("user_id", "is required"))) };
        let may_be_user = self.rules().is_some_and(|rules| rules.aliases == AliasPolicy::Users);
        if let Ok(earlier) = UserId::parse(previous)
            && may_be_user
            && self.is_known(&earlier).await?
        {
            let history = self.kept(Of::User(earlier.as_str()));
            return Ok(history.map(|history| Addressee { previous: Some(earlier), ..Addressee::of(history) }));
        }
        let Some(browser) = foreign(previous) else {
            return Ok(Err(FieldError::new("previous_id", "is required")));
        };
        Ok(if self.asks() { self.of_browser(event, &browser, Some(user)) } else { Ok(Addressee::of(browser)) })
    }

    /// Whether somebody has a user ID.
    async fn is_known(&mut self, user: &UserId) -> Result<bool, EdgeError> {
        if let Some(known) = self.known.get(user) {
            return Ok(*known);
        }
        let identifier = Identifier::new(Namespace::UserId, user.as_str())?;
        let known = graph::find(self.env, &identifier).await?.profile_id.is_some();
        self.known.insert(user.clone(), known);
        Ok(known)
    }
}
