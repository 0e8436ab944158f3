//! What is published: a nonce, and a filling by which a damaged copy shows.
//!
//! ```text
//!   ~17.4~xxxx!        number 17, four bytes of filling
//! ```
//!
//! It holds nothing that JSON escapes, so it is found in any body, however deeply it is quoted.

/// Bytes of the shortest payload that is drawn.
pub(crate) const SIZE_MIN: usize = 10;
/// Bytes of the longest payload that is drawn.
pub(crate) const SIZE_MAX: usize = 200 * 1024;
/// Where most sizes end: nine of ten are drawn from the small ones.
pub(crate) const SIZE_SMALL: usize = 4 * 1024;
/// More than one event of the Events API may have (EVT-LIMIT-002).
pub(crate) const SIZE_REFUSED: usize = 250 * 1024;

/// A nonce and the text that carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Payload {
    /// Names the event.
    pub(crate) nonce: String,
    /// What is sent.
    pub(crate) text: String,
}

/// What a body holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found<'b> {
    /// A payload as it was sent.
    Whole(&'b str),
    /// A nonce whose filling is not what was sent.
    Damaged(&'b str),
    /// No nonce.
    Nothing,
}

impl Payload {
    /// A payload of `size` bytes; one less where the filling has fewer digits, a few more where the nonce needs them.
    pub(crate) fn new(number: u64, size: usize) -> Self {
        let filling = size.saturating_sub(format!("~{number}.{size}~!").len());
        let nonce = format!("{number}.{filling}");
        let text = format!("~{nonce}~{}!", "x".repeat(filling));
        Self { nonce, text }
    }
}

/// Finds the payload in a body.
pub(crate) fn find(body: &str) -> Found<'_> {
    let Some((nonce, rest)) = body.split_once('~').and_then(|(_, rest)| rest.split_once('~')) else {
        return Found::Nothing;
    };
    let Some(filling) = nonce.split_once('.').and_then(|(_, filling)| filling.parse::<usize>().ok()) else {
        return Found::Nothing;
    };
    let is_whole = rest.find('!') == Some(filling) && rest.bytes().take(filling).all(|byte| byte == b'x');
    if is_whole { Found::Whole(nonce) } else { Found::Damaged(nonce) }
}

/// Draws a size: most are small, some come near the limit.
pub(crate) fn size(rng: &mut fastrand::Rng) -> usize {
    let (least, most) = if rng.u8(..10) == 0 { (SIZE_SMALL, SIZE_MAX) } else { (SIZE_MIN, SIZE_SMALL) };
    spread(rng, least, most)
}

/// Even over the orders of magnitude.
fn spread(rng: &mut fastrand::Rng, least: usize, most: usize) -> usize {
    let mut most_here = least;
    let mut steps = vec![least];
    while most_here < most {
        most_here = (most_here * 2).min(most);
        steps.push(most_here);
    }
    let step = rng.usize(1..steps.len());
    rng.usize(steps[step - 1]..=steps[step])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_found_in_whatever_quotes_it() {
        let payload = Payload::new(17, 300);
        let quoted = serde_json::json!({"data": serde_json::json!({"text": payload.text}).to_string()}).to_string();

        assert_eq!(payload.text.len(), 300);
        assert_eq!(find(&payload.text), Found::Whole(&payload.nonce));
        assert_eq!(find(&quoted), Found::Whole(&payload.nonce));
    }

    #[test]
    fn a_payload_that_was_cut_or_changed_is_damaged() {
        let Payload { nonce, text } = Payload::new(3, 100);
        let changed = text.replacen("xx", "xy", 1);
        let longer = text.replace('!', "x!");

        for body in [&text[..60], changed.as_str(), longer.as_str()] {
            assert_eq!(find(body), Found::Damaged(&nonce), "{body}");
        }
    }

    #[test]
    fn a_body_without_a_nonce_has_nothing() {
        for body in ["", "{}", "~", "~17~x!", "~a.b~!"] {
            assert_eq!(find(body), Found::Nothing, "{body}");
        }
    }

    #[test]
    fn sizes_reach_from_the_least_to_near_the_most() {
        let mut rng = fastrand::Rng::with_seed(1);

        let sizes: Vec<_> = (0..10_000).map(|_| size(&mut rng)).collect();

        assert!(sizes.iter().all(|size| (SIZE_MIN..=SIZE_MAX).contains(size)));
        assert!(sizes.iter().any(|size| *size < 20));
        assert!(sizes.iter().any(|size| *size > 150 * 1024));
    }
}
