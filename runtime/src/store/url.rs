//! What the URLs of stores have in common.

/// The options behind the `?`, each once, as they are written.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(super) fn pairs(query: &str) -> Result<Vec<(&str, &str)>, String> {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if pairs.iter().any(|(other, _)| *other == name) {
            return Err(match name_shown(pair) {
                Some(name) => format!("the option `{name}` stands there twice: leave one of them out"),
                None => "an option stands there twice: leave one of them out".to_owned(),
            });
        }
        pairs.push((name, value));
    }
    Ok(pairs)
}

/// The name of an option that is not known, unless it could be a part of a secret: an option has a
/// name of small letters, and a value.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(super) fn name_shown(pair: &str) -> Option<&str> {
    let (name, _) = pair.split_once('=')?;
    let small = !name.is_empty() && name.chars().all(|letter| letter.is_ascii_lowercase() || matches!(letter, '_' | '-'));
    small.then_some(name)
}

/// A scheme as it may be shown.
pub(super) fn scheme_shown(scheme: &str) -> &str {
    let is_one = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '.' | '-'));
    if is_one { scheme } else { "***" }
}

/// A URL of no store as it may be shown: whole if nothing in it can be a secret, else its scheme.
pub(super) fn shown(url: &str) -> String {
    if url.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '.' | '/' | '\\' | '-' | '_' | ' ' | ':')) {
        return url.to_owned();
    }
    url.split_once(':').map_or_else(|| "***".to_owned(), |(scheme, _)| format!("{}:***", scheme_shown(scheme)))
}

/// Replaces `%xx` by its byte.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(super) fn decode(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match (digit(rest.next()), digit(rest.next())) {
            (Some(high), Some(low)) => bytes.push(u8::try_from(high * 16 + low).unwrap_or_default()),
            _ => return Err("a `%` is followed by two hexadecimal digits: write `%25` for the sign itself".to_owned()),
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err("a name in it is not UTF-8, or holds a NUL: take another name".to_owned()),
    }
}
