//! Carrying out the identity graph's reassignments: fragments leave a profile and come to another.
//!
//! Every reassignment has a version, and a later one wins, so it does no harm if they come twice, late or out of order. A
//! fragment is in exactly one row, or in the one outbox job that carries it.

use endcap_identity::{Assignment, FragmentId};
use endcap_protocol::{AnonymousId, ProfileId, UnixMillis};

use crate::dedupe::Block;
use crate::fragment::Fragment;
use crate::row::{Away, ProfileRow};

/// What a reassignment does to a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Reassigned {
    /// Nothing: it is carried out, or overtaken by a later one.
    Done,
    /// The fragment stays and what links it changed.
    Stays,
    /// The fragment left this row and has to be brought to the profile.
    Leaves(Box<Fragment>),
    /// The fragment moved on before: the reassignment has to follow it.
    Follow(ProfileId),
    /// The fragment was never here, or is still on its way: try again later.
    Unknown,
}

impl ProfileRow {
    /// Begins a fragment at its home before its browser sent anything, because a server may name a browser first. The
    /// browser's later events then follow the fragment.
    pub fn begin_at_home(&mut self, id: &FragmentId, now: UnixMillis) {
        let known = self.fragments.contains_key(id) || self.moved.contains_key(id);
        if self.id.as_str() == id.as_str() && !known {
            let begun = AnonymousId::parse(id.as_str()).map(|browser| Fragment::begun(&browser, now));
            self.fragments.extend(begun.ok().map(|begun| (id.clone(), begun)));
        }
    }

    /// Carries out what the graph says about a fragment.
    pub fn reassign(&mut self, id: &FragmentId, assignment: &Assignment) -> Reassigned {
        if let Some(away) = self.moved.get(id) {
            let done = away.version >= assignment.version;
            return if done { Reassigned::Done } else { Reassigned::Follow(away.to.clone()) };
        }
        let Some(fragment) = self.fragments.get_mut(id) else { return Reassigned::Unknown };
        if fragment.assignment_version >= assignment.version {
            return Reassigned::Done;
        }
        fragment.assignment_version = assignment.version;
        fragment.link_strength = assignment.link_strength;
        if assignment.profile == self.id {
            return Reassigned::Stays;
        }
        let Some(fragment) = self.fragments.remove(id) else { return Reassigned::Unknown };
        self.possessions.remove(id);
        self.moved.insert(id.clone(), Away { to: assignment.profile.clone(), version: assignment.version });
        self.recompose();
        Reassigned::Leaves(Box::new(fragment))
    }

    /// Takes in a fragment that the graph sent here. False when it came before: it is here, or was and moved on.
    pub fn absorb(&mut self, id: &FragmentId, fragment: Fragment) -> bool {
        let here = self.fragments.get(id).is_some_and(|held| held.assignment_version >= fragment.assignment_version);
        let gone = self.moved.get(id).is_some_and(|away| away.version >= fragment.assignment_version);
        if here || gone {
            return false;
        }
        self.moved.remove(id);
        self.fragments.insert(id.clone(), fragment);
        self.recompose();
        true
    }

    /// Resets the stages, because they follow from the orders of the fragments here. The next refresh works them out
    /// again, so a fragment that left leaves no trace.
    pub(super) fn recompose(&mut self) {
        if let Some(since) = self.since() {
            self.stages = endcap_models::lifecycle::History::starting_at(since);
        }
    }
}

/// A fragment that an outbox job carries, with what it has in other tables.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PackedFragment {
    /// The fragment.
    pub fragment: Fragment,
    /// Its spilled dedupe blocks.
    pub overflow: Vec<Block>,
}
