//! Wildcards as policies have them.

/// `*` stands for any text, slashes included, `?` for one character.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    // Most have no wildcard, or begin otherwise: a judgement asks thousands of times.
    let literal = pattern.split(['*', '?']).next().unwrap_or_default();
    if literal.len() == pattern.len() || !text.starts_with(literal) {
        return pattern == text;
    }
    if pattern.is_ascii() && text.is_ascii() {
        return meets(pattern.as_bytes(), text.as_bytes(), b'*', b'?');
    }
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    meets(&pattern, &text, '*', '?')
}

/// A mismatch goes back to the last `*` only, which lets that one take one character more: a policy with many of them
/// costs no more than its length times the text's.
fn meets<T: PartialEq>(pattern: &[T], text: &[T], any: T, one: T) -> bool {
    let (mut at, mut read, mut star) = (0, 0, None);
    while let Some(c) = text.get(read) {
        match pattern.get(at) {
            Some(p) if *p == any => {
                star = Some((at + 1, read));
                at += 1;
            }
            Some(p) if *p == one || p == c => (at, read) = (at + 1, read + 1),
            _ => {
                let Some((after, taken)) = star else { return false };
                star = Some((after, taken + 1));
                (at, read) = (after, taken + 1);
            }
        }
    }
    pattern.iter().skip(at).all(|c| *c == any)
}

/// An ARN's six parts are compared one by one: a wildcard does not reach over a colon, but in the last part.
pub(crate) fn matches_arn(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<_>, Vec<_>) = (pattern.splitn(6, ':').collect(), text.splitn(6, ':').collect());
    pattern.len() == text.len() && pattern.iter().zip(text).all(|(pattern, text)| matches(pattern, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_as_in_policies() {
        for (pattern, text) in
            [("*", ""), ("a*", "a/b"), ("v*.*.*/*", "v1.0.0/x/y"), ("a?c", "abc"), ("é*", "éa"), ("*ab*b", "aabcb")]
        {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "ab"), ("a?", "a"), ("v*.*.*/*", "v1.0/x"), ("", "a"), ("*ab", "abc")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_wildcard_stays_in_its_part_of_an_arn() {
        let role = "arn:aws:iam::111122223333:role/a";
        assert!(matches_arn("arn:aws:iam::*:role/*", role) && matches_arn("arn:*:iam::111122223333:*", role));
        assert!(!matches_arn("arn:*:role/a", role) && !matches_arn("*", role));
    }
}
