//! The hash of tokens: the same for the same code, however it is laid out and commented, on every compiler.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// 64-bit FNV-1a, fed with the text of each token. Source: <http://www.isthe.com/chongo/tech/comp/fnv/>.
pub(crate) struct TokenHash(u64);

impl TokenHash {
    /// Of nothing yet.
    pub(crate) fn new() -> Self {
        TokenHash(0xcbf2_9ce4_8422_2325)
    }
    /// With these tokens; spacing doesn't count, nor do doc comments and other attributes that change nothing, nor the
    /// invisible delimiters of `macro_rules!`.
    pub(crate) fn add(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    let inner = matches!(tokens.peek(), Some(TokenTree::Punct(p)) if p.as_char() == '!');
                    let mark = inner.then(|| tokens.next()).flatten();
                    if !tokens.peek().is_some_and(changes_nothing) {
                        self.text("#");
                        self.text(mark.map_or("", |_| "!"));
                        continue;
                    }
                    tokens.next();
                }
                TokenTree::Punct(punct) => self.text(punct.as_char().encode_utf8(&mut [0; 4])),
                TokenTree::Ident(ident) => self.text(&ident.to_string()),
                TokenTree::Literal(literal) => self.text(&literal.to_string()),
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        Delimiter::Parenthesis => ("(", ")"),
                        Delimiter::Brace => ("{", "}"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::None => ("", ""),
                    };
                    self.text(open);
                    self.add(group.stream());
                    self.text(close);
                }
            }
        }
    }
    /// The hash.
    pub(crate) fn finish(self) -> u64 {
        self.0
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        for byte in text.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

/// Attributes that speak to people and tools.
const SILENT: [&str; 10] = ["doc", "allow", "expect", "warn", "deny", "forbid", "rustfmt", "clippy", "inline", "must_use"];

/// `[doc = ..]`, `[allow(..)]`.
fn changes_nothing(token: &TokenTree) -> bool {
    let TokenTree::Group(group) = token else { return false };
    group.delimiter() == Delimiter::Bracket
        && matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(ident)) if SILENT.iter().any(|name| ident == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(code: &str) -> u64 {
        let mut hash = TokenHash::new();
        hash.add(code.parse().expect("the test's code has tokens"));
        hash.finish()
    }

    #[test]
    fn layout_and_comments_do_not_count() {
        let plain = hash("fn f(&mut self, e: Paid) { self.sum += e.amount }");
        for same in [
            "fn f( & mut self,e:Paid){self.sum+=e.amount}",
            "/// Docs.\nfn f(&mut self, e: Paid) { // why\n self.sum += e.amount }",
            "#[rustfmt::skip] #[allow(unused)] fn f(&mut self, e: Paid) { self.sum += e.amount }",
            "#[doc = \"x\"] fn f(&mut self, e: Paid) { #![doc = \"y\"] self.sum += e.amount /* here */ }",
        ] {
            assert_eq!(hash(same), plain, "{same}");
        }
    }

    #[test]
    fn code_counts() {
        let plain = hash("fn f(&mut self, e: Paid) { self.sum += e.amount }");
        for other in [
            "fn f(&mut self, e: Paid) { self.sum -= e.amount }",
            "fn f(&mut self, e: Paid) { self.sum += e.amount; }",
            "#[key = 1] fn f(&mut self, e: Paid) { self.sum += e.amount }",
            "fn f(&mut self, e: Paid) { self.sum += (e.amount) }",
        ] {
            assert_ne!(hash(other), plain, "{other}");
        }
    }

    /// Snapshots and read models of released builds are found by it.
    #[test]
    fn the_hash_never_changes() {
        assert_eq!(format!("{:016x}", hash("a + b")), "00bd38bd09803a8c");
    }
}
