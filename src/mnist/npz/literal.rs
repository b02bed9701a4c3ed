//! The few of Python's literals that stand in the header of an array.

/// What is left of a text.
pub(super) struct Literals<'a>(pub &'a str);

impl<'a> Literals<'a> {
    /// Takes a symbol if it comes next, behind white space.
    pub fn symbol(&mut self, symbol: char) -> Option<()> {
        self.0 = self.0.trim_start().strip_prefix(symbol)?;
        Some(())
    }

    /// Takes a text in single or double quotes, without escapes.
    pub fn text(&mut self) -> Option<&'a str> {
        let rest = self.0.trim_start();
        let quote = rest.chars().next().filter(|first| ['\'', '"'].contains(first))?;
        let (text, rest) = rest[1..].split_once(quote)?;
        self.0 = rest;
        (!text.contains('\\')).then_some(text)
    }

    /// Takes `True` or `False`.
    pub fn boolean(&mut self) -> Option<bool> {
        let rest = self.0.trim_start();
        let (value, rest) = match rest.strip_prefix("True") {
            Some(rest) => (true, rest),
            None => (false, rest.strip_prefix("False")?),
        };
        self.0 = rest;
        Some(value)
    }

    /// Takes a tuple of whole numbers, such as `(60000, 28, 28)`; Python 2 wrote an `L` behind some.
    pub fn numbers(&mut self) -> Option<Vec<u64>> {
        self.symbol('(')?;
        let (inside, rest) = self.0.split_once(')')?;
        self.0 = rest;
        let mut items: Vec<&str> = inside.split(',').map(str::trim).collect();
        // The comma behind the last number; behind a single one it makes the tuple.
        match items.pop() {
            Some("") => {}
            Some(last) if !items.is_empty() => items.push(last),
            _ => return None,
        }
        items.into_iter().map(|item| item.strip_suffix('L').unwrap_or(item).parse().ok()).collect()
    }
}
