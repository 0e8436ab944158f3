//! A reproducible stream of numbers (splitmix64): pauses and upgrade keys, nothing secret.

use appsync_protocol::handshake::base64::encode_standard;

pub(super) struct Draws(u64);

impl Draws {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// `Sec-WebSocket-Key`: 16 bytes, different for each upgrade.
    pub(super) fn upgrade_key(&mut self) -> String {
        let bytes = [self.next().to_le_bytes(), self.next().to_le_bytes()].concat();
        encode_standard(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_again_and_each_key_is_another() {
        let (mut one, mut other) = (Draws::new(7), Draws::new(7));

        let keys = [one.upgrade_key(), one.upgrade_key()];

        assert_eq!(keys[0], other.upgrade_key());
        assert_ne!(keys[0], keys[1]);
        assert_eq!(keys[0].len(), 24);
    }
}
