//! `crevasse payload`: the bytes that reproductions upload.

use std::io::{ErrorKind, Write, stdout};

use anyhow::Context;
use crevasse::exit;
use crevasse_core::payload::{Content, Payload as Described};
use crevasse_core::range::{ByteRange, parse_retrieval_range};

use crate::args::Payload;

const FRAME: u64 = 1 << 20;

pub(crate) fn run(args: &Payload) -> anyhow::Result<u8> {
    let whole = Content::from(described(args)?);
    let content = match &args.range {
        None => whole,
        Some(text) => whole.slice(within(text, args.length.0)?),
    };
    match write(&content) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(exit::AS_EXPECTED),
        written => written
            .context("failed to write to standard output")
            .map(|()| exit::AS_EXPECTED),
    }
}

fn described(args: &Payload) -> anyhow::Result<Described> {
    let length = args.length.0;
    Ok(match args.seed.as_str() {
        "pattern" => Described::Pattern { length },
        "zeros" => Described::Zeros { length },
        seed => {
            let seed = seed.parse().with_context(|| {
                format!("a seed is a number, `pattern` or `zeros`, not `{seed}`")
            })?;
            Described::Generated { seed, length }
        }
    })
}

fn within(text: &str, length: u64) -> anyhow::Result<ByteRange> {
    let range = parse_retrieval_range(text).filter(|range| range.end <= length);
    range
        .with_context(|| format!("a range FIRST-LAST within {length} bytes expected, not `{text}`"))
}

fn write(content: &Content) -> std::io::Result<()> {
    let mut to = stdout().lock();
    let mut frame = Vec::new();
    let mut at = 0;
    while at < content.length() {
        frame.resize(FRAME.min(content.length() - at) as usize, 0);
        content.read_at(at, &mut frame);
        to.write_all(&frame)?;
        at += frame.len() as u64;
    }
    to.flush()
}
