//! Patterns of a baseline: texts in which `*` stands for any text, also for none. The cost is that of two loops.

/// Whether a text is as a pattern says.
pub fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(head) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return left.ends_with(part);
        }
        // The first place is as good as any: a later `*` takes what lies between.
        match left.find(part) {
            Some(at) => left = left.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

/// Whether a text stands for more than itself.
pub fn is_pattern(text: &str) -> bool {
    text.contains('*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("a/b", "a/b", true),
            ("a/b", "a/bc", false),
            ("a/*", "a/", true),
            ("a/*", "b/a/", false),
            ("*", "", true),
            ("*c", "abc", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abcd", false),
            ("a*a", "a", false),
            ("*ab*ab", "ab", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn a_text_with_stars_in_place_of_parts_fits(parts in prop::collection::vec("[a-c]{0,3}", 1..5)) {
            prop_assert!(matches(&parts.join("*"), &parts.concat()));
            prop_assert!(matches(&parts.join("*"), &parts.join("ab")));
        }

        #[test]
        fn no_pattern_panics(pattern in any::<String>(), text in any::<String>()) {
            prop_assert_eq!(matches(&format!("{pattern}*").replace("**", "*"), &format!("{}{text}", pattern.replace('*', ""))), true);
        }
    }
}
