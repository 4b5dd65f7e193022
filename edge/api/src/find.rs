//! Finding the route of a request.

use super::method::Method;
use super::operation::Operation;
use super::role::Role;

/// How paths below the prefix begin in the table.
const PREFIX: &str = "/ec";

/// Where a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Below the prefix, on the shop's own host name; the prefix is taken off.
    BelowPrefix,
    /// On the host name of the server API.
    Server,
}

/// A route that was found, with what its parameter stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<'a> {
    /// What is to be done.
    pub operation: Operation,
    /// The parameter of the path as it stands there; empty where the path has none.
    pub parameter: &'a str,
}

/// Why no route was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRoute {
    /// No route has this path.
    Path,
    /// The path's operations take other methods: these.
    Method(Vec<Operation>),
}

impl NoRoute {
    /// The methods that the path's operations take.
    #[must_use]
    pub fn methods(&self) -> Vec<Method> {
        match self {
            Self::Path => Vec::new(),
            Self::Method(operations) => operations.iter().map(|operation| operation.route().method).collect(),
        }
    }
}

/// Finds the route of a method and a path. Of two routes that fit, the one without a parameter counts.
///
/// # Errors
/// Why there is none.
pub fn find<'a>(side: Side, method: &str, path: &'a str) -> Result<Found<'a>, NoRoute> {
    let mut fitting = Vec::new();
    for operation in Operation::ALL {
        if let Some(parameter) = pattern(side, *operation).and_then(|pattern| fit(pattern, *operation, path)) {
            fitting.push(Found { operation: *operation, parameter });
        }
    }
    // A path without a parameter hides those with one, for every method.
    if fitting.iter().any(|found| is_plain(found.operation)) {
        fitting.retain(|found| is_plain(found.operation));
    }
    if fitting.is_empty() {
        return Err(NoRoute::Path);
    }
    let taking = fitting.iter().find(|found| found.operation.route().method.takes(method));
    taking.copied().ok_or_else(|| NoRoute::Method(fitting.iter().map(|found| found.operation).collect()))
}

fn is_plain(operation: Operation) -> bool {
    !operation.route().path.contains('{')
}

/// The path to compare with on one side. The vendors' routes are on both.
fn pattern(side: Side, operation: Operation) -> Option<&'static str> {
    let route = operation.route();
    match (side, route.path.strip_prefix(PREFIX).filter(|rest| rest.starts_with('/'))) {
        (Side::BelowPrefix, Some(rest)) => Some(rest),
        (Side::BelowPrefix, None) => Some(route.path).filter(|_| route.role == Role::WriteKey),
        (Side::Server, Some(_)) => None,
        (Side::Server, None) => Some(route.path),
    }
}

/// The parameter of a path that fits a pattern. The vendors' clients may end theirs with a slash.
fn fit<'a>(pattern: &str, operation: Operation, path: &'a str) -> Option<&'a str> {
    let vendors = operation.route().role == Role::WriteKey;
    let path = if vendors { path.strip_suffix('/').unwrap_or(path) } else { path };
    let Some((before, rest)) = pattern.split_once('{') else { return (pattern == path).then_some("") };
    let (name, after) = rest.split_once('}')?;
    let parameter = path.strip_prefix(before)?.strip_suffix(after)?;
    // A path that ends with one name may end with a slash.
    let ends = after.is_empty() && !name.ends_with('*');
    let parameter = if ends { parameter.strip_suffix('/').unwrap_or(parameter) } else { parameter };
    let whole = name.ends_with('*') || !parameter.contains('/');
    (whole && !(vendors && parameter.is_empty())).then_some(parameter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn server<'a>(method: &str, path: &'a str) -> Result<Found<'a>, NoRoute> {
        find(Side::Server, method, path)
    }

    #[test]
    fn every_route_is_found_by_its_own_path_and_method() {
        for operation in Operation::ALL {
            let route = operation.route();
            let path = route.path.replace("{id*}", "x").replace("{id}", "x").replace("{source*}", "x");
            let path = path.replace("{key}", "x").replace("{file}", "x").replace("{model}", "x");
            let (side, path) = match path.strip_prefix("/ec/") {
                Some(rest) => (Side::BelowPrefix, format!("/{rest}")),
                None => (Side::Server, path),
            };
            let found = find(side, route.method.as_str(), &path).unwrap();
            assert_eq!(found.operation, *operation, "{path}");
            assert_eq!(found.parameter, if is_plain(*operation) { "" } else { "x" }, "{path}");
        }
    }

    #[test]
    fn operations_of_one_path_have_one_role() {
        for operation in Operation::ALL {
            let route = operation.route();
            let others = Operation::ALL.iter().map(|other| other.route()).filter(|other| other.path == route.path);
            assert!(others.into_iter().all(|other| other.role == route.role), "{}", route.path);
        }
    }

    #[test]
    fn names_and_paths_are_said_once() {
        let mut names = std::collections::BTreeSet::new();
        let mut routes = std::collections::BTreeSet::new();
        for route in Operation::ALL.iter().map(|operation| operation.route()) {
            assert!(names.insert(route.id), "{}", route.id);
            assert!(routes.insert((route.method, route.path)), "{}", route.path);
        }
    }

    #[test]
    fn what_is_written_out_hides_a_parameter() {
        assert_eq!(server("POST", "/api/profiles/unmerge").unwrap().operation, Operation::Unmerge);
        assert_eq!(server("GET", "/api/profiles/unmerge"), Err(NoRoute::Method(vec![Operation::Unmerge])));
        assert_eq!(server("GET", "/api/quarantine/counts").unwrap().operation, Operation::CountRefused);
    }

    #[test]
    fn other_methods_are_named() {
        let methods = [Method::Get, Method::Put, Method::Delete];
        assert_eq!(server("POST", "/api/campaigns/a").unwrap_err().methods(), methods);
        assert_eq!(server("HEAD", "/healthz").unwrap().operation, Operation::Health);
        assert_eq!(server("HEAD", "/api/settings").unwrap_err().methods(), [Method::Get, Method::Put]);
    }

    #[test]
    fn a_parameter_is_one_segment_or_all_that_is_left() {
        assert_eq!(server("GET", "/api/profiles/a/b"), Err(NoRoute::Path));
        assert_eq!(server("GET", "/api/profiles/a%2Fb").unwrap().parameter, "a%2Fb");
        assert_eq!(server("GET", "/api/campaigns/a/b").unwrap().parameter, "a/b");
        assert_eq!(server("GET", "/api/campaigns/").unwrap().parameter, "");
        assert_eq!(server("DELETE", "/api/profiles/a/").unwrap().parameter, "a");
        assert_eq!(server("GET", "/api/profiles/a//"), Err(NoRoute::Path));
        for path in ["/", "/v1", "/v1/", "/v1/x", "/v1/projects//settings", "/v1/projects/a/b/settings", "/v2/track"] {
            assert_eq!(server("POST", path), Err(NoRoute::Path), "{path}");
        }
    }

    #[test]
    fn the_vendors_routes_are_on_both_sides_and_may_end_with_a_slash() {
        for side in [Side::Server, Side::BelowPrefix] {
            assert_eq!(find(side, "GET", "/sourceConfig/").unwrap().operation, Operation::GetSourceConfig);
            let settings = find(side, "GET", "/v1/projects/k%2d1/settings").unwrap();
            assert_eq!((settings.operation, settings.parameter), (Operation::GetClientSettings, "k%2d1"));
        }
        assert_eq!(find(Side::BelowPrefix, "GET", "/api/settings"), Err(NoRoute::Path));
        assert_eq!(find(Side::Server, "POST", "/ec/e"), Err(NoRoute::Path));
    }

    proptest! {
        #[test]
        fn no_path_panics(side in any::<bool>(), method in "[A-Z]{0,7}", path in "(/[a-z0-9%{}*.]{0,12}){0,6}") {
            let side = if side { Side::Server } else { Side::BelowPrefix };
            let _ = find(side, &method, &path);
        }
    }
}
