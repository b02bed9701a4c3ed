//! Numbers for reading.

/// Writes `113,386`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let (first, rest) = digits.split_at((digits.len() - 1) % 3 + 1);
    let groups = rest.as_bytes().chunks(3).map(String::from_utf8_lossy);
    groups.fold(first.to_string(), |text, group| text + "," + &group)
}

/// Writes `2.84 M`: three significant digits, units of 1,000; exact below 10,000.
pub(super) fn short(number: u64) -> String {
    if number < 10_000 {
        return grouped(number);
    }
    scaled(number as f64, 1000.0, &["", "K", "M", "G", "T", "P", "E"], |size| match size {
        size if size < 9.995 => 2,
        size if size < 99.95 => 1,
        _ => 0,
    })
}

/// Writes `442.9 KB`: units of 1,024.
pub(super) fn bytes(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    scaled(bytes as f64, 1024.0, &["B", "KB", "MB", "GB", "TB", "PB"], |_| 1)
}

fn scaled(number: f64, step: f64, units: &[&str], decimals: impl Fn(f64) -> usize) -> String {
    let mut size = number;
    let mut units = units.iter().peekable();
    while let Some(unit) = units.next() {
        let places = decimals(size);
        // What rounds up to a whole step belongs to the next unit.
        let rounded: f64 = format!("{size:.places$}").parse().unwrap_or(size);
        if rounded < step || units.peek().is_none() {
            return format!("{size:.places$} {unit}");
        }
        size /= step;
    }
    number.to_string()
}

/// Writes `8.3` for 8.3 % of a total; nothing for no share.
pub(super) fn percent(part: u64, total: u64) -> String {
    if total == 0 || part == 0 {
        return String::new();
    }
    let share = 100.0 * part as f64 / total as f64;
    if share < 0.1 { "<0.1".to_string() } else { format!("{share:.1}") }
}

/// Writes a list with something between.
pub(super) fn joined<T>(list: &[T], between: &str, write: impl Fn(&T) -> String) -> String {
    list.iter().map(write).collect::<Vec<_>>().join(between)
}

#[cfg(test)]
#[path = "../../../tests/unit/number.rs"]
mod tests;
