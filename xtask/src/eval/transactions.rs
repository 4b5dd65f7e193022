//! A file of orders, as CSV: customer, date and amount, and if there is one the order.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta};
use csv::{ReaderBuilder, StringRecord};
use endcap_models::evaluation::PlacedOrder;
use endcap_models::lifecycle::DAY_MS;
use endcap_models::value::{PurchaseDay, PurchaseDays};
use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};

/// Amounts are kept in hundredths.
pub(crate) const MINOR: f64 = 100.0;

/// Names of columns, in lower case and without `_`, `-` and spaces.
const CUSTOMER: [&str; 4] = ["customerid", "customer", "userid", "id"];
const DATE: [&str; 6] = ["date", "orderdate", "timestamp", "datetime", "time", "invoicedate"];
const AMOUNT: [&str; 5] = ["amount", "revenue", "value", "total", "dollars"];
const ORDER: [&str; 5] = ["orderid", "order", "invoice", "invoiceno", "transactionid"];
/// Years that a date may be of: others are a misread order of its parts.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2200;

/// Where the columns are.
#[derive(Debug, Clone, Copy)]
struct Columns {
    customer: usize,
    date: usize,
    amount: usize,
    order: Option<usize>,
}

/// The orders of a file by customer. Lines of one order, by its ID, are one.
#[derive(Debug, Default)]
pub(crate) struct Transactions {
    customers: BTreeMap<String, Vec<PlacedOrder>>,
    no_customer: usize,
    negative: usize,
    /// Places of orders by customer, order ID and day: a shop may use an ID again.
    by_id: BTreeMap<(String, String, i64), usize>,
}

impl Transactions {
    /// Reads a file; one that ends in `.gz` is unpacked.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut text = String::new();
        let is_packed = path.extension().is_some_and(|extension| extension == "gz");
        let mut reader: Box<dyn Read> = if is_packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
        reader.read_to_string(&mut text).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> Result<Self> {
        let text = text.trim_start_matches('\u{feff}');
        let head = text.lines().find(|line| !line.trim().is_empty()).context("is empty")?;
        // Of equals the last is taken: a comma where there is none of all.
        let delimiter = [b'\t', b';', b','].into_iter().max_by_key(|it| head.bytes().filter(|byte| byte == it).count());
        let mut reader = ReaderBuilder::new();
        reader.delimiter(delimiter.unwrap_or(b',')).has_headers(false).flexible(true).trim(csv::Trim::All);
        let mut found = Self::default();
        let mut known: Option<Columns> = None;
        for record in reader.from_reader(text.as_bytes()).into_records() {
            let record = record?;
            let line = record.position().map_or(0, csv::Position::line);
            let columns = match known {
                Some(columns) => columns,
                None => {
                    let (columns, is_header) = columns(&record).with_context(|| format!("line {line}"))?;
                    known = Some(columns);
                    if is_header {
                        continue;
                    }
                    columns
                }
            };
            found.add(&record, columns).with_context(|| format!("line {line}"))?;
        }
        found.leave_out_negative();
        Ok(found)
    }

    /// Leaves out what was paid back on the whole: a return, or an order whose discounts exceed it.
    fn leave_out_negative(&mut self) {
        for orders in self.customers.values_mut() {
            let before = orders.len();
            orders.retain(|order| order.amount >= 0);
            self.negative += before - orders.len();
        }
        self.customers.retain(|_, orders| !orders.is_empty());
    }

    fn add(&mut self, record: &StringRecord, columns: Columns) -> Result<()> {
        let cell = |at: usize| record.get(at).unwrap_or_default();
        let customer = cell(columns.customer);
        if customer.is_empty() {
            self.no_customer += 1;
            return Ok(());
        }
        let (at, amount) = (time_named(cell(columns.date))?, amount_named(cell(columns.amount))?);
        let orders = self.customers.entry(customer.to_owned()).or_default();
        let id = columns.order.map(cell).filter(|id| !id.is_empty());
        let key = id.map(|id| (customer.to_owned(), id.to_owned(), at.div_euclid(DAY_MS)));
        if let Some(order) = key.as_ref().and_then(|key| orders.get_mut(*self.by_id.get(key)?)) {
            order.amount = order.amount.saturating_add(amount);
            order.at = order.at.min(at);
            return Ok(());
        }
        if let Some(key) = key {
            self.by_id.insert(key, orders.len());
        }
        orders.push(PlacedOrder { at, amount });
        Ok(())
    }

    /// How many orders there are.
    pub(crate) fn orders(&self) -> usize {
        self.customers.values().map(Vec::len).sum()
    }

    /// Lines and orders that were left out, and why. Groups leave out orders of 0 too.
    pub(crate) fn left_out(&self) -> Value {
        let zero = self.customers.values().flatten().filter(|order| order.amount == 0).count();
        json!({"without_customer": self.no_customer, "negative_amount": self.negative, "zero_amount_in_stages": zero})
    }

    /// Each customer's order days.
    pub(crate) fn purchase_days(&self) -> Vec<PurchaseDays> {
        let day = |order: &PlacedOrder| PurchaseDay { day: order.at.div_euclid(DAY_MS), amount: Some(order.amount) };
        self.customers.values().map(|orders| orders.iter().map(day).collect()).collect()
    }

    /// Each customer's orders.
    pub(crate) fn customers(&self) -> Vec<Vec<PlacedOrder>> {
        self.customers.values().cloned().collect()
    }

    /// The days of the first order and the last.
    pub(crate) fn span(&self) -> Option<(i64, i64)> {
        let days = || self.customers.values().flatten().map(|order| order.at.div_euclid(DAY_MS));
        Some((days().min()?, days().max()?))
    }
}

/// Where the columns are, and whether the line names them.
fn columns(first: &StringRecord) -> Result<(Columns, bool)> {
    let plain = |cell: &str| cell.to_lowercase().replace(['_', '-', ' '], "");
    let place = |names: &[&str]| names.iter().find_map(|name| first.iter().position(|cell| plain(cell) == *name));
    if let (Some(customer), Some(date), Some(amount)) = (place(&CUSTOMER), place(&DATE), place(&AMOUNT)) {
        return Ok((Columns { customer, date, amount, order: place(&ORDER) }, true));
    }
    if first.get(1).is_some_and(|cell| time_named(cell).is_ok()) {
        return Ok((Columns { customer: 0, date: 1, amount: 2, order: None }, false));
    }
    let head: Vec<&str> = first.iter().collect();
    bail!("expected the columns customer_id, date and amount, found {}", head.join(", "))
}

/// The day that a text names, since 1970-01-01.
pub(crate) fn day_named(text: &str) -> Result<i64> {
    Ok(time_named(text)?.div_euclid(DAY_MS))
}

/// A day as text.
pub(crate) fn name_of(day: i64) -> String {
    let date = TimeDelta::try_days(day).and_then(|days| NaiveDate::default().checked_add_signed(days));
    date.map_or_else(|| day.to_string(), |date| date.to_string())
}

/// Forms of a date and a time with a zone, of the same without one, and of a date alone.
const ZONED: [&str; 4] =
    ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z", "%Y-%m-%d %H:%M:%S%.f %#z", "%Y-%m-%d %H:%M:%S%.f%#z"];
const TIMES: [&str; 6] = [
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
];
const DATES: [&str; 3] = ["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d"];

/// Milliseconds of a date, or of a date and a time, as the clock stood where it was written: a zone says where that is, and the
/// day is the one there.
fn time_named(text: &str) -> Result<i64> {
    let utc = text.strip_suffix(" UTC").unwrap_or(text);
    let zoned = || ZONED.iter().find_map(|form| Some(DateTime::parse_from_str(text, form).ok()?.naive_local()));
    let time = || TIMES.iter().find_map(|form| NaiveDateTime::parse_from_str(utc, form).ok());
    let date = || DATES.iter().find_map(|form| NaiveDate::parse_from_str(text, form).ok()?.and_hms_opt(12, 0, 0));
    let found = unix_time(text).or_else(zoned).or_else(time).or_else(date);
    let found = found
        .filter(|found| YEARS.contains(&found.year()))
        .with_context(|| format!("`{text}` is no date: write 2011-12-09, 2011-12-09 08:26:00 or 20111209"))?;
    Ok(found.and_utc().timestamp_millis())
}

/// Unix time: ten digits are seconds, thirteen milliseconds.
fn unix_time(text: &str) -> Option<NaiveDateTime> {
    let number: i64 = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()?;
    let millis = match text.len() {
        10 => number * 1000,
        13 => number,
        _ => return None,
    };
    Some(DateTime::from_timestamp_millis(millis)?.naive_utc())
}

/// Hundredths of an amount.
fn amount_named(text: &str) -> Result<i64> {
    let amount: f64 = text.parse().ok().filter(|it: &f64| it.is_finite() && it.abs() < 1e13).with_context(|| {
        format!("`{text}` is no amount: write 1299.00, without a currency and without marks between thousands")
    })?;
    Ok((amount * MINOR).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name_or_taken_in_order() {
        let named = "Amount;customer_id;date\n1.50;c1;2011-12-09\n2;c1;2011-12-10T08:00:00Z\n";
        let plain = "c1,20111209,1.50\nc1,2011/12/10 08:00,2\n";
        for text in [named, plain] {
            let days = Transactions::parse(text).unwrap().purchase_days();
            let first = day_named("2011-12-09").unwrap();
            let expected =
                [(first, 150), (first + 1, 200)].map(|(day, amount)| PurchaseDay { day, amount: Some(amount) });
            assert_eq!(days, [expected.into_iter().collect()], "{text}");
        }
    }

    #[test]
    fn lines_of_one_order_are_one_and_what_is_left_out_is_counted() {
        let text = "Order ID,Customer-ID,date,amount\n1,a,2011-12-09,5\n1,a,2011-12-09,-2\n2,a,2011-12-09,1\n3,,2011-12-09,1\n\
                    4,a,2011-12-09,-5\n1,a,2012-03-01,0\n5,b,2011-12-09,-1\n";
        let found = Transactions::parse(text).unwrap();
        let left_out = json!({"without_customer": 1, "negative_amount": 2, "zero_amount_in_stages": 1});
        assert_eq!((found.orders(), found.left_out()), (3, left_out));
        assert_eq!(found.customers()[0].iter().map(|order| order.amount).collect::<Vec<_>>(), [300, 100, 0]);
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_line() {
        for (text, word) in [
            ("customer_id,date,amount\na,2011-12-09,5\na,yesterday,5\n", "line 3"),
            ("customer_id,date,amount\na,01/02/11,5\n", "no date"),
            ("customer_id,date,amount\na,97/01/05,5\n", "no date"),
            ("customer_id,date,amount\na,1111111,5\n", "no date"),
            ("customer_id,date,amount\na,2011-12-09,5 €\n", "no amount"),
            ("customer_id,date,quantity,price\na,2011-12-09,5,3\n", "expected the columns"),
            ("who,when\na,b\n", "expected the columns"),
            ("", "is empty"),
        ] {
            let error = format!("{:#}", Transactions::parse(text).unwrap_err());
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn dates_are_read_in_many_forms_and_days_are_those_of_the_place() {
        let day = day_named("2011-12-09").unwrap();
        for text in [
            "2011-12-09T01:00:00+08:00",
            "2011-12-09T23:00:00-05:00",
            "2011-12-09T08:26:00.123Z",
            "2011-12-09T08:26Z",
            "2011-12-09T08:26",
            "2011-12-09T08:26:00+0000",
            "2011-12-09 08:26:00 UTC",
            "2011-12-09 08:26:00 +0100",
            "2011/12/09",
            "20111209",
            "1323419160",
            "1323419160000",
        ] {
            assert_eq!(day_named(text).ok(), Some(day), "{text}");
        }
    }

    #[test]
    fn an_empty_line_at_the_beginning_and_a_byte_order_mark_are_nothing() {
        let found =
            Transactions::parse("\u{feff}\r\ncustomer_id,date,amount\r\n\"a, b\",2011-12-09,\"5\"\r\n").unwrap();
        assert_eq!(found.customers()[0][0].amount, 500);
    }

    #[test]
    fn a_day_has_its_name() {
        assert_eq!(name_of(day_named("2011-12-09 23:59:59").unwrap()), "2011-12-09");
        assert_eq!((day_named("1970-01-01").unwrap(), name_of(-1)), (0, "1969-12-31".to_owned()));
    }
}
