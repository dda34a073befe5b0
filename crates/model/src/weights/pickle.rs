//! A pickle machine that can describe a checkpoint and do nothing else.
//!
//! A pickle is a program, and Python's machine runs whatever function it names. This one knows the
//! opcodes that `torch.save` writes and a fixed list of globals, and calls nothing: building a
//! tensor leaves a value that holds the arguments, any other global is refused by name.
//!
//! Containers lie in one arena and values are plain copies that hold its indices, so a pickle of
//! great depth, or one that contains itself, can't overflow the stack when it is read or dropped.
//! No opcode makes more than one value, so the number of steps bounds the memory.

use std::collections::BTreeMap;

pub(super) use globals::{Element, Global};

use super::torch::TorchError;

mod globals;

/// An encoder takes about sixty for each tensor.
const MAX_STEPS: usize = 1 << 21;

/// One string can name any number of things, and each comparison reads it again.
const MAX_STRING: usize = 1 << 16;

const NEWEST_PROTOCOL: u8 = 5;

mod op {
    pub(super) const MARK: u8 = b'(';
    pub(super) const STOP: u8 = b'.';
    pub(super) const BINFLOAT: u8 = b'G';
    pub(super) const BININT: u8 = b'J';
    pub(super) const BININT1: u8 = b'K';
    pub(super) const BININT2: u8 = b'M';
    pub(super) const NONE: u8 = b'N';
    pub(super) const BINPERSID: u8 = b'Q';
    pub(super) const REDUCE: u8 = b'R';
    pub(super) const BINSTRING: u8 = b'T';
    pub(super) const SHORT_BINSTRING: u8 = b'U';
    pub(super) const BINUNICODE: u8 = b'X';
    pub(super) const EMPTY_LIST: u8 = b']';
    pub(super) const APPEND: u8 = b'a';
    pub(super) const BUILD: u8 = b'b';
    pub(super) const GLOBAL: u8 = b'c';
    pub(super) const APPENDS: u8 = b'e';
    pub(super) const BINGET: u8 = b'h';
    pub(super) const LONG_BINGET: u8 = b'j';
    pub(super) const BINPUT: u8 = b'q';
    pub(super) const LONG_BINPUT: u8 = b'r';
    pub(super) const SETITEM: u8 = b's';
    pub(super) const TUPLE: u8 = b't';
    pub(super) const SETITEMS: u8 = b'u';
    pub(super) const EMPTY_DICT: u8 = b'}';
    pub(super) const EMPTY_TUPLE: u8 = b')';
    pub(super) const PROTO: u8 = 0x80;
    pub(super) const TUPLE1: u8 = 0x85;
    pub(super) const TUPLE2: u8 = 0x86;
    pub(super) const TUPLE3: u8 = 0x87;
    pub(super) const NEWTRUE: u8 = 0x88;
    pub(super) const NEWFALSE: u8 = 0x89;
    pub(super) const LONG1: u8 = 0x8a;
    pub(super) const SHORT_BINUNICODE: u8 = 0x8c;
    pub(super) const BINUNICODE8: u8 = 0x8d;
    pub(super) const STACK_GLOBAL: u8 = 0x93;
    pub(super) const MEMOIZE: u8 = 0x94;
    pub(super) const FRAME: u8 = 0x95;
}

/// The index of a container in its pickle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id(usize);

/// The items of every container of a pickle.
#[derive(Debug, Default)]
struct Arena<'a>(Vec<Vec<Value<'a>>>);

impl<'a> Arena<'a> {
    fn add(&mut self, items: Vec<Value<'a>>) -> Id {
        self.0.push(items);
        Id(self.0.len() - 1)
    }

    fn items(&self, id: Id) -> &[Value<'a>] {
        self.0.get(id.0).map_or(&[], Vec::as_slice)
    }

    fn extend(&mut self, id: Id, items: &[Value<'a>]) {
        if let Some(container) = self.0.get_mut(id.0) {
            container.extend_from_slice(items);
        }
    }

    fn take(&mut self, id: Id) -> Vec<Value<'a>> {
        self.0.get_mut(id.0).map(std::mem::take).unwrap_or_default()
    }
}

/// A Python object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits: its little-endian bytes.
    Long(&'a [u8]),
    Str(&'a str),
    Tuple(Id),
    List(Id),
    /// Keys and values in turn.
    Dict(Id),
    Global(Global),
    /// The arguments of the call that would have built it.
    Tensor(Id),
    /// The persistent id that stands for it.
    Storage(Id),
    /// An object that no checkpoint's weights depend on.
    Other,
}

/// What one pickle describes.
#[derive(Debug)]
pub(super) struct Pickle<'a> {
    root: Value<'a>,
    arena: Arena<'a>,
    storages: Vec<Id>,
    end: usize,
}

impl<'a> Pickle<'a> {
    /// Reads the pickle that starts at an offset of the input; other bytes may follow it.
    pub(super) fn read(input: &'a [u8], at: usize) -> Result<Self, TorchError> {
        let mut machine = Machine {
            input,
            at,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: BTreeMap::new(),
            arena: Arena::default(),
            storages: Vec::new(),
        };
        for _ in 0..MAX_STEPS {
            if let Some(root) = machine.step()? {
                let Machine { arena, storages, at: end, .. } = machine;
                return Ok(Self { root, arena, storages, end });
            }
        }
        Err(TorchError::TooBig { what: "opcodes of its pickle", limit: MAX_STEPS })
    }

    /// The pickled object.
    pub(super) fn root(&self) -> Value<'a> {
        self.root
    }

    /// The offset of the first byte after it.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// A container's items.
    pub(super) fn items(&self, id: Id) -> &[Value<'a>] {
        self.arena.items(id)
    }

    /// A dict's keys and values; as in Python, the last one of a key counts.
    pub(super) fn pairs(&self, id: Id) -> impl DoubleEndedIterator<Item = (Value<'a>, Value<'a>)> {
        let (pairs, _) = self.items(id).as_chunks();
        pairs.iter().map(|&[key, value]| (key, value))
    }

    /// What a dict holds under a string.
    pub(super) fn get(&self, id: Id, key: &str) -> Option<Value<'a>> {
        self.pairs(id).rev().find(|(k, _)| *k == Value::Str(key)).map(|(_, value)| value)
    }

    /// The persistent ids of all storages that the pickle mentions.
    pub(super) fn storages(&self) -> &[Id] {
        &self.storages
    }
}

struct Machine<'a> {
    input: &'a [u8],
    at: usize,
    stack: Vec<Value<'a>>,
    /// Heights of the stack; nothing pops below the last one.
    marks: Vec<usize>,
    /// A map, since a memo's index may lie.
    memo: BTreeMap<usize, Value<'a>>,
    arena: Arena<'a>,
    storages: Vec<Id>,
}

impl<'a> Machine<'a> {
    /// Runs one opcode; the object, if that was the last one.
    fn step(&mut self) -> Result<Option<Value<'a>>, TorchError> {
        let at = self.at;
        match self.byte()? {
            op::STOP => return self.pop().map(Some),
            op::PROTO => self.protocol()?,
            op::FRAME => drop(self.take(8)?),
            op::MARK => self.marks.push(self.stack.len()),
            op::NONE => self.stack.push(Value::None),
            op::NEWTRUE => self.stack.push(Value::Bool(true)),
            op::NEWFALSE => self.stack.push(Value::Bool(false)),
            op::BININT => self.array().map(|bytes| self.int(i32::from_le_bytes(bytes)))?,
            op::BININT1 => self.array().map(|bytes| self.int(u8::from_le_bytes(bytes)))?,
            op::BININT2 => self.array().map(|bytes| self.int(u16::from_le_bytes(bytes)))?,
            op::LONG1 => self.long()?,
            op::BINFLOAT => self.float()?,
            op::SHORT_BINSTRING | op::SHORT_BINUNICODE => self.string(1)?,
            op::BINSTRING | op::BINUNICODE => self.string(4)?,
            op::BINUNICODE8 => self.string(8)?,
            op::EMPTY_LIST => self.container(Value::List, Vec::new()),
            op::EMPTY_DICT => self.container(Value::Dict, Vec::new()),
            op::EMPTY_TUPLE => self.container(Value::Tuple, Vec::new()),
            op::TUPLE => self.tuple()?,
            op::TUPLE1 => self.short_tuple(1)?,
            op::TUPLE2 => self.short_tuple(2)?,
            op::TUPLE3 => self.short_tuple(3)?,
            op::APPEND => self.append()?,
            op::APPENDS => self.appends()?,
            op::SETITEM => self.set_item()?,
            op::SETITEMS => self.set_items()?,
            op::BINGET => self.recall(1)?,
            op::LONG_BINGET => self.recall(4)?,
            op::BINPUT => self.memoize_at(1)?,
            op::LONG_BINPUT => self.memoize_at(4)?,
            op::MEMOIZE => self.memoize(self.memo.len())?,
            op::GLOBAL => self.global()?,
            op::STACK_GLOBAL => self.stack_global()?,
            op::REDUCE => self.reduce()?,
            // Attributes, as a state dict's `_metadata`, say nothing about the weights.
            op::BUILD => drop(self.pop()?),
            op::BINPERSID => self.persistent()?,
            code => return Err(TorchError::UnknownOpcode { code, at }),
        }
        Ok(None)
    }

    fn malformed<T>(&self, what: &'static str) -> Result<T, TorchError> {
        Err(TorchError::Malformed { what, at: self.at })
    }
}

/// Bytes and the values that they spell.
impl<'a> Machine<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], TorchError> {
        let end = self.at.checked_add(len);
        let bytes = end.and_then(|end| self.input.get(self.at..end));
        let bytes = bytes.ok_or(TorchError::Truncated { what: "pickle", at: self.at })?;
        self.at += len;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], TorchError> {
        let rest = self.input.get(self.at..).unwrap_or_default();
        let cut = TorchError::Truncated { what: "pickle", at: self.at };
        let bytes = rest.first_chunk().ok_or(cut)?;
        self.at += N;
        Ok(*bytes)
    }

    fn byte(&mut self) -> Result<u8, TorchError> {
        self.array().map(|[byte]| byte)
    }

    /// A little-endian length or index.
    fn size(&mut self, width: usize) -> Result<usize, TorchError> {
        let bytes = self.take(width)?;
        let value = bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte));
        usize::try_from(value).or_else(|_| self.malformed("a length is beyond this machine"))
    }

    fn line(&mut self) -> Result<&'a str, TorchError> {
        let rest = self.input.get(self.at..).unwrap_or_default();
        let len = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        let text = self.take(len)?;
        self.take(1)?;
        self.utf8(text)
    }

    fn utf8(&self, bytes: &'a [u8]) -> Result<&'a str, TorchError> {
        std::str::from_utf8(bytes).or_else(|_| self.malformed("a string isn't utf-8"))
    }

    fn protocol(&mut self) -> Result<(), TorchError> {
        match self.byte()? {
            0..=NEWEST_PROTOCOL => Ok(()),
            _ => self.malformed("its protocol is newer than 5"),
        }
    }

    fn int(&mut self, value: impl Into<i64>) {
        self.stack.push(Value::Int(value.into()));
    }

    /// An integer in two's complement of any width.
    fn long(&mut self) -> Result<(), TorchError> {
        let width = self.byte()?;
        let bytes = self.take(usize::from(width))?;
        if width > 8 {
            self.stack.push(Value::Long(bytes));
            return Ok(());
        }
        let sign = if bytes.last().is_some_and(|&byte| byte >= 0x80) { -1_i64 } else { 0 };
        self.int(bytes.iter().rev().fold(sign, |value, &byte| value << 8 | i64::from(byte)));
        Ok(())
    }

    fn float(&mut self) -> Result<(), TorchError> {
        self.take(8)?;
        self.stack.push(Value::Other);
        Ok(())
    }

    fn string(&mut self, width: usize) -> Result<(), TorchError> {
        let len = self.size(width)?;
        if len > MAX_STRING {
            return Err(TorchError::TooBig { what: "bytes in a string", limit: MAX_STRING });
        }
        let bytes = self.take(len)?;
        self.stack.push(Value::Str(self.utf8(bytes)?));
        Ok(())
    }
}

/// The stack, the memo and the containers.
impl<'a> Machine<'a> {
    fn pop(&mut self) -> Result<Value<'a>, TorchError> {
        if self.marks.last().is_some_and(|&mark| self.stack.len() <= mark) {
            return self.malformed("its stack ran out at a mark");
        }
        self.stack.pop().map_or_else(|| self.malformed("its stack ran out"), Ok)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value<'a>>, TorchError> {
        match self.marks.pop() {
            Some(mark) => Ok(self.stack.drain(mark..).collect()),
            None => self.malformed("a mark is missing"),
        }
    }

    fn top(&mut self) -> Result<Value<'a>, TorchError> {
        let value = self.pop()?;
        self.stack.push(value);
        Ok(value)
    }

    fn container(&mut self, kind: fn(Id) -> Value<'a>, items: Vec<Value<'a>>) {
        self.stack.push(kind(self.arena.add(items)));
    }

    fn tuple(&mut self) -> Result<(), TorchError> {
        let items = self.pop_to_mark()?;
        self.container(Value::Tuple, items);
        Ok(())
    }

    fn short_tuple(&mut self, len: usize) -> Result<(), TorchError> {
        let mut items = (0..len).map(|_| self.pop()).collect::<Result<Vec<_>, _>>()?;
        items.reverse();
        self.container(Value::Tuple, items);
        Ok(())
    }

    fn append(&mut self) -> Result<(), TorchError> {
        let item = self.pop()?;
        self.extend_list(&[item])
    }

    fn appends(&mut self) -> Result<(), TorchError> {
        let items = self.pop_to_mark()?;
        self.extend_list(&items)
    }

    fn set_item(&mut self) -> Result<(), TorchError> {
        let (value, key) = (self.pop()?, self.pop()?);
        self.extend_dict(&[key, value])
    }

    fn set_items(&mut self) -> Result<(), TorchError> {
        let items = self.pop_to_mark()?;
        self.extend_dict(&items)
    }

    fn extend_list(&mut self, items: &[Value<'a>]) -> Result<(), TorchError> {
        match self.top()? {
            Value::List(id) => self.arena.extend(id, items),
            _ => return self.malformed("only a list can be appended to"),
        }
        Ok(())
    }

    fn extend_dict(&mut self, items: &[Value<'a>]) -> Result<(), TorchError> {
        match self.top()? {
            Value::Dict(id) if items.len().is_multiple_of(2) => self.arena.extend(id, items),
            _ => return self.malformed("only a dict can have keys with values set"),
        }
        Ok(())
    }

    fn recall(&mut self, width: usize) -> Result<(), TorchError> {
        let index = self.size(width)?;
        let Some(&value) = self.memo.get(&index) else {
            return self.malformed("its memo has no such value");
        };
        self.stack.push(value);
        Ok(())
    }

    fn memoize_at(&mut self, width: usize) -> Result<(), TorchError> {
        let index = self.size(width)?;
        self.memoize(index)
    }

    fn memoize(&mut self, index: usize) -> Result<(), TorchError> {
        let value = self.top()?;
        self.memo.insert(index, value);
        Ok(())
    }
}

/// Globals and what is made with them.
impl Machine<'_> {
    fn global(&mut self) -> Result<(), TorchError> {
        let (module, name) = (self.line()?, self.line()?);
        self.stack.push(Value::Global(Global::find(module, name)?));
        Ok(())
    }

    fn stack_global(&mut self) -> Result<(), TorchError> {
        let (name, module) = (self.pop()?, self.pop()?);
        let (Value::Str(module), Value::Str(name)) = (module, name) else {
            return self.malformed("a global's name isn't a string");
        };
        self.stack.push(Value::Global(Global::find(module, name)?));
        Ok(())
    }

    fn reduce(&mut self) -> Result<(), TorchError> {
        let (args, callee) = (self.pop()?, self.pop()?);
        let (Value::Global(callee), Value::Tuple(args)) = (callee, args) else {
            return self.malformed("a call needs a global and a tuple");
        };
        match (callee, self.arena.items(args)) {
            (Global::OrderedDict, []) => self.container(Value::Dict, Vec::new()),
            (Global::OrderedDict, &[Value::List(pairs)]) => self.dict_of_pairs(pairs)?,
            (Global::RebuildTensor, _) => self.stack.push(Value::Tensor(args)),
            (Global::RebuildParameter, &[tensor @ Value::Tensor(_), ..]) => self.stack.push(tensor),
            (Global::Inert, _) => self.stack.push(Value::Other),
            _ => return self.malformed("a global is called as torch never does"),
        }
        Ok(())
    }

    /// Python 2 gives an `OrderedDict` its items as a list of lists.
    fn dict_of_pairs(&mut self, pairs: Id) -> Result<(), TorchError> {
        let mut items = Vec::new();
        // Taken, so that one list that is used again and again can't multiply.
        for pair in self.arena.take(pairs) {
            let Value::List(pair) = pair else { return self.malformed("a dict's item is no pair") };
            match *self.arena.items(pair) {
                [key, value] => items.extend([key, value]),
                _ => return self.malformed("a dict's item is no pair"),
            }
        }
        self.container(Value::Dict, items);
        Ok(())
    }

    fn persistent(&mut self) -> Result<(), TorchError> {
        let Value::Tuple(id) = self.pop()? else {
            return self.malformed("a persistent id isn't a tuple");
        };
        self.storages.push(id);
        self.stack.push(Value::Storage(id));
        Ok(())
    }
}
