//! The magic numbers of IDX files, in words.

/// Describes a magic number: two zeros, the type of the values, the number of dimensions.
pub(super) fn format(magic: u32) -> String {
    let [_, _, code, dimensions] = magic.to_be_bytes();
    let plural = if dimensions == 1 { "" } else { "s" };
    let values = value_type(code).unwrap_or("unknown values");
    format!("an IDX file of {values} with {dimensions} dimension{plural}, magic number {magic:#010x}")
}

/// Describes the magic number of a file that should have had another one.
pub(super) fn found_kind(magic: u32) -> String {
    let known = matches!(magic.to_be_bytes(), [0, 0, code, 1..=u8::MAX] if value_type(code).is_some());
    match magic {
        0x803 | 0x804 => format!("images ({})", format(magic)),
        0x801 => format!("labels ({})", format(magic)),
        _ if known => format!("{}; convert it", format(magic)),
        _ => format!("no IDX file, but one that begins with {magic:#010x}"),
    }
}

fn value_type(code: u8) -> Option<&'static str> {
    Some(match code {
        0x08 => "unsigned bytes",
        0x09 => "signed bytes",
        0x0B => "16-bit integers",
        0x0C => "32-bit integers",
        0x0D => "32-bit floats",
        0x0E => "64-bit floats",
        _ => return None,
    })
}
