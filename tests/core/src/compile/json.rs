//! As much of JSON as the compiler's messages need.

/// A value.
#[derive(Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Items(Vec<Self>),
    Members(Vec<(String, Self)>),
}

const NULL: &Value = &Value::Null;

impl Value {
    /// A member, or null.
    pub(super) fn at(&self, name: &str) -> &Self {
        let Self::Members(members) = self else { return NULL };
        members.iter().find(|(found, _)| found == name).map_or(NULL, |(_, value)| value)
    }

    /// A member that is text; empty if there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        if let Self::Text(text) = self.at(name) { text } else { "" }
    }

    /// A member that is true.
    pub(super) fn is(&self, name: &str) -> bool {
        matches!(self.at(name), Self::Bool(true))
    }

    /// A member that is a whole number; zero if there is none.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "line numbers are small")]
    pub(super) fn number(&self, name: &str) -> usize {
        if let Self::Number(number) = self.at(name) { *number as usize } else { 0 }
    }

    /// The elements of an array.
    pub(super) fn items(&self) -> impl Iterator<Item = &Self> {
        if let Self::Items(items) = self { items.iter() } else { [].iter() }
    }
}

/// Reads one value that is known to be valid.
pub(super) fn parse(text: &str) -> Value {
    value(&mut text.trim())
}

fn value(rest: &mut &str) -> Value {
    *rest = rest.trim_start();
    match rest.as_bytes()[0] {
        b'{' => Value::Members(list(rest, '}', |rest| {
            let name = string(rest);
            *rest = rest.trim_start().strip_prefix(':').unwrap();
            (name, value(rest))
        })),
        b'[' => Value::Items(list(rest, ']', value)),
        b'"' => Value::Text(string(rest)),
        b'n' => word(rest, "null", Value::Null),
        b't' => word(rest, "true", Value::Bool(true)),
        b'f' => word(rest, "false", Value::Bool(false)),
        _ => {
            let end = rest.find([',', '}', ']']).unwrap_or(rest.len());
            let (number, after) = rest.split_at(end);
            *rest = after;
            Value::Number(number.trim().parse().unwrap())
        }
    }
}

fn word(rest: &mut &str, word: &str, value: Value) -> Value {
    *rest = rest.strip_prefix(word).unwrap();
    value
}

fn list<T>(rest: &mut &str, close: char, item: impl Fn(&mut &str) -> T) -> Vec<T> {
    let mut items = Vec::new();
    *rest = rest[1..].trim_start();
    while !rest.starts_with(close) {
        items.push(item(rest));
        *rest = rest.trim_start();
        *rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
    *rest = &rest[1..];
    items
}

fn string(rest: &mut &str) -> String {
    let mut text = String::new();
    let mut chars = rest.trim_start()[1..].chars();
    loop {
        match chars.next().unwrap() {
            '"' => break,
            '\\' => match chars.next().unwrap() {
                // What it stands for is never asked for.
                'u' => text.extend(chars.by_ref().take(4)),
                'n' => text.push('\n'),
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
    *rest = chars.as_str();
    text
}
