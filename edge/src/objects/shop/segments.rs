//! Segments, in the shop's object.

use endcap_engine::segment::SavedSegment;
use endcap_engine::segment::definition::{MAX_SEGMENTS, check_all_asked, check_asked, condition, is_list, names_of};
use endcap_engine::shop::campaign::Definition;
use endcap_protocol::{FieldError, SegmentId};
use endcap_targeting::compile::condition_of;
use endcap_validation::DomainError;
use serde_json::Value;
use worker::Response;

use super::object::Shop;
use crate::platform::db::Row;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::segments::{DeleteSegment, PutSegment, SavedSegments};

/// Name of the version of all segments.
const VERSION: &str = "segments_version";

fn read(row: &Row) -> Result<SavedSegment, EdgeError> {
    Ok(SavedSegment {
        id: SegmentId::parse(&row.text(0))?,
        version: row.int(1) as u32,
        since: row.int(2).unsigned_abs(),
        changed_at: row.int(3),
        born: row.int(4).unsigned_abs(),
        definition: serde_json::from_str(&row.text(5))?,
    })
}

impl Shop {
    /// Version of the segments; 0 where there never was one.
    pub(super) fn segments_version(&self) -> Result<u64, EdgeError> {
        Ok(self.meta(VERSION)?.and_then(|text| text.parse().ok()).unwrap_or(0))
    }

    /// The version that follows; None in a shop without segments.
    pub(super) fn segments_version_after(&self) -> Result<Option<u64>, EdgeError> {
        Ok(Some(self.segments_version()?).filter(|version| *version > 0).map(|version| version + 1))
    }

    /// Sets the version of the segments.
    pub(super) fn set_segments_version(&self, version: u64) -> Result<(), EdgeError> {
        self.set_meta(VERSION, &version.to_string())
    }

    /// Every segment, in order of their IDs.
    pub(super) fn segments(&self) -> Result<Vec<SavedSegment>, EdgeError> {
        let query = "SELECT id, version, since, changed_at, born, definition FROM segment ORDER BY id";
        self.db.rows(query, Vec::new())?.iter().map(read).collect()
    }

    /// Shows all segments.
    pub(super) fn get_segments(&self) -> Result<Response, EdgeError> {
        response::json(&SavedSegments { version: self.segments_version()?, segments: self.segments()? })
    }

    /// Adds a segment, or replaces it. One that only gets another name keeps its people as they are.
    pub(super) fn put_segment(&self, put: &PutSegment) -> Result<Response, EdgeError> {
        let PutSegment { id, definition } = put;
        let all = self.segments()?;
        let held = all.iter().find(|saved| saved.id == *id);
        if held.is_none() && all.len() >= MAX_SEGMENTS {
            let message = format!("a shop has at most {MAX_SEGMENTS} segments; delete one first");
            return Err(FieldError::new("", message).into());
        }
        check_asked(&condition(&definition.condition)?, Some(id), &all)?;
        let changed = |saved: &SavedSegment| {
            if saved.id == *id {
                SavedSegment { definition: definition.clone(), ..saved.clone() }
            } else {
                saved.clone()
            }
        };
        let mut after: Vec<SavedSegment> = all.iter().map(changed).collect();
        check_all_asked(&after)?;
        let version = self.segments_version()?;
        let is_same = held.filter(|held| held.definition.condition == definition.condition);
        let next = if is_same.is_some() { version } else { version + 1 };
        let is_list_of = |held: &SavedSegment| is_list(id, &held.definition.condition);
        let is_list_of_put = is_list(id, &definition.condition);
        let segment = SavedSegment {
            id: id.clone(),
            version: held.map_or(1, |held| held.version + 1),
            since: is_same.map_or(next, |held| held.since),
            changed_at: is_same.map_or_else(clock::now, |held| held.changed_at),
            // A list that becomes a condition, or the other way round, is another segment: who was put on it before is not on it.
            born: held.filter(|held| is_list_of(held) == is_list_of_put).map_or(next, |held| held.born),
            definition: definition.clone(),
        };
        if held.is_none() {
            after.push(segment.clone());
        }
        let queries = self.event_queries_of(&after, &self.campaigns()?, next)?;
        self.change(|| {
            self.set_event_queries(&queries)?;
            let upsert =
                "INSERT INTO segment(id, version, since, changed_at, born, definition) VALUES(?, ?, ?, ?, ?, ?)
                 ON CONFLICT(id) DO UPDATE SET version = excluded.version, since = excluded.since,
                   changed_at = excluded.changed_at, born = excluded.born, definition = excluded.definition";
            let SavedSegment { version, since, changed_at, born, definition, .. } = &segment;
            let text = serde_json::to_string(definition)?;
            let figures = [i64::from(*version), since.cast_signed(), *changed_at, born.cast_signed()].map(Into::into);
            let values = [id.as_str().into()].into_iter().chain(figures).chain([text.into()]);
            self.db.run(upsert, values.collect())?;
            self.set_meta(VERSION, &next.to_string())
        })?;
        self.get_segments()
    }

    /// Deletes a segment.
    pub(super) fn delete_segment(&self, delete: &DeleteSegment) -> Result<Response, EdgeError> {
        let id = delete.id.as_str();
        if self.db.first("SELECT 1 FROM segment WHERE id = ?", vec![id.into()])?.is_none() {
            return Err(DomainError::NotFound("segment").into());
        }
        self.check_unused(&delete.id)?;
        let next = self.segments_version()? + 1;
        let left: Vec<SavedSegment> = self.segments()?.into_iter().filter(|saved| saved.id != delete.id).collect();
        let queries = self.event_queries_of(&left, &self.campaigns()?, next)?;
        self.change(|| {
            self.set_event_queries(&queries)?;
            self.db.run("DELETE FROM segment WHERE id = ?", vec![id.into()])?;
            self.set_meta(VERSION, &next.to_string())
        })?;
        self.get_segments()
    }

    /// Refuses to take a segment away that something else asks for.
    fn check_unused(&self, id: &SegmentId) -> Result<(), EdgeError> {
        let asks = |condition: &Value| condition_of(condition).is_ok_and(|condition| names_of(&condition).contains(id));
        let segments = self.segments()?;
        let segment = segments.iter().find(|saved| saved.id != *id && asks(&saved.definition.condition));
        let campaigns = self.campaigns()?;
        let campaign = campaigns.iter().find(|saved| saved.definition.condition.as_ref().is_some_and(asks));
        let user = match (segment, campaign) {
            (Some(segment), _) => format!("segment `{}`", segment.id.as_str()),
            (None, Some(campaign)) => format!("campaign `{}`", campaign.id),
            (None, None) => return Ok(()),
        };
        let message = format!("is asked for by the {user}; change that first");
        Err(FieldError::new("segment_id", message).into())
    }

    /// Refuses a campaign that asks for segments which are not there.
    pub(super) fn check_segments_of(&self, campaign: &Definition) -> Result<(), EdgeError> {
        let asked = campaign.condition.as_ref().map(condition_of).transpose()?;
        let Some(condition) = asked.filter(|condition| !names_of(condition).is_empty()) else { return Ok(()) };
        Ok(check_asked(&condition, None, &self.segments()?)?)
    }
}
