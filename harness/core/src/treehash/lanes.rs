//! SHA-256 of independent chains at once: one chain waits for its own last round most of the time.
//!
//! `sha2` stays the truth: where the processor lacks the instructions, or the interleaved rounds once fail
//! to give what `sha2` gives, each chain goes through `sha2` on its own.
#![allow(
    unsafe_code,
    reason = "the SHA instructions of the processor can be reached no other way; each use says why it is sound"
)]

use sha2::block_api::compress256;

use super::Digest;

/// The unit of SHA-256's compression (FIPS 180-4, 5.2.1).
pub(super) type Block = [u8; 64];

/// Messages hashed side by side where there are as many: with more, the states no longer stay near the processor.
pub(super) const LANES: usize = 4;

/// One chain of SHA-256 between two blocks (FIPS 180-4, 6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chain([u32; 8]);

impl Chain {
    /// The state before the first block (FIPS 180-4, 5.3.3).
    pub(super) const START: Self = Self([
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ]);

    /// Takes blocks into this chain alone.
    pub(super) fn advance(&mut self, blocks: &[Block]) {
        compress256(&mut self.0, blocks);
    }

    /// Ends a message of `length` bytes whose whole blocks are in and whose last `rest` bytes are not, by
    /// the padding of FIPS 180-4, 5.1.1: one bit, zeros, and the length in bits.
    ///
    /// # Panics
    /// When the rest is a block or more.
    pub(super) fn finish(mut self, rest: &[u8], length: u64) -> Digest {
        let mut padded = [0; 128];
        padded[..rest.len()].copy_from_slice(rest);
        padded[rest.len()] = 0x80;
        let end = if rest.len() < 56 { 64 } else { 128 };
        padded[end - 8..end].copy_from_slice(&(length << 3).to_be_bytes());
        self.advance(padded[..end].as_chunks().0);
        let mut digest = [0; 32];
        for (bytes, word) in digest.chunks_exact_mut(4).zip(self.0) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        Digest(digest)
    }
}

impl Default for Chain {
    fn default() -> Self {
        Self::START
    }
}

/// Hashes messages of one and the same length.
///
/// # Panics
/// When the lengths differ.
pub(super) fn hash_side_by_side<const N: usize>(messages: [&[u8]; N]) -> [Digest; N] {
    let length = messages[0].len();
    assert!(messages.iter().all(|message| message.len() == length));
    let parts = messages.map(|message| message.as_chunks());
    let mut chains = [Chain::START; N];
    advance(&mut chains, parts.map(|(blocks, _)| blocks));
    std::array::from_fn(|lane| chains[lane].finish(parts[lane].1, length as u64))
}

/// Takes as many blocks into each chain as into the others: chain `i` takes those of message `i % M`.
/// Chains that take the same message share its schedule.
///
/// # Panics
/// When the messages are not of one length.
pub(super) fn advance<const N: usize, const M: usize>(
    chains: &mut [Chain; N],
    messages: [&[Block]; M],
) {
    let length = messages[0].len();
    assert!(messages.iter().all(|message| message.len() == length));
    #[cfg(target_arch = "x86_64")]
    if trusted() {
        // SAFETY: `trusted` has detected every feature that `interleave` is compiled for.
        return unsafe { interleave::advance(chains, messages) };
    }
    one_by_one(chains, messages);
}

fn one_by_one<const N: usize, const M: usize>(chains: &mut [Chain; N], messages: [&[Block]; M]) {
    for (chain, message) in chains.iter_mut().zip(messages.iter().cycle()) {
        chain.advance(message);
    }
}

/// Says, once and for all, whether the processor has the instructions and they agree with `sha2`.
#[cfg(target_arch = "x86_64")]
fn trusted() -> bool {
    static TRUSTED: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *TRUSTED.get_or_init(|| {
        is_x86_feature_detected!("sha")
            && is_x86_feature_detected!("ssse3")
            && is_x86_feature_detected!("sse4.1")
            && agrees_with_sha2()
    })
}

/// Takes a few blocks through both; called only where the features are.
#[cfg(target_arch = "x86_64")]
fn agrees_with_sha2() -> bool {
    let blocks: [Block; 3 * LANES] =
        std::array::from_fn(|block| std::array::from_fn(|byte| (block * 89 + byte * 37) as u8));
    let apart: [&[Block]; LANES] = std::array::from_fn(|lane| &blocks[3 * lane..][..3]);
    let (mut fast, mut slow) = ([Chain::START; LANES], [Chain::START; LANES]);
    // SAFETY: `trusted` has detected every feature that `interleave` is compiled for.
    unsafe {
        interleave::advance(&mut fast, apart);
        interleave::advance(&mut fast, [&blocks[..]]);
    }
    one_by_one(&mut slow, apart);
    one_by_one(&mut slow, [&blocks[..]]);
    fast == slow
}

/// The rounds of several chains, side by side.
///
/// `advance` needs the features `sha`, `ssse3` and `sse4.1`; whoever is in has them.
#[cfg(target_arch = "x86_64")]
mod interleave {
    use std::arch::x86_64::*;

    use super::{Block, Chain};

    /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2).
    const K: [[u32; 4]; 16] = [
        [0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5],
        [0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5],
        [0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3],
        [0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174],
        [0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc],
        [0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da],
        [0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7],
        [0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967],
        [0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13],
        [0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85],
        [0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3],
        [0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070],
        [0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5],
        [0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3],
        [0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208],
        [0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2],
    ];

    /// The eight words of a chain in the order of the instructions: a, b, e, f and c, d, g, h.
    #[derive(Clone, Copy)]
    struct Lane {
        abef: __m128i,
        cdgh: __m128i,
    }

    /// Takes messages into chains, as far as each has blocks.
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    pub(super) fn advance<const N: usize, const M: usize>(
        chains: &mut [Chain; N],
        messages: [&[Block]; M],
    ) {
        let mut lanes = chains.each_ref().map(|chain| enter(chain));
        let blocks = messages.iter().map(|message| message.len()).min();
        for at in 0..blocks.unwrap_or(0) {
            compress(&mut lanes, messages.map(|message| &message[at]));
        }
        *chains = lanes.map(|lane| leave(&lane));
    }

    /// Takes one block into each lane (FIPS 180-4, 6.2.2).
    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn compress<const N: usize, const M: usize>(lanes: &mut [Lane; N], blocks: [&Block; M]) {
        let before = *lanes;
        let mut words = blocks.map(|block| load(block));
        macro_rules! steps {
            ($($step:literal)*) => { $( four_rounds::<N, M, $step>(lanes, &mut words); )* };
        }
        steps!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        for (lane, before) in lanes.iter_mut().zip(before) {
            *lane = sum(*lane, before);
        }
    }

    /// Takes four words into each lane, after making them where the block has no more.
    /// The lanes stand one after the other here; the processor runs them side by side.
    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn four_rounds<const N: usize, const M: usize, const STEP: usize>(
        lanes: &mut [Lane; N],
        words: &mut [[__m128i; 4]; M],
    ) {
        for (message, words) in words.iter_mut().enumerate() {
            let keyed = keyed::<STEP>(words);
            for lane in lanes.iter_mut().skip(message).step_by(M) {
                lane.cdgh = _mm_sha256rnds2_epu32(lane.cdgh, lane.abef, keyed);
            }
            let upper = _mm_shuffle_epi32(keyed, 0x0e);
            for lane in lanes.iter_mut().skip(message).step_by(M) {
                lane.abef = _mm_sha256rnds2_epu32(lane.abef, lane.cdgh, upper);
            }
        }
    }

    /// Adds the constants to the four words of a step.
    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn keyed<const STEP: usize>(words: &mut [__m128i; 4]) -> __m128i {
        if STEP >= 4 {
            schedule::<STEP>(words);
        }
        _mm_add_epi32(words[STEP % 4], quad(&K[STEP]))
    }

    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn sum(one: Lane, other: Lane) -> Lane {
        Lane {
            abef: _mm_add_epi32(one.abef, other.abef),
            cdgh: _mm_add_epi32(one.cdgh, other.cdgh),
        }
    }

    /// Puts the next four words of the schedule in the place of the oldest four.
    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn schedule<const STEP: usize>(words: &mut [__m128i; 4]) {
        let [oldest, second, third, last] =
            [STEP % 4, (STEP + 1) % 4, (STEP + 2) % 4, (STEP + 3) % 4];
        let small = _mm_sha256msg1_epu32(words[oldest], words[second]);
        let seven_back = _mm_alignr_epi8(words[last], words[third], 4);
        words[oldest] = _mm_sha256msg2_epu32(_mm_add_epi32(small, seven_back), words[last]);
    }

    /// Reads a block as sixteen big-endian words.
    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn load(block: &Block) -> [__m128i; 4] {
        let big_endian = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
        let quads = block.as_chunks().0;
        let word = |bytes: &[u8; 16]| {
            // SAFETY: exactly 16 bytes are there to be read, and the load needs no alignment.
            let raw = unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) };
            _mm_shuffle_epi8(raw, big_endian)
        };
        [
            word(&quads[0]),
            word(&quads[1]),
            word(&quads[2]),
            word(&quads[3]),
        ]
    }

    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn quad(words: &[u32; 4]) -> __m128i {
        // SAFETY: exactly 16 bytes are there to be read, and the load needs no alignment.
        unsafe { _mm_loadu_si128(words.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn enter(Chain([a, b, c, d, e, f, g, h]): &Chain) -> Lane {
        Lane {
            abef: quad(&[*f, *e, *b, *a]),
            cdgh: quad(&[*h, *g, *d, *c]),
        }
    }

    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn leave(lane: &Lane) -> Chain {
        let [f, e, b, a] = words_of(lane.abef);
        let [h, g, d, c] = words_of(lane.cdgh);
        Chain([a, b, c, d, e, f, g, h])
    }

    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn words_of(quad: __m128i) -> [u32; 4] {
        [
            _mm_extract_epi32::<0>(quad),
            _mm_extract_epi32::<1>(quad),
            _mm_extract_epi32::<2>(quad),
            _mm_extract_epi32::<3>(quad),
        ]
        .map(|word| word as u32)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::sha256;
    use super::*;

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn a_processor_with_the_instructions_is_trusted_with_them() {
        assert_eq!(trusted(), is_x86_feature_detected!("sha"));
    }

    fn hash_as_with_sha2<const N: usize>(bytes: &[u8]) {
        let messages: [&[u8]; N] = std::array::from_fn(|lane| {
            let length = bytes.len() / N;
            &bytes[lane * length..][..length]
        });
        assert_eq!(hash_side_by_side(messages), messages.map(sha256));
    }

    proptest! {
        #[test]
        fn messages_side_by_side_hash_as_with_sha2(
            bytes in proptest::collection::vec(any::<u8>(), 0..4000)
        ) {
            hash_as_with_sha2::<1>(&bytes);
            hash_as_with_sha2::<2>(&bytes);
            hash_as_with_sha2::<3>(&bytes);
            hash_as_with_sha2::<LANES>(&bytes);
        }

        #[test]
        fn chains_that_take_the_same_blocks_from_elsewhere_hash_as_with_sha2(
            head in proptest::collection::vec(any::<u8>(), 64),
            bytes in proptest::collection::vec(any::<u8>(), 0..1000),
        ) {
            let mut chains = [Chain::START; 2];
            chains[0].advance(head.as_chunks().0);
            let (blocks, rest) = bytes.as_chunks();
            advance(&mut chains, [blocks]);
            let whole = [&head[..], &bytes].concat();
            prop_assert_eq!(chains[0].finish(rest, whole.len() as u64), sha256(&whole));
            prop_assert_eq!(chains[1].finish(rest, bytes.len() as u64), sha256(&bytes));
        }
    }
}
