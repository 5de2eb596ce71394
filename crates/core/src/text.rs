//! What may stand in names: rules on text that people see beside what others wrote.

/// True for characters that a name must not carry: controls, and those that turn the direction of what follows
/// (Unicode Technical Report 36, section 2.5), with which a name could forge what stands next to it.
pub fn is_forbidden_in_name(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// True if `text` is a usable name of at most `chars_max` characters.
pub fn is_name(text: &str, chars_max: usize) -> bool {
    !text.trim().is_empty()
        && text.trim().len() == text.len()
        && text.chars().count() <= chars_max
        && !text.chars().any(is_forbidden_in_name)
}

/// True if `text` is a usable topic of at most `chars_max` characters; it may be empty and may break lines.
pub fn is_topic(text: &str, chars_max: usize) -> bool {
    text.chars().count() <= chars_max && !text.chars().any(|c| c != '\n' && is_forbidden_in_name(c))
}

/// True if `text` can be a reaction: short, no white space, no letters or control characters of its own, though a
/// zero-width joiner may bind what is one emoji to a reader.
pub fn is_emoji(text: &str, bytes_max: usize) -> bool {
    !text.is_empty()
        && text.len() <= bytes_max
        && text.chars().any(|c| !c.is_ascii() || c.is_ascii_digit() || c == '#' || c == '*')
        && text.chars().all(|c| !c.is_control() && !c.is_whitespace() && !c.is_alphabetic() || is_regional(c))
}

fn is_regional(c: char) -> bool {
    ('\u{1f1e6}'..='\u{1f1ff}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_forge_their_surroundings() {
        assert!(is_name("général 🦀", 80));
        for bad in ["", " ", " a", "a ", "a\nb", "a\u{202e}b", "a\u{2066}b", "\u{200b}"] {
            assert!(!is_name(bad, 80), "{bad:?}");
        }
        assert!(!is_name(&"é".repeat(81), 80) && is_name(&"é".repeat(80), 80));
    }

    #[test]
    fn emoji_are_short_and_not_words() {
        for good in ["👍", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪", "1️⃣", "❤️"] {
            assert!(is_emoji(good, 64), "{good}");
        }
        for bad in ["", "ok", "👍 ", "a👍", "\u{1}", &"👍".repeat(17)] {
            assert!(!is_emoji(bad, 64), "{bad:?}");
        }
    }
}
