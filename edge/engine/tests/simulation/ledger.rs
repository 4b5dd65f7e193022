//! Who has which anonymous ID, and what was kept under it, as somebody knows who saw everything: worked out from what clients
//! did, and not from what the engine keeps.

use std::collections::{BTreeMap, BTreeSet};

use endcap_identity::{FragmentId, MemoryGraph};
use endcap_protocol::AnonymousId;
use endcap_validation::Trust;
use serde_json::Value;

use crate::check::{Checked, hold};
use crate::script::Script;
use crate::world::{Delivery, World};

/// An event that was accepted.
struct Kept {
    fragment: FragmentId,
    message: String,
    /// Whether its sender had the ID then.
    had_it: bool,
    /// Whether the request showed a token.
    with_token: bool,
}

/// What the shop's server stated of a browser.
struct Statement {
    browser: AnonymousId,
    fragment: FragmentId,
    message: String,
    /// Whether anybody had the ID then.
    was_held: bool,
}

#[derive(Default)]
pub(crate) struct Ledger {
    kept: Vec<Kept>,
    statements: Vec<Statement>,
    /// The anonymous ID under which each fragment began.
    browsers: BTreeMap<FragmentId, AnonymousId>,
    /// Who first came back with a token of an ID, or proved to be whose it is.
    pub(crate) holders: BTreeMap<AnonymousId, BTreeSet<usize>>,
    /// Histories in which somebody proved who they are.
    proved: BTreeSet<FragmentId>,
    /// IDs that senders were given because those that they named were not theirs.
    pub(crate) apart: BTreeMap<AnonymousId, usize>,
    /// What was kept under an ID that somebody else has.
    intrusion: Option<String>,
}

impl Ledger {
    /// Notes what a batch did.
    pub(crate) fn take(
        &mut self,
        script: &Script,
        delivery: &Delivery,
        (browser, at): (&AnonymousId, &FragmentId),
        accepted: &[String],
    ) {
        let sender = delivery.sender;
        self.browsers.insert(at.clone(), browser.clone());
        if script.senders[sender].trust == Trust::Fact {
            let was_held = self.holders.contains_key(browser);
            let links = delivery.links.iter().map(|link| link.witness.message_id.clone());
            let statements =
                links.map(|message| Statement { browser: browser.clone(), fragment: at.clone(), message, was_held });
            return self.statements.extend(statements);
        }
        if delivery.with_token {
            self.holders.entry(browser.clone()).or_insert_with(|| BTreeSet::from([sender]));
        }
        let events = delivery.batch.events.iter().filter_map(|event| script.event(event.message_id.as_str()));
        for (_, login) in events.filter(|(sender, event)| Script::is_login(sender, event)) {
            // A login that is accepted binds the ID. Who proves to be the person whose the browser is has it again, with the
            // whole request. The first proof in a history ends what others have, the next ones do not.
            let is_accepted = accepted.iter().any(|message| login["message_id"] == message.as_str());
            let has_it = self.holders.get(browser).is_none_or(|holders| holders.contains(&sender)) && is_accepted;
            if has_it
                || (self.holders.contains_key(browser) && self.is_persons((browser, at), &login["user_id"], script))
            {
                let holders = self.holders.entry(browser.clone()).or_default();
                if self.proved.insert(at.clone()) {
                    holders.clear();
                }
                holders.insert(sender);
            }
        }
        for message in accepted {
            let holders = self.holders.get(browser);
            let had_it = holders.is_some_and(|holders| holders.contains(&sender));
            if let Some(holders) = holders.filter(|_| !had_it) {
                let names: Vec<_> = holders.iter().map(|holder| &script.senders[*holder].name).collect();
                let what = format!("{at:?} is of {names:?}, and {message} is kept there");
                self.intrusion.get_or_insert(what);
            }
            let with_token = delivery.with_token;
            self.kept.push(Kept { fragment: at.clone(), message: message.clone(), had_it, with_token });
        }
    }

    /// From the moment that somebody has an ID, only they add to it.
    pub(crate) fn is_nobody_elses(&self) -> Checked {
        self.intrusion.as_ref().map_or(Ok(()), |what| Err(what.clone()))
    }

    /// The anonymous ID under which a fragment began.
    pub(crate) fn browser_of(&self, fragment: &FragmentId) -> Option<&AnonymousId> {
        self.browsers.get(fragment)
    }

    /// Whether a user was proved in a fragment, or a server said so of its browser.
    fn is_persons(&self, (browser, at): (&AnonymousId, &FragmentId), user: &Value, script: &Script) -> bool {
        let kept = self.kept.iter().filter(|kept| kept.fragment == *at).map(|kept| &kept.message);
        let stated = self.statements.iter().filter(|one| one.browser == *browser).map(|one| &one.message);
        let told = kept.chain(stated).filter_map(|message| script.event(message));
        told.filter(|(sender, event)| Script::is_proved(sender, event)).any(|(_, event)| event["user_id"] == *user)
    }

    /// Whether a server stated the user that an event names of a browser that somebody had.
    pub(crate) fn is_stated(&self, browser: &AnonymousId, event: &Value, script: &Script) -> bool {
        let stated = self.statements.iter().filter(|one| one.browser == *browser && one.was_held);
        stated.filter_map(|one| script.event(&one.message)).any(|(_, stated)| stated["user_id"] == event["user_id"])
    }

    /// What a server states of a browser is a fact only if that browser said the same: somebody had the ID when the server
    /// spoke, and one word in the history of the same person is of who has it.
    pub(crate) fn links_are_confirmed(&self, graph: &MemoryGraph, script: &Script) -> Checked {
        for edge in graph.edges().filter(|edge| edge.fragment.is_of_browser() && !edge.fragment.is_alias()) {
            let witness = edge.proved.as_ref().map(|witness| witness.message_id.as_str());
            let Some((sender, event)) = witness.and_then(|witness| script.event(witness)) else { continue };
            if sender.trust == Trust::Claim && Script::is_proved(sender, event) {
                continue;
            }
            let meets = |statement: &Statement, kept: &Kept| {
                let heard = statement.was_held && kept.had_it && kept.fragment == edge.fragment;
                let told = [statement.message.as_str(), kept.message.as_str()].map(|message| script.event(message));
                let [Some((_, stated)), Some((_, said))] = told else { return false };
                let is_witness =
                    [&statement.message, &kept.message].into_iter().any(|message| Some(message.as_str()) == witness);
                heard
                    && is_witness
                    && stated["user_id"] == edge.identifier.value.as_str()
                    && says_the_same(said, stated)
            };
            let browser = self.browser_of(&edge.fragment);
            let of_browser = self.statements.iter().filter(|one| Some(&one.browser) == browser);
            let met = of_browser
                .flat_map(|one| self.kept.iter().map(move |kept| (one, kept)))
                .any(|(one, kept)| meets(one, kept));
            hold(met, || format!("{edge:?} is a fact, and nobody who had the ID said what the server says"))?;
        }
        Ok(())
    }

    /// What a server stated of a browser that somebody had counts once they said the same in that history, with their token, unless
    /// another user is proved there.
    pub(crate) fn said_links_count(&self, world: &World<'_>, graph: &MemoryGraph) -> Checked {
        let script = world.script;
        for statement in self.statements.iter().filter(|one| one.was_held) {
            let Some((_, stated)) = script.event(&statement.message) else { continue };
            let mut said = self.kept.iter().filter(|kept| kept.fragment == statement.fragment && kept.with_token);
            if !said.any(|kept| script.event(&kept.message).is_some_and(|(_, event)| says_the_same(event, stated))) {
                continue;
            }
            let held = world.rows.values().find_map(|row| row.fragments.get(&statement.fragment));
            let proved = held.and_then(|held| held.user.as_ref()).filter(|user| user.trust == Trust::Fact);
            let another = proved.is_some_and(|proved| stated["user_id"] != proved.user_id.as_str());
            let mut edges = graph.edges().filter(|edge| edge.fragment == statement.fragment);
            let counts =
                edges.any(|edge| edge.trust() == Trust::Fact && stated["user_id"] == edge.identifier.value.as_str());
            hold(another || counts, || format!("both say {stated}, and {:?} is not theirs", statement.fragment))?;
        }
        Ok(())
    }

    /// An ID is ended if a logout is the last that its history says of who uses it. What confirms a server's word is a login too.
    pub(crate) fn logouts_end_ids(&self, world: &World<'_>) -> Checked {
        for (id, held) in world.rows.values().flat_map(|row| &row.possessions) {
            let kept = self.kept.iter().filter(|kept| kept.fragment == *id);
            let told: Vec<_> = kept.filter_map(|kept| world.script.event(&kept.message)).collect();
            let confirmed = self.statements.iter().any(|one| self.browser_of(id) == Some(&one.browser));
            let last =
                told.iter().rev().find(|(sender, event)| event["type"] == "reset" || Script::is_login(sender, event));
            let ended = last.is_some_and(|(_, event)| event["type"] == "reset");
            hold(confirmed || held.is_ended == ended, || format!("{id:?} is {held:?} after {last:?}"))?;
        }
        Ok(())
    }

    /// An event is kept once under the ID that it was sent under, and under others only as that of another browser, which its
    /// sender became.
    pub(crate) fn is_kept_once(&self, world: &World<'_>) -> Checked {
        let mut kept = BTreeSet::new();
        for (browser, message) in world.accepted.keys() {
            let Some((sender, _)) = world.script.event(message) else { continue };
            let is_own = match self.apart.get(browser) {
                Some(apart) => world.script.senders[*apart].name == sender.name,
                None => kept.insert(message),
            };
            hold(is_own, || format!("event {message} of {} is kept under {browser:?} as well", sender.name))?;
        }
        Ok(())
    }
}

fn says_the_same(one: &Value, other: &Value) -> bool {
    let same = |of: fn(&Value) -> &Value| !of(one).is_null() && of(one) == of(other);
    same(|event| &event["user_id"]) || same(|event| &event["properties"]["order_id"])
}
