//! Python's pickles, as far as `torch.save` needs them: values are read, no code is run.
//!
//! The opcodes are those of Python's `pickletools`. Why not a library: Burn's reader passes over strides and fills missing
//! values with zeros; candle's comes with a whole framework.

use std::collections::HashMap;

/// The place of a value among those of a pickle.
pub(super) type Place = usize;

/// A value; other values are named by their places, so that nothing is copied and nothing nests.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    None,
    Number(i64),
    Text(String),
    /// A tuple or a list.
    Sequence(Vec<Place>),
    Dict(Vec<(Place, Place)>),
    /// A function or class: `module.name`.
    Global(String),
    /// What a function returned.
    Call {
        callable: Place,
        arguments: Place,
    },
    /// What lies outside of the pickle.
    Persistent(Place),
    /// A fraction or bytes, which nothing needs.
    Other,
}

/// A pickle that was read.
#[derive(Debug)]
pub(super) struct Pickle {
    values: Vec<Value>,
    /// The value that it is of.
    pub root: Place,
}

impl Pickle {
    /// Reads one pickle, and returns the bytes behind it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<(Self, &[u8]), String> {
        let mut machine =
            Machine { rest: bytes, values: Vec::new(), stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() };
        while machine.step()? {}
        let root = machine.pop()?;
        Ok((Self { values: machine.values, root }, machine.rest))
    }

    /// Returns a value.
    pub fn get(&self, place: Place) -> &Value {
        &self.values[place] // places come from here
    }

    /// Returns the places of all values.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        0..self.values.len()
    }

    /// Returns a text.
    pub fn text(&self, place: Place) -> Option<&str> {
        match self.get(place) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns a number that counts.
    pub fn count(&self, place: Place) -> Option<usize> {
        match *self.get(place) {
            Value::Number(number) => number.try_into().ok(),
            _ => None,
        }
    }

    /// Returns the values of a tuple or list.
    pub fn sequence(&self, place: Place) -> Option<&[Place]> {
        match self.get(place) {
            Value::Sequence(places) => Some(places),
            _ => None,
        }
    }

    /// Returns the name of a function or class.
    pub fn global(&self, place: Place) -> Option<&str> {
        match self.get(place) {
            Value::Global(name) => Some(name),
            _ => None,
        }
    }

    /// Returns the name of a function that was called, and its arguments.
    pub fn call(&self, place: Place) -> Option<(&str, &[Place])> {
        match *self.get(place) {
            Value::Call { callable, arguments } => Some((self.global(callable)?, self.sequence(arguments)?)),
            _ => None,
        }
    }
}

/// The machine that a pickle is a program for.
struct Machine<'a> {
    rest: &'a [u8],
    values: Vec<Value>,
    stack: Vec<Place>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: HashMap<u32, Place>,
}

impl Machine<'_> {
    /// Does one step; returns false at the end.
    fn step(&mut self) -> Result<bool, String> {
        let opcode = self.take(1)?[0];
        match opcode {
            b'.' => return Ok(false),
            0x80 => drop(self.take(1)?), // the protocol
            0x95 => drop(self.take(8)?), // a frame's length
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'N' => self.push(Value::None),
            0x88 | 0x89 => self.push(Value::Number(i64::from(opcode == 0x88))),
            b'K' | b'M' | b'J' | 0x8a => self.number(opcode)?,
            b'G' => self.other(8)?,
            b'C' | b'U' | b'B' | b'T' => {
                let len = self.len(if matches!(opcode, b'C' | b'U') { 1 } else { 4 })?;
                self.other(len)?;
            }
            b'X' | 0x8c => {
                let len = self.len(if opcode == b'X' { 4 } else { 1 })?;
                let text = String::from_utf8_lossy(self.take(len)?).into_owned();
                self.push(Value::Text(text));
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push(Value::Global(format!("{module}.{name}")));
            }
            0x93 => self.stack_global()?,
            b')' | b']' | b'}' => {
                self.push(if opcode == b'}' { Value::Dict(Vec::new()) } else { Value::Sequence(Vec::new()) })
            }
            b't' | b'l' => {
                let items = self.marked()?;
                self.push(Value::Sequence(items));
            }
            0x85..=0x87 => {
                let at =
                    self.stack.len().checked_sub(usize::from(opcode - 0x84)).ok_or("too few values for a tuple")?;
                let items = self.stack.split_off(at);
                self.push(Value::Sequence(items));
            }
            b'd' => {
                let items = self.marked()?;
                self.push(Value::Dict(pairs(&items)));
            }
            b's' | b'u' | b'a' | b'e' => self.add(opcode)?,
            b'R' | 0x81 => self.call()?,
            b'b' => drop(self.pop()?), // the state of an object
            b'Q' => {
                let name = self.pop()?;
                self.push(Value::Persistent(name));
            }
            b'q' | b'r' | 0x94 => self.remember(opcode)?,
            b'h' | b'j' => {
                let index = self.len(if opcode == b'h' { 1 } else { 4 })?;
                let place = self.memo.get(&(index as u32)).copied().ok_or("a value that was not remembered")?;
                self.stack.push(place);
            }
            _ => return Err(format!("the opcode {opcode:#04x}, which torch.save does not write")),
        }
        Ok(true)
    }

    fn take(&mut self, count: usize) -> Result<&[u8], String> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or("an end too early")?;
        self.rest = rest;
        Ok(taken)
    }

    /// Reads a length of so many bytes.
    fn len(&mut self, bytes: usize) -> Result<usize, String> {
        Ok(self.take(bytes)?.iter().rev().fold(0, |len, &byte| len << 8 | usize::from(byte)))
    }

    fn line(&mut self) -> Result<String, String> {
        let end = self.rest.iter().position(|&byte| byte == b'\n').ok_or("a line without an end")?;
        let line = String::from_utf8_lossy(self.take(end)?).into_owned();
        self.take(1)?;
        Ok(line)
    }

    fn number(&mut self, opcode: u8) -> Result<(), String> {
        let bytes = match opcode {
            b'K' => 1,
            b'M' => 2,
            b'J' => 4,
            _ => self.len(1)?,
        };
        let bytes = self.take(bytes)?;
        let is_negative = matches!(opcode, b'J' | 0x8a) && bytes.last().is_some_and(|byte| byte & 0x80 != 0);
        if bytes.len() > 8 {
            self.push(Value::Other); // such as the number that files of old versions start with
            return Ok(());
        }
        let start = if is_negative { -1 } else { 0 };
        let number = bytes.iter().rev().fold(start, |number: i64, &byte| number << 8 | i64::from(byte));
        self.push(Value::Number(number));
        Ok(())
    }

    fn other(&mut self, bytes: usize) -> Result<(), String> {
        self.take(bytes)?;
        self.push(Value::Other);
        Ok(())
    }

    fn push(&mut self, value: Value) {
        self.stack.push(self.values.len());
        self.values.push(value);
    }

    fn pop(&mut self) -> Result<Place, String> {
        self.stack.pop().ok_or_else(|| "too few values".to_owned())
    }

    /// Takes the values behind the last mark.
    fn marked(&mut self) -> Result<Vec<Place>, String> {
        let mark = self.marks.pop().filter(|&mark| mark <= self.stack.len()).ok_or("no mark")?;
        Ok(self.stack.split_off(mark))
    }

    fn stack_global(&mut self) -> Result<(), String> {
        let (name, module) = (self.pop()?, self.pop()?);
        match (&self.values[module], &self.values[name]) {
            (Value::Text(module), Value::Text(name)) => {
                let global = format!("{module}.{name}");
                self.push(Value::Global(global));
                Ok(())
            }
            _ => Err("a class without a name".to_owned()),
        }
    }

    /// Adds items to the list or dictionary below them.
    fn add(&mut self, opcode: u8) -> Result<(), String> {
        let items = match opcode {
            b'u' | b'e' => self.marked()?,
            _ => {
                let count = if opcode == b's' { 2 } else { 1 };
                let at = self.stack.len().checked_sub(count).ok_or("too few values")?;
                self.stack.split_off(at)
            }
        };
        let place = *self.stack.last().ok_or("nothing to add to")?;
        match &mut self.values[place] {
            Value::Dict(entries) => entries.extend(pairs(&items)),
            Value::Sequence(values) => values.extend(items),
            _ => {} // an object with items of its own
        }
        Ok(())
    }

    fn call(&mut self) -> Result<(), String> {
        let (arguments, callable) = (self.pop()?, self.pop()?);
        let is_dict = self.values[callable] == Value::Global("collections.OrderedDict".to_owned());
        self.push(if is_dict { Value::Dict(Vec::new()) } else { Value::Call { callable, arguments } });
        Ok(())
    }

    fn remember(&mut self, opcode: u8) -> Result<(), String> {
        let index = match opcode {
            b'q' => self.len(1)?,
            b'r' => self.len(4)?,
            _ => self.memo.len(),
        };
        let place = *self.stack.last().ok_or("nothing to remember")?;
        self.memo.insert(index as u32, place);
        Ok(())
    }
}

fn pairs(items: &[Place]) -> Vec<(Place, Place)> {
    items.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `pickle.dumps({"a": (1, -2), "b": [None, "x"]}, protocol=2)` of Python 3.11.
    const PICKLE: &[u8] = b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01K\x01J\xfe\xff\xff\xff\x86q\x02X\x01\x00\x00\x00bq\x03]q\x04(NX\x01\x00\x00\x00xq\x05eu.";

    #[test]
    fn values_are_those_that_python_wrote() {
        let (pickle, rest) =
            Pickle::read(&[PICKLE, b"rest"].concat()).map(|(pickle, rest)| (pickle, rest.to_vec())).unwrap();
        assert_eq!(rest, b"rest");
        let Value::Dict(entries) = pickle.get(pickle.root) else { panic!("{pickle:?}") };
        let [(a, tuple), (b, list)] = entries[..] else { panic!("{pickle:?}") };
        assert_eq!([a, b].map(|key| pickle.text(key).unwrap()), ["a", "b"]);
        let numbers = pickle.sequence(tuple).unwrap().iter().map(|&place| pickle.get(place).clone());
        assert_eq!(numbers.collect::<Vec<_>>(), [Value::Number(1), Value::Number(-2)]);
        assert_eq!(pickle.text(pickle.sequence(list).unwrap()[1]), Some("x"));
    }

    #[test]
    fn a_pickle_that_is_cut_off_is_an_error() {
        for end in 0..PICKLE.len() {
            assert!(Pickle::read(&PICKLE[..end]).is_err(), "{end}");
        }
    }
}
