//! `GET /api/segments/{id}/export`: all people of a segment as a stream, so that none has to be held at once.

use std::collections::VecDeque;

use endcap_engine::segment::SavedSegment;
use endcap_engine::segment::members::{CSV_HEAD, Member};
use endcap_protocol::FieldError;
use futures_util::stream::try_unfold;
use worker::{Response, ResponseBuilder, Stub};

use super::segment_named;
use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::platform::query::Query;
use crate::rpc::segments::MembersAsk;
use crate::rpc::{call, shards};

/// Lines of one piece of the stream.
const LINES: usize = 200;
/// People whom a shard tells of at a time: platforms bound how often one request may ask.
const PIECE: usize = 2_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Ndjson,
}

impl Format {
    fn parse(text: Option<&str>) -> Result<Self, FieldError> {
        match text {
            None | Some("csv") => Ok(Self::Csv),
            Some("ndjson") => Ok(Self::Ndjson),
            Some(_) => Err(FieldError::new("format", "must be csv or ndjson")),
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
        }
    }

    fn line(self, member: &Member) -> Result<String, EdgeError> {
        match self {
            Self::Csv => Ok(member.csv()),
            Self::Ndjson => Ok(format!("{}\n", serde_json::to_string(member)?)),
        }
    }
}

/// The stream.
pub(super) async fn export(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let url = incoming.url();
    let format = Format::parse(Query::of(&url).get("format").as_deref())?;
    let saved = segment_named::one(&incoming).await?;
    let stubs = shards::all_shards(incoming.env).await?;
    let sources = stubs.into_iter().map(|stub| Source { stub, members: VecDeque::new(), after: Some(String::new()) });
    let head = if format == Format::Csv { CSV_HEAD.to_owned() } else { String::new() };
    let merge = Merge { segment: saved, sources: sources.collect(), last: String::new() };
    let stream = try_unfold((merge, head), move |(mut merge, mut text)| async move {
        let mut lines = 0;
        while lines < LINES {
            let Some(member) = merge.next().await? else { break };
            text.push_str(&format.line(&member)?);
            lines += 1;
        }
        let piece = (!text.is_empty()).then_some(text);
        Ok::<_, EdgeError>(piece.map(|piece| (piece.into_bytes(), (merge, String::new()))))
    });
    let builder = ResponseBuilder::new()
        .with_header("content-type", format.media_type())?
        .with_header("cache-control", "no-store")?;
    Ok(builder.from_stream(stream)?)
}

/// A shard with the members that were read of it and are not told yet.
struct Source {
    stub: Stub,
    members: VecDeque<Member>,
    /// The last one that was read; None at the end.
    after: Option<String>,
}

/// The members of all shards in the order of their profiles' IDs. Somebody who moves to another shard meanwhile comes once.
struct Merge {
    segment: SavedSegment,
    sources: Vec<Source>,
    last: String,
}

impl Merge {
    async fn next(&mut self) -> Result<Option<Member>, EdgeError> {
        loop {
            for source in &mut self.sources {
                source.read_more(&self.segment).await?;
            }
            let next = self.sources.iter_mut().filter(|source| !source.members.is_empty());
            let next = next.min_by(|one, other| one.first_id().cmp(&other.first_id()));
            let Some(member) = next.and_then(|source| source.members.pop_front()) else { return Ok(None) };
            if member.profile_id > self.last {
                self.last.clone_from(&member.profile_id);
                return Ok(Some(member));
            }
        }
    }
}

impl Source {
    fn first_id(&self) -> Option<&str> {
        self.members.front().map(|member| member.profile_id.as_str())
    }

    async fn read_more(&mut self, segment: &SavedSegment) -> Result<(), EdgeError> {
        let Some(after) = self.after.take_if(|_| self.members.is_empty()) else { return Ok(()) };
        let ask = MembersAsk { segment: segment.id.clone(), born: segment.born, after, limit: PIECE };
        let members = call::ask(&self.stub, &ask).await?;
        let is_full = members.len() == PIECE;
        self.after = members.last().filter(|_| is_full).map(|member| member.profile_id.clone());
        self.members = members.into();
        Ok(())
    }
}
