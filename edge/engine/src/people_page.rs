//! A page of people whom several shards told of.

/// The first `limit` of what shards found, each of which was asked for one more, and where to go on. People come in the order of their
/// profiles' IDs, which stays the same when buckets move.
#[must_use]
pub fn people_page<T>(mut found: Vec<T>, limit: usize, profile_id: fn(&T) -> &str) -> (Vec<T>, Option<String>) {
    found.sort_by(|one, other| profile_id(one).cmp(profile_id(other)));
    // Somebody who moves from one shard to another is at both for a moment.
    found.dedup_by(|one, other| profile_id(one) == profile_id(other));
    let more = found.len() > limit;
    found.truncate(limit);
    let cursor = found.last().filter(|_| more).map(|one| profile_id(one).to_owned());
    (found, cursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_whatever_shard_they_come_from() {
        let names: Vec<String> = (10..60).map(|n| format!("p-{n}")).collect();
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let mut found: Vec<String> = names.iter().rev().filter(|name| **name > after).cloned().collect();
            found.extend(found.first().cloned());
            let (people, cursor) = people_page(found, 7, |name| name);
            seen.extend(people);
            let Some(cursor) = cursor else { break };
            after = cursor;
        }
        assert_eq!(seen, names);
    }
}
