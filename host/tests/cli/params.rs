//! Parameters are read for the network that they were saved of, and for no other.

use safetensors::Dtype;
use safetensors::tensor::TensorView;

use crate::Place;
use crate::files::npz;

/// Networks that differ in a setting that the kernel depends on.
const NETWORKS: [&str; 21] = [
    "",
    "--bias none",
    "--bias all",
    "--bias-scale 0.5",
    "--depth 1",
    "--depth 3",
    "--width 6",
    "--outputs 2",
    "--activation erf",
    "--activation gelu",
    "--init standard",
    "--init standard --bias none",
    "--init standard --depth 1 --activation gelu",
    "--network resnet",
    "--network resnet --alpha 0.5",
    "--network resnet --trained branches",
    "--network resnet --bias none",
    "--network resnet --init standard",
    "--network resnet --depth 1 --init standard",
    "--bias hidden",
    "--network resnet --bias hidden",
];

#[test]
fn all_pairs_of_networks() {
    let place = Place::new();
    let line = "kernel empirical --width 5 --n 4 --quiet";
    for (saved, network) in NETWORKS.iter().enumerate() {
        let words = with(line, network);
        place.succeed(&format!("{words} --seed 3 --out K{saved}.npz --params-out P{saved}.npz"));
    }
    for (read, network) in NETWORKS.iter().enumerate() {
        for saved in 0..NETWORKS.len() {
            let words = format!("{} --params P{saved}.npz", with(line, network));
            if saved == read {
                place.succeed(&format!("{words} --out again.npz"));
                assert_eq!(place.array("again.npz", "kernel").1, place.array(&format!("K{saved}.npz"), "kernel").1);
            } else {
                place.refuse(&words, 2, &[&format!("P{saved}.npz")]);
            }
        }
    }
    let told = |read: usize, saved: usize, parts: &[&str]| {
        place.refuse(&format!("{} --params P{saved}.npz", with(line, NETWORKS[read])), 2, parts);
    };
    told(0, 2, &["first.b1", "does not have", "--bias"]);
    told(2, 0, &["first.b1", "lacks", "--bias"]);
    told(0, 3, &["--bias-scale 0.5", "--bias-scale 1.0"]);
    told(0, 8, &["--activation erf", "--activation relu"]);
    told(13, 14, &["--alpha 0.5", "--alpha 1.0"]);
    let other_samples = "kernel empirical --width 5 --n 4 --quiet --data sphere --params P0.npz";
    place.refuse(other_samples, 2, &["`first.W0` takes samples of 2 numbers", "have 3", "check --data"]);
    // a shifted network is the standard one here
    place.succeed(&format!("{line} --init shifted --params P10.npz"));
}

/// `line` with the settings of a network; those given twice count once.
fn with(line: &str, network: &str) -> String {
    let line = if network.contains("--width") { line.replace(" --width 5", "") } else { line.into() };
    format!("{line} {network}")
}

#[test]
fn files_of_others_need_no_settings_but_the_right_names() {
    let place = Place::new();
    let line = "kernel empirical --depth 1 --width 2 --init standard";
    let w0 = ("W0", &[2, 2][..], &[1.0, 0.5, -1.0, 2.0][..]);
    let (b0, w1) = (("b0", &[2][..], &[0.5, 1.0][..]), ("W1", &[1, 2][..], &[1.0, -1.0][..]));
    place.file("P.npz", npz(&[w0, b0, w1]));
    place.succeed(&format!("{line} --params P.npz --activation erf"));
    place.file("Q.npz", npz(&[w0, b0, w1, ("extra", &[1], &[0.0])]));
    place.refuse(&format!("{line} --params Q.npz"), 2, &["Q.npz", "extra", "does not have"]);
    let many: Vec<String> = (0..5000).map(|k| format!("name{k}")).collect();
    let arrays: Vec<_> = many.iter().map(|name| (name.as_str(), &[1][..], &[0.0][..])).collect();
    place.file("M.npz", npz(&arrays));
    let done = place.run(format!("{line} --params M.npz").split_whitespace());
    assert!(done.code == 2 && done.stderr.len() < 1000, "{}", done.stderr);

    place.file("huge.npz", npz(&[("W0", &[2, 2], &[1e300, 1.0, 1.0, 1.0]), b0, w1]));
    place.refuse(&format!("{line} --params huge.npz --dtype f32"), 3, &["`W0`", "1e300", "--dtype f64"]);
    place.file("nan.npz", npz(&[("W0", &[2, 2], &[1.0, 1.0, f64::NAN, 1.0]), b0, w1]));
    place.refuse(&format!("{line} --params nan.npz"), 3, &["`W0`", "number 2", "NaN"]);
}

#[test]
fn safetensors_of_every_float() {
    let place = Place::new();
    let line = "kernel empirical --depth 1 --width 2 --init standard --dtype f32";
    // numbers that every type holds exactly
    let numbers: [(&str, &[usize], &[f32]); 3] =
        [("W0", &[2, 2], &[1.0, 0.5, -1.0, 2.0]), ("b0", &[2], &[0.5, 1.0]), ("W1", &[1, 2], &[1.0, -1.5])];
    let half = |v: f32| {
        let bits = v.to_bits();
        ((bits >> 16 & 0x8000) | ((bits >> 13 & 0x3fc00) - (112 << 10)) | (bits >> 13 & 0x3ff)) as u16
    };
    type Encode<'a> = &'a dyn Fn(f32) -> Vec<u8>;
    let ways: [(Dtype, Encode<'_>); 4] = [
        (Dtype::F16, &|v| half(v).to_le_bytes().to_vec()),
        (Dtype::BF16, &|v| ((v.to_bits() >> 16) as u16).to_le_bytes().to_vec()),
        (Dtype::F32, &|v| v.to_le_bytes().to_vec()),
        (Dtype::F64, &|v| f64::from(v).to_le_bytes().to_vec()),
    ];
    let mut kernels = Vec::new();
    for (dtype, encode) in ways {
        let bytes =
            numbers.map(|(name, shape, v)| (name, shape, v.iter().flat_map(|v| encode(*v)).collect::<Vec<u8>>()));
        let views =
            bytes.iter().map(|(name, shape, bytes)| (*name, TensorView::new(dtype, shape.to_vec(), bytes).unwrap()));
        // the ending in any letters
        place.file("P.SafeTensors", safetensors::serialize(views, None).unwrap());
        place.succeed(&format!("{line} --params P.SafeTensors --out K.npz"));
        kernels.push(place.array("K.npz", "kernel").1);
    }
    assert!(kernels.windows(2).all(|pair| pair[0] == pair[1]), "{kernels:?}");
    let view = TensorView::new(Dtype::I32, vec![1], &[0; 4]).unwrap();
    place.file("I.safetensors", safetensors::serialize([("W0", view)], None).unwrap());
    place.refuse(&format!("{line} --params I.safetensors"), 3, &["`W0`", "I32", "BF16"]);
    // settings in the metadata count as they do in an npz
    let views =
        numbers.map(|(name, shape, v)| (name, shape, v.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>()));
    let views =
        views.iter().map(|(name, shape, bytes)| (*name, TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap()));
    let settings = Some([("settings".to_owned(), "bias-scale = 0.25\n".to_owned())].into());
    place.file("S.safetensors", safetensors::serialize(views, settings).unwrap());
    place.refuse(&format!("{line} --params S.safetensors"), 2, &["--bias-scale 0.25", "--bias-scale 1.0"]);
    place.succeed(&format!("{line} --params S.safetensors --bias-scale 0.25"));
    for content in [&b""[..], &[255; 8], &[255; 100], &[2, 0, 0, 0, 0, 0, 0, 0, b'{', b'}', 7]] {
        place.file("D.safetensors", content);
        place.refuse(&format!("{line} --params D.safetensors"), 3, &["D.safetensors"]);
    }
    let nested = "[".repeat(60_000);
    place.file("N.safetensors", [&(nested.len() as u64).to_le_bytes()[..], nested.as_bytes()].concat());
    place.refuse(&format!("{line} --params N.safetensors"), 3, &["N.safetensors"]);
}
