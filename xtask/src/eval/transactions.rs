//! A file of orders, as CSV: customer, date and amount, and if there is one the order.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime};
use csv::{ReaderBuilder, StringRecord};
use endcap_models::evaluation::CustomerOrders;
use endcap_models::lifecycle::DAY_MS;
use endcap_models::value::{PurchaseDay, PurchaseDays};
use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};

/// Amounts are kept in hundredths.
pub(crate) const MINOR: f64 = 100.0;
/// An order without a time of day counts as placed at noon.
const NOON_MS: i64 = DAY_MS / 2;
/// Days from the first of chrono's calendar to 1970-01-01.
const EPOCH: i32 = 719_163;

/// Names of columns, in lower case.
const CUSTOMER: [&str; 5] = ["customer_id", "customer", "customerid", "user_id", "id"];
const DATE: [&str; 6] = ["date", "order_date", "timestamp", "datetime", "time", "invoicedate"];
const AMOUNT: [&str; 6] = ["amount", "revenue", "value", "total", "price", "dollars"];
const ORDER: [&str; 6] = ["order_id", "order", "invoice", "invoice_no", "invoiceno", "transaction_id"];

/// Where the columns are.
#[derive(Debug, Clone, Copy)]
struct Columns {
    customer: usize,
    date: usize,
    amount: usize,
    order: Option<usize>,
}

/// One order.
#[derive(Debug, Clone, Copy)]
struct Order {
    at: i64,
    amount: i64,
}

/// The orders of a file by customer. Lines of one order, by its ID, are one.
#[derive(Debug, Default)]
pub(crate) struct Transactions {
    customers: BTreeMap<String, Vec<Order>>,
    no_customer: usize,
    negative: usize,
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
        let head = text.lines().next().unwrap_or_default();
        let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(|it| head.bytes().filter(|byte| byte == it).count());
        let mut reader = ReaderBuilder::new();
        reader.delimiter(delimiter.unwrap_or(b',')).has_headers(false).flexible(true).trim(csv::Trim::All);
        let mut records = reader.from_reader(text.trim_start_matches('\u{feff}').as_bytes()).into_records();
        let first = records.next().context("is empty")??;
        let (columns, is_header) = columns(&first)?;
        let mut found = Self::default();
        let mut by_id: BTreeMap<(String, String), usize> = BTreeMap::new();
        if !is_header {
            found.add(&first, columns, &mut by_id).context("line 1")?;
        }
        for record in records {
            let record = record?;
            let line = record.position().map_or(0, csv::Position::line);
            found.add(&record, columns, &mut by_id).with_context(|| format!("line {line}"))?;
        }
        Ok(found)
    }

    fn add(
        &mut self,
        record: &StringRecord,
        columns: Columns,
        by_id: &mut BTreeMap<(String, String), usize>,
    ) -> Result<()> {
        let cell = |at: usize| record.get(at).unwrap_or_default();
        let customer = cell(columns.customer);
        if customer.is_empty() {
            self.no_customer += 1;
            return Ok(());
        }
        let (at, amount) = (time_named(cell(columns.date))?, amount_named(cell(columns.amount))?);
        if amount < 0 {
            self.negative += 1;
            return Ok(());
        }
        let orders = self.customers.entry(customer.to_owned()).or_default();
        let id = columns.order.map(cell).filter(|id| !id.is_empty());
        let known = id.and_then(|id| by_id.get(&(customer.to_owned(), id.to_owned())));
        if let Some(order) = known.and_then(|place| orders.get_mut(*place)) {
            order.amount = order.amount.saturating_add(amount);
            order.at = order.at.min(at);
            return Ok(());
        }
        if let Some(id) = id {
            by_id.insert((customer.to_owned(), id.to_owned()), orders.len());
        }
        orders.push(Order { at, amount });
        Ok(())
    }

    /// How many orders there are.
    pub(crate) fn orders(&self) -> usize {
        self.customers.values().map(Vec::len).sum()
    }

    /// Lines that were left out, and why.
    pub(crate) fn left_out(&self) -> Value {
        json!({"without_customer": self.no_customer, "negative_amount": self.negative})
    }

    /// Each customer's order days.
    pub(crate) fn purchase_days(&self) -> Vec<PurchaseDays> {
        let day = |order: &Order| PurchaseDay { day: order.at.div_euclid(DAY_MS), amount: order.amount };
        self.customers.values().map(|orders| orders.iter().map(day).collect()).collect()
    }

    /// Each customer's orders.
    pub(crate) fn customers(&self) -> Vec<CustomerOrders> {
        let of = |orders: &Vec<Order>| CustomerOrders {
            orders: orders.iter().map(|order| (order.at, order.amount)).collect(),
        };
        self.customers.values().map(of).collect()
    }

    /// The days of the first order and the last.
    pub(crate) fn span(&self) -> Option<(i64, i64)> {
        let days = || self.customers.values().flatten().map(|order| order.at.div_euclid(DAY_MS));
        Some((days().min()?, days().max()?))
    }
}

/// Where the columns are, and whether the line names them.
fn columns(first: &StringRecord) -> Result<(Columns, bool)> {
    let place =
        |names: &[&str]| names.iter().find_map(|name| first.iter().position(|cell| cell.eq_ignore_ascii_case(name)));
    if let (Some(customer), Some(date), Some(amount)) = (place(&CUSTOMER), place(&DATE), place(&AMOUNT)) {
        return Ok((Columns { customer, date, amount, order: place(&ORDER) }, true));
    }
    if first.get(1).is_some_and(|cell| time_named(cell).is_ok()) {
        return Ok((Columns { customer: 0, date: 1, amount: 2, order: None }, false));
    }
    let head: Vec<&str> = first.iter().collect();
    bail!("line 1: expected the columns customer_id, date and amount, found {}", head.join(", "))
}

/// The day that a text names, since 1970-01-01.
pub(crate) fn day_named(text: &str) -> Result<i64> {
    Ok(time_named(text)?.div_euclid(DAY_MS))
}

/// A day as text.
pub(crate) fn name_of(day: i64) -> String {
    let days = u64::try_from(day).unwrap_or_default();
    NaiveDate::default().checked_add_days(Days::new(days)).map_or_else(|| day.to_string(), |date| date.to_string())
}

/// Milliseconds since 1970 of a date, or of a date and a time. A time zone is heeded.
fn time_named(text: &str) -> Result<i64> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.timestamp_millis());
    }
    let times =
        ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M"];
    if let Some(time) = times.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok()) {
        return Ok(time.and_utc().timestamp_millis());
    }
    let dates = ["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d"];
    let Some(date) = dates.iter().find_map(|form| NaiveDate::parse_from_str(text, form).ok()) else {
        bail!("`{text}` is no date: write 2011-12-09, 2011-12-09 08:26:00 or 20111209");
    };
    Ok(i64::from(date.num_days_from_ce() - EPOCH) * DAY_MS + NOON_MS)
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
            let expected = [(first, 150), (first + 1, 200)].map(|(day, amount)| PurchaseDay { day, amount });
            assert_eq!(days, [expected.into_iter().collect()], "{text}");
        }
    }

    #[test]
    fn lines_of_one_order_are_one_and_what_is_left_out_is_counted() {
        let text = "order_id,customer_id,date,amount\n1,a,2011-12-09,5\n1,a,2011-12-09,7\n2,a,2011-12-09,1\n3,,2011-12-09,1\n4,a,2011-12-09,-5\n";
        let found = Transactions::parse(text).unwrap();
        assert_eq!((found.orders(), found.left_out()), (2, json!({"without_customer": 1, "negative_amount": 1})));
        assert_eq!(found.customers()[0].orders.iter().map(|(_, amount)| *amount).collect::<Vec<_>>(), [1200, 100]);
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_line() {
        for (text, word) in [
            ("customer_id,date,amount\na,2011-12-09,5\na,yesterday,5\n", "line 3"),
            ("customer_id,date,amount\na,2011-12-09,5 €\n", "no amount"),
            ("who,when\na,b\n", "expected the columns"),
            ("", "is empty"),
        ] {
            let error = format!("{:#}", Transactions::parse(text).unwrap_err());
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn a_day_has_its_name() {
        assert_eq!(name_of(day_named("2011-12-09 23:59:59").unwrap()), "2011-12-09");
        assert_eq!(day_named("1970-01-01").unwrap(), 0);
    }
}
