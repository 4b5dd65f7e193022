//! What was learned, as it is stored: any bytes are refused, or give a log row and a model that learn on and recommend.
#![no_main]

use std::collections::BTreeSet;

use endcap_engine::shop::Snapshot;
use endcap_engine::shop::snapshot::{Catalogue, WireSnapshot};
use endcap_models::lifecycle::Config;
use endcap_models::lifecycle::GapHistogram;
use endcap_models::recommend::Model;
use endcap_models::recommend::{Request, recommend};
use endcap_profile::Signal;
use endcap_validation::read_json;
use libfuzzer_sys::fuzz_target;

/// A slot's products.
const LIMIT: usize = 4;

/// The model as the `Shop` object stores it: version, model, gaps between orders.
type Learned = (u64, Model, GapHistogram);

fn ask(model: &Model, catalogue: &Catalogue, context: &[&str]) {
    let request = Request { context, exclude: &BTreeSet::new(), limit: LIMIT };
    let picked = recommend(model, catalogue, &request);
    assert!(picked.len() <= LIMIT);
    let ids: BTreeSet<&str> = picked.iter().map(|pick| pick.item.as_str()).collect();
    assert_eq!(ids.len(), picked.len(), "a product fills one place");
    assert!(!context.iter().any(|id| ids.contains(id)), "nobody is shown what they look at");
}

fuzz_target!(|input: (&[u8], &[u8], &[u8])| {
    let (model, log, snapshot) = input;
    let (_, mut model, mut gaps) = postcard::from_bytes::<Learned>(model).unwrap_or_default();
    let before = model.clone();
    if let Ok((_, signals)) = postcard::from_bytes::<(Vec<&str>, Vec<Signal>)>(log) {
        signals.iter().for_each(|signal| signal.teach(&mut model, &mut gaps));
    }
    let mut both = before;
    both.merge(&model);
    assert!(gaps.cycle_ms(&Config::default()) > 0);
    let written = postcard::to_allocvec(&(1_u64, &model, &gaps)).expect("what was learned can be stored");
    assert_eq!(postcard::from_bytes::<Learned>(&written), Ok((1, model.clone(), gaps)));

    let wire = read_json::<WireSnapshot>(snapshot);
    let shop = wire.ok().and_then(|wire| Snapshot::empty().with(wire).ok()).unwrap_or_else(Snapshot::empty);
    let top: Vec<String> = model.sellers.top(3, |_| true).into_iter().map(str::to_owned).collect();
    let context: Vec<&str> = top.iter().map(String::as_str).collect();
    ask(&model, &shop.catalogue, &context);
    ask(&shop.model, &shop.catalogue, &[]);
});
