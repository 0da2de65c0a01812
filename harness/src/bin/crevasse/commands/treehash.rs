//! `crevasse treehash`: the oracle as a tool.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, stdin};
use std::path::Path;

use anyhow::{Context, bail};
use crevasse::exit;
use crevasse_core::range::parse_retrieval_range;
use crevasse_core::treehash::{Digest, LeafHasher, TreeHasher, combine};

use crate::args::Treehash;

pub(crate) fn run(args: &Treehash) -> anyhow::Result<u8> {
    match (&args.range, args.part_size) {
        (Some(range), _) => putln!("{}", of_range(&args.file, range)?),
        (None, Some(size)) => print_parts(&args.file, size.0)?,
        (None, None) => putln!("{}", of_stream(open(&args.file)?)?),
    }
    Ok(exit::AS_EXPECTED)
}

fn open(path: &Path) -> anyhow::Result<Box<dyn Read>> {
    if path == Path::new("-") {
        return Ok(Box::new(stdin().lock()));
    }
    Ok(Box::new(file(path)?))
}

fn file(path: &Path) -> anyhow::Result<File> {
    File::open(path).with_context(|| format!("failed to open {}", path.display()))
}

fn of_stream(mut from: impl Read) -> anyhow::Result<Digest> {
    let mut hasher = TreeHasher::tree_only();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match from.read(&mut buffer).context("failed to read")? {
            0 => return Ok(hasher.finish().tree_hash),
            read => hasher.update(&buffer[..read]),
        }
    }
}

fn of_range(path: &Path, text: &str) -> anyhow::Result<Digest> {
    let range = parse_retrieval_range(text);
    let range = range
        .with_context(|| format!("a range FIRST-LAST with FIRST <= LAST expected, not `{text}`"))?;
    let mut file = file(path)?;
    let size = file.metadata().context("failed to tell the size")?.len();
    if range.end > size {
        bail!(
            "the range ends at byte {}, but {} has only {size} bytes",
            range.last(),
            path.display()
        );
    }
    file.seek(SeekFrom::Start(range.start))
        .context("failed to seek")?;
    of_stream(file.take(range.len()))
}

/// Parts of a power of two mebibytes combine to the whole; other sizes do not, so the whole is hashed on its own.
fn print_parts(path: &Path, size: u64) -> anyhow::Result<()> {
    if !(size.is_power_of_two() && (1 << 20..=1 << 32).contains(&size)) {
        bail!(
            "the part size must be a power of two mebibytes, from 1 MiB to 4 GiB, as x-amz-part-size must"
        );
    }
    let mut from = open(path)?;
    let mut parts = Vec::new();
    let mut start = 0;
    loop {
        let mut hasher = TreeHasher::tree_only();
        let read = std::io::copy(&mut (&mut from).take(size), &mut Feed(&mut hasher))
            .context("failed to read")?;
        if read == 0 && start > 0 {
            break;
        }
        parts.push(hasher.finish().tree_hash);
        putln!(
            "{}  {start}-{}",
            parts[parts.len() - 1],
            (start + read).saturating_sub(1)
        );
        start += read;
        if read < size {
            break;
        }
    }
    putln!("{}  whole", combine(&parts));
    Ok(())
}

struct Feed<'a>(&'a mut LeafHasher);

impl std::io::Write for Feed<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
