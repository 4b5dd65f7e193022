//! Rows of profiles in memory, for tests and simulations.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use endcap_identity::FragmentId;
use endcap_protocol::ProfileId;
use endcap_validation::DomainError;

use crate::digest_cache::DigestCache;
use crate::fragment_rows::{FragmentRow, FragmentRows, Wanted};
use crate::row::ProfileRow;

/// Most bytes of a row, as in SQLite of Durable Objects.
pub const ROW_BYTES: usize = 2 * 1024 * 1024;

/// Rows at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    rows: BTreeMap<ProfileId, Vec<u8>>,
    fragments: BTreeMap<(ProfileId, FragmentId), FragmentRow>,
}

/// Rows in memory, under the bound of the real ones.
#[derive(Debug, Default)]
pub struct MemoryRows {
    rows: RefCell<BTreeMap<ProfileId, Vec<u8>>>,
    fragments: RefCell<BTreeMap<(ProfileId, FragmentId), FragmentRow>>,
    cache: DigestCache,
    written: Cell<u64>,
    largest: Cell<usize>,
}

impl MemoryRows {
    /// The rows as they are, for a transaction that may be rolled back.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { rows: self.rows.borrow().clone(), fragments: self.fragments.borrow().clone() }
    }

    /// Rolls a transaction back: no row stays changed. What is remembered beside the rows is not told of it.
    pub fn restore(&self, before: Snapshot) {
        self.rows.replace(before.rows);
        self.fragments.replace(before.fragments);
    }

    /// Rows that were written or deleted so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written.get()
    }

    /// Bytes of the largest row that was ever written.
    #[must_use]
    pub fn largest(&self) -> usize {
        self.largest.get()
    }

    /// How many rows of fragments there are.
    #[must_use]
    pub fn fragment_rows(&self) -> usize {
        self.fragments.borrow().len()
    }

    fn note(&self, bytes: usize) -> Result<(), DomainError> {
        self.written.set(self.written.get().saturating_add(1));
        self.largest.set(self.largest.get().max(bytes));
        if bytes > ROW_BYTES { Err(DomainError::Internal("a row is too large".to_owned())) } else { Ok(()) }
    }
}

fn is_wanted(row: &FragmentRow, wanted: Wanted<'_>) -> bool {
    match wanted {
        Wanted::All => true,
        Wanted::Named(named) => named.contains(&row.id),
        Wanted::OpenOf(browser) => row.open_browser == browser.as_str(),
        Wanted::WithTails => row.has_tail,
        Wanted::Mentioning(text) => row.data.windows(text.len().max(1)).any(|window| window == text.as_bytes()),
    }
}

impl FragmentRows for MemoryRows {
    type Error = DomainError;

    fn row(&self, profile: &ProfileId) -> Result<Option<Vec<u8>>, DomainError> {
        Ok(self.rows.borrow().get(profile).cloned())
    }

    fn fragments(&self, profile: &ProfileId, wanted: Wanted<'_>) -> Result<Vec<(FragmentId, Vec<u8>)>, DomainError> {
        let held = self.fragments.borrow();
        let of_profile = held.iter().filter(|((of, _), _)| of == profile);
        let found = of_profile.filter(|(_, row)| is_wanted(row, wanted));
        Ok(found.map(|((_, id), row)| (id.clone(), row.data.clone())).collect())
    }

    fn digests(&self, profile: &ProfileId) -> Result<Vec<Vec<u8>>, DomainError> {
        let held = self.fragments.borrow();
        let found = held.iter().filter(|((of, _), row)| of == profile && !row.digest.is_empty());
        Ok(found.map(|(_, row)| row.digest.clone()).collect())
    }

    fn cache(&self) -> &DigestCache {
        &self.cache
    }

    fn put_row(&self, profile: &ProfileId, data: Vec<u8>) -> Result<(), DomainError> {
        self.note(data.len())?;
        ProfileRow::unpack(&data)?;
        self.rows.borrow_mut().insert(profile.clone(), data);
        Ok(())
    }

    fn put_fragment(&self, profile: &ProfileId, row: FragmentRow) -> Result<(), DomainError> {
        self.note(row.data.len().saturating_add(row.digest.len()))?;
        self.fragments.borrow_mut().insert((profile.clone(), row.id.clone()), row);
        Ok(())
    }

    fn drop_fragment(&self, profile: &ProfileId, id: &FragmentId) -> Result<(), DomainError> {
        self.note(0)?;
        self.fragments.borrow_mut().remove(&(profile.clone(), id.clone()));
        Ok(())
    }
}
