//! People who are put on a list, as JSON and as CSV: each is read, or named with why not, and a request names so many at most.
#![no_main]

use endcap_engine::segment::list_change::{ListLines, MAX_PEOPLE};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let with_head = [b"user_id;email\n".as_slice(), body].concat();
    let read = [ListLines::of_json(body), ListLines::of_csv(body, true), ListLines::of_csv(&with_head, false)];
    for ListLines { lines, problems } in read.into_iter().flatten() {
        assert!(lines.len() + problems.len() <= MAX_PEOPLE);
        assert!(
            lines.iter().map(|line| &line.place).chain(problems.iter().map(|one| &one.place)).all(|at| !at.is_empty())
        );
    }
});
