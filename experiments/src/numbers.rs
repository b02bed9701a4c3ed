//! Numbers as people write them.

/// `12345.678` with one decimal: `12,345.7`.
pub fn number(value: f64, decimals: usize) -> String {
    let printed = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = printed.split_at(printed.find('.').unwrap_or(printed.len()));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 && value.is_finite() {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{grouped}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(number(1_234_567.0, 0), "1,234,567");
        assert_eq!(number(-12_345.678, 1), "-12,345.7");
        assert_eq!(number(123.0, 0), "123");
        assert_eq!(number(f64::INFINITY, 2), "inf");
    }
}
