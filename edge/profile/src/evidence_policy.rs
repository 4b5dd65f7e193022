//! Evidence policy: which evidence the edge takes from an event, and how far it trusts it.
//!
//! Role in the flow of one event: after the event was applied to its fragment, its new evidence goes to the identity
//! graph.

use endcap_events::ingest::{Event, Kind};
use endcap_events::{Trait, Traits};
use endcap_identity::proof::{ProofError, ProofJudge};
use endcap_identity::rules::ClaimPolicy;
use endcap_identity::stated_link::StatedLinks;
use endcap_identity::{Alias, Evidence, Identifier, IdentityRules, Namespace, Witness};
use endcap_protocol::{UnixMillis, UserId};
use endcap_validation::Trust;

/// Whether a trait names somebody, by the trait's own name.
fn names_somebody(name: &str) -> bool {
    ["email", "phone", "member_no", "line_id"].contains(&name) || name.starts_with("external:")
}

/// How the edge judges the events of a source.
#[derive(Debug, Clone, Copy)]
pub struct EvidencePolicy<'a> {
    /// Keys of identify proofs at this source.
    pub secrets: &'a [Vec<u8>],
    /// When the events arrived.
    pub now: UnixMillis,
    /// How far the edge trusts the sender.
    pub trust: Trust,
    /// The source.
    pub source: &'a str,
    /// The shop's rules.
    pub rules: &'a IdentityRules,
    /// What the shop's server states of the browser, where the sender showed to be that browser: a user whom both name is a
    /// fact.
    pub stated: Option<&'a StatedLinks>,
}

impl EvidencePolicy<'_> {
    /// The user that an event names, and whether that is a fact or a claim. It is a fact if the shop's server sent the
    /// event, or if its proof is right. A placeholder names nobody.
    #[must_use]
    pub fn user_of(&self, event: &Event) -> Option<(UserId, Trust)> {
        let user_id = event.user_id.as_ref()?;
        let identifier = Identifier::new(Namespace::UserId, user_id.as_str()).ok()?;
        if self.rules.blocks(&identifier) {
            return None;
        }
        let proved = match (self.trust, &event.kind) {
            (Trust::Fact, _) => true,
            (Trust::Claim, _) => self.is_stated(user_id) || self.judge_proof(event) == Some(Ok(())),
        };
        Some((user_id.clone(), if proved { Trust::Fact } else { Trust::Claim }))
    }

    fn is_stated(&self, user_id: &UserId) -> bool {
        self.stated.is_some_and(|links| links.states_user(user_id))
    }

    /// Whether a fact about the user of an event rests on a proof of its own. What confirms the word of the shop's server is
    /// none: it shows no more than the token with which it came. The proof is worked out only where both may be the reason.
    #[must_use]
    pub fn rests_on_proof(&self, user_id: &UserId, event: &Event) -> bool {
        self.trust == Trust::Claim && (!self.is_stated(user_id) || self.judge_proof(event) == Some(Ok(())))
    }

    /// What the proof of an identify is worth; None where there is none, or where nobody has to prove anything.
    #[must_use]
    pub fn judge_proof(&self, event: &Event) -> Option<Result<(), ProofError>> {
        let Kind::Identify { proof: Some(given), .. } = &event.kind else { return None };
        let user_id = event.user_id.as_ref().filter(|_| self.trust == Trust::Claim)?;
        let forms = self.rules.proof_forms(self.source);
        Some(ProofJudge { secrets: self.secrets, source: self.source, forms, now: self.now }.judge(user_id, given))
    }

    /// Whether evidence of this trust is kept: a fact is, and a claim where it is listed.
    #[must_use]
    pub fn keeps(&self, trust: Trust) -> bool {
        trust == Trust::Fact || self.rules.claim_policy(self.source) != ClaimPolicy::Proof
    }

    /// Whether the user of an event is only claimed, so that nothing joins its browser to that person.
    #[must_use]
    pub fn only_claims(&self, event: &Event) -> bool {
        let claimed = self.user_of(event).is_some_and(|(_, trust)| trust == Trust::Claim);
        claimed && !self.rules.trusts_claims(self.source)
    }

    /// Whether an event said already what this evidence says, and counts for as much.
    #[must_use]
    pub fn is_known(&self, held: &Evidence, evidence: &Evidence) -> bool {
        let trusted = |of: &Evidence| of.trust == Trust::Fact || self.rules.trusts_claims(&of.witness.source);
        held.identifier == evidence.identifier && held.trust >= evidence.trust && (trusted(held) || !trusted(evidence))
    }

    /// All that an event says.
    #[must_use]
    pub fn evidence_of(&self, event: &Event) -> Vec<Evidence> {
        let user = self
            .user_of(event)
            .and_then(|(user, trust)| Some((Identifier::new(Namespace::UserId, user.as_str()).ok()?, trust)));
        let traits = match &event.kind {
            Kind::Identify { traits, .. } => naming(traits),
            _ => Vec::new(),
        };
        // Only the shop's server can say that two browsers are the same.
        let others = event.identifiers.iter().cloned().chain(traits);
        let others = others.filter(|other| self.trust == Trust::Fact || other.namespace != Namespace::AnonymousId);
        let said = user.into_iter().chain(others.map(|identifier| (identifier, self.trust)));
        let witness = self.witness(event);
        let good = said.filter(|(identifier, trust)| self.keeps(*trust) && !self.rules.blocks(identifier));
        good.map(|(identifier, trust)| Evidence { identifier, trust, witness: witness.clone() }).collect()
    }

    /// The alias of an event: two user IDs of one person, which only the shop's server can state.
    #[must_use]
    pub fn alias_of(&self, event: &Event) -> Option<Alias> {
        let previous = event.previous_id.as_ref().filter(|_| self.trust == Trust::Fact)?;
        let (user_id, _) = self.user_of(event).filter(|(user, _)| user != previous)?;
        let blocked = Identifier::new(Namespace::UserId, previous.as_str()).is_ok_and(|id| self.rules.blocks(&id));
        let alias = Alias { user_id, previous_id: previous.clone(), witness: self.witness(event) };
        (!blocked).then_some(alias)
    }

    fn witness(&self, event: &Event) -> Witness {
        let message_id = event.message_id.as_str().to_owned();
        Witness { at: event.at, message_id, source: self.source.to_owned() }
    }
}

/// The identifiers among traits.
fn naming(traits: &Traits) -> Vec<Identifier> {
    let named = traits.0.iter().filter(|(name, _)| names_somebody(name));
    let read = |(name, value): (&String, &Trait)| {
        let text = match value {
            Trait::Text(text) => text.clone(),
            Trait::Number(number) if number.fract() == 0.0 => number.to_string(),
            Trait::Number(_) | Trait::Flag(_) => return None,
        };
        Identifier::new(Namespace::parse(name)?, &text).ok()
    };
    named.filter_map(read).collect()
}
