//! Bodies of the server API: any bytes are refused with a code, or give something that is saved and read back.
#![no_main]

use endcap_engine::shop::campaign::Definition;
use endcap_engine::shop::product::Products;
use endcap_engine::shop::{Campaign, Settings};
use endcap_protocol::CampaignId;
use endcap_validation::read_json;
use libfuzzer_sys::fuzz_target;

/// Settings without the one member that may hold any JSON: the last bit of a number with many digits can differ once it was
/// written and read again.
fn without_trigger(mut settings: Settings) -> Settings {
    settings.push_prompt.trigger = serde_json::Value::Null;
    settings
}

fuzz_target!(|body: &[u8]| {
    if let Ok(products) = read_json::<Products>(body) {
        let _ = products.check();
    }
    if let Ok(settings) = read_json::<Settings>(body) {
        let right = settings.check();
        let written = serde_json::to_vec(&settings).expect("settings can be stored");
        let again: Settings = read_json(&written).expect("what was written is read");
        assert_eq!((again.check(), without_trigger(again)), (right, without_trigger(settings)));
    }
    if let Ok(definition) = read_json::<Definition>(body) {
        let id = CampaignId::parse("c1").expect("a good ID");
        if let Ok(campaign) = Campaign::new(id, 1, definition) {
            let program = &campaign.compiled.program;
            let travelled = endcap_targeting::Program::decode(&program.encode());
            assert_eq!(travelled.as_ref(), Ok(program));
            let leaves = endcap_targeting::evaluate::leaves(&program.condition);
            assert_eq!(leaves, campaign.compiled.labels.len());
        }
    }
});
