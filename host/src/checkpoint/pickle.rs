//! What `torch.save(state_dict)` writes into a zip archive as `data.pkl`, read without running anything: a stack machine that
//! knows dictionaries, tuples, lists, numbers and strings, the calls that rebuild a tensor, and the storages of real
//! numbers. Every other name that a pickle could call is refused with that name.
//!
//! Source: Python's documentation of `pickletools`; PyTorch's notes on serialization semantics.

use std::collections::HashMap;
use std::rc::Rc;

use crate::words::excerpt;

/// Where a tensor's numbers lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredTensor {
    /// name of the storage, a file of the archive
    pub(super) storage: String,
    /// what it holds: `Float`, `Double`, `Half`, `BFloat16`, `Long`, …
    pub(super) kind: String,
    /// first number
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    /// numbers from one index to the next, for each dimension
    pub(super) strides: Vec<usize>,
}

/// A value of a pickle; what can change after it is made lies in a table, by its index. A pickle may name one of its values
/// any number of times, so that none is copied.
#[derive(Clone, Debug)]
enum Value {
    None,
    Bool,
    Int(i64),
    Float,
    Text(Rc<str>),
    Tuple {
        values: Rc<[Value]>,
        depth: usize,
    },
    List(usize),
    Dict(usize),
    /// something that could be called
    Global(Rc<str>),
    Storage {
        name: Rc<str>,
        kind: Rc<str>,
    },
    Tensor(Rc<StoredTensor>),
    Mark,
}

/// Tuples inside tuples; PyTorch writes two.
const MOST_DEPTH: usize = 16;

impl Value {
    fn tuple(values: Vec<Self>) -> Result<Self, String> {
        let depth = |value: &Self| if let Self::Tuple { depth, .. } = value { *depth } else { 0 };
        let depth = 1 + values.iter().map(depth).max().unwrap_or(0);
        if depth > MOST_DEPTH {
            damaged("tuples inside tuples")
        } else {
            Ok(Self::Tuple { values: values.into(), depth })
        }
    }
}

const SAVE: &str = "save model.state_dict() with torch.save, or with safetensors.torch.save_file";

/// What a pickle holds.
#[derive(Default)]
pub(super) struct StateDict {
    /// in the order of the dictionary
    pub(super) tensors: Vec<(String, Rc<StoredTensor>)>,
    /// whether it is the `state_dict()` of a module, which notes versions in it
    pub(super) of_module: bool,
}

/// The dictionary of tensors that a pickle holds. Error: what is in the way, in words.
pub(super) fn state_dict(bytes: &[u8]) -> Result<StateDict, String> {
    let mut machine = Machine { bytes, ..Machine::default() };
    let top = machine.run()?;
    let Value::Dict(top) = top else {
        return Err(format!("holds {}, not the state_dict of a network; {SAVE}", kind_of(&top)));
    };
    let entries = std::mem::take(&mut machine.dicts[top]);
    let tensors = entries
        .into_iter()
        .map(|(key, value)| match (key, value) {
            (Value::Text(name), Value::Tensor(tensor)) => Ok((name.as_ref().to_owned(), tensor)),
            (Value::Text(name), Value::Dict(_)) => Err(format!(
                "has an entry `{}` that is a dictionary itself, as checkpoints of trainers do; {SAVE}",
                excerpt(&name)
            )),
            (Value::Text(name), other) => {
                Err(format!("its entry `{}` is {}, not a tensor; {SAVE}", excerpt(&name), kind_of(&other)))
            }
            (other, _) => Err(format!("has {} as a key, not a name; {SAVE}", kind_of(&other))),
        })
        .collect::<Result<_, String>>()?;
    Ok(StateDict { tensors, of_module: machine.of_modules.contains(&top) })
}

fn kind_of(value: &Value) -> String {
    match value {
        Value::None => "None".into(),
        Value::Bool => "a truth value".into(),
        Value::Int(_) | Value::Float => "a number".into(),
        Value::Text(_) => "a text".into(),
        Value::Tuple { .. } => "a tuple".into(),
        Value::List(_) => "a list".into(),
        Value::Dict(_) => "a dictionary".into(),
        Value::Global(name) => format!("`{}`", excerpt(name)),
        Value::Storage { .. } => "a storage".into(),
        Value::Tensor(_) => "a single tensor".into(),
        Value::Mark => "nothing".into(),
    }
}

#[derive(Default)]
struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value>,
    memo: HashMap<u64, Value>,
    lists: Vec<Vec<Value>>,
    dicts: Vec<Vec<(Value, Value)>>,
    /// those that have versions noted
    of_modules: Vec<usize>,
}

fn damaged<T>(what: &str) -> Result<T, String> {
    Err(format!("is no pickle of tensors, or a damaged one ({what}); {SAVE}"))
}

impl Machine<'_> {
    fn take(&mut self, count: usize) -> Result<&[u8], String> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        let Some(end) = end else { return damaged("it ends too early") };
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }
    fn number(&mut self, bytes: usize) -> Result<u64, String> {
        Ok(self.take(bytes)?.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
    fn text(&mut self, length_bytes: usize) -> Result<Value, String> {
        let length = self.number(length_bytes)?;
        let bytes = self.take(usize::try_from(length).unwrap_or(usize::MAX))?.to_vec();
        String::from_utf8(bytes).map_or_else(|_| damaged("a text is not UTF-8"), |text| Ok(Value::Text(text.into())))
    }
    fn line(&mut self) -> Result<String, String> {
        let rest = &self.bytes[self.at.min(self.bytes.len())..];
        let Some(length) = rest.iter().position(|byte| *byte == b'\n') else { return damaged("it ends too early") };
        let line = String::from_utf8_lossy(&rest[..length]).into_owned();
        self.at += length + 1;
        Ok(line)
    }
    fn pop(&mut self) -> Result<Value, String> {
        self.stack.pop().map_or_else(|| damaged("a value is missing"), Ok)
    }
    /// All values above the last mark, which goes.
    fn above_mark(&mut self) -> Result<Vec<Value>, String> {
        let Some(mark) = self.stack.iter().rposition(|value| matches!(value, Value::Mark)) else {
            return damaged("a mark is missing");
        };
        let values = self.stack.split_off(mark + 1);
        self.stack.pop();
        Ok(values)
    }
    fn new_dict(&mut self) -> Value {
        self.dicts.push(Vec::new());
        Value::Dict(self.dicts.len() - 1)
    }
    fn top_dict(&mut self) -> Result<&mut Vec<(Value, Value)>, String> {
        match self.stack.last() {
            Some(Value::Dict(at)) => Ok(&mut self.dicts[*at]),
            _ => damaged("no dictionary to fill"),
        }
    }
    fn top_list(&mut self) -> Result<&mut Vec<Value>, String> {
        match self.stack.last() {
            Some(Value::List(at)) => Ok(&mut self.lists[*at]),
            _ => damaged("no list to fill"),
        }
    }
    fn remember(&mut self, at: u64) -> Result<(), String> {
        let top = self.pop()?;
        self.memo.insert(at, top.clone());
        self.stack.push(top);
        Ok(())
    }
    fn recall(&mut self, at: u64) -> Result<Value, String> {
        self.memo.get(&at).cloned().map_or_else(|| damaged("a value is missing"), Ok)
    }

    fn run(&mut self) -> Result<Value, String> {
        loop {
            let operation = self.number(1)? as u8;
            let value = match operation {
                b'.' => return self.pop(),
                // the protocol, and how much belongs together
                0x80 => {
                    self.take(1)?;
                    continue;
                }
                0x95 => {
                    self.take(8)?;
                    continue;
                }
                b'(' => Value::Mark,
                b'N' => Value::None,
                0x88 | 0x89 => Value::Bool,
                b'J' => Value::Int(i64::from(self.number(4)? as u32 as i32)),
                b'K' => Value::Int(self.number(1)? as i64),
                b'M' => Value::Int(self.number(2)? as i64),
                0x8a => {
                    let length = self.number(1)? as usize;
                    if length > 8 {
                        return damaged("a number is too large");
                    }
                    // the highest bit is the sign
                    let (number, unused) = (self.number(length)? as i64, 64 - 8 * length as u32);
                    Value::Int(if length == 0 { 0 } else { number << unused >> unused })
                }
                b'G' => {
                    self.take(8)?;
                    Value::Float
                }
                0x8c => self.text(1)?,
                b'X' => self.text(4)?,
                b')' => Value::tuple(Vec::new())?,
                b't' => Value::tuple(self.above_mark()?)?,
                0x85..=0x87 => {
                    let count = usize::from(operation - 0x84);
                    let Some(first) = self.stack.len().checked_sub(count) else { return damaged("a value is missing") };
                    Value::tuple(self.stack.split_off(first))?
                }
                b']' => {
                    self.lists.push(Vec::new());
                    Value::List(self.lists.len() - 1)
                }
                b'}' => self.new_dict(),
                b'q' => {
                    let at = self.number(1)?;
                    self.remember(at)?;
                    continue;
                }
                b'r' => {
                    let at = self.number(4)?;
                    self.remember(at)?;
                    continue;
                }
                0x94 => {
                    self.remember(self.memo.len() as u64)?;
                    continue;
                }
                b'h' => {
                    let at = self.number(1)?;
                    self.recall(at)?
                }
                b'j' => {
                    let at = self.number(4)?;
                    self.recall(at)?
                }
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    allowed(format!("{module}.{name}"))?
                }
                0x93 => match (self.pop()?, self.pop()?) {
                    (Value::Text(name), Value::Text(module)) => allowed(format!("{module}.{name}"))?,
                    _ => return damaged("a name is no text"),
                },
                b'Q' => storage(self.pop()?)?,
                b'R' => {
                    let (arguments, called) = (self.pop()?, self.pop()?);
                    self.call(called, arguments)?
                }
                // attributes of a dictionary, which PyTorch notes versions in
                b'b' => {
                    let attributes = self.pop()?;
                    self.top_dict()?;
                    if let (Value::Dict(attributes), Some(Value::Dict(top))) = (attributes, self.stack.last()) {
                        let is_versions =
                            |key: &Value| matches!(key, Value::Text(text) if text.as_ref() == "_metadata");
                        if self.dicts[attributes].iter().any(|(key, _)| is_versions(key)) {
                            self.of_modules.push(*top);
                        }
                    }
                    continue;
                }
                b's' => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.top_dict()?.push((key, value));
                    continue;
                }
                b'u' => {
                    let mut values = self.above_mark()?.into_iter();
                    let dict = self.top_dict()?;
                    while let (Some(key), Some(value)) = (values.next(), values.next()) {
                        dict.push((key, value));
                    }
                    continue;
                }
                b'a' => {
                    let value = self.pop()?;
                    self.top_list()?.push(value);
                    continue;
                }
                b'e' => {
                    let values = self.above_mark()?;
                    self.top_list()?.extend(values);
                    continue;
                }
                other => return damaged(&format!("operation {other:#04x} at byte {}", self.at - 1)),
            };
            self.stack.push(value);
        }
    }

    /// What one of the allowed names makes of its arguments.
    fn call(&mut self, called: Value, arguments: Value) -> Result<Value, String> {
        let (Value::Global(name), Value::Tuple { values: arguments, .. }) = (called, arguments) else {
            return damaged("something is called that cannot be");
        };
        match (name.as_ref(), arguments.len()) {
            (ORDERED, 0) => Ok(self.new_dict()),
            // a parameter is its tensor
            (PARAMETER, 1..) if matches!(arguments[0], Value::Tensor(_)) => Ok(arguments[0].clone()),
            (TENSOR, 4..) => {
                let numbers = |value: &Value| match value {
                    Value::Tuple { values, .. } => values.iter().map(size).collect::<Option<Vec<usize>>>(),
                    _ => None,
                };
                match (&arguments[0], size(&arguments[1]), numbers(&arguments[2]), numbers(&arguments[3])) {
                    (Value::Storage { name, kind }, Some(offset), Some(shape), Some(strides))
                        if shape.len() == strides.len() =>
                    {
                        let (storage, kind) = (name.as_ref().into(), kind.as_ref().into());
                        Ok(Value::Tensor(StoredTensor { storage, kind, offset, shape, strides }.into()))
                    }
                    _ => damaged("a tensor's description"),
                }
            }
            _ => damaged(&format!("`{}` is called with other arguments", excerpt(&name))),
        }
    }
}

const ORDERED: &str = "collections.OrderedDict";
const TENSOR: &str = "torch._utils._rebuild_tensor_v2";
const PARAMETER: &str = "torch._utils._rebuild_parameter";

/// The name, where it is one of those that are known.
fn allowed(name: String) -> Result<Value, String> {
    let storage = name.strip_prefix("torch.").is_some_and(|rest| rest.ends_with("Storage") && !rest.contains('.'));
    if storage || [ORDERED, TENSOR, PARAMETER].contains(&name.as_str()) {
        return Ok(Value::Global(name.into()));
    }
    Err(format!("names `{}`, which could only be read by running its code; {SAVE}", excerpt(&name)))
}

/// Of a persistent identifier: ('storage', torch.FloatStorage, '0', 'cpu', count).
fn storage(id: Value) -> Result<Value, String> {
    let Value::Tuple { values, .. } = id else { return damaged("a storage") };
    match &values[..] {
        [Value::Text(what), Value::Global(kind), Value::Text(name), ..] if what.as_ref() == "storage" => {
            let kind = kind.trim_start_matches("torch.").trim_end_matches("Storage");
            Ok(Value::Storage { name: name.clone(), kind: kind.into() })
        }
        _ => damaged("a storage"),
    }
}

fn size(value: &Value) -> Option<usize> {
    match value {
        Value::Int(number) => usize::try_from(*number).ok(),
        _ => None,
    }
}
