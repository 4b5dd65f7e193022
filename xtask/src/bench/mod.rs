//! `cargo xtask bench page` measures what we cost a page ([`page`]), `cargo xtask bench ingest` batches per second of the
//! worker ([`ingest`]), `cargo xtask bench identity` logins and lookups ([`identity`]), `cargo xtask bench hostile` the most expensive
//! requests that anybody may send ([`hostile`]), `cargo xtask bench persons` what a batch costs of a person
//! of many browsers and of a browser of many events ([`persons`]), `cargo xtask bench scores` a fit of the scores
//! ([`scores`]), `cargo xtask bench segments` what segments cost ([`segments`]), `cargo xtask bench replay` a year of a shop ([`replay`]). `cargo xtask bench --check` watches
//! all ratios ([`guard`]).

mod api;
mod batch;
mod cpu;
mod filled;
mod guard;
mod hostile;
mod identity;
mod ingest;
mod load;
mod page;
mod persons;
mod replay;
mod runtime;
mod scores;
mod segments;
pub(crate) mod start_up;

use anyhow::{Result, bail};

use crate::project::Project;

/// `cargo xtask bench ingest|page|identity|hostile|persons|scores|segments|replay|--check`.
pub(crate) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    match arguments.split_first().map(|(what, rest)| (what.as_str(), rest)) {
        Some(("ingest", rest)) => ingest::command(project, rest),
        Some(("page", rest)) => page::command(project, rest),
        Some(("identity", rest)) => identity::command(project, rest),
        Some(("hostile", [])) => hostile::command(project),
        Some(("persons", [])) => persons::command(project),
        Some(("scores", rest)) => scores::command(project, rest),
        Some(("segments", rest)) => segments::command(project, rest),
        Some(("replay", rest)) => replay::command(project, rest),
        Some(("--check", [])) => guard::command(project),
        _ => bail!(
            "usage: cargo xtask bench ingest [--json] [--seconds N], page [--json] [--runs N], identity [--profiles N], \
             hostile, persons, scores [--customers N], segments [--people N], replay [--customers N], or --check"
        ),
    }
}
