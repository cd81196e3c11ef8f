//! Programs that run without anything installed: `cargo xtask dist` builds one for each architecture, statically linked, and
//! packs it with its licences, README, manual pages and completions into target/dist; [`archive`] says how. `SHA256SUMS`
//! lists the archives.
//!
//! An architecture is built for by the first of its [`WAYS`] that this machine has all for. What the others lack is said, and
//! the architecture left out where nothing is left.

mod archive;
mod notices;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    process::{find, minutes, output, root, run},
    steps::LONG,
    toolchain::cargo,
};
use anyhow::{Context, Result, ensure};
use object::read::elf::{ElfFile64, ProgramHeader};

/// How a program is built for an architecture.
struct Way {
    /// rustc's name of architecture, system and C library
    target: &'static str,
    /// C compilers for it, of which the first that is there is taken
    compilers: &'static [&'static str],
    /// What brings such a compiler
    from: &'static str,
}

/// By architecture, the best first: musl is made to be linked statically, glibc finds no names of computers without its own
/// shared libraries, so that such a program downloads nothing where they are missing.
const WAYS: [(&str, &[Way]); 2] = [
    (
        "x86_64",
        &[
            Way {
                target: "x86_64-unknown-linux-musl",
                compilers: &["musl-gcc", "x86_64-linux-musl-gcc"],
                from: "Debian's musl-tools",
            },
            Way {
                target: "x86_64-unknown-linux-gnu",
                compilers: &["x86_64-linux-gnu-gcc", "gcc"],
                from: "Debian's gcc and libc6-dev",
            },
        ],
    ),
    (
        "aarch64",
        &[
            Way {
                target: "aarch64-unknown-linux-musl",
                compilers: &["aarch64-linux-musl-gcc"],
                from: "a cross compiler of musl.cc",
            },
            Way {
                target: "aarch64-unknown-linux-gnu",
                compilers: &["aarch64-linux-gnu-gcc"],
                from: "Debian's gcc-aarch64-linux-gnu",
            },
        ],
    ),
];

/// A shell, and the name under which it looks for completions.
const SHELLS: [(&str, &str); 5] = [
    ("bash", "ntkscope.bash"),
    ("elvish", "ntkscope.elv"),
    ("fish", "ntkscope.fish"),
    ("powershell", "_ntkscope.ps1"),
    ("zsh", "_ntkscope"),
];

/// The packages that end in the program.
const PACKAGE: &str = "ntkscope";

/// Builds, packs and tries a program for every architecture that this machine can build for.
pub(crate) fn dist() -> Result<()> {
    let place = root().join("target").join("dist");
    fs::create_dir_all(&place)?;
    let mut built = Vec::new();
    for (architecture, ways) in WAYS {
        match way(architecture, ways) {
            Ok((way, compiler)) => built.push((way, build(&place, way, &compiler)?)),
            Err(lacks) => println!("not built for {architecture}: {lacks}"),
        }
    }
    ensure!(!built.is_empty(), "this machine can build a static program for no architecture: see above what it lacks");
    // pages and completions are the same everywhere, and come from a program that runs here
    let native = built.iter().find(|(way, _)| way.target.starts_with(std::env::consts::ARCH));
    let (_, native) =
        native.context("none of the programs runs on this machine, which is to write their manual pages")?;
    let pages = pages(native)?;
    let mut sums = BTreeMap::new();
    for (way, program) in &built {
        let name = format!("{PACKAGE}-{}-{}", env!("CARGO_PKG_VERSION"), way.target);
        let mut files = pages.clone();
        files.insert(PACKAGE.into(), fs::read(program)?);
        files.insert("THIRD-PARTY".into(), notices::notices(PACKAGE, way.target)?.into_bytes());
        for file in ["LICENSE-APACHE", "LICENSE-MIT", "README.md"] {
            files.insert(file.into(), fs::read(root().join(file)).with_context(|| file)?);
        }
        let packed = archive::pack(&name, &files, changed()?)?;
        if program == native {
            check(&place.join("check"), &name, &packed)?;
        }
        let file = format!("{name}.tar.gz");
        fs::write(place.join(&file), &packed)?;
        println!("{}: {:.1} MB", place.join(&file).display(), packed.len() as f64 / 1e6);
        sums.insert(file, archive::sha256(&packed));
    }
    let lines: String = sums.iter().map(|(file, sum)| format!("{sum}  {file}\n")).collect();
    fs::write(place.join("SHA256SUMS"), lines)?;
    Ok(())
}

/// The first way for which everything is there, and its C compiler; or what each lacks.
fn way(architecture: &str, ways: &'static [Way]) -> std::result::Result<(&'static Way, PathBuf), String> {
    let mut lacking = Vec::new();
    for way in ways {
        let target = way.target;
        let compiler = way.compilers.iter().find_map(|name| find(name));
        let libraries = Command::new("rustc").args(["--print", "target-libdir", "--target", target]).output();
        let libraries = libraries.ok().and_then(|done| String::from_utf8(done.stdout).ok());
        if !libraries.is_some_and(|folder| Path::new(folder.trim()).is_dir()) {
            lacking.push(format!("rustc has no standard library for {target} (`rustup target add {target}`)"));
        } else if let Some(compiler) = compiler {
            if !lacking.is_empty() {
                println!("{architecture} is built for {target}: {}", lacking.join("; "));
            }
            return Ok((way, compiler));
        } else {
            lacking.push(format!("there is no C compiler for {target} ({}: {})", way.from, way.compilers.join(", ")));
        }
    }
    Err(lacking.join("; "))
}

/// Builds the program, and sees that it is static.
fn build(place: &Path, way: &Way, compiler: &Path) -> Result<PathBuf> {
    let target = way.target;
    // paths of this machine would be in the program, where a panic says its place
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let mut flags = vec!["-Ctarget-feature=+crt-static".to_owned(), remapped(root(), ".")];
    flags.extend(home.map(|home| remapped(&home, "cargo")));
    let folder = place.join("build");
    let mut build = cargo();
    build
        .args(["build", "--release", "--locked", "--package", PACKAGE, "--target", target, "--target-dir"])
        .arg(&folder);
    build.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    build.env(format!("CC_{}", target.replace('-', "_")), compiler);
    if !target.starts_with(std::env::consts::ARCH) {
        build.env(format!("CARGO_TARGET_{}_LINKER", target.to_uppercase().replace('-', "_")), compiler);
    }
    run(&mut build, LONG)?;
    let program = folder.join(target).join("release").join(PACKAGE);
    let bytes = fs::read(&program).with_context(|| program.display().to_string())?;
    ensure!(is_static(&bytes)?, "{} asks for a dynamic linker", program.display());
    Ok(program)
}

fn remapped(from: &Path, to: &str) -> String {
    format!("--remap-path-prefix={}={to}", from.display())
}

/// Whether an ELF file needs no dynamic linker and no shared library.
fn is_static(program: &[u8]) -> Result<bool> {
    let file: ElfFile64 = ElfFile64::parse(program)?;
    let asks = file.elf_program_headers().iter().any(|header| header.p_type(file.endian()) == object::elf::PT_INTERP);
    Ok(!asks)
}

/// Manual pages and completions, by their paths in the archive.
fn pages(program: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let folder = program.with_file_name("man");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    run(Command::new(program).args(["man", "--out"]).arg(&folder), minutes(1))?;
    for page in fs::read_dir(&folder)? {
        let page = page?.path();
        let name = page.file_name().context("a file has a name")?.to_string_lossy().into_owned();
        files.insert(format!("man/man1/{name}"), fs::read(page)?);
    }
    for (shell, name) in SHELLS {
        let completions = output(Command::new(program).args(["completions", shell]), minutes(1))?;
        files.insert(format!("completions/{name}"), format!("{completions}\n").into_bytes());
    }
    Ok(files)
}

/// When the commit was made that is packed, in seconds since 1970; 0 outside of a repository.
fn changed() -> Result<u64> {
    let mut git = Command::new("git");
    Ok(output(git.args(["log", "-1", "--format=%ct"]).current_dir(root()), minutes(1))
        .ok()
        .and_then(|seconds| seconds.parse().ok())
        .unwrap_or(0))
}

/// Unpacks an archive into `place` and runs its program there, with nothing in its environment.
fn check(place: &Path, name: &str, packed: &[u8]) -> Result<()> {
    if place.exists() {
        fs::remove_dir_all(place)?;
    }
    archive::unpack(packed, place)?;
    let folder = place.join(name);
    let program = || {
        let mut command = Command::new(folder.join(PACKAGE));
        command.env_clear().current_dir(&folder);
        command
    };
    let version = output(program().arg("--version"), minutes(1))?;
    ensure!(version.contains(env!("CARGO_PKG_VERSION")), "the program says that it is `{version}`");
    output(program().args(["kernel", "analytic", "--n", "8", "--out", "K.npy"]), minutes(1))?;
    let kernel = fs::read(folder.join("K.npy"))?;
    // eight samples: a header, and 64 numbers of 8 bytes
    ensure!(kernel.starts_with(b"\x93NUMPY") && kernel.len() > 8 * 64, "a kernel of {} bytes", kernel.len());
    println!("{version}, unpacked, has computed a kernel");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_architecture_lacks_is_said() {
        const NONE: &[Way] = &[Way { target: "mips-unknown-none", compilers: &["no-such-compiler"], from: "nowhere" }];
        let lacks = way("mips", NONE).err().expect("nothing builds for it");
        assert!(lacks.contains("rustup target add mips-unknown-none"), "{lacks}");
    }

    #[test]
    fn this_test_is_not_a_static_program() {
        let program = fs::read(std::env::current_exe().expect("a path")).expect("a program");
        if cfg!(all(target_os = "linux", target_env = "gnu", not(target_feature = "crt-static"))) {
            assert!(!is_static(&program).expect("an ELF file"));
        }
    }
}
