//! The fields of a module that hold no parameters: activations, pooling, dropout.
//!
//! A module's visitor passes them by, but its display does not: it names every field with its
//! type. They are read from there.

use burn::module::{DisplaySettings, ModuleDisplay};

/// A field without parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Path from the root, such as `stage1.pool`.
    pub path: String,
    /// Path of the module that declares it.
    pub container: String,
    /// The types that its display names: `Max(MaxPool2d { .. })` names two.
    kinds: Vec<String>,
}

impl Field {
    /// Returns the field's type, if the operation can be its.
    pub fn kind_for(&self, operation: &str) -> Option<&str> {
        // `Interpolate2d` is displayed, `Interpolate` recorded.
        let is_like = |kind: &&String| matches!(kind.strip_prefix(operation), Some("" | "1d" | "2d"));
        self.kinds.iter().find(is_like).map(String::as_str)
    }
}

/// Returns every field of the module, in the order of declaration.
pub(super) fn fields<M: ModuleDisplay>(module: &M) -> Vec<Field> {
    let settings = DisplaySettings::new()
        .with_new_line_after_attribute(true)
        .with_show_all_attributes(true)
        .with_show_num_parameters(false)
        .with_indentation_size(1);
    // One field a line: `name: value`; a value that ends in a brace opens the module's own fields.
    let display = module.format(settings);
    let (mut fields, mut open): (_, Vec<&str>) = (Vec::new(), Vec::new());
    for line in display.lines().skip(1) {
        let line = line.trim();
        if line == "}" {
            open.pop();
        } else if let Some((name, value)) = line.split_once(": ") {
            let container = join(&open);
            open.push(name);
            fields.push(Field { path: join(&open), container, kinds: type_names(value) });
            if !value.ends_with('{') {
                open.pop();
            }
        }
    }
    fields
}

/// Returns the path without the nameless fields of enum variants.
fn join(names: &[&str]) -> String {
    let named: Vec<&str> = names.iter().copied().filter(|name| !name.starts_with('_')).collect();
    named.join(".")
}

fn type_names(value: &str) -> Vec<String> {
    value
        .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .filter(|word| word.starts_with(|first: char| first.is_ascii_uppercase()))
        .map(str::to_string)
        .collect()
}
