//! Reading and writing profiles whose fragments may lie apart, whatever keeps the rows.
//!
//! A fragment's row is a packed row ([`crate::packed_row`]) with that one fragment, or the pointer to where it moved. So it has
//! the same versions, and all of them stay readable.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use endcap_identity::{FragmentId, IdentityRules};
use endcap_models::lifecycle::History;
use endcap_protocol::{AnonymousId, ProfileId};
use endcap_validation::DomainError;

use crate::apart::{Apart, Unread};
use crate::compaction::budget;
use crate::digest::Digest;
use crate::digest_cache::DigestCache;
use crate::fragment::Fragment;
use crate::row::ProfileRow;
use crate::timers::Timers;

/// Fragments of a profile that come with its row however they lie: reading them costs less than knowing which.
const FEW: u32 = 2;

/// Bytes from which on fragments lie apart whatever is set. Rows of SQLite in Durable Objects have at most 2 MB.
const MOST_BYTES: usize = 1024 * 1024;

/// Which rows of fragments are read.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// All.
    All,
    /// Those of these fragments, as far as there are some.
    Named(&'a BTreeSet<FragmentId>),
    /// Those of the fragments that a browser adds to.
    OpenOf(&'a AnonymousId),
    /// Those with events that wait for the log.
    WithTails,
    /// Those that hold a text.
    Mentioning(&'a str),
}

/// A fragment's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FragmentRow {
    /// The fragment.
    pub id: FragmentId,
    /// Its browser, while that adds to it; empty else.
    pub open_browser: String,
    /// Whether events of it wait for the log.
    pub has_tail: bool,
    /// The packed digest; empty for a pointer.
    pub digest: Vec<u8>,
    /// The packed row.
    pub data: Vec<u8>,
}

/// What keeps the rows of profiles.
pub trait FragmentRows {
    /// Why it failed.
    type Error: From<DomainError>;

    /// A profile's row.
    ///
    /// # Errors
    /// As the store's, here and below.
    fn row(&self, profile: &ProfileId) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Rows of fragments: their names and packed rows.
    ///
    /// # Errors
    /// As the store's.
    fn fragments(&self, profile: &ProfileId, wanted: Wanted<'_>) -> Result<Vec<(FragmentId, Vec<u8>)>, Self::Error>;

    /// The packed digests of all fragments, without pointers.
    ///
    /// # Errors
    /// As the store's.
    fn digests(&self, profile: &ProfileId) -> Result<Vec<Vec<u8>>, Self::Error>;

    /// What is known of digests since they were read last.
    fn cache(&self) -> &DigestCache;

    /// Writes a profile's row.
    ///
    /// # Errors
    /// As the store's.
    fn put_row(&self, profile: &ProfileId, data: Vec<u8>) -> Result<(), Self::Error>;

    /// Writes a fragment's row.
    ///
    /// # Errors
    /// As the store's.
    fn put_fragment(&self, profile: &ProfileId, row: FragmentRow) -> Result<(), Self::Error>;

    /// Deletes a fragment's row.
    ///
    /// # Errors
    /// As the store's.
    fn drop_fragment(&self, profile: &ProfileId, id: &FragmentId) -> Result<(), Self::Error>;
}

/// Reads a profile with some of its fragments. Those in the row itself come in any case.
///
/// # Errors
/// When a row was written by a newer version, or is damaged; else as the store's.
pub fn load<R: FragmentRows>(
    rows: &R,
    profile: &ProfileId,
    wanted: Wanted<'_>,
) -> Result<Option<ProfileRow>, R::Error> {
    let Some(mut row) = read_row(rows, profile)? else { return Ok(None) };
    row.read_more(rows, wanted)?;
    Ok(Some(row))
}

/// Reads a profile with the fragments that a request of a browser may be about: see [`ProfileRow::resolve`].
///
/// # Errors
/// As [`load`].
pub fn load_for<R: FragmentRows>(
    rows: &R,
    profile: &ProfileId,
    browser: &AnonymousId,
    named: Option<&FragmentId>,
) -> Result<Option<ProfileRow>, R::Error> {
    let Some(mut row) = read_row(rows, profile)? else { return Ok(None) };
    if row.apart.is_none() {
        return Ok(Some(row));
    }
    let asked = named.cloned().unwrap_or_else(|| FragmentId::first(browser));
    let latest = row.latest.as_ref().filter(|latest| latest.profile == *profile);
    let names = latest.map(|latest| latest.fragment.clone()).into_iter().chain([asked]).collect();
    row.read_more(rows, Wanted::Named(&names))?;
    if named.is_none() && row.open_fragment(browser).is_none() {
        row.read_more(rows, Wanted::OpenOf(browser))?;
    }
    Ok(Some(row))
}

/// Reads a profile's row, and where nearly all lies apart, that as well.
fn read_row<R: FragmentRows>(rows: &R, profile: &ProfileId) -> Result<Option<ProfileRow>, R::Error> {
    let Some(data) = rows.row(profile)? else { return Ok(None) };
    let mut row = ProfileRow::unpack(&data)?;
    if let Some(apart) = &mut row.apart {
        apart.head = data;
        let Unread { fragments, moved, .. } = apart.unread();
        if fragments <= 1 && moved <= FEW {
            row.read_more(rows, Wanted::All)?;
        }
    }
    Ok(Some(row))
}

/// Writes a profile, as far as it changed since it was read. Fragments come to lie apart once they take more than so many bytes
/// together; 0 keeps them in the row, as versions before this one have them.
///
/// # Errors
/// As the store's.
pub fn save<R: FragmentRows>(rows: &R, row: &ProfileRow, apart_bytes: usize) -> Result<(), R::Error> {
    let Some(whole) = row.fitting_whole(apart_bytes)? else {
        if row.apart.as_ref().is_some_and(|apart| apart.lacks_digests(&row.fragments, None)) {
            // What was read did not come to act.
            let mut row = row.clone();
            row.read_digests(rows, None)?;
            return save_apart(rows, &row);
        }
        return save_apart(rows, row);
    };
    for id in row.apart.iter().flat_map(|apart| apart.rows.keys()) {
        rows.drop_fragment(&row.id, id)?;
    }
    rows.put_row(&row.id, whole)
}

fn save_apart<R: FragmentRows>(rows: &R, row: &ProfileRow) -> Result<(), R::Error> {
    let names = row.names_apart();
    let held = row.apart.as_deref();
    let count = row.fragments.len().saturating_add(row.unread().fragments as usize);
    let compacted = row.compacted(budget(count))?;
    let row = compacted.as_ref().unwrap_or(row);
    let before = |id: &FragmentId| held.and_then(|apart| apart.rows.get(id));
    for id in &names {
        let part = row.part(id)?;
        if before(id) != Some(&part.data) {
            rows.put_fragment(&row.id, part)?;
        }
    }
    for id in held.iter().flat_map(|apart| apart.rows.keys()).filter(|id| !names.contains(*id)) {
        rows.drop_fragment(&row.id, id)?;
    }
    let head = row.pack()?;
    row.remember_digests(rows.cache(), &head);
    if held.is_some_and(|apart| apart.head == head) { Ok(()) } else { rows.put_row(&row.id, head) }
}

impl ProfileRow {
    /// Reads rows of fragments that lie apart, but for those that were read already.
    ///
    /// # Errors
    /// As [`load`].
    pub fn read_more<R: FragmentRows>(&mut self, rows: &R, wanted: Wanted<'_>) -> Result<(), R::Error> {
        if self.unread() == Unread::default() {
            return Ok(());
        }
        for (id, data) in rows.fragments(&self.id, wanted)? {
            self.take_in(id, data)?;
        }
        match (&mut self.apart, wanted) {
            (Some(apart), Wanted::All) => {
                apart.complete(&BTreeMap::new(), false);
                let missing = apart.unread() != Unread::default();
                let error = || DomainError::Internal(format!("rows of fragments of {} are missing", self.id.as_str()));
                if missing { Err(error().into()) } else { Ok(()) }
            }
            _ => self.complete(rows, None, true),
        }
    }

    /// Reads the digests of all fragments where the fold of those at rest cannot be gone on from. The rules say which sources
    /// the shop trusts.
    ///
    /// # Errors
    /// As [`load`].
    pub fn read_digests<R: FragmentRows>(&mut self, rows: &R, rules: Option<&IdentityRules>) -> Result<(), R::Error> {
        self.complete(rows, rules, false)
    }

    fn complete<R: FragmentRows>(
        &mut self,
        rows: &R,
        rules: Option<&IdentityRules>,
        comes_last: bool,
    ) -> Result<(), R::Error> {
        let Some(apart) = &mut self.apart else { return Ok(()) };
        if !apart.lacks_digests(&self.fragments, rules) {
            return Ok(());
        }
        let known = apart.known.take().or_else(|| rows.cache().get(&self.id, &apart.head));
        let digests = match known {
            Some(known) => known,
            None => {
                let packed = rows.digests(&self.id)?;
                let digests = Arc::new(packed.iter().map(|bytes| Digest::unpack(bytes)).collect::<Result<_, _>>()?);
                if DigestCache::has_room(packed.len(), packed.iter().map(Vec::len).sum()) {
                    rows.cache().keep(&self.id, &apart.head, Arc::clone(&digests));
                }
                digests
            }
        };
        apart.complete(&digests, comes_last);
        apart.known.replace(Some(digests));
        Ok(())
    }

    /// Keeps the digests, as they lie there with a new head, for who comes next.
    fn remember_digests(&self, cache: &DigestCache, head: &[u8]) {
        let Some(apart) = &self.apart else { return };
        let names = self.names_apart().into_iter().chain(apart.rows.keys().cloned());
        let changed = names.map(|id| {
            let digest = self.fragments.get(&id).map(Digest::of);
            (id, digest)
        });
        // What is held twice would be copied.
        drop(apart.known.take());
        cache.change(&self.id, (&apart.head, head), changed);
    }

    /// The packed row with all fragments, where they were read and may lie in it.
    fn fitting_whole(&self, apart_bytes: usize) -> Result<Option<Vec<u8>>, DomainError> {
        if self.unread() != Unread::default() {
            return Ok(None);
        }
        let bytes = self.pack_whole()?;
        let most = match (apart_bytes, self.apart.is_some()) {
            (0, _) => MOST_BYTES,
            // Between half and whole it stays as it is.
            (bytes, true) => bytes / 2,
            (bytes, false) => bytes,
        };
        let is_one = self.fragments.len().saturating_add(self.moved.len()) < 2;
        Ok(Some(bytes).filter(|bytes| is_one || bytes.len() <= most.min(MOST_BYTES)))
    }

    fn take_in(&mut self, id: FragmentId, data: Vec<u8>) -> Result<(), DomainError> {
        let Some(apart) = &mut self.apart else { return Ok(()) };
        if apart.rows.contains_key(&id) {
            return Ok(());
        }
        let part = Self::unpack(&data)?;
        apart.note_read(&id, Unread::one(part.fragments.contains_key(&id), part.moved.contains_key(&id)));
        apart.rows.insert(id, data);
        self.fragments.extend(part.fragments);
        self.moved.extend(part.moved);
        self.possessions.extend(part.possessions);
        self.tails.extend(part.tails);
        Ok(())
    }

    /// The row of one fragment.
    fn part(&self, id: &FragmentId) -> Result<FragmentRow, DomainError> {
        fn only<T: Clone>(all: &BTreeMap<FragmentId, T>, id: &FragmentId) -> BTreeMap<FragmentId, T> {
            all.get(id).map(|held| (id.clone(), held.clone())).into_iter().collect()
        }
        let part = Self {
            id: self.id.clone(),
            fragments: only(&self.fragments, id),
            moved: only(&self.moved, id),
            stages: History::starting_at(0),
            timers: Timers::default(),
            subscriptions: 0,
            possessions: only(&self.possessions, id),
            latest: None,
            memberships: None,
            occurrences: BTreeMap::new(),
            devices: BTreeMap::new(),
            lists: BTreeMap::new(),
            tails: only(&self.tails, id),
            apart: None,
        };
        let fragment = self.fragments.get(id);
        let open = fragment.filter(|fragment| fragment.successor.is_none());
        let browser = open.and_then(|fragment| fragment.browser.as_ref());
        Ok(FragmentRow {
            id: id.clone(),
            open_browser: browser.map(|browser| browser.as_str().to_owned()).unwrap_or_default(),
            has_tail: !part.tails.is_empty(),
            digest: fragment.map(|fragment| Digest::of(fragment).pack(id)).transpose()?.unwrap_or_default(),
            data: part.pack()?,
        })
    }

    /// The row with those fragments compacted that take more than so many bytes; None where none does.
    fn compacted(&self, bytes: usize) -> Result<Option<Self>, DomainError> {
        let mut smaller: BTreeMap<FragmentId, Fragment> = BTreeMap::new();
        for (id, fragment) in &self.fragments {
            smaller.extend(fragment.compacted(bytes)?.map(|fragment| (id.clone(), fragment)));
        }
        if smaller.is_empty() && self.apart.is_some() {
            return Ok(None);
        }
        let mut row = self.clone();
        row.fragments.extend(smaller);
        row.apart.get_or_insert_with(Box::<Apart>::default);
        Ok(Some(row))
    }
}
