//! SQLite of a Durable Object: rows in, rows out, and transactions that are all or nothing.
//!
//! Bound here and not through the `worker` crate, which has no `transactionSync`, copies each statement's text to
//! JavaScript again at each run, and crosses to it several times for each row.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use js_sys::{Array, Iterator, JsString, Promise, Uint8Array};
use serde_json::Value;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use worker::{SqlStorageValue, Storage};

use super::error::EdgeError;

#[wasm_bindgen]
extern "C" {
    /// `DurableObjectStorage`.
    type RawStorage;
    #[wasm_bindgen(method, getter)]
    fn sql(this: &RawStorage) -> RawSql;
    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(
        this: &RawStorage,
        work: &mut dyn FnMut() -> Result<JsValue, JsValue>,
    ) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = setAlarm)]
    fn set_alarm(this: &RawStorage, at: f64) -> Result<Promise, JsValue>;

    /// `SqlStorage`.
    type RawSql;
    #[wasm_bindgen(method, catch, variadic)]
    fn exec(this: &RawSql, query: &JsString, values: &Array) -> Result<RawCursor, JsValue>;
    #[wasm_bindgen(method, getter, catch, js_name = databaseSize)]
    fn database_size(this: &RawSql) -> Result<f64, JsValue>;

    /// `SqlStorageCursor`.
    type RawCursor;
    #[wasm_bindgen(method, getter, js_name = rowsWritten)]
    fn rows_written(this: &RawCursor) -> f64;
    #[wasm_bindgen(method)]
    fn raw(this: &RawCursor) -> Iterator;
    #[wasm_bindgen(js_namespace = Array, js_name = from, catch)]
    fn all(rows: &Iterator) -> Result<Array, JsValue>;
}

thread_local! {
    /// Statements as JavaScript holds them, so that each is copied there once.
    static STATEMENTS: RefCell<BTreeMap<&'static str, JsString>> = const { RefCell::new(BTreeMap::new()) };
}

/// One object's database.
pub(crate) struct Db {
    storage: RawStorage,
    sql: RawSql,
    written: Cell<u64>,
    statements: Cell<u64>,
    undone: Cell<u64>,
}

/// One row of a result.
pub(crate) struct Row(Array);

impl Row {
    fn at(&self, at: usize) -> JsValue {
        self.0.get(u32::try_from(at).unwrap_or(u32::MAX))
    }

    /// The text of column `at`; empty where it is none.
    pub(crate) fn text(&self, at: usize) -> String {
        self.at(at).as_string().unwrap_or_default()
    }

    /// The integer of column `at`; 0 where it is none.
    pub(crate) fn int(&self, at: usize) -> i64 {
        self.at(at).as_f64().unwrap_or_default() as i64
    }

    /// All columns as text.
    fn show(&self) -> Value {
        let column = |at: usize| {
            let value = self.at(at);
            let number = value.as_f64().map(|number| number.to_string());
            let bytes = || String::from_utf8_lossy(&self.blob(at)).into_owned();
            Value::String(value.as_string().or(number).unwrap_or_else(bytes))
        };
        Value::Array((0..self.0.length() as usize).map(column).collect())
    }

    /// The bytes of column `at`; empty where it has none.
    pub(crate) fn blob(&self, at: usize) -> Vec<u8> {
        let value = self.at(at);
        if value.is_object() { Uint8Array::new(&value).to_vec() } else { Vec::new() }
    }
}

impl Db {
    /// The database of an object.
    pub(crate) fn of(storage: &Storage) -> Self {
        let raw: &JsValue = storage.as_raw();
        let storage: RawStorage = raw.clone().unchecked_into();
        Self { sql: storage.sql(), storage, written: Cell::new(0), statements: Cell::new(0), undone: Cell::new(0) }
    }

    /// The database of an object, with these tables.
    pub(crate) fn open(storage: &Storage, schema: &'static str) -> Self {
        let db = Self::of(storage);
        if let Err(error) = db.exec(schema, Vec::new()) {
            worker::console_error!("schema: {error}");
        }
        db
    }

    fn exec(&self, query: &'static str, values: Vec<SqlStorageValue>) -> Result<RawCursor, EdgeError> {
        let bound = Array::new();
        for value in values {
            bound.push(&value.into());
        }
        let statement = STATEMENTS.with_borrow_mut(|held| held.entry(query).or_insert_with(|| query.into()).clone());
        self.statements.set(self.statements.get() + 1);
        Ok(self.sql.exec(&statement, &bound)?)
    }

    fn count(&self, cursor: &RawCursor) {
        self.written.set(self.written.get() + cursor.rows_written() as u64);
    }

    /// Runs a statement for what it writes.
    pub(crate) fn run(&self, query: &'static str, values: Vec<SqlStorageValue>) -> Result<(), EdgeError> {
        let cursor = self.exec(query, values)?;
        self.count(&cursor);
        Ok(())
    }

    /// Runs a query for its rows.
    pub(crate) fn rows(&self, query: &'static str, values: Vec<SqlStorageValue>) -> Result<Vec<Row>, EdgeError> {
        let cursor = self.exec(query, values)?;
        let rows = all(&cursor.raw())?;
        self.count(&cursor);
        Ok(rows.iter().map(|row| Row(row.unchecked_into())).collect())
    }

    /// The first row of a query.
    pub(crate) fn first(&self, query: &'static str, values: Vec<SqlStorageValue>) -> Result<Option<Row>, EdgeError> {
        Ok(self.rows(query, values)?.into_iter().next())
    }

    /// Names of all tables but the platform's own.
    pub(crate) fn tables(&self) -> Result<Vec<String>, EdgeError> {
        let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'";
        Ok(self.rows(names, Vec::new())?.iter().map(|row| row.text(0)).collect())
    }

    /// Every row of every table, for development; bytes are shown as text as far as they are some.
    pub(crate) fn dump(&self) -> Result<Value, EdgeError> {
        let mut tables = serde_json::Map::new();
        for name in self.tables()? {
            let query = format!("SELECT * FROM \"{}\"", name.replace('"', "\"\""));
            let rows = all(&self.sql.exec(&query.into(), &Array::new())?.raw())?;
            let rows = rows.iter().map(|row| Row(row.unchecked_into()).show());
            tables.insert(name, Value::Array(rows.collect()));
        }
        Ok(Value::Object(tables))
    }

    /// Rows written since the object started: what the platform bills.
    pub(crate) fn written(&self) -> u64 {
        self.written.get()
    }

    /// Statements run since the object started.
    pub(crate) fn statements(&self) -> u64 {
        self.statements.get()
    }

    /// Transactions that were rolled back since the object started.
    pub(crate) fn undone(&self) -> u64 {
        self.undone.get()
    }

    /// Size of the database in bytes, without pages that are free.
    pub(crate) fn bytes(&self) -> Result<u64, EdgeError> {
        Ok(self.sql.database_size()? as u64)
    }

    /// Sets the object's alarm. The promise need not be waited for: no answer leaves the object before what it wrote is
    /// safe.
    pub(crate) fn set_alarm(&self, at: i64) -> Result<Promise, EdgeError> {
        Ok(self.storage.set_alarm(at as f64)?)
    }

    /// Runs `work` as one transaction: if it fails, nothing of it is kept. There is no await inside, so no other request
    /// comes in between.
    pub(crate) fn transaction<T>(&self, work: impl FnOnce() -> Result<T, EdgeError>) -> Result<T, EdgeError> {
        let mut work = Some(work);
        let mut outcome = None;
        let ran = self.storage.transaction_sync(&mut || {
            let Some(work) = work.take() else { return Ok(JsValue::UNDEFINED) };
            let result = work();
            // Throwing is how the platform is told to roll back.
            let thrown = if result.is_err() { Err(JsValue::from_str("rolled back")) } else { Ok(JsValue::UNDEFINED) };
            outcome = Some(result);
            thrown
        });
        if ran.is_err() {
            self.undone.set(self.undone.get() + 1);
        }
        match (outcome, ran) {
            (Some(Err(error)), _) => Err(error),
            (_, Err(thrown)) => Err(thrown.into()),
            (Some(Ok(value)), Ok(_)) => Ok(value),
            (None, Ok(_)) => Err(worker::Error::from("the transaction did not run").into()),
        }
    }
}
