//! Whether this deployment is laid out as its data is.
//!
//! Role in the flow of one event: asked once per isolate, before any object is touched that the layout chooses. A
//! deployment with another number of profile objects, or another jurisdiction, answers 503 to everything that needs
//! them: it would find nobody, and write where nothing is looked for.

use std::cell::Cell;

use endcap_engine::layout::Layout;
use serde::{Deserialize, Serialize};
use worker::Env;

use crate::config::config;
use crate::fault::Fault;
use crate::objects;

thread_local! {
    /// The strongest use that was allowed in this isolate.
    static ALLOWED: Cell<Option<Use>> = const { Cell::new(None) };
}

/// What the objects are needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Use {
    /// Reading: a deployment without data may be laid out in any way.
    Read,
    /// Writing: from now on the data has this layout.
    Write,
}

/// What the registry is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ask {
    /// The layout that is set.
    pub(crate) layout: Layout,
    /// What it is needed for.
    pub(crate) needed: Use,
}

/// What the registry knows.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Known {
    /// The layout that the data was written with; None: there is no data.
    pub(crate) written: Option<Layout>,
}

/// Whether this isolate was allowed to use the objects so.
pub(crate) fn is_checked(needed: Use) -> bool {
    ALLOWED.get().is_some_and(|allowed| allowed >= needed)
}

/// Refuses a deployment whose layout is not its data's.
pub(crate) async fn check(env: &Env, needed: Use) -> Result<(), Fault> {
    if is_checked(needed) {
        return Ok(());
    }
    let ask = Ask { layout: config(env).layout.clone(), needed };
    let known: Known = objects::ask(&objects::registry(env)?, "/layout", &ask).await?;
    ask.layout.check(known.written.as_ref())?;
    ALLOWED.set(Some(needed));
    Ok(())
}
