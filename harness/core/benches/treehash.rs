//! How fast the oracle is: tree hash beside plain SHA-256 of the same bytes, and making the bytes.
//!
//! Run with `cargo bench -p crevasse-core`. Medians, so that a busy machine disturbs them little.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crevasse_core::payload::{Content, Payload, Recognizer};
use crevasse_core::range::ByteRange;
use crevasse_core::treehash::{TreeHasher, combine, sha256, tree_hash};

const SIZE: u64 = 64 << 20;
const ROUNDS: usize = 9;

fn main() {
    let payload = Payload::Generated {
        seed: 7,
        length: SIZE,
    };
    let content = Content::from(&payload);
    let bytes = content.to_bytes();
    let mut buffer = vec![0; bytes.len()];

    let linear = rate("plain SHA-256", || sha256(&bytes));
    let tree = rate("tree hash, at once", || tree_hash(&bytes));
    let streamed = rate("tree hash, in chunks of 64 KiB", || {
        let mut hasher = TreeHasher::tree_only();
        bytes
            .chunks(64 << 10)
            .for_each(|chunk| hasher.update(chunk));
        hasher.finish()
    });
    let received = rate(
        "tree hash of a stream received in one buffer of 64 KiB",
        || {
            let mut hasher = TreeHasher::tree_only();
            for _ in 0..SIZE >> 16 {
                hasher.update(black_box(&bytes[..64 << 10]));
            }
            hasher.finish()
        },
    );
    let both = rate("tree hash and SHA-256, in chunks of 64 KiB", || {
        let mut hasher = TreeHasher::new();
        bytes
            .chunks(64 << 10)
            .for_each(|chunk| hasher.update(chunk));
        hasher.finish()
    });
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let together = rate(
        "tree hash, at once, a core's share with all cores at work",
        || {
            std::thread::scope(|scope| {
                for _ in 0..cores {
                    scope.spawn(|| black_box(tree_hash(&bytes)));
                }
            });
        },
    );
    rate("tree hash of the description", || {
        content.tree_hash_of(whole(SIZE))
    });
    rate("generation", || payload.read_at(0, &mut buffer));
    rate("generation, in chunks of 64 KiB", || {
        for offset in (0..SIZE).step_by(64 << 10) {
            payload.read_at(offset, &mut buffer[..64 << 10]);
        }
    });
    rate("recognition, in chunks of 64 KiB", || {
        let mut recognizer = Recognizer::new();
        bytes.chunks(64 << 10).all(|chunk| recognizer.feed(chunk))
    });
    println!("rates as multiples of plain SHA-256:");
    println!("  tree hash, at once: {:.3}", tree / linear);
    println!(
        "  tree hash, at once, times {cores} cores: {:.3}",
        cores as f64 * together / linear
    );
    println!("  tree hash, in chunks: {:.3}", streamed / linear);
    println!("  tree hash, in one buffer: {:.3}", received / linear);
    println!("  tree hash and SHA-256, in chunks: {:.3}", both / linear);

    let huge = Content::from(Payload::Generated {
        seed: 7,
        length: 40 << 40,
    });
    let seconds = median(3, || huge.tree_hash_of(whole(40 << 40))).as_secs_f64();
    println!("tree hash of a generated 40 TiB: {seconds:.3} s");
    let nodes = vec![sha256(b""); 1 << 20];
    let seconds = median(3, || combine(&nodes)).as_secs_f64();
    println!("combining 1 TiB of leaves: {seconds:.3} s");
}

/// Asked of a range, a content hashes anew; of the whole it remembers the answer.
fn whole(size: u64) -> ByteRange {
    ByteRange::whole(size).expect("there are bytes to hash")
}

/// Prints and returns how many GiB of [`SIZE`] bytes go through in a second.
fn rate<T>(what: &str, work: impl FnMut() -> T) -> f64 {
    let seconds = median(ROUNDS, work).as_secs_f64();
    let rate = SIZE as f64 / f64::from(1 << 30) / seconds;
    println!(
        "{what}: {rate:.2} GiB/s ({:.2} GB/s)",
        SIZE as f64 / 1e9 / seconds
    );
    rate
}

fn median<T>(rounds: usize, mut work: impl FnMut() -> T) -> Duration {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            black_box(work());
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[rounds / 2]
}
