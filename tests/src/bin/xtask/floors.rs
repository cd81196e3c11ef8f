//! The order of the modules of a crate: each imports only those that ARCHITECTURE.md lists before it, so there is no
//! circle among them either.
//!
//! The order stands once, in the tables of ARCHITECTURE.md whose header names a source folder and says "ground first". A file is
//! read as the compiler's tokens, so that comments and texts are no imports, but paths inside macros are.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, Result, bail, ensure};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::{process::root, steps::Session};

/// One crate's order.
struct Floors {
    /// `host/src`
    folder: String,
    /// top-level modules, ground first
    order: Vec<String>,
}

/// A module that is named in a file.
#[derive(Debug, PartialEq)]
struct Import {
    line: usize,
    /// the top-level module
    module: String,
}

/// Reads every file of every crate that has a table. Error: the imports that run upwards, with file and line; modules
/// that no table has, and floors without a module.
pub(crate) fn check(_: &mut Session) -> Result<()> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).context("ARCHITECTURE.md")?;
    let all = parse(&text);
    ensure!(!all.is_empty(), "ARCHITECTURE.md has no table of floors");
    let mut wrong = Vec::new();
    for floors in all {
        let (files, imports) = floors.check(&mut wrong)?;
        println!("{}: {files} files, {imports} imports between {} floors", floors.folder, floors.order.len());
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// The tables of ARCHITECTURE.md: a header cell "floor of `FOLDER`, ground first", then a row for each floor, its name in
/// backticks first.
fn parse(text: &str) -> Vec<Floors> {
    let mut all: Vec<Floors> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let mut quoted = line.split('`').skip(1).step_by(2);
        if line.contains("ground first") && line.starts_with('|') {
            let folder = quoted.next().unwrap_or_default().to_owned();
            all.push(Floors { folder, order: Vec::new() });
            inside = true;
        } else if !line.starts_with('|') {
            inside = false;
        } else if let (true, Some(name), Some(floors)) = (inside, quoted.next(), all.last_mut()) {
            floors.order.push(name.to_owned());
        }
    }
    all
}

impl Floors {
    /// Adds what is wrong; returns how many files were read, and how many imports lead to other floors.
    fn check(&self, wrong: &mut Vec<String>) -> Result<(usize, usize)> {
        let folder = root().join(&self.folder);
        let mut files = Vec::new();
        sources(&folder, &mut files)?;
        ensure!(!files.is_empty(), "{}: no source", self.folder);
        let (mut seen, mut count) = (BTreeSet::new(), 0);
        for file in &files {
            let place = file.strip_prefix(&folder).unwrap_or(file);
            let module = module_path(place);
            // lib.rs and main.rs stand above all floors
            let Some(floor) = module.first() else { continue };
            seen.insert(floor.clone());
            if !self.order.contains(floor) {
                wrong.push(format!("{}/{}: ARCHITECTURE.md has no floor `{floor}`", self.folder, place.display()));
                continue;
            }
            let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
            let imports = imports(&text, &module).with_context(|| file.display().to_string())?;
            for Import { line, module } in imports {
                let (Some(from), Some(to)) = (self.height(floor), self.height(&module)) else { continue };
                count += usize::from(from != to);
                if to > from {
                    let place = format!("{}/{}:{line}", self.folder, place.display());
                    wrong.push(format!("{place}: `{floor}` imports `{module}`, a floor above it"));
                }
            }
        }
        for missing in self.order.iter().filter(|floor| !seen.contains(*floor)) {
            wrong.push(format!("ARCHITECTURE.md: {} has no module `{missing}`", self.folder));
        }
        Ok((files.len(), count))
    }

    fn height(&self, module: &str) -> Option<usize> {
        self.order.iter().position(|floor| floor == module)
    }
}

/// All Rust files under a folder, in order.
fn sources(folder: &Path, files: &mut Vec<std::path::PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            sources(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// The module that a file is: `kernel/file.rs` is `[kernel, file]`, `kernel/mod.rs` `[kernel]`, `lib.rs` `[]`.
fn module_path(place: &Path) -> Vec<String> {
    let mut path: Vec<String> =
        place.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if path.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        path.pop();
    }
    path
}

/// Every top-level module that a file names, through `crate` or through as many `super` as lead there.
fn imports(text: &str, module: &[String]) -> Result<Vec<Import>> {
    let Ok(tokens) = text.parse::<TokenStream>() else { bail!("is no Rust") };
    let mut found = Vec::new();
    walk(tokens, module.len(), &mut found);
    Ok(found)
}

/// `depth` is the number of modules around these tokens.
fn walk(tokens: TokenStream, depth: usize, found: &mut Vec<Import>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        if let TokenTree::Group(group) = &tokens[at] {
            // the body of `mod name { … }` is one module deeper
            let inline = at >= 2 && ident(&tokens[at - 2]) == "mod" && group.delimiter() == Delimiter::Brace;
            walk(group.stream(), depth + usize::from(inline), found);
            at += 1;
            continue;
        }
        let mut up = match ident(&tokens[at]).as_str() {
            "crate" => depth,
            "super" => 1,
            _ => {
                at += 1;
                continue;
            }
        };
        at += 1;
        while colons(&tokens, at) {
            match tokens.get(at + 2) {
                Some(next) if ident(next) == "super" => up += 1,
                Some(next) if up >= depth => root_items(next, found),
                _ => {}
            }
            at += 2;
            // what comes after the first name that is not `super` is no module of the root's
            if tokens.get(at).is_none_or(|next| ident(next) != "super") {
                break;
            }
            at += 1;
        }
    }
}

/// What stands after `crate::`: a name, or a group of paths.
fn root_items(next: &TokenTree, found: &mut Vec<Import>) {
    match next {
        TokenTree::Ident(name) => {
            found.push(Import { line: name.span().start().line, module: name.to_string() });
        }
        TokenTree::Group(group) => {
            let mut first = true;
            for token in group.stream() {
                match &token {
                    TokenTree::Punct(comma) if comma.as_char() == ',' => first = true,
                    TokenTree::Ident(_) if first => {
                        root_items(&token, found);
                        first = false;
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn colons(tokens: &[TokenTree], at: usize) -> bool {
    (at..at + 2).all(|at| matches!(tokens.get(at), Some(TokenTree::Punct(p)) if p.as_char() == ':'))
}

fn ident(token: &TokenTree) -> String {
    if let TokenTree::Ident(name) = token { name.to_string() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, module: &[&str]) -> Vec<(usize, String)> {
        let module: Vec<String> = module.iter().map(|part| (*part).to_owned()).collect();
        imports(text, &module).unwrap().into_iter().map(|import| (import.line, import.module)).collect()
    }

    #[test]
    fn every_way_to_name_a_floor_is_seen() {
        let text = "use crate::cli::run;\nuse crate::{files::{npz, Dtype}, study};\nuse super::plot::Figure;\n\
                    fn f() { println!(\"{}\", crate::report::x()); }\nmod tests { use super::super::run; use super::own; }\n";
        let all: Vec<_> = [(1, "cli"), (2, "files"), (2, "study"), (3, "plot"), (4, "report"), (5, "run")]
            .map(|(line, module)| (line, module.to_owned()))
            .into();
        assert_eq!(found(text, &["data"]), all);
    }

    #[test]
    fn what_is_no_import_is_none() {
        let text = "// use crate::cli;\n/// [`crate::cli`]\nconst S: &str = \"crate::cli\";\nuse super::cli;\nuse other::cli;\n\
                    use self::cli;\npub(crate) fn f() {}\n";
        assert_eq!(found(text, &["data", "csv"]), []);
    }

    #[test]
    fn modules_of_files() {
        let path = |place: &str| module_path(Path::new(place)).join("::");
        assert_eq!(["lib.rs", "a.rs", "a/mod.rs", "a/b.rs", "a/b/mod.rs"].map(path), ["", "a", "a", "a::b", "a::b"]);
    }

    #[test]
    fn floors_stand_in_the_table() {
        let text = "# A\n\n| floor of `x/src`, ground first | holds |\n| --- | --- |\n| `low` | `a`, `b` |\n| `high` | c |\n\n| `no` |\n";
        let [floors] = &parse(text)[..] else { panic!("one table") };
        assert_eq!((floors.folder.as_str(), &floors.order[..]), ("x/src", &["low".to_owned(), "high".to_owned()][..]));
        assert!(floors.height("high") > floors.height("low") && floors.height("no").is_none());
    }
}
