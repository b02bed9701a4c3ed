//! The results part of a README.

use anyhow::ensure;

/// Begins what [`replace_results`] replaces.
const BEGIN: &str = "<!-- results -->";
/// Ends it.
const END: &str = "<!-- end of results -->";

/// Puts `results` between the markers `<!-- results -->` and `<!-- end of results -->`.
///
/// # Errors
/// If the text has not exactly one of each, in this order.
pub fn replace_results(text: &str, results: &str) -> anyhow::Result<String> {
    let parts: Vec<&str> = text.split(BEGIN).collect();
    let rest: Vec<&str> = parts.last().map_or(Vec::new(), |rest| rest.split(END).collect());
    ensure!(
        parts.len() == 2 && rest.len() == 2,
        "expected one line {BEGIN} and after it one line {END}, with the results between them"
    );
    Ok(format!("{}{BEGIN}\n\n{}\n\n{END}{}", parts[0], results.trim(), rest[1]))
}

/// A README that has nothing but a place for results.
pub(super) fn empty_readme(title: &str) -> String {
    format!("# {title}\n\n{BEGIN}\n{END}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_markers_changes() {
        let text = "# Question\n\n<!-- results -->\nold\n<!-- end of results -->\n\nConclusion\n";
        let replaced = replace_results(text, "new").unwrap();
        assert_eq!(replaced, "# Question\n\n<!-- results -->\n\nnew\n\n<!-- end of results -->\n\nConclusion\n");
        assert_eq!(replace_results(&replaced, "new").unwrap(), replaced);
    }

    #[test]
    fn a_text_without_markers_is_refused() {
        for text in ["", "<!-- results -->", "<!-- end of results --> <!-- results -->"] {
            assert!(replace_results(text, "new").is_err(), "{text}");
        }
    }
}
