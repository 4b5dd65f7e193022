//! Tokens of anonymous IDs, as clients hold them and as mistakes treat them.

use endcap_engine::visit::Visit;
use endcap_identity::possession::{Holder, Seed, id_apart};
use endcap_identity::stated_link::StatedLinks;
use endcap_identity::{CommonName, FragmentId, Keys, Possession};
use endcap_profile::ProfileRow;
use endcap_protocol::{AnonymousId, UnixMillis, UserId};

use crate::world::{Delivery, Mutation, World};

/// How many steps a request may be under way: then nobody waits for it, and it comes to nothing.
pub(crate) const PATIENCE_STEPS: usize = 120;
/// How long after an ID got a new token a request without it may have been under way: it was sent before the answer came.
pub(crate) const IN_FLIGHT_STEPS: UnixMillis = 2 * PATIENCE_STEPS as UnixMillis + 1;

/// A token that a client was given.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) id: AnonymousId,
    pub(crate) generation: u32,
}

/// The ID under which a batch is applied that lacks the token of the one that it names: for one without events a drawn one.
pub(crate) fn apart_from(delivery: &Delivery) -> Option<AnonymousId> {
    let keys = Keys::parse("k:MDEyMzQ1Njc4OWFiY2RlZg");
    let drawn = format!("drawn {} {}", delivery.sender, delivery.sent_at);
    let first = delivery.batch.events.first().map_or(drawn.as_str(), |event| event.message_id.as_str());
    id_apart(&keys, &delivery.batch.anonymous_id, Seed::Message(first))
}

impl World<'_> {
    /// Mistakes about what a batch shows, before it is judged.
    pub(crate) fn forge_token(&self, row: &ProfileRow, at: &FragmentId, delivery: &mut Delivery) {
        let Some(shown) = delivery.shown.as_mut().filter(|_| self.has(Mutation::AnyTokenCounts)) else { return };
        if let Some(held) = row.possessions.get(at).filter(|_| shown.generation.is_some()) {
            shown.generation = Some(held.generation);
        }
    }

    /// Mistakes about who has an ID, after a batch was applied. `held` is the state before its events.
    pub(crate) fn misjudge_possession(
        &self,
        delivery: &Delivery,
        held: Possession,
        mut after: Possession,
        visit: &Visit,
    ) -> Possession {
        match self.mutation {
            Some(Mutation::ProofKeepsToken) if visit.proved => after = held,
            Some(Mutation::NothingConfirms) => after.links = StatedLinks::default(),
            Some(Mutation::LogoutBeforeLogin) if visit.proved => after.is_ended = false,
            Some(Mutation::StatedOfOpenKept) if after.holder == Holder::Anybody => {
                delivery.links.iter().for_each(|link| after.links.state(link.clone()));
            }
            Some(Mutation::AnyWordConfirms) => {
                let names = visit.accepted.iter().filter_map(|message| self.named_by(message));
                names.for_each(|name| after.links.name(name));
            }
            Some(Mutation::NamesInherited) => {
                if let Some(before) = &delivery.inherited {
                    after.links.clone_from(&before.possession.links);
                }
            }
            _ => {}
        }
        after
    }

    fn named_by(&self, message: &str) -> Option<CommonName> {
        let (_, event) = self.script.event(message)?;
        event["user_id"].as_str().and_then(|user| UserId::parse(user).ok()).map(CommonName::User)
    }
}
