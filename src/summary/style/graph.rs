//! The graph of a model: layers and operations, and the tensors between them with their shapes.

use std::collections::BTreeSet;
use std::fmt::{Error, Write};

use layout::backends::svg::SVGWriter;
use layout::gv::{DotParser, GraphBuilder};

use super::super::{edges::Edge, row::Role, row::Row, summarise::Summary};
use super::{visible::declared, visible::is_open};

/// Returns the graph in Mermaid's language, which Markdown on GitHub and in Rust's documentation can show.
pub(super) fn mermaid(summary: &Summary) -> String {
    // Mermaid reads Markdown in labels, unless characters are entities.
    let quoted = |label: &str| label.replace('"', "#quot;").replace('<', "#lt;").replace('>', "#gt;");
    let open = |number, row: &Row| format!("subgraph g{number}[\"{}\"]\n", quoted(&label(row)));
    let node = |number, row: &Row| format!("n{number}[\"{}\"]\n", quoted(&label(row)));
    let mut text = "flowchart TD\n".to_owned() + &nodes(&summary.rows, open, node, "end\n");
    for (number, edge) in summary.edges.iter().enumerate() {
        let from = edge.from.map_or_else(|| format!("input{number}((input))"), |row| format!("n{row}"));
        let to = edge.to.map_or_else(|| format!("output{number}((output))"), |row| format!("n{row}"));
        let _ = writeln!(text, "{from} -->|\"{}\"| {to}", quoted(&shape(edge)));
    }
    text
}

/// Returns the graph in the language of Graphviz.
pub(super) fn dot(summary: &Summary) -> String {
    let open = |number, row: &Row| format!("subgraph cluster_{number} {{\nlabel={};\n", quoted(&label(row)));
    graphviz(summary, open, label, "}\n")
}

/// Returns the graph as a picture.
pub(super) fn svg(summary: &Summary) -> Result<String, Error> {
    if summary.rows.iter().all(|row| row.role == Role::Unused) {
        return Ok("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"0\" height=\"0\"/>".to_owned());
    }
    // Without boxes around containers, names are whole paths.
    let text = graphviz(summary, |_, _| String::new(), |row| declared(&row.path, row), "");
    let parsed = DotParser::new(&text).process().map_err(|_| Error)?;
    let mut builder = GraphBuilder::new();
    builder.visit_graph(&parsed);
    let mut graph = builder.get();
    // After each edge it would walk all paths, of which a chain of residual blocks has exponentially many.
    graph.dag.set_validate(false);
    let mut picture = SVGWriter::new();
    graph.do_it(false, false, false, &mut picture);
    Ok(picture.finalize())
}

fn graphviz(
    summary: &Summary, open: impl Fn(usize, &Row) -> String, label: impl Fn(&Row) -> String, close: &str,
) -> String {
    let (mut ends, mut edges) = (BTreeSet::new(), String::new());
    for (number, edge) in summary.edges.iter().enumerate() {
        let [from, to] = [(edge.from, "input"), (edge.to, "output")].map(|(row, end)| {
            let name = row.map_or_else(|| format!("{end}{number}"), |row| format!("n{row}"));
            ends.extend(row.is_none().then(|| (name.clone(), end)));
            name
        });
        let _ = writeln!(edges, "{from} -> {to} [label={}];", quoted(&shape(edge)));
    }
    let node = |number, row: &Row| format!("n{number} [label={}];\n", quoted(&label(row)));
    let end = |(name, label)| format!("{name} [label=\"{label}\", shape=ellipse];\n");
    let (nodes, ends) = (nodes(&summary.rows, open, node, close), ends.into_iter().map(end).collect::<String>());
    format!("digraph {{\nnode [shape=box];\n{nodes}{ends}{edges}}}\n")
}

/// Writes the nodes, those of an open container between what `open` and `close` write.
fn nodes(
    rows: &[Row], open: impl Fn(usize, &Row) -> String, node: impl Fn(usize, &Row) -> String, close: &str,
) -> String {
    let (mut text, mut depths) = (String::new(), Vec::<usize>::new());
    for (number, row) in rows.iter().enumerate().filter(|(_, row)| row.role != Role::Unused) {
        while depths.pop_if(|depth| *depth >= row.depth).is_some() {
            text += close;
        }
        let is_open = is_open(rows, number);
        depths.extend(is_open.then_some(row.depth));
        text += &if is_open { open(number, row) } else { node(number, row) };
    }
    text + &close.repeat(depths.len())
}

/// Writes the name within the container, the type, and the number of runs.
fn label(row: &Row) -> String {
    declared(row.path.rsplit('.').next().unwrap_or_default(), row)
}

fn shape(edge: &Edge) -> String {
    edge.shape.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
