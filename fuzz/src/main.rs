//! Damaged inputs for everything that reads files: the process ends with 1 at the first panic, or if an input makes it
//! take much memory.
//!
//! `cargo run --release -p burn-pooling-fuzz -- weights --inputs 10000000 --seed 1`
//!
//! Inputs come from examples that the program makes, and from `fuzz/corpus/TARGET`, where an input that panicked is kept.
//! The seed decides them all.

mod mutate;
mod targets;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Parser;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

use mutate::mutate;
use targets::{Room, Target};

/// Resident memory that no input may make the process take.
const MOST_MEGABYTES: u64 = 100;

/// Inputs between two looks at the clock.
const BATCH: u64 = 64;

#[derive(Parser)]
struct Args {
    /// What is read
    target: Target,
    /// Number of inputs
    #[arg(long, default_value = "18446744073709551615", hide_default_value = true)]
    inputs: u64,
    /// Seconds after which it ends
    #[arg(long, default_value = "60")]
    seconds: u64,
    /// Decides the inputs
    #[arg(long, default_value = "1")]
    seed: u64,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(format!("{:?}", args.target).to_lowercase());
    let (room, mut pool) = (Room::new()?, args.target.examples()?);
    for kept in kept(&corpus)? {
        let input = fs::read(&kept)?;
        try_input(args.target, &input, &room).with_context(|| kept.display().to_string())?;
        pool.push(input);
    }
    anyhow::ensure!(!pool.is_empty(), "{}: expected at least one right input", corpus.display());
    let mut random = ChaCha8Rng::seed_from_u64(args.seed);
    let (start, end) = (Instant::now(), Duration::from_secs(args.seconds));
    let mut count = 0;
    while count < args.inputs && (count % BATCH != 0 || start.elapsed() < end) {
        let [input, other] = [0; 2].map(|_| &pool[random.random_range(0..pool.len())]);
        let input = mutate(input, other, &mut random);
        if let Err(error) = try_input(args.target, &input, &room) {
            let path = keep(&corpus, &input)?;
            return Err(error.context(format!("input {count} of seed {}, kept as {}", args.seed, path.display())));
        }
        count += 1;
    }
    let (seconds, megabytes) = (start.elapsed().as_secs_f64(), peak_megabytes());
    let memory = megabytes.map_or("unknown".to_owned(), |megabytes| format!("{megabytes} MB"));
    println!("{:?}: {count} inputs in {seconds:.0} s, no panic, peak of resident memory {memory}", args.target);
    match megabytes.is_some_and(|megabytes| megabytes > MOST_MEGABYTES) {
        true => anyhow::bail!("expected at most {MOST_MEGABYTES} MB of resident memory"),
        false => Ok(ExitCode::SUCCESS),
    }
}

fn try_input(target: Target, input: &[u8], room: &Room) -> anyhow::Result<()> {
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| target.read(input, room)));
    result.map_err(|_| anyhow::anyhow!("an input of {} bytes panicked", input.len()))
}

/// Returns the inputs that were kept, in a fixed order.
fn kept(corpus: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !corpus.is_dir() {
        return Ok(Vec::new());
    }
    let mut paths = fs::read_dir(corpus)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn keep(corpus: &Path, input: &[u8]) -> anyhow::Result<PathBuf> {
    let name: String = Sha256::digest(input)[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    fs::create_dir_all(corpus)?;
    let path = corpus.join(name);
    fs::write(&path, input)?;
    Ok(path)
}

/// The most resident memory that this process has had, where the system tells.
fn peak_megabytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? / 1000)
}
