//! `cargo xtask eval`: how good the models are on a file of orders.

#[cfg(test)]
mod golden;
mod print;
mod transactions;

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use endcap_models::evaluation::{NoReport, purchase, score, stages};
use endcap_models::purchase::PURCHASE_DAYS;
use serde_json::{Value, json};

pub(crate) use transactions::name_of;
use transactions::{Transactions, day_named};

/// How many days a file is looked at without `--at`.
const CUTS: i64 = 5;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Score { file: PathBuf, split: i64 },
    Stages { file: PathBuf, at: i64 },
    Purchase { file: PathBuf, at: Vec<i64> },
}

/// Options as they stand on the command line.
#[derive(Debug, Default)]
struct Options {
    file: Option<PathBuf>,
    days: Vec<i64>,
    json: bool,
}

impl Options {
    fn name(&mut self, file: &str) -> Result<()> {
        if let Some(other) = self.file.replace(file.into()) {
            bail!("two files are named, {} and {file}: one is evaluated at a time", other.display());
        }
        Ok(())
    }
}

/// Runs the command.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let (asked, as_json) = read(arguments)?;
    let report = report(&asked)?;
    let text = if as_json { format!("{report:#}\n") } else { print::text_of(&report) };
    std::io::stdout().write_all(text.as_bytes()).context("cannot print")
}

fn read(arguments: &[String]) -> Result<(Asked, bool)> {
    let usage = "eval score --transactions FILE --split DATE, eval stages FILE --at DATE, or \
                 eval purchase FILE [--at DATE …]; each with --json if you like";
    let (what, rest) = arguments.split_first().context(usage)?;
    let date = if what == "score" { "--split" } else { "--at" };
    let options = options(rest, date)?;
    let file = options.file.with_context(|| format!("no file is named: {usage}"))?;
    let one = |what: &str| match options.days.as_slice() {
        [day] => Ok(*day),
        _ => bail!("{what} takes one DATE, as 2011-12-10: {usage}"),
    };
    let asked = match what.as_str() {
        "score" => Asked::Score { file, split: one("--split")? },
        "stages" => Asked::Stages { file, at: one("--at")? },
        "purchase" => Asked::Purchase { file, at: options.days },
        other => bail!("`{other}` cannot be evaluated: {usage}"),
    };
    Ok((asked, options.json))
}

fn options(arguments: &[String], date: &str) -> Result<Options> {
    let mut options = Options::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().with_context(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--json" => options.json = true,
            option if option == date => options.days.push(day_named(value()?)?),
            "--transactions" => options.name(value()?)?,
            other if other.starts_with('-') => bail!("unknown option `{other}`"),
            file => options.name(file)?,
        }
    }
    Ok(options)
}

fn report(asked: &Asked) -> Result<Value> {
    let (Asked::Score { file, .. } | Asked::Stages { file, .. } | Asked::Purchase { file, .. }) = asked;
    let transactions = Transactions::read(file)?;
    let about = json!({"file": file, "orders": transactions.orders(), "left_out": transactions.left_out()});
    let report = match asked {
        Asked::Score { split, .. } => {
            let report = score(&transactions.purchase_days(), *split, transactions::MINOR);
            let report = report.with_context(|| format!("nobody had ordered by {}", name_of(*split)))?;
            merged(json!({"split": name_of(*split)}), serde_json::to_value(report)?)
        }
        Asked::Stages { at, .. } => {
            let report = stages(&transactions.customers(), *at);
            if report.customers == 0 {
                bail!("nobody had ordered before {}", name_of(*at));
            }
            merged(json!({"at": name_of(*at)}), serde_json::to_value(report)?)
        }
        Asked::Purchase { at, .. } => json!({"cuts": cuts(&transactions, at)?}),
    };
    Ok(merged(about, report))
}

/// The score of purchase at each day, and why one was left out.
fn cuts(transactions: &Transactions, at: &[i64]) -> Result<Vec<Value>> {
    let (first, last) = transactions.span().context("the file has no orders")?;
    // The last day that two weeks follow, and others spread over the second half before it.
    let end = last - PURCHASE_DAYS;
    let spread = (end - first).max(0) / 2 / CUTS;
    let mut days: Vec<i64> =
        if at.is_empty() { (0..CUTS).rev().map(|n| end - n * spread).collect() } else { at.to_vec() };
    days.dedup();
    let customers = transactions.purchase_days();
    let of = |day: &i64| {
        let at = json!({"at": name_of(*day)});
        if *day > end {
            let why = format!("the orders end on {}, less than {PURCHASE_DAYS} days later", name_of(last));
            return Ok(merged(at, json!({"left_out": why})));
        }
        let why = match purchase(&customers, *day) {
            Ok(report) => return Ok(merged(at, serde_json::to_value(report)?)),
            Err(NoReport::TooFewBefore) => "in the four weeks before it fewer than 30 customers bought, or did not",
            Err(NoReport::OneOutcomeAfter) => "in the two weeks after it everybody bought, or nobody",
        };
        Ok(merged(at, json!({"left_out": why})))
    };
    days.iter().map(of).collect()
}

/// Two objects as one.
fn merged(mut one: Value, other: Value) -> Value {
    if let (Value::Object(one), Value::Object(other)) = (&mut one, other) {
        one.extend(other);
    }
    one
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn each_evaluation_takes_its_own_dates() {
        let day = day_named("2011-12-10").unwrap();
        let (asked, as_json) = read(&words("score --transactions a.csv --split 2011-12-10 --json")).unwrap();
        assert_eq!((asked, as_json), (Asked::Score { file: "a.csv".into(), split: day }, true));
        let (asked, _) = read(&words("stages a.csv --at 20111210")).unwrap();
        assert_eq!(asked, Asked::Stages { file: "a.csv".into(), at: day });
        let (asked, _) = read(&words("purchase a.csv --at 2011-12-10 --at 2011-12-11")).unwrap();
        assert_eq!(asked, Asked::Purchase { file: "a.csv".into(), at: vec![day, day + 1] });
        for wrong in [
            "",
            "score a.csv",
            "stages --at 2011-12-10",
            "stages a.csv --at soon",
            "value a.csv",
            "purchase a.csv --x",
            "stages a.csv b.csv --at 2011-12-10",
            "stages a.csv --split 2011-12-10",
        ] {
            assert!(read(&words(wrong)).is_err(), "{wrong}");
        }
    }
}
