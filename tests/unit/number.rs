//! Numbers as tables show them.

use super::*;

#[test]
fn numbers_read_well() {
    assert_eq!(grouped(0), "0");
    assert_eq!(grouped(999), "999");
    assert_eq!(grouped(113_386), "113,386");
    assert_eq!(short(9_999), "9,999");
    assert_eq!(short(10_000), "10.0 K");
    assert_eq!(short(2_841_000), "2.84 M");
    assert_eq!(short(999_600), "1.00 M");
    assert_eq!(short(17_179_869_184), "17.2 G");
    assert_eq!(bytes(1023), "1023 B");
    assert_eq!(bytes(453_544), "442.9 KB");
    assert_eq!(bytes(1024 * 1024 - 1), "1.0 MB");
    assert_eq!(percent(1, 3), "33.3");
    assert_eq!(percent(1, 100_000), "<0.1");
    assert_eq!(percent(0, 0), "");
}
