//! One colour and one line for each network, in every plot.

use plotters::style::RGBColor;

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Style {
    /// The colour.
    pub colour: RGBColor,
    /// Length of dashes and of the spaces between them, in pixels; `None`: no dashes.
    pub dashes: Option<(u32, u32)>,
}

/// Okabe and Ito's colours, which the colour-blind can tell apart (2008), and grey.
const COLOURS: [(u8, u8, u8); 8] = [
    (0, 114, 178),
    (230, 159, 0),
    (0, 158, 115),
    (213, 94, 0),
    (204, 121, 167),
    (86, 180, 233),
    (0, 0, 0),
    (130, 130, 130),
];

/// The networks, and what they are compared with, each with its colour's index; the longer of two names that begin alike comes first.
const NETWORKS: [(&str, usize); 13] = [
    ("max", 0),
    ("average", 1),
    ("gmp", 2),
    ("gap", 3),
    ("all conv", 4),
    ("blur", 5),
    ("none", 6),
    ("strided", 7),
    ("chance", 7),
    ("mean image", 7),
    ("32 random pixels", 7),
    ("32 components", 7),
    ("1x1", 6),
];

/// The style of a series: by its first words a network's colour, by the others dashes; else by its place.
pub(super) fn style(name: &str, index: usize) -> Style {
    let network = NETWORKS.iter().find_map(|(network, colour)| Some((name.strip_prefix(network)?, *colour)));
    let (rest, colour) = network.unwrap_or(("", index));
    let (red, green, blue) = COLOURS[colour % COLOURS.len()];
    let dashes = match rest.trim() {
        "" => None,
        "2 conv stride 2" => Some((10, 4)),
        "2 conv" | "with shifts" => Some((5, 3)),
        _ => Some((2, 3)),
    };
    Style { colour: RGBColor(red, green, blue), dashes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_its_colour_wherever_it_stands() {
        assert_eq!(style("gmp", 0), style("gmp", 5));
        assert_eq!(style("gmp 2 conv", 0).colour, style("gmp", 0).colour);
        assert_ne!(style("gmp 2 conv", 0).dashes, style("gmp wide", 0).dashes);
        assert_ne!(style("3x3", 0), style("5x5", 1));
    }
}
