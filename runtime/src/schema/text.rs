//! A text that is put together in `const`.
//!
//! Always true here: what is pushed is there as a whole or not at all, so the text is valid UTF-8; once something did not
//! fit, the text ends in `and more` and takes nothing else. Everything goes by reference: by value, the compiler would copy
//! the whole buffer at each call.

/// A text of at most `N` bytes.
pub struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
    /// Where the last whole item ends, once there are items.
    item: Option<usize>,
    full: bool,
}

/// What stands at the end of a text that was longer.
const MORE: &[u8] = b"\n  - and more";

impl<const N: usize> Text<N> {
    /// Nothing yet.
    pub(crate) const fn new() -> Self {
        assert!(N > MORE.len(), "a text has room for saying that there is more");
        Text { bytes: [0; N], len: 0, item: None, full: false }
    }
    /// Adds a text.
    pub(crate) const fn push(&mut self, text: &str) -> &mut Self {
        self.push_bytes(text.as_bytes())
    }
    /// Adds what is UTF-8 text.
    pub(crate) const fn push_bytes(&mut self, text: &[u8]) -> &mut Self {
        if self.full {
            return self;
        }
        if text.len() > N - MORE.len() - self.len {
            self.full = true;
            // Of an item there is all or nothing.
            if let Some(end) = self.item {
                self.len = end;
            }
            self.append(MORE);
        } else {
            self.append(text);
        }
        self
    }
    const fn append(&mut self, text: &[u8]) {
        let (_, rest) = self.bytes.split_at_mut(self.len);
        rest.split_at_mut(text.len()).0.copy_from_slice(text);
        self.len += text.len();
    }
    /// Adds several texts.
    pub(crate) const fn push_all(&mut self, texts: &[&str]) -> &mut Self {
        let mut i = 0;
        while i < texts.len() {
            self.push(texts[i]);
            i += 1;
        }
        self
    }
    /// Begins an item of a list.
    pub(crate) const fn item(&mut self) -> &mut Self {
        if !self.full {
            self.item = Some(self.len);
        }
        self.push("\n  - ")
    }
    /// Says that there is more, and takes nothing else.
    pub(crate) const fn end_with_more(&mut self) {
        if !self.full {
            self.full = true;
            // There is always room for it.
            self.append(MORE);
        }
    }
    /// Adds a number.
    pub(crate) const fn push_number(&mut self, number: u64) -> &mut Self {
        if number > 9 {
            self.push_number(number / 10);
        }
        self.push_bytes(&[b'0' + (number % 10) as u8])
    }
    /// Adds a name as lines write it: as it is, or in quotes where it holds anything but letters, digits, `_` and `-`.
    pub(crate) const fn push_name(&mut self, name: &str) -> &mut Self {
        if is_plain(name.as_bytes()) { self.push(name) } else { self.push_quoted(name) }
    }
    /// Adds a text in quotes.
    pub(crate) const fn push_quoted(&mut self, text: &str) -> &mut Self {
        self.push("\"");
        let (text, mut i) = (text.as_bytes(), 0);
        while i < text.len() {
            // Up to the next byte that is written in another way.
            let mut end = i;
            while end < text.len() && escape(text[end]).1 == 0 {
                end += 1;
            }
            self.push_bytes(part(text, i, end));
            if end < text.len() {
                let (escaped, len) = escape(text[end]);
                self.push_bytes(part(&escaped, 0, len));
                end += 1;
            }
            i = end;
        }
        self.push("\"")
    }
    /// How long it is.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }
    /// Whether something did not fit.
    pub(crate) const fn is_full(&self) -> bool {
        self.full
    }
    /// Takes back what was added since it had this length.
    pub(crate) const fn cut(&mut self, len: usize) {
        self.len = len;
    }
    /// The bytes.
    pub(crate) const fn get(&self) -> &[u8] {
        self.bytes.split_at(self.len).0
    }
    /// The text.
    pub const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.get()) {
            Ok(text) => text,
            Err(_) => "",
        }
    }
}

/// Whether a name stands in a line without quotes.
pub(crate) const fn is_plain(name: &[u8]) -> bool {
    let mut i = 0;
    while i < name.len() {
        if !is_plain_byte(name[i]) {
            return false;
        }
        i += 1;
    }
    !name.is_empty()
}

/// A letter, a digit, `_` or `-`.
pub(crate) const fn is_plain_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// How a byte is written between quotes, and how many bytes of that count: none for a byte that stands as it is.
pub(crate) const fn escape(byte: u8) -> ([u8; 4], usize) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'"' | b'\\' => ([b'\\', byte, 0, 0], 2),
        0..=0x1f | 0x7f => ([b'\\', b'x', HEX[byte as usize >> 4], HEX[byte as usize & 15]], 4),
        _ => ([0; 4], 0),
    }
}

/// Whether two pieces are the same. Names that are alike differ at their ends most often.
pub(crate) const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut i = a.len();
    if i != b.len() {
        return false;
    }
    while i > 0 {
        i -= 1;
        if a[i] != b[i] {
            return false;
        }
    }
    true
}

/// From one place to another.
pub(crate) const fn part(bytes: &[u8], from: usize, to: usize) -> &[u8] {
    bytes.split_at(to).0.split_at(from).1
}

/// What stands after the first line break. Patterns alone: this is where the time of a lock that matches goes, and in `const`
/// a call such as `split_at` takes longer than a whole line of it.
pub(crate) const fn after_line(mut rest: &[u8]) -> &[u8] {
    loop {
        match rest {
            [] => return rest,
            [b'\n', more @ ..]
            | [_, b'\n', more @ ..]
            | [_, _, b'\n', more @ ..]
            | [_, _, _, b'\n', more @ ..]
            | [_, _, _, _, b'\n', more @ ..]
            | [_, _, _, _, _, b'\n', more @ ..]
            | [_, _, _, _, _, _, b'\n', more @ ..]
            | [_, _, _, _, _, _, _, b'\n', more @ ..] => return more,
            [_, _, _, _, _, _, _, _, more @ ..] | [_, more @ ..] => rest = more,
        }
    }
}

/// How long the line is that stands first. Slice patterns are what the compiler evaluates fastest: a third of a loop over
/// single bytes.
pub(crate) const fn line_len(mut rest: &[u8]) -> usize {
    let mut len = 0;
    loop {
        match rest {
            [] | [b'\n', ..] => return len,
            [_, b'\n', ..] => return len + 1,
            [_, _, b'\n', ..] => return len + 2,
            [_, _, _, b'\n', ..] => return len + 3,
            [_, _, _, _, b'\n', ..] => return len + 4,
            [_, _, _, _, _, b'\n', ..] => return len + 5,
            [_, _, _, _, _, _, b'\n', ..] => return len + 6,
            [_, _, _, _, _, _, _, b'\n', ..] => return len + 7,
            [_, _, _, _, _, _, _, _, more @ ..] => {
                rest = more;
                len += 8;
            }
            [_, more @ ..] => {
                rest = more;
                len += 1;
            }
        }
    }
}

/// Where `stop` comes next, or the end.
pub(crate) const fn until(bytes: &[u8], from: usize, stop: u8) -> usize {
    let mut i = from;
    while i < bytes.len() && bytes[i] != stop {
        i += 1;
    }
    i
}

/// What follows on `head`, where it begins with that.
pub(crate) const fn after<'a>(bytes: &'a [u8], head: &[u8]) -> Option<&'a [u8]> {
    if bytes.len() < head.len() || !same(part(bytes, 0, head.len()), head) {
        return None;
    }
    Some(part(bytes, head.len(), bytes.len()))
}

/// A number of decimal digits, without a sign and without zeros before it.
pub(crate) const fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 9 || (digits[0] == b'0' && digits.len() > 1) {
        return None;
    }
    let (mut value, mut i) = (0, 0);
    while i < digits.len() {
        if !digits[i].is_ascii_digit() {
            return None;
        }
        value = value * 10 + (digits[i] - b'0') as u32;
        i += 1;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_too_long_says_that_there_is_more() {
        let mut text = Text::<24>::new();
        text.push("0123456789");
        assert_eq!(text.as_str(), "0123456789");
        text.push("ä").push("b");
        assert_eq!(text.as_str(), "0123456789\n  - and more");
        assert!(text.is_full());
    }

    #[test]
    fn an_item_that_does_not_fit_is_left_out() {
        let mut text = Text::<40>::new();
        text.item().push("first").item().push("se").push("cond, which is long").item().push("third");
        assert_eq!(text.as_str(), "\n  - first\n  - and more");
    }

    #[test]
    fn names_are_quoted_where_a_line_could_not_be_read_otherwise() {
        for (name, written) in [
            ("amount_2", "amount_2"),
            ("kebab-case", "kebab-case"),
            ("", "\"\""),
            ("a b", "\"a b\""),
            ("größe", "\"größe\""),
            ("a\"b\\c\n", "\"a\\\"b\\\\c\\x0a\""),
        ] {
            let mut text = Text::<64>::new();
            text.push_name(name);
            assert_eq!(text.as_str(), written);
        }
    }

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for (digits, value) in [("0", Some(0)), ("12", Some(12)), ("", None), ("01", None), ("+1", None), ("1234567890", None)] {
            assert_eq!(number(digits.as_bytes()), value, "{digits}");
        }
        let mut text = Text::<64>::new();
        text.push_number(0).push(" ").push_number(1_203);
        assert_eq!(text.as_str(), "0 1203");
    }
}
