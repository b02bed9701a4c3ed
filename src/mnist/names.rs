//! Which files of a folder are the four of a data set.
//!
//! Its images are in `train-images-idx3-ubyte` and `t10k-images-idx3-ubyte`, its labels in `train-labels-idx1-ubyte` and
//! `t10k-labels-idx1-ubyte`. As people have them, the names also say `test` for `t10k`, have a dot before `idx`, end in
//! `.gz`, or begin with the set's own name, which is then the same for all four: `emnist-letters-test-images-idx3-ubyte`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::DataError;
use super::kind::{check_file, not_a_file};

/// The usual names: training images and labels, test images and labels.
pub(super) const NAMES: [&str; 4] =
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/// What the names call the training set, and the test set; of the test set's, the usual one comes first.
const PARTS: [&str; 3] = ["train", "t10k", "test"];

/// What each of the two files of a part is called, before and behind the dash or dot.
const KINDS: [(&str, &[&str]); 2] = [("images", &["idx3-ubyte", "idx4-ubyte"]), ("labels", &["idx1-ubyte"])];

/// A file name, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Name<'a> {
    /// What the set's names begin with: nothing, or `emnist-letters-`.
    prefix: &'a str,
    /// The place in [`PARTS`].
    part: usize,
    /// The place in [`KINDS`].
    kind: usize,
    /// How far it is from the usual spelling.
    rank: usize,
}

impl<'a> Name<'a> {
    fn parse(name: &'a str) -> Option<Self> {
        let (stem, gzipped) = name.strip_suffix(".gz").map_or((name, 0), |stem| (stem, 1));
        let spelled = |kind: usize| {
            let (word, formats) = KINDS[kind];
            formats.iter().enumerate().find_map(|(unusual, format)| {
                let rest = stem.strip_suffix(format)?;
                let (rest, dotted) = match rest.strip_suffix('-') {
                    Some(rest) => (rest, 0),
                    None => (rest.strip_suffix('.')?, 2),
                };
                Some((rest.strip_suffix(word)?.strip_suffix('-')?, kind, gzipped + dotted + 4 * unusual))
            })
        };
        let (rest, kind, rank) = (0..KINDS.len()).find_map(spelled)?;
        let (part, prefix) =
            PARTS.iter().enumerate().find_map(|(part, word)| Some((part, rest.strip_suffix(word)?)))?;
        // A dot at the start hides a file: macOS leaves such beside those that it copies.
        let is_prefix = prefix.is_empty() || prefix.ends_with(['-', '_', '.']) && !prefix.starts_with('.');
        is_prefix.then_some(Self { prefix, part, kind, rank })
    }
}

/// The best file of each part and kind, with its rank.
#[derive(Default)]
struct FoundSet([[Option<(usize, PathBuf)>; 2]; 3]);

impl FoundSet {
    fn add(&mut self, name: &Name<'_>, rank: usize, path: PathBuf) {
        let place = &mut self.0[name.part][name.kind];
        if place.as_ref().is_none_or(|(best, _)| rank < *best) {
            *place = Some((rank, path));
        }
    }

    /// The place in [`PARTS`] of the test set: what both of its files are called, else what one is.
    fn test(&self) -> usize {
        let count = |part: &usize| self.0[*part].iter().flatten().count();
        if count(&2) > count(&1) { 2 } else { 1 }
    }

    fn is_complete(&self) -> bool {
        [0, self.test()].iter().all(|&part| self.0[part].iter().all(Option::is_some))
    }

    /// The four paths, or the usual name of the first that is missing.
    fn paths(mut self, prefix: &str) -> Result<[PathBuf; 4], String> {
        let test = self.test();
        let mut take = |part: usize, kind: usize| {
            self.0[part][kind].take().map(|(_, path)| path).ok_or_else(|| name(prefix, part, kind))
        };
        Ok([take(0, 0)?, take(0, 1)?, take(test, 0)?, take(test, 1)?])
    }
}

fn name(prefix: &str, part: usize, kind: usize) -> String {
    let (word, formats) = KINDS[kind];
    format!("{prefix}{}-{word}-{}", PARTS[part], formats[0])
}

/// Returns the files of the one data set in `folder`: training images and labels, test images and labels; `None` if it
/// holds no file of such a name.
pub(super) fn find(folder: &Path) -> Result<Option<[PathBuf; 4]>, DataError> {
    let shown = || folder.display().to_string();
    let mut sets = found_sets(folder).map_err(|source| DataError::Read { file: shown(), source })?;
    let usual = sets.get("").is_some_and(FoundSet::is_complete);
    let prefix = match (usual, sets.len()) {
        (_, 0) => return Ok(None),
        (true, _) => String::new(),
        (false, 1) => sets.keys().next().cloned().unwrap_or_default(),
        _ => {
            let sets = sets.keys().map(|prefix| format!("{prefix}train-images-idx3-ubyte")).collect();
            return Err(DataError::SeveralSets { folder: shown(), sets });
        }
    };
    let set = sets.remove(&prefix).unwrap_or_default();
    let paths = set.paths(&prefix).map_err(|name| DataError::Missing { folder: shown(), name, names: NAMES })?;
    paths.iter().try_for_each(|path| check_file(path))?;
    Ok(Some(paths))
}

/// The files of a folder that have such names, by what the names begin with.
fn found_sets(folder: &Path) -> std::io::Result<BTreeMap<String, FoundSet>> {
    let mut sets: BTreeMap<String, FoundSet> = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(Name::parse);
        if let Some(name) = name {
            // Archives unpack to a folder and a file of like names: the file is meant.
            let rank = if not_a_file(&path).is_some() { name.rank + 100 } else { name.rank };
            sets.entry(name.prefix.to_owned()).or_default().add(&name, rank, path.clone());
        }
    }
    Ok(sets)
}
