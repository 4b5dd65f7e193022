//! Erasing fragments from a profile, and finding what else is about the same person.

use std::collections::BTreeSet;

use endcap_identity::FragmentId;
use endcap_validation::Trust;

use crate::fragment::Fragment;
use crate::row::ProfileRow;

/// Most names of one person that are looked for.
pub const MAX_NAMES: usize = 2000;

/// What erasing fragments left of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remains {
    /// The row held nothing of them.
    Untouched,
    /// Other people's fragments, or pointers to them, are left: the row is kept.
    Others,
    /// The row bears an erased name and another person's fragment is still in it, on its way out.
    Busy,
    /// Nothing: the row goes.
    Nothing,
}

impl ProfileRow {
    /// Takes fragments out, and the pointers to where they went.
    pub fn erase(&mut self, gone: &BTreeSet<FragmentId>) -> Remains {
        let before = (self.fragments.len(), self.moved.len());
        self.fragments.retain(|id, _| !gone.contains(id));
        self.moved.retain(|id, _| !gone.contains(id));
        self.possessions.retain(|id, _| !gone.contains(id));
        self.tails.retain(|id, _| !gone.contains(id));
        self.occurrences.retain(|id, _| !gone.contains(id));
        self.devices.retain(|id, _| !gone.contains(id));
        self.lists.retain(|id, _| !gone.contains(id));
        // The way to a fragment that is gone leads to its tombstone, and names nobody whose profile it was at.
        let forgotten = self.latest.as_mut().filter(|latest| gone.contains(&latest.fragment));
        let forgot = forgotten.is_some_and(|latest| match latest.fragment.home() {
            Ok(home) if home != latest.profile => {
                latest.profile = home;
                true
            }
            _ => false,
        });
        let named = gone.contains(self.id.as_str());
        let has_pointers = !self.moved.is_empty() || self.unread().moved > 0;
        match (!self.has_fragments(), named) {
            (true, true) => return Remains::Nothing,
            (true, false) if !has_pointers => return Remains::Nothing,
            (false, true) => return Remains::Busy,
            _ if (self.fragments.len(), self.moved.len()) == before && !forgot => return Remains::Untouched,
            _ => {}
        }
        if self.fragments.len() != before.0 {
            self.recompose();
        }
        Remains::Others
    }
}

impl Fragment {
    /// All texts by which the fragment, or the person, is named in it, so that other rows about them are found. What it only
    /// claims to be is somebody else's name.
    #[must_use]
    pub fn names(&self, id: &FragmentId) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = [id.as_str().to_owned()].into();
        names.extend(self.browser.as_ref().map(|browser| browser.as_str().to_owned()));
        let user = self.user.as_ref().filter(|named| named.trust == Trust::Fact);
        names.extend(user.map(|named| named.user_id.as_str().to_owned()));
        let facts = self.said.iter().filter(|evidence| evidence.trust == Trust::Fact);
        names.extend(facts.map(|evidence| evidence.identifier.value.clone()));
        names
    }
}

#[cfg(test)]
mod tests {
    use endcap_identity::{Evidence, Identifier, Namespace, Witness};
    use endcap_protocol::{AnonymousId, ProfileId, UserId};

    use super::*;
    use crate::fragment::{Claim, Named};
    use crate::row::{Away, LatestFragment};

    fn id(name: &str) -> FragmentId {
        FragmentId::parse(name).unwrap()
    }

    fn row(name: &str, fragments: &[&str], moved: &[&str]) -> ProfileRow {
        let mut row = ProfileRow::new(ProfileId::parse(name).unwrap(), 0);
        row.fragments = fragments.iter().map(|name| (id(name), Fragment::default())).collect();
        let away = || Away { to: ProfileId::parse("z").unwrap(), version: 1 };
        row.moved = moved.iter().map(|name| (id(name), away())).collect();
        row
    }

    #[test]
    fn a_row_goes_with_its_last_fragment_and_keeps_those_of_others() {
        let gone: BTreeSet<FragmentId> = [id("a"), id("b")].into();
        assert_eq!(row("a", &["a", "b"], &[]).erase(&gone), Remains::Nothing);
        assert_eq!(row("a", &[], &["a", "c"]).erase(&gone), Remains::Nothing, "pointers of others have a home");
        assert_eq!(row("c", &["c"], &["a"]).erase(&gone), Remains::Others);
        assert_eq!(row("c", &[], &["a"]).erase(&gone), Remains::Nothing);
        assert_eq!(row("c", &[], &["a", "d"]).erase(&gone), Remains::Others, "a pointer to another fragment stays");
        assert_eq!(row("c", &["c"], &["d"]).erase(&gone), Remains::Untouched);
        assert_eq!(row("a", &["a", "c"], &[]).erase(&gone), Remains::Busy);
    }

    #[test]
    fn the_way_to_an_erased_fragment_names_nobody_any_more() {
        let gone: BTreeSet<FragmentId> = [id("a~2")].into();
        let mut pointing = row("a", &["a"], &[]);
        let profile = ProfileId::parse("bobs-phone").unwrap();
        let latest = LatestFragment { fragment: id("a~2"), profile, people_before: 1, version: 3 };
        pointing.latest = Some(latest);
        assert_eq!(pointing.erase(&gone), Remains::Others, "it has to be saved");
        assert_eq!(pointing.latest.as_ref().map(|latest| latest.profile.as_str()), Some("a~2"));
        assert_eq!(pointing.erase(&gone), Remains::Untouched, "once");
    }

    #[test]
    fn stages_begin_again_only_where_a_fragment_went() {
        let gone: BTreeSet<FragmentId> = [id("a")].into();
        for (fragments, moved, again) in [(["a", "c"].as_slice(), [].as_slice(), true), (&["c"], &["a"], false)] {
            let mut row = row("c", fragments, moved);
            row.fragments.values_mut().for_each(|fragment| fragment.since = 9);
            let before = row.stages.clone();
            assert_eq!(row.erase(&gone), Remains::Others);
            assert_eq!(row.stages != before, again, "{fragments:?}");
        }
    }

    #[test]
    fn a_fragment_is_named_by_what_is_proved_of_its_person_and_by_nothing_that_it_only_claims() {
        let user = |name: &str| UserId::parse(name).unwrap();
        let witness = Witness { at: 0, message_id: "m".to_owned(), source: "shop".to_owned() };
        let said = |namespace, value, trust| {
            let identifier = Identifier::new(namespace, value).unwrap();
            Evidence { identifier, trust, witness: witness.clone() }
        };
        let fragment = Fragment {
            browser: Some(AnonymousId::parse("browser-1").unwrap()),
            user: Some(Named { user_id: user("ann"), trust: Trust::Fact, at: 0 }),
            claims: vec![Claim { user_id: user("bob"), at: 0 }],
            said: vec![
                said(Namespace::Phone, "+4930123456", Trust::Fact),
                said(Namespace::Email, "victim@shop.example", Trust::Claim),
            ],
            ..Fragment::default()
        };
        let expected = ["browser-1~l2", "browser-1", "ann", "+4930123456"];
        assert_eq!(fragment.names(&id("browser-1~l2")), expected.map(str::to_owned).into());
    }
}
