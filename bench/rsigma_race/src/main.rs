//! rsigma over a directory of Sigma rules and a file of events, one JSON object a line; see `bench/rsigma.py`.
//!
//! Writes one JSON object: how many rules it took, seconds of processor time for all events (the fastest of its
//! ways to pass over rules), and for each rule the numbers of the events that it matched.

use std::collections::BTreeMap;
use std::{env, fs, path::Path};

use rsigma_eval::{event::JsonEvent, Engine};
use rsigma_parser::{parse_sigma_directory, LogSource};
use serde_json::{json, Value};

/// Nanoseconds that this thread has run.
fn ran() -> u64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").expect("schedstat");
    stat.split(' ').next().and_then(|ran| ran.parse().ok()).expect("a number")
}

fn source(event: &Value) -> LogSource {
    let of = |name: &str| event.get(name).and_then(Value::as_str).map(str::to_owned);
    LogSource { product: of("product"), service: of("service"), category: of("category"), ..Default::default() }
}

fn main() {
    let given: Vec<String> = env::args().collect();
    let rules = parse_sigma_directory(Path::new(&given[1])).expect("rules");
    let lines = fs::read_to_string(&given[2]).expect("events");
    let events: Vec<(Value, LogSource)> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .map(|event| { let from = source(&event); (event, from) })
        .collect();
    let mut best = u64::MAX;
    let mut taken = 0;
    let mut matches: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (bloom, automaton) in [(false, false), (true, false), (false, true)] {
        let mut engine = Engine::new();
        engine.set_bloom_prefilter(bloom);
        engine.set_cross_rule_ac(automaton);
        engine.add_rules(&rules.rules);
        taken = engine.rule_count();
        matches.clear();
        let began = ran();
        for (number, (event, from)) in events.iter().enumerate() {
            for found in engine.evaluate_with_logsource(&JsonEvent::borrow(event), from) {
                matches.entry(found.header.rule_id.unwrap_or_default()).or_default().push(number);
            }
        }
        best = best.min(ran() - began);
    }
    println!("{}", json!({"rules": taken, "seconds": best as f64 / 1e9, "matches": matches}));
}
