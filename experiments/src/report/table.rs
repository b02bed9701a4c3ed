//! Tables of figures that know how they are printed.

use serde::{Deserialize, Serialize};

use crate::numbers::number;
use crate::statistics::Interval;

/// A table of figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// What the figures are.
    pub caption: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows: a cell for each column.
    pub rows: Vec<Vec<Cell>>,
}

/// A column of a [`Table`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// What it holds, with its unit.
    pub title: String,
    /// Digits after the point.
    pub decimals: usize,
}

/// A figure, or a word.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// A mean with its interval, printed as `mean ± half width`.
    Interval(Interval),
    /// A number.
    Number(f64),
    /// A word.
    Text(String),
    /// Nothing.
    Empty,
}

impl From<Interval> for Cell {
    fn from(interval: Interval) -> Self {
        Self::Interval(interval)
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<usize> for Cell {
    fn from(count: usize) -> Self {
        Self::Number(count as f64)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, T::into)
    }
}

impl Table {
    /// A table without rows; each column with the digits after the point of its figures.
    pub fn new(caption: &str, columns: &[(&str, usize)]) -> Self {
        let column = |&(title, decimals): &(&str, usize)| Column { title: title.to_owned(), decimals };
        Self { caption: caption.to_owned(), columns: columns.iter().map(column).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn push(&mut self, cells: impl Into<Vec<Cell>>) {
        self.rows.push(cells.into());
    }

    /// The table in Markdown, its caption above.
    pub fn markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let titles = line(self.columns.iter().map(|column| column.title.clone()).collect());
        let rule = (0..self.columns.len()).map(|column| self.rule(column).to_owned());
        let rows = self.rows.iter().map(|row| {
            line((row.iter().zip(&self.columns)).map(|(cell, column)| cell.print(column.decimals)).collect())
        });
        format!("{}\n\n{titles}{}{}", self.caption, line(rule.collect()), rows.collect::<String>())
    }

    /// Numbers stand at the right.
    fn rule(&self, column: usize) -> &'static str {
        let text = |row: &Vec<Cell>| matches!(row.get(column), Some(Cell::Text(_)));
        if self.rows.iter().any(text) { "---" } else { "---:" }
    }
}

impl Cell {
    fn print(&self, decimals: usize) -> String {
        match self {
            Self::Interval(interval) if interval.half_width() == 0.0 => number(interval.mean, decimals),
            Self::Interval(interval) => {
                format!("{} ± {}", number(interval.mean, decimals), number(interval.half_width(), decimals))
            }
            Self::Number(value) => number(*value, decimals),
            Self::Text(text) => text.clone(),
            Self::Empty => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_prints_its_figures_as_its_columns_say() {
        let mut table = Table::new("Two networks.", &[("network", 0), ("accuracy", 3), ("parameters", 0)]);
        let accuracy = Interval { mean: 0.98765, lower: 0.98565, upper: 0.98965, values: 10 };
        table.push([Cell::from("max"), accuracy.into(), 113_386.into()]);
        table.push([Cell::from("gmp"), Cell::Empty, 5_834.into()]);
        let expected = "\
Two networks.

| network | accuracy | parameters |
| --- | ---: | ---: |
| max | 0.988 ± 0.002 | 113,386 |
| gmp |  | 5,834 |
";
        assert_eq!(table.markdown(), expected);
        let json = serde_json::to_string(&table).unwrap();
        assert_eq!(serde_json::from_str::<Table>(&json).unwrap(), table);
    }
}
