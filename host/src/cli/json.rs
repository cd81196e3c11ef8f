//! What scripts read on standard output: one object a command, described by `schema.json`, which `ntkscope man json` prints and
//! the tests check.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use serde_json::{Map, Value, json};
use toml::Table;

use super::terminal::print;

/// Every key of every command, with its meaning: a JSON Schema.
pub const SCHEMA: &str = include_str!("schema.json");

/// Raised when a key changes its meaning or goes; new keys may come any time.
const VERSION: u32 = 1;

static PRINTED: AtomicBool = AtomicBool::new(false);

/// Whether a command has printed its object.
pub(super) fn is_printed() -> bool {
    PRINTED.load(Ordering::Relaxed)
}

/// The object of a command: `schema`, `version`, `settings`, and what `body`, an object itself, has.
pub fn document(command: &str, settings: &Table, body: Value) -> Map<String, Value> {
    let mut all = head(command);
    all.insert("settings".into(), of_toml(&toml::Value::Table(settings.clone())));
    if let Value::Object(body) = body {
        all.extend(body);
    }
    all
}

/// Says in the object that the command failed, with its exit code and the message of standard error.
pub fn fail(document: &mut Map<String, Value>, code: u8, message: &str) {
    document.insert("error".into(), json!({ "code": code, "message": message }));
}

/// Prints the object of a command.
///
/// # Errors
/// Standard output takes no more.
pub fn print_document(document: &Map<String, Value>) -> Result<()> {
    PRINTED.store(true, Ordering::Relaxed);
    print(&serde_json::to_string_pretty(document)?)
}

/// The object of a command that failed before it had one.
pub(super) fn print_error(command: &str, code: u8, message: &str) {
    let mut all = head(command);
    fail(&mut all, code, message);
    // the error itself is on standard error, and the exit code is its own
    let _ = print_document(&all);
}

fn head(command: &str) -> Map<String, Value> {
    let mut all = Map::new();
    let words = ["ntkscope"].into_iter().chain(command.split_whitespace()).collect::<Vec<_>>().join("-");
    all.insert("schema".into(), json!(format!("{words}/{VERSION}")));
    all.insert("version".into(), json!(env!("CARGO_PKG_VERSION")));
    all
}

/// A value of a settings file; numbers that json has not are the words `inf`, `-inf` and `nan`.
fn of_toml(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => json!(text),
        toml::Value::Integer(number) => json!(number),
        toml::Value::Float(number) if number.is_finite() => json!(number),
        toml::Value::Float(number) => json!(number.to_string().to_lowercase()),
        toml::Value::Boolean(truth) => json!(truth),
        toml::Value::Datetime(time) => json!(time.to_string()),
        toml::Value::Array(values) => values.iter().map(of_toml).collect(),
        toml::Value::Table(table) => {
            Value::Object(table.iter().map(|(key, value)| (key.clone(), of_toml(value))).collect())
        }
    }
}
