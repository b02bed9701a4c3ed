//! The hardware's limit: how many multiply-adds per second all threads together can do, on registers alone.
//!
//!     cargo run --release -p burn-pooling-experiments --bin peak -- 2
//!
//! prints the multiply-adds per second in `f32`, the best of many short runs on that many threads.

use burn_pooling::limits::Limits;

fn main() {
    let threads = std::env::args().nth(1).map_or(Ok(1), |text| text.parse());
    let Ok(threads @ 1..) = threads else {
        eprintln!("usage: peak [THREADS]: a number of threads, 1 or more");
        std::process::exit(2);
    };
    match Limits::measure(threads) {
        Some(limits) => println!("{:.0}", limits.multiply_adds),
        None => unreachable!("the experiments run on a CPU backend"),
    }
}
