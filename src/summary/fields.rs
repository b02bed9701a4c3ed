//! The fields of a module as its display names them: among them those that hold no parameters.
//!
//! A module's visitor passes activations, pooling and dropout by, but its display does not: it names every field with
//! its type. They are read from there.

use burn::module::{DisplaySettings, ModuleDisplay};

use super::operation::Kernel;

/// A field of the module, or an element of a list in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Path from the root, such as `stage1.pool`.
    pub path: String,
    /// The types that its display names: `Max(MaxPool2d { .. })` names two.
    pub kinds: Vec<String>,
    /// What its display says, on its own line.
    pub value: String,
}

impl Field {
    /// Returns the field's type, if a function of that name can be its.
    pub fn kind_for(&self, function: &str) -> Option<&str> {
        // `Interpolate2d` is displayed, `Interpolate` recorded.
        let is_like = |kind: &&String| matches!(kind.strip_prefix(function), Some("" | "1d" | "2d" | "3d"));
        self.kinds.iter().find(is_like).map(String::as_str)
    }

    /// Returns whether a call with this kernel can be the field's.
    pub fn fits(&self, kernel: &Kernel) -> bool {
        let Kernel { size, .. } = kernel;
        let one = size.first().map(|size| format!("kernel_size: {size},"));
        let mut shown = [format!("kernel_size: {size:?},")].into_iter().chain(one);
        !self.value.contains("kernel_size: ") || shown.any(|shown| self.value.contains(&shown))
    }
}

/// Returns the type of the module as its display names it, and every field, in the order of declaration.
pub(super) fn fields<M: ModuleDisplay>(module: &M) -> (Option<String>, Vec<Field>) {
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
            open.push(name);
            let path = join(&open);
            let elements = elements(&path, value);
            // A list is none of its elements.
            let kinds = if elements.is_empty() { type_names(value) } else { Vec::new() };
            fields.extend(elements);
            fields.push(Field { path, kinds, value: value.to_owned() });
            if !value.ends_with('{') {
                open.pop();
            }
        }
    }
    (display.lines().next().and_then(|line| type_names(line).into_iter().next()), fields)
}

/// Returns the elements of a list of modules without parameters, which is displayed on one line: `[Relu, Tanh]`.
fn elements(path: &str, value: &str) -> Vec<Field> {
    let inner = value.strip_prefix('[').and_then(|value| value.strip_suffix(']')).unwrap_or_default();
    let mut depth = 0;
    let separates = |letter: char| {
        depth += i32::from(matches!(letter, '{' | '(' | '[')) - i32::from(matches!(letter, '}' | ')' | ']'));
        letter == ',' && depth == 0
    };
    let field = |(index, value): (usize, &str)| Field {
        path: format!("{path}.{index}"),
        kinds: type_names(value),
        value: value.to_owned(),
    };
    inner.split(separates).enumerate().map(field).filter(|field| !field.kinds.is_empty()).collect()
}

/// Returns the path without the nameless fields of enum variants.
fn join(names: &[&str]) -> String {
    let named: Vec<&str> = names.iter().copied().filter(|name| !name.starts_with('_')).collect();
    named.join(".")
}

fn type_names(value: &str) -> Vec<String> {
    let words = value.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with(|first: char| first.is_ascii_uppercase())).map(str::to_string).collect()
}
