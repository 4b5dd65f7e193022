//! `POST /api/segments/preview`: how many people a condition describes, as a stream: an estimate first, then the exact number as
//! it comes in.

use endcap_engine::segment::definition::{check_asked, names_of};
use endcap_engine::segment::preview::{PreviewAsk, PreviewLine, PreviewState, SHARE, Tally};
use endcap_engine::shop::event_queries::queries_of;
use endcap_protocol::UnixMillis;
use endcap_validation::{DomainError, read_json};
use futures_util::future::join_all;
use futures_util::stream::unfold;
use worker::{Response, ResponseBuilder, Stub};

use super::config_body::config_body;
use super::segment_named;
use crate::http::incoming::Incoming;
use crate::platform::clock;
use crate::platform::config::config;
use crate::platform::error::EdgeError;
use crate::rpc::segments::{CountAsk, CountPage};
use crate::rpc::{call, shards};

/// How long a part of the people is counted for the estimate, in milliseconds.
const ESTIMATE_MS: UnixMillis = 1_200;

/// The stream.
pub(super) async fn preview(mut incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let ask = read_json::<PreviewAsk>(&config_body(&mut incoming).await?)?.checked()?;
    let (condition, named) = (ask.condition()?, ask.segment.as_ref());
    if named.is_some() || !names_of(&condition).is_empty() {
        let saved = segment_named::saved(incoming.env).await?.segments;
        if named.is_some_and(|named| !saved.iter().any(|segment| segment.id == *named)) {
            return Err(DomainError::NotFound("segment").into());
        }
        check_asked(&condition, named, &saved)?;
    }
    let stubs = shards::all_shards(incoming.env).await?;
    let log_ms = (!queries_of(&condition).is_empty()).then(|| config(incoming.env).log_ms());
    let preview = Preview { ask, log_ms, stubs, step: Step::Estimate, all: None, tally: Tally::default() };
    let stream = unfold(preview, |mut preview| async move {
        let line = preview.next().await?;
        let line = PreviewLine { events_since: preview.log_ms.map(|log_ms| line.as_of - log_ms), ..line };
        let text = serde_json::to_string(&line).map(|text| format!("{text}\n").into_bytes());
        Some((text.map_err(EdgeError::from), preview))
    });
    let builder = ResponseBuilder::new()
        .with_header("content-type", "application/x-ndjson")?
        .with_header("cache-control", "no-store")?;
    Ok(builder.from_stream(stream)?)
}

/// What comes next.
enum Step {
    /// The estimate.
    Estimate,
    /// People of a shard, after a profile.
    Count { shard: usize, after: String },
    /// Nothing.
    End,
}

struct Preview {
    ask: PreviewAsk,
    /// How long the log is kept, in milliseconds, if the condition asks for events.
    log_ms: Option<UnixMillis>,
    stubs: Vec<Stub>,
    step: Step,
    /// All people there are, once that is known.
    all: Option<u64>,
    /// People who were counted one by one.
    tally: Tally,
}

impl Preview {
    fn compares(&self) -> bool {
        self.ask.segment.is_some()
    }

    async fn next(&mut self) -> Option<PreviewLine> {
        if matches!(self.step, Step::Estimate) {
            self.step = Step::Count { shard: 0, after: String::new() };
            match self.estimate().await {
                Ok(Some(line)) => return Some(line),
                Ok(None) => {}
                Err(error) => return Some(self.failed(&error)),
            }
        }
        let Step::Count { shard, after } = std::mem::replace(&mut self.step, Step::End) else { return None };
        match self.count(shard, after).await {
            Ok(()) => {}
            Err(error) => return Some(self.failed(&error)),
        }
        let is_over = matches!(self.step, Step::End);
        let state = if is_over { PreviewState::Exact } else { PreviewState::Counting };
        let all = if is_over { Some(self.tally.looked_at) } else { self.all };
        Some(PreviewLine::counted(state, &self.tally, all, self.compares(), clock::now()))
    }

    fn failed(&mut self, error: &EdgeError) -> PreviewLine {
        worker::console_error!("counting for a preview: {error}");
        self.step = Step::End;
        PreviewLine::counted(PreviewState::Failed, &self.tally, self.all, self.compares(), clock::now())
    }

    /// Counts a part of the people of all shards at a time.
    async fn estimate(&mut self) -> Result<Option<PreviewLine>, EdgeError> {
        let until = clock::now() + ESTIMATE_MS;
        let shares = join_all(self.stubs.iter().map(|stub| share(stub, &self.ask, until))).await;
        let (mut tally, mut passed, mut read) = (Tally::default(), 0, 0);
        for part in shares {
            let part = part?;
            tally.add(part.tally);
            passed += part.passed;
            read += part.read;
        }
        // Some profiles stand for nobody any more: they became part of another.
        self.all = (passed * tally.looked_at).checked_div(read);
        let line = |all| PreviewLine::estimated(&tally, all, self.compares(), clock::now());
        Ok(self.all.and_then(line))
    }

    /// Counts some people of a shard, and says where to go on.
    async fn count(&mut self, shard: usize, after: String) -> Result<(), EdgeError> {
        let Some(stub) = self.stubs.get(shard) else { return Ok(()) };
        let ask = CountAsk { ask: self.ask.clone(), after, share: None };
        let CountPage { tally, next, .. } = call::ask(stub, &ask).await?;
        self.tally.add(tally);
        self.step = match next {
            Some(after) => Step::Count { shard, after },
            None if shard + 1 < self.stubs.len() => Step::Count { shard: shard + 1, after: String::new() },
            None => Step::End,
        };
        Ok(())
    }
}

/// Counts a share of a shard's people. One that is not through in time counts for as many people as are known to be there.
async fn share(stub: &Stub, ask: &PreviewAsk, until: UnixMillis) -> Result<CountPage, EdgeError> {
    let mut all = CountPage { tally: Tally::default(), passed: 0, read: 0, known: 0, next: Some(String::new()) };
    while let Some(after) = all.next.take() {
        let page = call::ask(stub, &CountAsk { ask: ask.clone(), after, share: Some(SHARE) }).await?;
        all.tally.add(page.tally);
        all.passed += page.passed;
        all.read += page.read;
        all.next = page.next;
        if all.next.is_some() && clock::now() > until {
            all.passed = all.passed.max(page.known);
            break;
        }
    }
    Ok(all)
}
