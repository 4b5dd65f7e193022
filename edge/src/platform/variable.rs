//! One variable or secret of the deployment.

use worker::Env;

/// A variable's text; none where it is empty.
pub(super) fn text(env: &Env, name: &str) -> Option<String> {
    env.var(name).ok().map(|value| value.to_string()).filter(|value| !value.is_empty())
}
