//! The rows that a style shows: down to a depth, and of equal neighbours one.

use std::collections::HashSet;

use super::super::{edges::Edge, row::Role, row::Row, summarise::Summary};

/// Returns the summary down to a depth: a container at the last level stands for what is inside.
pub(super) fn down_to(summary: &Summary, depth: usize) -> Summary {
    let mut shown = 0;
    let number = |row: &Row| {
        shown += usize::from(row.depth < depth);
        shown - 1
    };
    let numbers: Vec<usize> = summary.rows.iter().map(number).collect();
    let mut seen = HashSet::new();
    let edge = |edge: &Edge| {
        let [from, to] = [edge.from, edge.to].map(|row| Some(numbers[row?]));
        let is_shown = (from != to || from.is_none()) && seen.insert((from, to));
        is_shown.then(|| Edge { from, to, shape: edge.shape.clone() })
    };
    let edges = summary.edges.iter().filter_map(edge).collect();
    let rows = summary.rows.iter().filter(|row| row.depth < depth).cloned().collect();
    Summary { rows, edges, ..summary.clone() }
}

/// Returns whether what is inside of the row is shown.
pub(super) fn is_open(rows: &[Row], index: usize) -> bool {
    rows.get(index + 1).is_some_and(|next| next.depth > rows[index].depth)
}

/// Writes a row as a field is declared: `conv: Conv2d`, `pool?: MaxPool2d`; an operation that is no field: `Relu`.
pub(super) fn declared(name: &str, row: &Row) -> String {
    let doubt = if row.is_certain { "" } else { "?" };
    let name = if name.is_empty() { String::new() } else { format!("{name}{doubt}: ") };
    let repeats = if row.repeats > 1 { format!(" x{}", row.repeats) } else { String::new() };
    format!("{name}{}{repeats}", row.kind)
}

/// Folds equal neighbours in a list: of `layers.0` to `layers.15`, if they differ in their number alone, the first is
/// left, with the cost of all.
pub(super) fn fold_neighbours(rows: &[Row]) -> Vec<Row> {
    let mut folded: Vec<Row> = Vec::new();
    let mut rest = rows;
    while let Some((first, _)) = rest.split_first() {
        let length = length(rest);
        let is_module = matches!(first.role, Role::Container | Role::Layer);
        let count = if is_module { equal_neighbours(rest, length) } else { 1 };
        let (all, after) = rest.split_at(length * count);
        let all = if count > 1 { joined(all, length) } else { all.to_vec() };
        folded.push(all[0].clone());
        folded.extend(fold_neighbours(&all[1..]));
        rest = after;
    }
    folded
}

/// Returns the number of rows that the first one stands for: itself, and what is inside.
fn length(rows: &[Row]) -> usize {
    1 + rows[1..].iter().take_while(|row| row.depth > rows[0].depth).count()
}

/// Splits the path of a list's element: `layers.0` is `layers` and 0.
fn element(path: &str) -> Option<(&str, usize)> {
    let (list, number) = path.rsplit_once('.').unwrap_or(("", path));
    Some((list, number.parse().ok()?))
}

/// Returns how many elements of a list, from the first row on, are equal.
fn equal_neighbours(rows: &[Row], length: usize) -> usize {
    let Some((list, first)) = element(&rows[0].path) else { return 1 };
    let follows = |(place, chunk): &(usize, &[Row])| {
        element(&chunk[0].path) == Some((list, first + place))
            && chunk.iter().zip(rows).all(|(row, first)| is_equal(row, first, &chunk[0].path, &rows[0].path))
    };
    rows.chunks_exact(length).enumerate().take_while(follows).count()
}

/// Returns whether two rows differ in nothing but the path of the element that they lie in.
fn is_equal(row: &Row, first: &Row, element: &str, first_element: &str) -> bool {
    let within = |row: &Row, element: &str| row.path.strip_prefix(element).map(str::to_owned);
    let paths = (within(row, element), within(first, first_element));
    let alike = Row { path: first.path.clone(), receptive_field: first.receptive_field.clone(), ..row.clone() };
    alike == *first && (paths.0 == paths.1 && paths.0.is_some() || row.path == first.path)
}

/// Returns the first element's rows, with the cost of all and the numbers of the first and the last.
fn joined(rows: &[Row], length: usize) -> Vec<Row> {
    let count = rows.len() / length;
    let path = &rows[0].path;
    let last = rows[rows.len() - length].path.rsplit('.').next().unwrap_or_default();
    let joined = |(place, row): (usize, &Row)| {
        let all = || rows[place..].iter().step_by(length);
        let mut row = row.clone();
        if let Some(inside) = row.path.strip_prefix(path.as_str()) {
            row.path = format!("{path}-{last}{inside}");
        }
        row.repeats *= count;
        row.parameters = Default::default();
        all().for_each(|other| row.parameters += other.parameters);
        row.multiply_adds = all().map(|other| other.multiply_adds).sum();
        row.activation_bytes = all().map(|other| other.activation_bytes).sum();
        row.receptive_field =
            row.receptive_field.filter(|field| all().all(|other| other.receptive_field.as_ref() == Some(field)));
        row
    };
    rows[..length].iter().enumerate().map(joined).collect()
}
