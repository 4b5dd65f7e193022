//! The graph's rows.

use endcap_identity::graph::GraphStore;
use endcap_identity::partition::{Cause, Mark, PartitionStore};
use endcap_identity::resolve::Verdict;
use endcap_identity::tombstone::still_holds;
use endcap_identity::{Assignment, Edge, FragmentId, Identifier, Reassignment, Witness, tombstone};
use endcap_protocol::{ProfileId, UnixMillis};
use endcap_validation::DomainError;
use serde::{Deserialize, Serialize};
use worker::{SqlStorageValue, Storage};

use crate::platform::backoff::pause_ms;
use crate::platform::db::{Db, Row};
use crate::platform::error::EdgeError;
use crate::rpc::graph::{JudgedEdge, LinkChange, VerdictsAsk};

/// What was said is never overwritten: `data` only grows, except for what an administrator decides.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS edge(
  fragment TEXT NOT NULL, identifier TEXT NOT NULL, verdict TEXT NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY(fragment, identifier)) WITHOUT ROWID, STRICT;
CREATE INDEX IF NOT EXISTS edge_of_identifier ON edge(identifier);
CREATE INDEX IF NOT EXISTS edge_unjoined ON edge(verdict) WHERE verdict <> 'joined';
CREATE TABLE IF NOT EXISTS seat(
  fragment TEXT PRIMARY KEY, profile_id TEXT NOT NULL, standing TEXT NOT NULL, version INTEGER NOT NULL)
  WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS pending(
  fragment TEXT PRIMARY KEY, body TEXT NOT NULL, version INTEGER NOT NULL, due INTEGER NOT NULL,
  attempts INTEGER NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS erasure(
  id TEXT PRIMARY KEY, due INTEGER NOT NULL, attempts INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS mark(
  number INTEGER PRIMARY KEY AUTOINCREMENT, fragment TEXT NOT NULL, cause INTEGER NOT NULL, due INTEGER NOT NULL,
  UNIQUE(fragment, cause)) STRICT;
CREATE TABLE IF NOT EXISTS tombstone(hash TEXT PRIMARY KEY, holds_until INTEGER NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS audit(
  seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL) STRICT;";

/// Version of the form in which an edge is packed.
const FORMAT: u8 = 1;

/// What is packed of an edge.
#[derive(Serialize, Deserialize)]
struct PackedEdge {
    claimed: Option<Witness>,
    proved: Option<Witness>,
    dropped: Option<UnixMillis>,
    approved: bool,
}

/// Time that a request has for a mark before the alarm takes it up, in milliseconds.
pub(super) const MARK_MS: UnixMillis = 5_000;

/// A stored reassignment that no shard has acknowledged yet. Its body is parsed at delivery, so that one that a newer
/// version wrote does not block the others.
pub(super) struct PendingReassignment {
    pub(super) fragment: String,
    version: i64,
    pub(super) attempts: u32,
    body: String,
}

impl PendingReassignment {
    /// The reassignment.
    pub(super) fn reassignment(&self) -> Result<Reassignment, EdgeError> {
        Ok(serde_json::from_str(&self.body)?)
    }
}

/// The graph's database.
pub(super) struct SqlGraph {
    pub(super) db: Db,
    pepper: Vec<u8>,
}

/// The graph within a transaction, or for reading.
pub(super) struct Rows<'a> {
    pub(super) db: &'a Db,
    pub(super) now: UnixMillis,
    pub(super) pepper: &'a [u8],
}

impl SqlGraph {
    pub(super) fn open(storage: &Storage, pepper: Vec<u8>) -> Self {
        Self { db: Db::open(storage, SCHEMA), pepper }
    }

    /// Runs `work` as one transaction; reassignments that it records are due at once.
    pub(super) fn transaction<T>(
        &self,
        now: UnixMillis,
        work: impl FnOnce(&mut Rows<'_>) -> Result<T, EdgeError>,
    ) -> Result<T, EdgeError> {
        self.db.transaction(|| work(&mut self.rows(now)))
    }

    /// The rows, for reading.
    pub(super) fn rows(&self, now: UnixMillis) -> Rows<'_> {
        Rows { db: &self.db, now, pepper: &self.pepper }
    }

    /// What administrators did, the earliest first.
    pub(super) fn audited(&self) -> Result<Vec<(UnixMillis, String)>, EdgeError> {
        let rows = self.db.rows("SELECT at, body FROM audit ORDER BY seq", Vec::new())?;
        Ok(rows.iter().map(|row| (row.int(0), row.text(1))).collect())
    }

    /// Every row of every table.
    pub(super) fn dump(&self) -> Result<serde_json::Value, EdgeError> {
        self.db.dump()
    }

    /// Edges by verdict, in the order of their names.
    pub(super) fn judged_as(&self, ask: &VerdictsAsk) -> Result<Vec<JudgedEdge>, EdgeError> {
        let query = "SELECT fragment, identifier, data, verdict FROM edge
                     WHERE verdict = ? AND verdict <> 'joined' AND (fragment, identifier) > (?, ?)
                     ORDER BY fragment, identifier LIMIT ?";
        let (fragment, identifier) = (ask.after.fragment.as_str(), ask.after.identifier.as_str());
        let limit = i64::try_from(ask.limit).unwrap_or(i64::MAX);
        let values = vec![ask.verdict.as_str().into(), fragment.into(), identifier.into(), limit.into()];
        judged(&self.db.rows(query, values)?)
    }

    pub(super) fn due_reassignments(&self, now: UnixMillis, limit: i64) -> Result<Vec<PendingReassignment>, EdgeError> {
        let query = "SELECT fragment, version, attempts, body FROM pending WHERE due <= ? ORDER BY due LIMIT ?";
        let rows = self.db.rows(query, vec![now.into(), limit.into()])?;
        let read = |row: &Row| PendingReassignment {
            fragment: row.text(0),
            version: row.int(1),
            attempts: row.int(2) as u32,
            body: row.text(3),
        };
        Ok(rows.iter().map(read).collect())
    }

    /// Marks that nobody took away, the longest due first.
    pub(super) fn due_marks(&self, now: UnixMillis, limit: i64) -> Result<Vec<Mark>, EdgeError> {
        let query = "SELECT number, fragment, cause FROM mark WHERE due <= ? ORDER BY due LIMIT ?";
        self.db.rows(query, vec![now.into(), limit.into()])?.iter().map(mark).collect()
    }

    pub(super) fn put_off_mark(&self, mark: &Mark, until: UnixMillis) -> Result<(), EdgeError> {
        self.db.run("UPDATE mark SET due = ? WHERE number = ?", vec![until.into(), number(mark)])
    }

    /// When the next reassignment, erasure or mark is due.
    pub(super) fn next_due(&self) -> Result<Option<UnixMillis>, EdgeError> {
        let query = "SELECT min(due) FROM (SELECT min(due) AS due FROM pending UNION ALL SELECT min(due) FROM erasure
                     UNION ALL SELECT min(due) FROM mark)";
        let row = self.db.first(query, Vec::new())?;
        Ok(row.map(|row| row.int(0)).filter(|due| *due != 0))
    }

    /// Drops a reassignment that was carried out. A later one for the same fragment stays.
    pub(super) fn delivered(&self, pending: &PendingReassignment) -> Result<(), EdgeError> {
        let delete = "DELETE FROM pending WHERE fragment = ? AND version = ?";
        self.db.run(delete, vec![pending.fragment.as_str().into(), pending.version.into()])
    }

    pub(super) fn put_off(&self, pending: &PendingReassignment, until: UnixMillis) -> Result<(), EdgeError> {
        let update = "UPDATE pending SET due = ?, attempts = attempts + 1 WHERE fragment = ? AND version = ?";
        self.db.run(update, vec![until.into(), pending.fragment.as_str().into(), pending.version.into()])
    }

    /// Sets the object's alarm.
    pub(super) fn arm(&self, at: UnixMillis) -> Result<(), EdgeError> {
        self.db.set_alarm(at).map(drop)
    }
}

fn version(reassignment: &Reassignment) -> SqlStorageValue {
    i64::try_from(reassignment.assignment.version).unwrap_or(i64::MAX).into()
}

fn number(mark: &Mark) -> SqlStorageValue {
    i64::try_from(mark.number).unwrap_or(i64::MAX).into()
}

/// A mark out of its number, fragment and cause.
fn mark(row: &Row) -> Result<Mark, EdgeError> {
    let cause = Cause::of_code(row.int(2)).unwrap_or(Cause::Heard);
    Ok(Mark { fragment: FragmentId::parse(&row.text(1))?, cause, number: row.int(0).unsigned_abs() })
}

fn judged(rows: &[Row]) -> Result<Vec<JudgedEdge>, EdgeError> {
    let read = |row: &Row| {
        let verdict = Verdict::parse(&row.text(3)).unwrap_or(Verdict::Joined);
        Ok(JudgedEdge { edge: edge(row)?, verdict })
    };
    rows.iter().map(read).collect()
}

/// An edge out of its fragment, identifier and packed form.
fn edge(row: &Row) -> Result<Edge, EdgeError> {
    let unreadable = |format| DomainError::Format { what: "edge", format };
    let data = row.blob(2);
    let packed: PackedEdge = match data.split_first() {
        Some((&FORMAT, rest)) => postcard::from_bytes(rest).map_err(|_| unreadable(FORMAT))?,
        other => return Err(unreadable(other.map_or(0, |(format, _)| *format)).into()),
    };
    let PackedEdge { claimed, proved, dropped, approved } = packed;
    let fragment = FragmentId::parse(&row.text(0))?;
    let identifier = Identifier::read(&row.text(1)).ok_or_else(|| unreadable(FORMAT))?;
    Ok(Edge { fragment, identifier, claimed, proved, dropped, approved })
}

impl Rows<'_> {
    /// Records what an administrator did.
    pub(super) fn audit(&self, change: &LinkChange) -> Result<(), EdgeError> {
        self.note(serde_json::to_string(change)?)
    }

    /// Notes something in the record of what administrators did.
    pub(super) fn note(&self, body: String) -> Result<(), EdgeError> {
        self.db.run("INSERT INTO audit(at, body) VALUES(?, ?)", vec![self.now.into(), body.into()])
    }

    fn select(&self, query: &'static str, key: &str) -> Result<Vec<Edge>, EdgeError> {
        self.db.rows(query, vec![key.into()])?.iter().map(edge).collect()
    }
}

impl PartitionStore for Rows<'_> {
    fn judged(&self, fragment: &FragmentId) -> Result<Vec<(Edge, Verdict)>, EdgeError> {
        let query = "SELECT fragment, identifier, data, verdict FROM edge WHERE fragment = ?";
        let all = judged(&self.db.rows(query, vec![fragment.as_str().into()])?)?;
        Ok(all.into_iter().map(|judged| (judged.edge, judged.verdict)).collect())
    }

    fn mark(&mut self, fragment: &FragmentId, cause: Cause) -> Result<Mark, EdgeError> {
        // The alarm is set in the same transaction, so that after a crash the mark is still worked off, only later.
        drop(self.db.set_alarm(self.now.saturating_add(pause_ms(0)))?);
        let due = self.now.saturating_add(MARK_MS);
        let insert = "INSERT INTO mark(fragment, cause, due) VALUES(?, ?, ?) RETURNING number, fragment, cause";
        // A new number, so that a request that saw the old one does not delete the mark.
        self.db.run(
            "DELETE FROM mark WHERE fragment = ? AND cause = ?",
            vec![fragment.as_str().into(), cause.code().into()],
        )?;
        let row = self.db.first(insert, vec![fragment.as_str().into(), cause.code().into(), due.into()])?;
        row.as_ref().map_or_else(|| Err(DomainError::Internal("no mark".to_owned()).into()), mark)
    }

    fn heard(&self, fragment: &FragmentId) -> Result<Option<Mark>, EdgeError> {
        let query = "SELECT number, fragment, cause FROM mark WHERE fragment = ? AND cause = ?";
        let row = self.db.first(query, vec![fragment.as_str().into(), Cause::Heard.code().into()])?;
        row.as_ref().map(mark).transpose()
    }

    fn unmark(&mut self, mark: &Mark) -> Result<(), EdgeError> {
        self.db.run("DELETE FROM mark WHERE number = ?", vec![number(mark)])
    }

    fn is_gone(&self, name: &str) -> Result<bool, EdgeError> {
        let query = "SELECT holds_until FROM tombstone WHERE hash = ?";
        let held = self.db.first(query, vec![tombstone(name, self.pepper).into()])?;
        Ok(held.is_some_and(|row| still_holds(row.int(0), self.now)))
    }
}

impl GraphStore for Rows<'_> {
    type Error = EdgeError;

    fn of_fragment(&self, fragment: &FragmentId) -> Result<Vec<Edge>, EdgeError> {
        self.select("SELECT fragment, identifier, data FROM edge WHERE fragment = ?", fragment.as_str())
    }

    fn of_identifier(&self, identifier: &Identifier) -> Result<Vec<Edge>, EdgeError> {
        self.select("SELECT fragment, identifier, data FROM edge WHERE identifier = ?", &identifier.to_string())
    }

    fn save(&mut self, edge: &Edge) -> Result<(), EdgeError> {
        let Edge { claimed, proved, dropped, approved, .. } = edge.clone();
        let packed = PackedEdge { claimed, proved, dropped, approved };
        let data = postcard::to_extend(&packed, vec![FORMAT]).map_err(|e| DomainError::Internal(e.to_string()))?;
        self.db.run(
            "INSERT INTO edge(fragment, identifier, verdict, data) VALUES(?, ?, 'joined', ?)
             ON CONFLICT(fragment, identifier) DO UPDATE SET data = excluded.data",
            vec![edge.fragment.as_str().into(), edge.identifier.to_string().into(), data.into()],
        )
    }

    fn judge(&mut self, fragment: &FragmentId, identifier: &Identifier, verdict: Verdict) -> Result<(), EdgeError> {
        let word = verdict.as_str();
        self.db.run(
            "UPDATE edge SET verdict = ? WHERE fragment = ? AND identifier = ? AND verdict <> ?",
            vec![word.into(), fragment.as_str().into(), identifier.to_string().into(), word.into()],
        )
    }

    fn assignment(&self, fragment: &FragmentId) -> Result<Option<Assignment>, EdgeError> {
        let query = "SELECT profile_id, standing, version FROM seat WHERE fragment = ?";
        let Some(row) = self.db.first(query, vec![fragment.as_str().into()])? else { return Ok(None) };
        let link_strength = serde_json::from_value(row.text(1).into())?;
        let version = u64::try_from(row.int(2)).unwrap_or_default();
        Ok(Some(Assignment { profile: ProfileId::parse(&row.text(0))?, link_strength, version }))
    }

    fn assign(&mut self, fragment: &FragmentId, assignment: &Assignment) -> Result<(), EdgeError> {
        let link_strength = serde_json::to_value(assignment.link_strength)?;
        self.db.run(
            "INSERT INTO seat(fragment, profile_id, standing, version) VALUES(?, ?, ?, ?)
             ON CONFLICT(fragment) DO UPDATE SET profile_id = excluded.profile_id, standing = excluded.standing,
               version = excluded.version",
            vec![
                fragment.as_str().into(),
                assignment.profile.as_str().into(),
                link_strength.as_str().unwrap_or_default().into(),
                i64::try_from(assignment.version).unwrap_or(i64::MAX).into(),
            ],
        )
    }

    fn reassign(&mut self, reassignment: &Reassignment) -> Result<(), EdgeError> {
        // The alarm is set in the same transaction, so that after a crash the delivery still happens, only later.
        drop(self.db.set_alarm(self.now.saturating_add(pause_ms(0)))?);
        self.db.run(
            "INSERT INTO pending(fragment, body, version, due, attempts) VALUES(?, ?, ?, ?, 0)
             ON CONFLICT(fragment) DO UPDATE SET body = excluded.body, version = excluded.version, due = excluded.due,
               attempts = 0",
            vec![
                reassignment.fragment.as_str().into(),
                serde_json::to_string(reassignment)?.into(),
                version(reassignment),
                self.now.into(),
            ],
        )
    }
}
