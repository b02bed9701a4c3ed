//! The graph of a model: layers and operations, and the tensors between them with their shapes.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;

use super::super::row::{Role, Row};
use super::super::summarise::Summary;
use layout::backends::svg::SVGWriter;
use layout::gv::{DotParser, GraphBuilder};

/// A graph of the rows down to a depth.
pub(super) struct Graph<'a> {
    rows: &'a [Row],
    depth: usize,
    /// From node to node, with the shape; the model's inputs come from `None` and its outputs go to it.
    edges: Vec<(Option<usize>, Option<usize>, String)>,
}

impl<'a> Graph<'a> {
    pub fn new(summary: &'a Summary, depth: usize) -> Self {
        let rows = &summary.rows;
        let shown = shown(rows, depth);
        let mut seen = HashSet::new();
        let edge = |edge: &super::super::edges::Edge| {
            let (from, to) = (edge.from.map(|row| shown[row]), edge.to.map(|row| shown[row]));
            let shape = edge.shape.as_ref().map(ToString::to_string).unwrap_or_default();
            ((from != to || from.is_none()) && seen.insert((from, to))).then_some((from, to, shape))
        };
        Self { rows, depth, edges: summary.edges.iter().filter_map(edge).collect() }
    }

    /// Returns the rows that are nodes, and the containers around them, in order.
    fn visible(&self) -> impl Iterator<Item = (usize, &'a Row)> {
        let depth = self.depth;
        self.rows.iter().enumerate().filter(move |(_, row)| row.depth < depth && row.role != Role::Unused)
    }

    /// Returns whether the row is a container whose inside is shown.
    fn is_open(&self, row: usize) -> bool {
        self.rows[row].depth + 1 < self.depth
            && self.rows.get(row + 1).is_some_and(|next| next.depth > self.rows[row].depth)
    }

    /// Writes the nodes, those of an open container between what `open` and `close` write.
    fn nodes(
        &self, text: &mut String, open: impl Fn(usize, &str) -> String, node: impl Fn(usize, &str) -> String,
        close: &str,
    ) {
        let mut depths: Vec<usize> = Vec::new();
        for (index, row) in self.visible() {
            while depths.last().is_some_and(|depth| *depth >= row.depth) {
                depths.pop();
                *text += close;
            }
            let label = label(row);
            if self.is_open(index) {
                *text += &open(index, &label);
                depths.push(row.depth);
            } else {
                *text += &node(index, &label);
            }
        }
        depths.iter().for_each(|_| *text += close);
    }

    /// Returns the graph in Mermaid's language, which Markdown on GitHub and in Rust's documentation can show.
    pub fn mermaid(&self) -> String {
        let mut text = "flowchart TD\n".to_owned();
        // Mermaid reads Markdown in labels, unless characters are entities.
        let quoted = |label: &str| label.replace('"', "#quot;").replace('<', "#lt;").replace('>', "#gt;");
        self.nodes(
            &mut text,
            |row, label| format!("subgraph g{row}[\"{}\"]\n", quoted(label)),
            |row, label| format!("n{row}[\"{}\"]\n", quoted(label)),
            "end\n",
        );
        for (number, (from, to, shape)) in self.edges.iter().enumerate() {
            let [from, to] = [name(*from, "input", number), name(*to, "output", number)];
            let from = if from.starts_with("input") { format!("{from}((input))") } else { from };
            let to = if to.starts_with("output") { format!("{to}((output))") } else { to };
            let _ = writeln!(text, "{from} -->|\"{}\"| {to}", quoted(shape));
        }
        text
    }

    /// Returns the graph in the language of Graphviz.
    pub fn dot(&self) -> String {
        let open = |row, label: &str| format!("subgraph cluster_{row} {{\nlabel={};\n", quoted(label));
        self.in_graphviz(open, "}\n", label)
    }

    fn in_graphviz(&self, open: impl Fn(usize, &str) -> String, close: &str, label: fn(&Row) -> String) -> String {
        let mut text = "digraph {\nnode [shape=box];\n".to_owned();
        let node = |row: usize, _: &str| format!("n{row} [label={}];\n", quoted(&label(&self.rows[row])));
        self.nodes(&mut text, open, node, close);
        let mut ends: BTreeMap<String, &str> = BTreeMap::new();
        let mut edges = String::new();
        for (number, (from, to, shape)) in self.edges.iter().enumerate() {
            let names = [name(*from, "input", number), name(*to, "output", number)];
            for (name, end) in names.iter().zip(["input", "output"]).filter(|(name, end)| name.starts_with(end)) {
                ends.insert(name.clone(), end);
            }
            let _ = writeln!(edges, "{} -> {} [label={}];", names[0], names[1], quoted(shape));
        }
        for (name, label) in ends {
            let _ = writeln!(text, "{name} [label=\"{label}\", shape=ellipse];");
        }
        text + &edges + "}\n"
    }

    /// Returns the graph as a picture.
    pub fn svg(&self) -> Result<String, std::fmt::Error> {
        // Without boxes around containers, names are whole paths.
        let text = self.in_graphviz(|_, _| String::new(), "", |row| named(&row.path, row));
        let parsed = DotParser::new(&text).process().map_err(|_| std::fmt::Error)?;
        let mut builder = GraphBuilder::new();
        builder.visit_graph(&parsed);
        let mut picture = SVGWriter::new();
        builder.get().do_it(false, false, false, &mut picture);
        Ok(picture.finalize())
    }
}

/// Returns, for each row, the one that shows it at a depth: itself, or the container at the last level.
fn shown(rows: &[Row], depth: usize) -> Vec<usize> {
    let mut last = 0;
    let shown = |(index, row): (usize, &Row)| {
        if row.depth < depth {
            last = index;
        }
        last
    };
    rows.iter().enumerate().map(shown).collect()
}

/// Returns a node's name; the model's ends have one for each edge.
fn name(row: Option<usize>, end: &str, number: usize) -> String {
    row.map_or_else(|| format!("{end}{number}"), |row| format!("n{row}"))
}

/// Returns the name within the container, the type, and the number of runs.
fn label(row: &Row) -> String {
    named(row.path.rsplit('.').next().unwrap_or_default(), row)
}

fn named(name: &str, row: &Row) -> String {
    let name = if name.is_empty() { String::new() } else { format!("{name}: ") };
    let repeats = if row.repeats > 1 { format!(" x{}", row.repeats) } else { String::new() };
    format!("{name}{}{repeats}", row.kind)
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
