//! A failing seed made small: whatever can be left out is left out.

use crate::random::Random;
use crate::run::{Failure, Faults, Setting, judge};
use crate::script::Script;

/// Schedules that are tried for each smaller script: another script takes another course.
const SCHEDULES: u64 = 40;

fn fails(script: &Script, seed: u64, faults: Faults, with: &Setting) -> Option<u64> {
    let mut random = Random::new(seed);
    let others = std::iter::repeat_with(|| random.below(usize::MAX) as u64).take(SCHEDULES as usize);
    std::iter::once(seed).chain(others.collect::<Vec<_>>()).find(|seed| judge(script, *seed, faults, with).is_err())
}

/// Every script with one thing less.
fn smaller(script: &Script) -> Vec<Script> {
    let mut all = Vec::new();
    for sender in 0..script.senders.len() {
        let mut less = script.clone();
        less.senders.remove(sender);
        all.push(less);
        for batch in 0..script.senders[sender].batches.len() {
            let mut less = script.clone();
            less.senders[sender].batches.remove(batch);
            all.push(less);
            for event in 0..script.senders[sender].batches[batch].len() {
                let mut less = script.clone();
                less.senders[sender].batches[batch].remove(event);
                all.push(less);
            }
        }
    }
    all
}

/// The smallest script and the gentlest network that still fail, with the steps that lead there.
pub(crate) fn shrink(script: &Script, seed: u64, faults: Faults, with: &Setting) -> (Script, Faults, Failure) {
    let (mut script, mut seed, mut faults) = (script.clone(), seed, faults);
    let gentler = [
        |f: Faults| Faults { lost: 0, ..f },
        |f: Faults| Faults { twice: 0, ..f },
        |f: Faults| Faults { crash: 0, ..f },
    ];
    for gentler in gentler {
        let less = gentler(faults);
        if let Some(found) = fails(&script, seed, less, with) {
            (faults, seed) = (less, found);
        }
    }
    while let Some((less, found)) = smaller(&script)
        .into_iter()
        .find_map(|less| Some((fails(&less, seed, faults, with)?, less)).map(|(s, l)| (l, s)))
    {
        (script, seed) = (less, found);
    }
    let traced = Setting { trace: true, ..with.clone() };
    let failure = judge(&script, seed, faults, &traced).err();
    let none = || Failure { what: "it passes when traced".to_owned(), steps: Vec::new() };
    (script, faults, failure.unwrap_or_else(none))
}
