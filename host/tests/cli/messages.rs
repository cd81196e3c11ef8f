//! Every message, in one file that a person reads whenever it changes; what a machine can check is checked here.

use std::fmt::Write;

use crate::Place;
use crate::files::{digits, gzip, images, npz};
use crate::typing::every_command;

/// Words of the language that the program is written in, of its libraries and of the operating system's numbers.
const JARGON: [&str; 17] = [
    "usize",
    "u64",
    "u16",
    "i64",
    "f64 literal",
    "found in string",
    "target type",
    "os error",
    "errno",
    "panicked",
    "unwrap",
    "None",
    "Err(",
    "Some(",
    "ParseIntError",
    "invalid type",
    "as a value",
];

/// Places where something is wrong, and what is typed there.
fn prepare(place: &Place) {
    place.file("two.csv", "1,2,0\n3,4,1\n5,6,0\n");
    place.file("real.csv", "1,2,0.5\n3,4,0.25\n5,6,1.5\n");
    place.file("one.csv", "1,2,1\n3,4,1\n");
    place.file("nan.csv", "1,2,0\n3,NaN,1\n");
    place.file("ragged.csv", "1,2,0\n3,4,5,1\n");
    place.file("empty.csv", "");
    place.file("long.csv", format!("1,2,0\n{},3,1\n", "x".repeat(3_000_000)));
    place.file("none.npz", "no archive");
    place.file("x.npz", npz(&[("z", &[2, 1], &[1.0, 2.0]), ("y", &[2], &[0.0, 1.0])]));
    place.file("n.npz", npz(&[("x", &[2, 1], &[1.0, f64::NAN]), ("y", &[2], &[0.0, 1.0])]));
    place.file("oblong.npz", npz(&[("kernel", &[2, 3], &[1.0; 6])]));
    place.file("P.safetensors", "short");
    place.file("key.toml", "wdith = 5\n");
    place.file("kind.toml", "width = \"abc\"\n");
    place.file("choice.toml", "dtype = \"f16\"\n");
    place.file("data.toml", "data = \"minst\"\n");
    place.file("broken.toml", "width = \n");
    place.file("long.toml", format!("data = \"{}\"\n", "d".repeat(5_000_000)));
    place.file("longkey.toml", format!("{} = 1\n", "k".repeat(1_000_000)));
    place.file("bytes.toml", b"\xff\xfe".as_slice());
    place.file("used/notes.txt", "kept");
    place.file("file", "kept");
    place.file("huge.csv", "1e300,0\n-1e300,1\n");
    std::fs::create_dir_all(place.path("folder.npz")).unwrap();
    digits(place, "d", 20);
    digits(place, "half", 20);
    std::fs::remove_file(place.path("half/t10k-labels-idx1-ubyte.gz")).unwrap();
    let packed = gzip(&images(20));
    digits(place, "cut", 20);
    place.file("cut/t10k-images-idx3-ubyte.gz", &packed[..packed.len() / 2]);
    place.succeed("kernel analytic --n 6 --out A.npz --quiet");
    place.succeed("kernel analytic --n 8 --out B.npz --quiet");
    place.succeed("kernel empirical --width 8 --init standard --params-out P.npz --quiet");
}

const LINES: &str = "
rnu
run --widht 3
run --width abc
run --width
run --width -1
run --width 64,128
run --width 0
run --width 99999999999
run --depth 0
run --outputs 0
run --outputs 5
run --n 18446744073709551616
run --n 5
run --n 0
run --seed -1
run --seed 18446744073709551615
run --activation relo
run --activation leaky-relu:1e-50 --dtype f32
run --times empty.csv
run --times two.csv
run --times ragged.csv
run --times absent.csv
run --bias some
run --bias-scale -1
run --bias none --bias-scale 2
run --network resnet --alpha 0
run --network resnet --activation erf,gelu
run --widths 4,0
run --widths 4,x
run --widths 4,5 --depth 3
run --activation erf,gelu,relu
run --activation geul
run --parametrization mean-field
run --parametrization mup --depth 1 --predictions true
predict --parametrization mup --held-out 3 --smoothing 0.1
kernel empirical --order a,b
drift P.npz
drift P.npz nope.npz
drift nope.npz P.npz
drift P.npz P.safetensors
drift P.npz none.npz
drift P.npz P.npz --held-out 2
drift P.npz P.npz --seed 2
drift P.npz P.npz --order a,b
drift P.npz P.npz --report page.csv
drift P.npz P.npz --init standard --init mirrored
run --network resnet --bias all
run --alpha 0.5
run --trained branches
run --init mirorred
run --dtype f16
run --data minst
run --data digits
run --data absent.csv
run --data mnist
run --data mnist --data-dir nowhere
run --data mnist --data-dir used
run --data mnist --data-dir half
run --data mnist --data-dir cut
run --data mnist --data-dir d --n 21
run --data mnist --data-dir d --classes 3,12
run --data-dir d
run --data folder.npz
run --data nan.csv
run --data ragged.csv
run --data empty.csv
run --data long.csv
run --data none.npz
run --data x.npz
run --data n.npz
run --data one.csv
run --data two.csv --n 4
run --data two.csv --classes 0,7
run --data two.csv --classes 1
run --data two.csv --classes partiy
run --dimension 4
run --data sphere --dimension 1
run --normalize shpere
run --held-out 3 --predictions false
run --data two.csv --held-out 3
run --loss absolute
run --penalty -1
run --penalty nan
run --penalty much
run --loss mse --smoothing 0.1
run --smoothing 1
run --optimizer gd
run --optimizer gd --rate 0
run --optimizer gd --rate 0.1 --tolerance 0.5
run --rate 0.1
run --tolerance 1.5
run --until-time 0
run --until-time inf
run --until-margin -2
run --until-loss 0
run --max-steps -1
run --snapshots 2
run --predictions maybe
run --backend slow
run --threads 0
run --memory lots
run --memory 1B
run --set width
run --set wdith=5
run --set width=many
run --set penalty=true
run --out used
run --out file
run --out file/below
run absent.toml
run used
run key.toml
run kind.toml
run choice.toml
run data.toml
run broken.toml
run long.toml
run longkey.toml
run bytes.toml
run key.toml key.toml
run --data huge.csv --width 4 --out huge
kernel
kernel both
kernel analytic --width 64
kernel analytic --seed 3
kernel analytic --params P.npz
kernel analytic --multi-output full
kernel analytic --out nowhere/K.npz
kernel analytic --set penalty=1
kernel analytic --memory 1B
kernel empirical --multi-output some
kernel empirical --multi-output 1
kernel empirical --params nope.npz
kernel empirical --params P.safetensors
kernel empirical --params P.npz
kernel empirical --width 9 --init standard --params P.npz
kernel empirical --width 8 --depth 3 --init standard --params P.npz
kernel empirical --out file/K.npz
kernel empirical --data huge.csv --width 4
compare
compare A.npz
compare A.npz B.npz
compare nope.npz nope.npz
compare none.npz none.npz
compare A.npz:k B.npz
compare A.npz:y A.npz
compare oblong.npz oblong.npz
compare folder.npz A.npz
predict
predict --loss both --held-out 2
predict --loss mse --held-out 2 --time -1
predict --held-out 2 --time 3
predict --held-out 2
predict --held-out 2 --width 8
predict --loss mse --test absent.csv
predict --loss mse --test two.csv --held-out 2
predict --data real.csv --held-out 1
regress
regress --ridge 0
regress --ridge inf
regress --ridge 0.1 --tolerance 2
regress --ridge 0.1 --loss hinge
regress --ridge 0.1 --loss cross-entropy --data one.csv
regress --ridge 0.1 --width 8
regress --ridge 0.1 --memory 1B
regress --ridge 0.1 --kernel empirical --params nope.npz
regress --ridge 1e-9 --products 1 --data sphere --n 40
spectrum --kernel initial
spectrum --width 8
spectrum --params P.npz
spectrum --multi-output full
spectrum --kernel empirical --multi-output some
spectrum --kernel empirical --params nope.npz
spectrum --memory 1B
spectrum --ends 0
spectrum --out S.csv
smoothness
smoothness --data sphere --n 40
smoothness --data sphere --n 40 --window 3
smoothness --data sphere --n 40 --window 3..4
smoothness --data sphere --n 40 --coding pairs
smoothness --data real.csv --coding parity
smoothness --width 3
data
data shwo
data show --width 3
data show --n 5
data fetch
data fetch circle
data fetch minst
data fetch mnist --mirror ftp://x --data-dir new
bench --only nothing
bench --only empirical-16000 --quick
bench --repeat 0
reproduce
reproduce divergnece
reproduce lazy --only spectra
reproduce lazy --quick --full
reproduce lazy --widths 0
reproduce lazy --seeds 0
reproduce lazy --shard 3/2
reproduce lazy --shard 0/2
reproduce lazy --shard half
reproduce lazy --shard 1/2 --collect
reproduce lazy --collect --dry-run
reproduce lazy --only six-points --widths 4 --seeds 1 --collect --out empty
sweep
sweep --set width
sweep --set wdith=3,4
sweep --set width=
sweep --set width=3,,4
sweep --set width=3,many
sweep --set width=3,3
sweep --set width=0,3
sweep --set width=3,4 --set width=5
sweep --set width=3,4 --width 5
sweep --set seed=4..1
sweep --set seed=0..10000
sweep --set seed=0..99 --set width=1..99
sweep --set widths=[3,4
sweep --set classes=3,8,x
sweep --set loss=both,mse
sweep --set optimizer=both --loss mse
sweep --set data=circle,absent.csv --loss mse
sweep --set data=mnist,circle --data-dir nowhere --loss mse
sweep --set width=3,4 --n 5
sweep --set width=3,4 --out file
sweep --set width=3,4 --loss mse --shard 5/4
sweep --set width=3,4 --loss mse --collect --out empty
sweep absent.toml --set width=3,4
report
report absent
report file
report used
report d --out used
device
device absent
device used
device file
device file --elf file
device file --serial port
device --serial absent
device --serial file --elf absent
device --serial file --elf file
completions fihs
man kernle
";

/// Settings that a message about every command's data names as flags, though these commands have none of that name.
const OF_OTHERS: [(&str, &str); 2] = [("smoothness", "loss"), ("data fetch", "data")];

/// The flags in a message about this call that neither the command has nor the call: nobody typed them, and they mend nothing.
fn foreign_flags(line: &str, text: &str) -> Vec<String> {
    let typed: Vec<&str> = line.split_whitespace().collect();
    let all = every_command();
    let called =
        all.iter().filter(|(path, _)| typed.len() >= path.len() && path.iter().zip(&typed).all(|(a, b)| a == b));
    let Some((_, command)) = called.max_by_key(|(path, _)| path.len()) else { return Vec::new() };
    let known: Vec<&str> = command.get_arguments().filter_map(|argument| argument.get_long()).collect();
    // what stands in backticks is another command
    let told: String = text.split('`').step_by(2).collect();
    let words = told.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let flags = words.filter_map(|word| word.strip_prefix("--")).filter(|flag| !flag.is_empty());
    let is_typed = |flag: &str| line.contains(&format!("--{flag}")) || line.contains(&format!("{flag}="));
    let is_of_others = |flag: &str| OF_OTHERS.iter().any(|(begin, other)| line.starts_with(begin) && flag == *other);
    let foreign = flags.filter(|flag| !known.contains(flag) && !is_typed(flag) && !is_of_others(flag));
    foreign.map(|flag| format!("--{flag} is no flag of this command")).collect()
}

/// What is wrong with a message.
fn faults(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let longest = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    if longest > 1000 + "error: ".len() {
        found.push(format!("{longest} characters"));
    }
    for word in JARGON {
        if text.contains(word) {
            found.push(format!("says {word:?}"));
        }
    }
    if text.trim().is_empty() {
        found.push("says nothing".into());
    }
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        for pair in words.windows(2) {
            if pair[0] == pair[1] && pair[0].len() > 1 {
                found.push(format!("{:?} twice", pair[0]));
            }
        }
        for pair in words.windows(4) {
            if pair[..2] == pair[2..] {
                found.push(format!("{:?} twice", pair[..2].join(" ")));
            }
        }
        // a file that is named at the beginning need not be named again, but in a command to type
        if let Some((name, rest)) = line.trim_start_matches("error: ").split_once(": ")
            && name.contains('.')
            && rest.split('`').step_by(2).any(|outside| outside.contains(name))
        {
            found.push(format!("names {name} twice"));
        }
        for phrase in ["no such", "cannot", "not readable"] {
            if line.matches(phrase).count() > 1 {
                found.push(format!("{phrase:?} twice"));
            }
        }
    }
    found
}

#[test]
fn every_message_can_be_read() {
    let place = Place::new();
    prepare(&place);
    let (mut all, mut wrong) = (String::new(), String::new());
    for line in LINES.lines().filter(|line| !line.is_empty()) {
        let words = line.split_whitespace().chain(line.starts_with("run").then_some("--quiet"));
        let done = place.run(words);
        let (code, text) = (done.code, done.stderr.trim());
        let is_help = text.starts_with("Examples:");
        writeln!(all, "$ ntkscope {line}\n{}\n[{code}]\n", if is_help { "(help)" } else { text }).unwrap();
        if !(1..=4).contains(&code) {
            writeln!(wrong, "{line}: exit code {code}").unwrap();
        }
        if !is_help {
            let all = faults(text).into_iter().chain(foreign_flags(line, text));
            all.for_each(|fault| writeln!(wrong, "{line}: {fault}: {text}").unwrap());
        }
    }
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("messages.txt");
    std::fs::write(&path, &all).unwrap();
    println!("{}", path.display());
    assert!(wrong.is_empty(), "{wrong}\nall messages: {}", path.display());
}
