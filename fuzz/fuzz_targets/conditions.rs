//! A condition as text: it is refused at a place of its own, or says what the text and the JSON say that are written of it.
#![no_main]

use endcap_targeting::compile::condition_of;
use endcap_targeting::condition_json::to_json;
use endcap_targeting::text::{parse, print};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match parse(text) {
        Ok(condition) => {
            assert_eq!(parse(&print(&condition)).as_ref(), Ok(&condition));
            assert_eq!(condition_of(&to_json(&condition)).as_ref(), Ok(&condition));
        }
        Err(error) => assert!(error.at <= text.chars().count() && !error.message.is_empty()),
    }
});
